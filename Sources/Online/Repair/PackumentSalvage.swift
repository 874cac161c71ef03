import ArchiveCheck
import CanonicalJSON
import Catalog
import Foundation
import Integrity
import PackageStore
import Platform
import Snapshots
import SystemPackage

/// Makes a packument of what was published to this registry alone, out of what a damaged one leaves: the tarballs, the last snapshot, and
/// what the catalog has seen of the packument while it was good.
///
/// Verdaccio fetches the rest from upstream as soon as somebody asks: it adds the versions it does not know and changes none that it does.
struct PackumentSalvage: Sendable {
    let layout: StorageLayout
    let catalog: Catalog
    let snapshots: SnapshotStore
    let inspector: TarballInspector

    /// A version that can be saved.
    private struct Version {
        let version: PackageVersion
        let file: FileName
        let entry: JSONObject
        let published: String
    }

    /// What can be saved, and what cannot.
    struct Outcome {
        /// `nil` where no local version is left to be saved.
        let document: JSONObject?
        let versions: [PackageVersion]
        /// Tarballs of which no version can be made: they are damaged, or hold another package.
        let lost: [FileName]
    }

    /// - Parameters:
    ///   - upstream: the versions that upstream has; those are Verdaccio's business, unless one was published here with other bytes.
    ///   - latest: what upstream's `latest` points at.
    func salvage(_ package: PackageName, upstream: [String: JSONObject], latest: String?) throws -> Outcome {
        let directory = layout.directory(of: package)
        let files = (try DiskFileSystem().names(in: directory) ?? []).compactMap { FileName($0) }.filter { !$0.isPackument }
        let form = try lastForm(of: package)
        let seen = try catalog.package(package)
        let local = Set((seen?.versions ?? []).filter(\.isLocal).map(\.version))
        let known = Dictionary((form?.declared ?? []).map { ($0.file, $0) }, uniquingKeysWith: { first, _ in first })
        var saved: [Version] = []
        var lost: [FileName] = []
        for file in files {
            let name = known[file]?.version.text ?? usualVersion(of: file, package)?.text
            if let name, upstream[name] != nil, !local.contains(name) { continue }
            guard let version = try version(of: file, in: directory, package, known[file], times: form?.object["time"]?.object) else {
                lost.append(file)
                continue
            }
            let text = version.version.text
            if upstream[text] == nil || local.contains(text) && !isSame(version, upstream[text]) { saved.append(version) }
        }
        guard !saved.isEmpty else { return Outcome(document: nil, versions: [], lost: lost) }
        saved.sort { $0.version < $1.version }
        var tags = seen?.tags ?? [:]
        if tags.isEmpty { for (tag, version) in form?.object["dist-tags"]?.object?.members ?? [] { tags[tag] = version.string } }
        let there = Set(upstream.keys).union(saved.map(\.version.text))
        tags = tags.filter { there.contains($0.value) }
        // Without one, Verdaccio takes the highest version of what it holds at the moment for it.
        if tags["latest"] == nil {
            let candidates = saved.map(\.version) + [latest.flatMap { PackageVersion($0) }].compactMap { $0 }
            tags["latest"] = PackageVersion.preferredLatest(of: candidates)?.text
        }
        return Outcome(document: document(of: package, saved, tags: tags), versions: saved.map(\.version), lost: lost)
    }

    /// Whether upstream has published the same tarball.
    private func isSame(_ version: Version, _ upstream: JSONObject?) -> Bool {
        guard let upstream, let theirs = try? DeclaredVersion.read(version.version.text, .object(upstream)).get(),
            let ours = try? DeclaredVersion.read(version.version.text, .object(version.entry)).get()
        else { return false }
        if !theirs.digests.sha512.isEmpty, !ours.digests.sha512.isEmpty { return theirs.digests == ours.digests }
        return theirs.shasum != nil && theirs.shasum == ours.shasum
    }

    /// The version that a file of the usual name is of.
    private func usualVersion(of file: FileName, _ package: PackageName) -> PackageVersion? {
        guard file.text.hasPrefix("\(package.base)-") else { return nil }
        return PackageVersion(String(file.text.dropFirst(package.base.count + 1).dropLast(4)))
    }

    /// The version that named a file in the last snapshot that carried the package.
    func formerVersion(of file: FileName, _ package: PackageName) throws -> DeclaredVersion? {
        try lastForm(of: package)?.declared.first { $0.file == file }
    }

