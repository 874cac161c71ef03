package import Catalog
import Integrity
import PackageStore
import Replies
package import Snapshots

/// What a filler carries: what a destination lacks for a bundle to fit (FORMAT.md §5.2).
package struct Filler {
    /// Why no filler can be made.
    package enum Refusal: Error, Equatable, CustomStringConvertible {
        /// A request for packages, not for a filler.
        case wants(Identifier)
        /// The bundle that did not fit is none of this origin's, or builds upon nothing.
        case unknownBundle(Identifier)
        /// The state that the bundle builds upon is not kept any more.
        case gone(Identifier)

        package var description: String {
            switch self {
            case .wants(let id): "request \(id) asks for packages; approve it, refresh, and make the next bundle"
            case .unknownBundle(let id):
                "bundle \(id), which the request is about, is not one that this origin made and that builds upon another"
            case .gone(let id): "the state that bundle \(id) builds upon is not kept any more; make a full bundle: --baseline empty"
            }
        }
    }

    /// The bundle that did not fit.
    package let bundle: BundleRecord
    package let destination: Identifier
    /// Baseline and target of the filler: what that bundle builds upon.
    package let snapshot: SnapshotReader
    package let lacking: LackingFiles

    /// Reads a request and finds what answers it.
    ///
    /// Beside what is asked for, that is what the bundle replaces or removes, as far as the destination's last receipt does not say that it
    /// has it: for the bundle's own sake nobody had to ask for that, and the filler needs it.
    ///
    /// - Throws: `NoSuchRequest`, `Refusal`; what a catalog or a snapshot throws.
    package init(_ id: Identifier, catalog: Catalog, snapshots: SnapshotStore) throws {
        guard let (record, document) = try catalog.request(id) else { throw NoSuchRequest(id: id.text) }
        guard record.kind == .gap else { throw Refusal.wants(id) }
        let request = try GapRequest(parsing: document)
        guard let bundle = try catalog.bundle(request.bundle), let baseline = bundle.baseline else {
            throw Refusal.unknownBundle(request.bundle)
        }
        guard let base = try snapshots.open(baseline) else { throw Refusal.gone(request.bundle) }
        let asked = Dictionary(request.missing.map { ($0.path, $0.digest) }) { first, _ in first }
        var held = try Self.held(by: record.destination, catalog, snapshots)
        var target = SnapshotCursor(try snapshots.open(bundle.target))
        var lacking: [(StorePath, SHA512Digest)] = []
        var reader = base
        while let file = try reader.next() {
            let isAsked = asked[file.path] == file.digest
            let isKept = try target.digest(at: file.path) == file.digest
            let isHeld = try held.cursor.digest(at: file.path) == file.digest && !held.missing.contains(file.path)
            if isAsked || (!isKept && !isHeld) { lacking.append((file.path, file.digest)) }
        }
        self.bundle = bundle
        destination = record.destination
        snapshot = base
        self.lacking = LackingFiles(lacking)
    }

    /// What the destination's last receipt says that it has.
    private static func held(
        by destination: Identifier, _ catalog: Catalog, _ snapshots: SnapshotStore
    ) throws -> (cursor: SnapshotCursor, missing: Set<StorePath>) {
        guard let last = try catalog.lastReceipt(of: destination), let root = last.record.targetRoot else {
            return (SnapshotCursor(nil), [])
        }
        let missing = try Receipt(parsing: last.document).missing
        return (SnapshotCursor(try snapshots.snapshot(of: root)), Set(missing.map(\.path)))
    }
}

/// Looks paths up in a snapshot, each behind the one before.
private struct SnapshotCursor {
    private var reader: SnapshotReader?
    private var file: SnapshotFile?

    init(_ reader: SnapshotReader?) {
        self.reader = reader
    }

    mutating func digest(at path: StorePath) throws -> SHA512Digest? {
        while file.map({ $0.path < path }) ?? true {
            guard let next = try reader?.next() else { return nil }
            file = next
        }
        return file?.path == path ? file?.digest : nil
    }
}
