import Foundation
import PackageStore

/// What a request's path names.
///
/// `/@scope/name`, `/@scope%2fname` and `/@scope%2Fname` are the same.
enum Address {
    case ping
    case whoAmI
    case search
    case user
    case package(String)
    case version(String, String)
    case file(String, String)
    case tags(String)
    case tag(String, String)
    case sidebar(String)
    case revision(String)
    case fileRevision(String, String)

    /// - Throws: `RegistryFailure` for what is no address of a registry.
    init(_ path: String) throws(RegistryFailure) {
        var parts: [String] = []
        for segment in path.split(separator: "/") {
            guard let text = String(segment).removingPercentEncoding else { throw RegistryFailure(status: 400, message: "bad request") }
            parts.append(text)
        }
        if parts.first == "-" {
            self = try Self.service(Array(parts.dropFirst()))
            return
        }
        let name = try Self.takeName(&parts)
        switch parts.count {
        case 0: self = .package(name)
        case 1: self = .version(name, parts[0])
        case 2 where parts[0] == "-": self = .file(name, try Self.checked(parts[1]))
        case 3 where parts[0] == "-" && parts[1].hasPrefix("@"): self = .file(name, try Self.checked(parts[2]))
        case 2 where parts[0] == "-rev": self = .revision(name)
        case 4 where parts[0] == "-" && parts[2] == "-rev": self = .fileRevision(name, try Self.checked(parts[1]))
        default: throw RegistryFailure(status: 404, message: "File not found")
        }
    }

    private static func service(_ parts: [String]) throws(RegistryFailure) -> Address {
        var rest = parts
        switch parts.first {
        case "ping" where parts.count == 1: return .ping
        case "whoami" where parts.count == 1: return .whoAmI
        case "v1" where parts == ["v1", "search"]: return .search
        case "user" where parts.count >= 2: return .user
        case "package":
            rest.removeFirst()
            let name = try takeName(&rest)
            if rest == ["dist-tags"] { return .tags(name) }
            if rest.count == 2, rest[0] == "dist-tags" { return .tag(name, rest[1]) }
        case "verdaccio" where parts.prefix(3) == ["verdaccio", "data", "sidebar"]:
            rest.removeFirst(3)
            let name = try takeName(&rest)
            if rest.isEmpty { return .sidebar(name) }
        default: break
        }
        throw RegistryFailure(status: 404, message: "File not found")
    }

    private static func takeName(_ parts: inout [String]) throws(RegistryFailure) -> String {
        guard var name = parts.first else { throw RegistryFailure(status: 404, message: "File not found") }
        parts.removeFirst()
        if name.hasPrefix("@"), !name.contains("/"), let second = parts.first {
            name += "/\(second)"
            parts.removeFirst()
        }
        guard PackageName(name) != nil else { throw RegistryFailure(status: 400, message: "invalid package") }
        return name
    }

    private static func checked(_ file: String) throws(RegistryFailure) -> String {
        let allowed = Set("-_.!~*'()@")
        guard file.first != ".", file.allSatisfy({ ($0.isASCII && ($0.isLetter || $0.isNumber)) || allowed.contains($0) }) else {
            throw RegistryFailure(status: 400, message: "invalid filename")
        }
        return file
    }
}
