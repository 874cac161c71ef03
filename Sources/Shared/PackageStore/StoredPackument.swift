package import CanonicalJSON
package import Integrity

/// A stored `package.json` that cannot be used at all.
package enum PackumentError: Error, Equatable, CustomStringConvertible {
    /// Zero bytes: Verdaccio leaves such a file after a crash.
    case empty
    /// Not JSON, or not an object with `versions`.
    case invalid(String)
    /// It speaks of another package.
    case nameMismatch(found: String)

    package var description: String {
        switch self {
        case .empty: "the packument is empty"
        case .invalid(let reason): "the packument is damaged: \(reason)"
        case .nameMismatch(let found): "the packument is that of \"\(found)\""
        }
    }
}

/// A version entry of a packument, with what it says of its tarball.
package struct DeclaredVersion: Sendable {
    package let version: PackageVersion
    /// The last path segment of `dist.tarball`, which is the name Verdaccio keeps the tarball under.
    package let file: FileName
    /// The whole entry.
    package let manifest: JSONObject

    /// `dist.integrity`, read when it is asked for: most versions of a packument are never held.
    package var integrity: SubresourceIntegrity? {
        manifest["dist"]?.object?["integrity"]?.string.flatMap { SubresourceIntegrity($0) }
    }

    /// `dist.shasum`, read when it is asked for.
    package var shasum: SHA1Digest? {
        manifest["dist"]?.object?["shasum"]?.string.flatMap { SHA1Digest(hex: $0.lowercased()) }
    }

    /// Reads an entry; the failure says what keeps it from being one.
    package static func read(_ name: String, _ value: JSONValue) -> Result<DeclaredVersion, VersionError> {
        guard let version = PackageVersion(name) else { return .failure(VersionError("\"\(name)\" is not a version")) }
        guard let manifest = value.object else { return .failure(VersionError("the entry is not an object")) }
        guard let dist = manifest["dist"]?.object else { return .failure(VersionError("the entry has no dist")) }
        guard let url = dist["tarball"]?.string else { return .failure(VersionError("the entry has no dist.tarball")) }
        guard let file = FileName(lastSegmentOf: url), !file.isPackument else {
            return .failure(VersionError("dist.tarball names no tarball: \"\(url.prefix(200))\""))
        }
        return .success(DeclaredVersion(version: version, file: file, manifest: manifest))
    }

    /// The message of a deprecated version: what JavaScript takes for false is no deprecation, any other value is one.
    package static func deprecation(in manifest: JSONObject?) -> String? {
        switch manifest?["deprecated"] ?? .null {
        case .null, .bool(false), .number(0), .string(""): nil
        case .string(let text): text
        case let value: String(decoding: value.canonicalBytes, as: UTF8.self)
        }
    }

    /// The message of its deprecation; `nil` where it is not deprecated.
    package var deprecation: String? { Self.deprecation(in: manifest) }

    /// What its tarball is proved by.
    package var digests: DeclaredDigests {
        let integrity = self.integrity
        return DeclaredDigests(sha512: integrity?.sha512 ?? [], sha1: (integrity?.sha1 ?? []) + [shasum].compactMap { $0 })
    }

    /// Whether the tarball can only be proved by its SHA-1.
    package var needsSHA1: Bool { digests.needsSHA1 }

    /// Whether these bytes are the ones that were published; `nil` where the entry does not say enough.
    package func matches(_ proof: TarballProof) -> Bool? { digests.matches(proof) }
}

/// The digests that a version entry declares of its tarball; any of the strongest kind may match.
package struct DeclaredDigests: Sendable, Hashable {
    package let sha512: [SHA512Digest]
    /// They count only where there is no SHA-512.
    package let sha1: [SHA1Digest]

    package init(sha512: [SHA512Digest] = [], sha1: [SHA1Digest] = []) {
        self.sha512 = sha512
        self.sha1 = sha512.isEmpty ? sha1 : []
    }

    /// Whether only SHA-1 proves the tarball.
    package var needsSHA1: Bool { !sha1.isEmpty }

    /// Whether these bytes are the ones that were published; `nil` where nothing is declared that was measured.
    package func matches(_ proof: TarballProof) -> Bool? {
        if !sha512.isEmpty { return sha512.contains(proof.sha512) }
        guard !sha1.isEmpty, let measured = proof.sha1 else { return nil }
        return sha1.contains(measured)
    }
}

