import CanonicalJSON
import Integrity
import PackageStore
import YAML

/// The exact versions a JavaScript project was resolved to, as its package manager wrote them down.
package struct Lockfile: Sendable {
    /// Which package manager's file it is, with the version of its format.
    package enum Format: Sendable, Hashable, CustomStringConvertible {
        case npm(Int)
        case pnpm(String)
        case yarnClassic
        case yarnBerry(Int)

        package var description: String {
            switch self {
            case .npm(let version): "npm lockfile \(version)"
            case .pnpm(let version): "pnpm lockfile \(version)"
            case .yarnClassic: "yarn lockfile 1"
            case .yarnBerry(let version): "yarn berry lockfile \(version)"
            }
        }
    }

    package let format: Format
    /// What a registry must have for the project to be installed: sorted, no version twice.
    package let packages: [LockedPackage]
    /// What is locked and no registry can give, in the order of the file.
    package let findings: [LockfileFinding]

    /// The largest file that is read.
    package static let sizeLimit = 64 << 20

    /// Reads a lockfile of npm (1 to 3), pnpm (5, 6, 9) or Yarn (classic 1, berry 4 to 10), told apart by what they hold.
    ///
    /// Optional and development dependencies are among the packages, and an alias is the package it stands for. The project itself, its
    /// workspaces, and what comes inside another package's tarball are left out.
    ///
    /// - Parameter name: what errors call the file.
    /// - Throws: `LockfileError`; nothing of a file is read then.
    package init(parsing bytes: [UInt8], name: String) throws(LockfileError) {
        var contents = LockfileContents(file: name)
        guard bytes.count <= Self.sizeLimit else { throw contents.failure("it is larger than \(Self.sizeLimit >> 20) MiB") }
        let bytes = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
        if let line = Self.conflictLine(in: bytes) { throw contents.failure("a merge conflict is not resolved", line: line) }
        switch bytes.first(where: { $0 != 0x20 && $0 != 0x0A && $0 != 0x0D && $0 != 0x09 }) {
        case nil: throw contents.failure("it is empty")
        case UInt8(ascii: "{"): format = try contents.readNPM(bytes)
        default:
            if let version = Self.classicVersion(bytes) {
                guard version == "1" else { throw contents.failure("version \(version) of yarn's lockfile is not known") }
                try contents.readYarnClassic(bytes)
                format = .yarnClassic
            } else {
                format = try contents.readYAML(bytes)
            }
        }
        packages = contents.packages.values.sorted()
        findings = contents.findings
    }

    private static func conflictLine(in bytes: [UInt8]) -> Int? {
        var line = 1
        var isAtStart = true
        for (index, byte) in bytes.enumerated() {
            if isAtStart, byte == UInt8(ascii: "<"), bytes[index...].starts(with: "<<<<<<<".utf8) { return line }
            isAtStart = byte == UInt8(ascii: "\n")
            if isAtStart { line += 1 }
        }
        return nil
    }

    /// The version that a comment at the head of Yarn's classic format names; `nil` for any other file.
    private static func classicVersion(_ bytes: [UInt8]) -> String? {
        let mark = "# yarn lockfile v"
        var rest = bytes[...]
        while let first = rest.first, first == UInt8(ascii: "#") || first == UInt8(ascii: "\n") || first == UInt8(ascii: "\r") {
            let line = rest.prefix { $0 != UInt8(ascii: "\n") }
            if line.starts(with: mark.utf8) {
                return String(decoding: line.dropFirst(mark.utf8.count).prefix { $0 > 0x20 }, as: UTF8.self)
            }
            rest = rest[line.endIndex...].dropFirst()
        }
        return nil
    }
}

/// A file that is no lockfile, or none that is known here.
package struct LockfileError: Error, Equatable, CustomStringConvertible {
    package let file: String
    /// The line it is about, the first being 1; `nil` where it is about no line.
    package let line: Int?
    package let reason: String

    package var description: String { "lockfile \"\(file)\"\(line.map { ", line \($0)" } ?? ""): \(reason)" }
}

/// What the readers of the formats fill.
struct LockfileContents {
    let file: String
    private(set) var packages: [String: LockedPackage] = [:]
    private(set) var findings: [LockfileFinding] = []

    init(file: String) { self.file = file }

    func failure(_ reason: String, line: Int? = nil) -> LockfileError { LockfileError(file: file, line: line, reason: reason) }

    /// Takes what comes from a registry; what has no name or version that a registry knows is a finding.
    mutating func add(
        _ name: some StringProtocol, _ version: some StringProtocol, integrity: String?, isOptional: Bool = false, entry: String
    ) {
        guard let name = PackageName(String(name)) else { return report(.invalidName, entry) }
        guard let version = PackageVersion(String(version)) else { return report(.invalidVersion, entry) }
        let known = packages["\(name)@\(version)"]
        let new = LockedPackage(
            name: name, version: version, integrity: integrity.flatMap { SubresourceIntegrity($0) },
            isOptional: isOptional && known?.isOptional ?? true)
        guard let old = packages.updateValue(new, forKey: new.description) else { return }
        let (first, second) = (old.integrity?.sha512 ?? [], new.integrity?.sha512 ?? [])
        if !first.isEmpty, !second.isEmpty, Set(first).isDisjoint(with: second) { report(.integrityConflict, entry) }
        if !first.isEmpty || new.integrity == nil {
            packages[new.description] = LockedPackage(
                name: name, version: version, integrity: old.integrity, isOptional: new.isOptional)
        }
    }

    mutating func report(_ code: LockfileFinding.Code, _ entry: String) {
        findings.append(LockfileFinding(code: code, entry: entry))
    }
}
