package import CanonicalJSON

/// A machine that packages are installed on, in Node's words.
package struct TargetPlatform: Sendable, Hashable, CustomStringConvertible {
    /// Such as `linux`, `darwin` or `win32`.
    package let os: String
    /// Such as `x64` or `arm64`.
    package let cpu: String
    /// `glibc` or `musl` on Linux, `nil` elsewhere.
    package let libc: String?

    /// Reads `linux-x64`, `linux-arm64-musl`, `win32-x64`; on Linux `glibc` is meant where nothing is said.
    ///
    /// `nil` for anything else; the names themselves are not checked, since Node gains new ones.
    package init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
        guard (2...3).contains(parts.count), parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(Self.isWordByte) }) else { return nil }
        guard parts.count == 2 || (parts[0] == "linux" && ["glibc", "musl"].contains(parts[2])) else { return nil }
        os = parts[0]
        cpu = parts[1]
        libc = parts[0] == "linux" ? (parts.count == 3 ? parts[2] : "glibc") : nil
    }

    /// The machine this runs on.
    package static let current = TargetPlatform(os: "linux", cpu: machine, libc: "glibc")

    private init(os: String, cpu: String, libc: String?) {
        (self.os, self.cpu, self.libc) = (os, cpu, libc)
    }

    private static var machine: String {
        #if arch(arm64)
            "arm64"
        #else
            "x64"
        #endif
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        (byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z")) || (byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9"))
    }

    package var description: String { "\(os)-\(cpu)\(libc.map { $0 == "glibc" ? "" : "-\($0)" } ?? "")" }
}

/// The `os`, `cpu` and `libc` of a version: on which machines it runs (npm-install-checks 6).
package struct PlatformRestriction: Sendable, Hashable {
    /// Entries such as `linux` or `!win32`; `nil` where there is no restriction.
    private let os: [String]?
    private let cpu: [String]?
    private let libc: [String]?

    /// Reads the three members of a version's manifest.
    package init(of manifest: JSONObject) {
        os = Self.list(manifest["os"])
        cpu = Self.list(manifest["cpu"])
        libc = Self.list(manifest["libc"])
    }

    private static func list(_ value: JSONValue?) -> [String]? {
        if let text = value?.string { return text.isEmpty ? nil : [text] }
        return value?.array?.compactMap(\.string)
    }

    /// Whether the version may be installed on a platform.
    package func allows(_ platform: TargetPlatform) -> Bool {
        guard os.map({ Self.allows(platform.os, $0) }) ?? true, cpu.map({ Self.allows(platform.cpu, $0) }) ?? true else { return false }
        guard let libc else { return true }
        return platform.libc.map { Self.allows($0, libc) } ?? false
    }

    /// None of the negated entries, and one of the others, where there are any.
    private static func allows(_ value: String, _ list: [String]) -> Bool {
        if list == ["any"] || list.isEmpty { return true }
        if list.contains("!\(value)") { return false }
        return list.contains(value) || list.allSatisfy { $0.hasPrefix("!") }
    }
}