/// Why a version entry is not one.
package struct VersionError: Error, Equatable, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// What was measured of a tarball's bytes.
package struct TarballProof: Sendable, Hashable {
    package var sha512: SHA512Digest
    /// Only measured where a packument declares nothing stronger.
    package var sha1: SHA1Digest?
    /// Bytes.
    package var size: Int64

    package init(sha512: SHA512Digest, sha1: SHA1Digest?, size: Int64) {
        self.sha512 = sha512
        self.sha1 = sha1
        self.size = size
    }
}

/// A `package.json` as it lies in a storage, read the way JavaScript reads it.
package struct StoredPackument: Sendable {
    /// No packument above this many bytes is read.
    package static let sizeLimit = 256 * 1024 * 1024

    /// The whole document.
    package let object: JSONObject
    /// The version entries that can be used, in the order of the document.
    package let declared: [DeclaredVersion]
    /// The version entries that cannot be used.
    package let findings: [Finding]

    /// Reads the document of a package as far as it is about these tarballs: a proxy's knows of many versions that it does not hold.
    ///
    /// Entries of other versions are left out of `object`, `declared` and `findings`, unless a tarball does not go by its version's
    /// usual name: then all are read.
    package init(parsing bytes: [UInt8], of package: PackageName, holding tarballs: Set<FileName>) throws(PackumentError) {
        let base = package.base
        let selection = JSONParser.Selection(of: "versions") { version in
            FileName("\(base)-\(version).tgz").map(tarballs.contains) ?? false
        }
        let few = try StoredPackument(parsing: bytes, of: package, selection: selection)
        self = tarballs.isSubset(of: few.declared.map(\.file)) ? few : try StoredPackument(parsing: bytes, of: package)
    }

    /// Reads the document of a package with these members of each version entry, and `dist`.
    package init(parsing bytes: [UInt8], of package: PackageName, keeping members: Set<String>) throws(PackumentError) {
        let selection = JSONParser.Selection(of: "versions", inside: { $0 == "dist" || members.contains($0) })
        try self.init(parsing: bytes, of: package, selection: selection)
    }

    /// Reads the document of a package.
    ///
    /// A damaged version entry is a finding and does not stop the rest.
    package init(parsing bytes: [UInt8], of package: PackageName) throws(PackumentError) {
        try self.init(parsing: bytes, of: package, selection: nil)
    }

    /// A packument made from another one.
    init(object: JSONObject, declared: [DeclaredVersion], findings: [Finding]) {
        self.object = object
        self.declared = declared
        self.findings = findings
    }

    private init(parsing bytes: [UInt8], of package: PackageName, selection: JSONParser.Selection?) throws(PackumentError) {
        guard !bytes.isEmpty else { throw .empty }
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONParser.parse(bytes, mode: .likeJavaScript, selection: selection)
        } catch {
            throw .invalid(error.description)
        }
        guard let object = value.object else { throw .invalid("not an object") }
        try self.init(reading: object, of: package)
    }

    /// Takes a document for that of a package.
    package init(reading object: JSONObject, of package: PackageName) throws(PackumentError) {
        guard object["name"]?.string == package.text else { throw .nameMismatch(found: object["name"]?.string ?? "") }
        guard let versions = object["versions"]?.object else { throw .invalid("no versions") }
        var declared: [DeclaredVersion] = []
        var findings: [Finding] = []
        for (name, value) in versions.members {
            switch DeclaredVersion.read(name, value) {
            case .success(let version): declared.append(version)
            case .failure(let error): findings.append(Finding(.versionInvalid, "\(package)@\(name)", error.description))
            }
        }
        self.object = object
        self.declared = declared
        self.findings = findings
    }
}