    /// The packument as the last snapshot carried it that did; `nil` where none did.
    private func lastForm(of package: PackageName) throws -> StoredPackument? {
        if let form = try catalog.records(from: package, through: package)[package].flatMap({ PackageRecord.form(decoding: $0) }),
            let stored = try packument(form.digest, of: package)
        {
            return stored
        }
        // A snapshot that was taken since has found it damaged.
        let path = StorePath(package, .packument)
        for header in try snapshots.headers().reversed() {
            guard var reader = try snapshots.open(header.id) else { continue }
            while let file = try reader.next(), !(path < file.path) {
                if file.path == path, let stored = try packument(file.digest, of: package) { return stored }
            }
        }
        return nil
    }

    private func packument(_ digest: SHA512Digest, of package: PackageName) throws -> StoredPackument? {
        let bytes = try DiskFileSystem().contents(of: snapshots.object(digest), limit: StoredPackument.sizeLimit)
        return bytes.flatMap { try? StoredPackument(parsing: $0, of: package) }
    }

    /// A version out of the last snapshot where its tarball is still the same, or damaged, else out of the tarball's own manifest.
    private func version(
        of file: FileName, in directory: FilePath, _ package: PackageName, _ before: DeclaredVersion?, times: JSONObject?
    ) throws -> Version? {
        let job = TarballInspector.Job(
            path: directory.appending(file.text), declared: before?.digests ?? DeclaredDigests(), keepsManifest: true)
        guard case .judged(let verdict) = inspector.inspect(job) else { return nil }
        let stored = Timestamp(nanoseconds: verdict.identity.modified).description
        let snapshot = before.map { before in
            let published = times?[before.version.text]?.string ?? stored
            return Version(version: before.version, file: file, entry: before.manifest, published: published)
        }
        if verdict.isAsPublished == true { return snapshot }
        // A whole archive may have been published anew since.
        guard verdict.damage == nil || verdict.damage?.kind == .digestMismatch,
            var manifest = verdict.manifest.flatMap({ try? JSONParser.parse($0, mode: .likeJavaScript).object }),
            manifest["name"]?.string == package.text, let version = manifest["version"]?.string.flatMap({ PackageVersion($0) })
        else { return snapshot }
        manifest["readme"] = nil
        manifest["_id"] = .string("\(package)@\(version)")
        manifest["dist"] = [
            "integrity": .string("sha512-\(Data(verdict.proof.sha512.bytes).base64EncodedString())"),
            "shasum": .string(try shasum(of: directory.appending(file.text))),
            "tarball": .string("http://localhost/\(package)/-/\(file)"),
        ]
        return Version(version: version, file: file, entry: manifest, published: stored)
    }

    private func shasum(of path: FilePath) throws -> String {
        let hasher = SHA1Hasher()
        guard let reader = try FileReader(opening: path) else { throw FileSystemError("read", path, .noSuchFileOrDirectory) }
        var offset: Int64 = 0
        while true {
            let piece = try reader.read(1 << 20, at: offset)
            if piece.isEmpty { return hasher.finalize().hex }
            piece.withUnsafeBytes { hasher.update($0) }
            offset += Int64(piece.count)
        }
    }

    private func document(of package: PackageName, _ saved: [Version], tags: [String: String]) -> JSONObject {
        let tags = tags.sorted { $0.key < $1.key }.map { (name: $0.key, value: JSONValue.string($0.value)) }
        let attachments = saved.map { version in
            let shasum = version.entry["dist"]?.object?["shasum"] ?? .string("")
            return (name: version.file.text, value: ["shasum": shasum, "version": .string(version.version.text)] as JSONValue)
        }
        return JSONObject(uniqueMembers: [
            ("name", .string(package.text)),
            ("versions", .object(JSONObject(uniqueMembers: saved.map { ($0.version.text, .object($0.entry)) }))),
            ("time", .object(JSONObject(uniqueMembers: saved.map { ($0.version.text, .string($0.published)) }))),
            ("users", [:]), ("dist-tags", .object(JSONObject(uniqueMembers: tags))), ("_uplinks", [:]), ("_distfiles", [:]),
            ("_attachments", .object(JSONObject(uniqueMembers: attachments))), ("_rev", "1-0"), ("_id", .string(package.text)),
            ("readme", ""),
        ])
    }
}
