import BundleFormat
import CanonicalJSON
import Catalog
import Documents
import HTTPService
import Integrity
import MediaLayout
import PackageStore
import Platform
import Snapshots
import Synchronization
import SystemPackage

extension FerryAPI {
    private enum ContentList: String, CaseIterable, Sendable { case files, removed }

    private static let bundleID = Parameter.path("id", .bundleID, "The bundle's id.") { Identifier($0, .bundle) }

    static func artifacts(_ context: APIContext) -> [HTTPOperation] {
        [
            listOperation(context), showOperation(context), contentsOperation(context), downloadOperation(context),
            verificationOperation(context),
        ]
    }

    private static func listOperation(_ context: APIContext) -> HTTPOperation {
        let destination = Parameter<BundleDestination?>.optional("destination", .destination, "Only bundles for it.") {
            BundleDestination($0)
        }
        let sort = Parameter<Bool>.word(
            "sort", [("-sequence", false), ("sequence", true)], default: "-sequence", "Whether the newest come first, or the oldest.")
        return HTTPOperation(
            .get, "/artifacts", id: "listArtifacts", tag: "artifacts", "List the bundles that were made.",
            parameters: [destination.declaration, sort.declaration, limit.declaration, offset.declaration],
            success: [HTTPOperation.Success(pageSchema(.bundle), "A page of bundles.")], problems: commonProblems
        ) { request in
            let (wanted, isOldestFirst) = (try request.value(of: destination), try request.value(of: sort))
            let (first, count) = (try request.value(of: offset), try request.value(of: limit))
            return try await request.blocking {
                let found = try context.catalog.bundles(for: wanted, oldestFirst: isOldestFirst, offset: first, limit: count)
                return .json(try page(found.elements.map(\.json), of: found.total, request))
            }
        }
    }

    private static func showOperation(_ context: APIContext) -> HTTPOperation {
        HTTPOperation(
            .get, "/artifacts/{id}", id: "getArtifact", tag: "artifacts", "Get a bundle.", parameters: [bundleID.declaration],
            success: [HTTPOperation.Success(.bundleDetail, "The bundle.")], problems: commonProblems
        ) { request in
            let id = try request.value(of: bundleID)
            return try await request.blocking {
                let record = try record(id, context)
                var object = record.json.object ?? JSONObject()
                object["archive"] = .array(
                    try volumes(of: record, context).map { path in
                        let size = try DiskFileSystem().status(of: path)?.identity.size ?? 0
                        return ["name": .string(path.lastComponent?.string ?? ""), "sizeBytes": .integer(size)]
                    })
                return .json(.object(object))
            }
        }
    }

    private static func contentsOperation(_ context: APIContext) -> HTTPOperation {
        let part = Parameter<ContentList>.choice("list", default: .files, "The files that it carries, or those that it removes.")
        return HTTPOperation(
            .get, "/artifacts/{id}/contents", id: "listArtifactContents", tag: "artifacts", "List what a bundle carries or removes.",
            explanation: "As the manifest in its archive says, in the archive's order: tarballs first.",
            parameters: [bundleID.declaration, part.declaration, limit.declaration, offset.declaration],
            success: [HTTPOperation.Success(pageSchema(.content), "A page of files.")],
            problems: commonProblems + [.archiveGone, .archiveDamaged]
        ) { request in
            let (id, list) = (try request.value(of: bundleID), try request.value(of: part))
            let (first, count) = (try request.value(of: offset), try request.value(of: limit))
            return try await request.blocking {
                // Asked for each time: what was pruned is not there any more, whatever is remembered.
                let archive = try archive(of: record(id, context), context)
                let lines = try context.lists.list("contents \(id) \(list.rawValue)") { add in
                    try contents(of: archive, list, context, add)
                    return [:]
                }
                return .json(try page(try lines.page(offset: first, limit: count), of: lines.count, request))
            }
        }
    }

    private static func downloadOperation(_ context: APIContext) -> HTTPOperation {
        HTTPOperation(
            .get, "/artifacts/{id}/download", id: "downloadArtifact", tag: "artifacts", "Download a bundle's archive.",
            explanation: "Volumes are joined. One range may be asked for; several at once are answered with the whole.",
            parameters: [bundleID.declaration],
            success: [
                HTTPOperation.Success(mediaType: "application/zstd", "The archive."),
                HTTPOperation.Success(mediaType: "application/zstd", "A part of the archive.", status: 206),
            ], problems: commonProblems + [.archiveGone], hasRanges: true
        ) { request in
            let id = try request.value(of: bundleID)
            return try await request.blocking {
                let record = try record(id, context)
                let archive = try archive(of: record, context)
                return .download(
                    archive, mediaType: "application/zstd", name: "\(record.label).tar.zst", revision: "\(id)-\(archive.length)")
            }
        }
    }

