import ArchiveCheck
import CanonicalJSON
import Catalog
import Foundation
import Integrity
import PackageStore
import Platform
import Snapshots
import SystemPackage

/// Makes a packument of what was published to this registry alone, out of what a damaged one leaves: the tarballs, and the last snapshot.
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
        let proof: TarballProof
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

    /// - Parameter upstream: the versions that upstream has; those are Verdaccio's business.
    func salvage(_ package: PackageName, upstream: Set<String>) throws -> Outcome {
        let directory = layout.directory(of: package)
        let files = (try DiskFileSystem().names(in: directory) ?? []).compactMap { FileName($0) }.filter { !$0.isPackument }
        let form = try lastForm(of: package)
        let known = Dictionary((form?.declared ?? []).map { ($0.file, $0) }, uniquingKeysWith: { first, _ in first })
        var saved: [Version] = []
        var lost: [FileName] = []
        for file in files {
            if let version = usualVersion(of: file, package), upstream.contains(version.text) { continue }
            if let before = known[file], upstream.contains(before.version.text) { continue }
            guard let version = try version(of: file, in: directory, package, known[file], times: form?.object["time"]?.object) else {
                lost.append(file)
                continue
            }
            if !upstream.contains(version.version.text) { saved.append(version) }
        }
        guard !saved.isEmpty else { return Outcome(document: nil, versions: [], lost: lost) }
        saved.sort { $0.version < $1.version }
        return Outcome(
            document: document(of: package, saved, tags: form?.object["dist-tags"]?.object, isAlone: upstream.isEmpty),
            versions: saved.map(\.version), lost: lost)
    }

    /// The version that a file of the usual name is of.
    private func usualVersion(of file: FileName, _ package: PackageName) -> PackageVersion? {
        guard file.text.hasPrefix("\(package.base)-") else { return nil }
        return PackageVersion(String(file.text.dropFirst(package.base.count + 1).dropLast(4)))
    }

    /// The packument as the last snapshot carried it; `nil` where none did.
    private func lastForm(of package: PackageName) throws -> StoredPackument? {
        guard let form = try catalog.records(from: package, through: package)[package]?.form,
            let bytes = try DiskFileSystem().contents(of: snapshots.object(form.digest), limit: StoredPackument.sizeLimit)
        else { return nil }
        return try? StoredPackument(parsing: bytes, of: package)
    }

    /// A version out of the last snapshot where its tarball is still the same, else out of the tarball's own manifest.
    private func version(
        of file: FileName, in directory: FilePath, _ package: PackageName, _ before: DeclaredVersion?, times: JSONObject?
    ) throws -> Version? {
        let job = TarballInspector.Job(
            path: directory.appending(file.text), declared: before?.digests ?? DeclaredDigests(), keepsManifest: true)
        guard case .judged(let verdict) = inspector.inspect(job), verdict.damage == nil else { return nil }
        let stored = Timestamp(nanoseconds: verdict.identity.modified).description
        if let before, verdict.isAsPublished == true {
            let published = times?[before.version.text]?.string ?? stored
            return Version(version: before.version, file: file, proof: verdict.proof, entry: before.manifest, published: published)
        }
        guard var manifest = verdict.manifest.flatMap({ try? JSONParser.parse($0, mode: .likeJavaScript).object }),
            manifest["name"]?.string == package.text, let version = manifest["version"]?.string.flatMap({ PackageVersion($0) })
        else { return nil }
        manifest["readme"] = nil
        manifest["_id"] = .string("\(package)@\(version)")
        manifest["dist"] = [
            "integrity": .string("sha512-\(Data(verdict.proof.sha512.bytes).base64EncodedString())"),
            "shasum": .string(try shasum(of: directory.appending(file.text))),
            "tarball": .string("http://localhost/\(package)/-/\(file)"),
        ]
        return Version(version: version, file: file, proof: verdict.proof, entry: manifest, published: stored)
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

    private func document(of package: PackageName, _ saved: [Version], tags before: JSONObject?, isAlone: Bool) -> JSONObject {
        let versions = Set(saved.map(\.version.text))
        var tags = (before?.members ?? []).filter { $0.value.string.map(versions.contains) ?? false }
        if isAlone, !tags.contains(where: { $0.name == "latest" }), let latest = PackageVersion.preferredLatest(of: saved.map(\.version)) {
            tags.append(("latest", .string(latest.text)))
        }
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