    private static func verificationOperation(_ context: APIContext) -> HTTPOperation {
        let proofs = ProofDesk()
        return HTTPOperation(
            .get, "/artifacts/{id}/verification", id: "verifyArtifact", tag: "artifacts", "Prove a bundle's archive now.",
            explanation: """
                Reads every byte: the tail, each chunk, the manifest, and each file against the manifest; and compares the signatures with \
                the public keys of this origin. One archive at a time; it ends when the client leaves.
                """, parameters: [bundleID.declaration],
            success: [HTTPOperation.Success(.verification, "What was found, whether good or bad.")],
            problems: commonProblems + [.archiveGone], isLong: true
        ) { request in
            let id = try request.value(of: bundleID)
            let place = try proofs.take()
            let source = try await request.blocking { try archive(of: record(id, context), context) }
            return try await request.blocking { (isCancelled: @escaping @Sendable () -> Bool) in
                // The thread may keep this closure, and the place with it, until after the answer is out.
                defer { place.leave() }
                return .json(try ArchiveProof(of: source, bundle: id, state: context.state, isCancelled: isCancelled).json)
            }
        }
    }

    private static func record(_ id: Identifier, _ context: APIContext) throws -> BundleRecord {
        guard let record = try context.catalog.bundle(id) else {
            throw Problem(.notFound, "there is no bundle \(id)", members: ["parameter": "id"])
        }
        return record
    }

    private static func volumes(of record: BundleRecord, _ context: APIContext) throws -> [FilePath] {
        try Medium.volumes(at: context.state.appending("artifacts").appending(record.id.text))
    }

    private static func archive(of record: BundleRecord, _ context: APIContext) throws -> ArchiveSource {
        let volumes = try volumes(of: record, context)
        guard !volumes.isEmpty else {
            throw Problem(
                .archiveGone,
                record.pruned.map { "the archive of bundle \(record.id) was pruned at \($0) to make room; make it again" }
                    ?? "the archive of bundle \(record.id) is gone from the state's artifacts; make the bundle again")
        }
        return try ArchiveSource(volumes: volumes)
    }

    private static func contents(
        of archive: ArchiveSource, _ list: ContentList, _ context: APIContext, _ add: (JSONValue) throws -> Void
    ) throws {
        func document(_ file: SnapshotFile, _ reason: RemovalReason?) -> JSONValue {
            [
                "path": .string(file.path.description), "package": .string(file.path.package.text), "version": .text(file.version?.text),
                "sha512": .string(file.digest.hex), "sizeBytes": reason == nil ? .integer(file.size) : .null,
                "reason": .text(reason?.rawValue),
            ]
        }
        do {
            try withWorkDirectory(below: context.state) { work in
                let reader = try BundleReader(source: archive, tail: BundleTail(of: archive), work: work)
                _ = try reader.readLeading()
                var manifest = try reader.manifest()
                while let file = try manifest.nextFile() { if list == .files { try add(document(file, nil)) } }
                while let (file, reason) = try manifest.nextRemoved() { if list == .removed { try add(document(file, reason)) } }
            }
        } catch let error as BundleError {
            throw Problem(.archiveDamaged, "\(error)")
        } catch let error as DocumentError {
            throw Problem(.archiveDamaged, "\(error)")
        }
    }

    /// Runs a body with a directory of its own, which is gone afterwards.
    static func withWorkDirectory<Value>(below state: FilePath, _ body: (FilePath) throws -> Value) throws -> Value {
        let files = DiskFileSystem()
        let work = state.appending("work").appending("bundle-\(SHA512.digest(of: randomBytes(32)).hex.prefix(24))")
        try files.createDirectories(work)
        defer { try? files.removeTree(work) }
        return try body(work)
    }
}

extension ArchiveSource: ByteSource {}

/// Lets one archive be proved at a time.
final class ProofDesk: Sendable {
    private let isTaken = Mutex(false)

    /// A place, which is free again when it is left, at the latest when nothing holds it.
    final class Place: Sendable {
        private let desk: ProofDesk
        private let isHeld = Mutex(true)

        fileprivate init(_ desk: ProofDesk) {
            self.desk = desk
        }

        deinit { leave() }

        /// Frees the place, once.
        func leave() {
            let isFirst = isHeld.withLock { isHeld in
                defer { isHeld = false }
                return isHeld
            }
            if isFirst { desk.isTaken.withLock { $0 = false } }
        }
    }

    /// - Throws: `Problem` while another holds the place.
    func take() throws -> Place {
        let isFree = isTaken.withLock { isTaken in
            defer { isTaken = true }
            return !isTaken
        }
        guard isFree else { throw Problem(.busy, "another archive is being proved; ask again when that has ended") }
        return Place(self)
    }
}
