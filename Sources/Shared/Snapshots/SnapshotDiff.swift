import PackageStore

/// A difference between two snapshots at one path.
package enum SnapshotChange: Sendable, Hashable {
    case added(SnapshotFile)
    case changed(from: SnapshotFile, to: SnapshotFile)
    case removed(SnapshotFile)

    /// What the target holds; `nil` for a removal.
    package var target: SnapshotFile? {
        switch self {
        case .added(let file), .changed(_, let file): file
        case .removed: nil
        }
    }
}

/// Compares two snapshots by content, path by path, in one pass over both.
///
/// Without a baseline everything is added.
///
/// - Parameters:
///   - lacking: what counts as added though the baseline holds it.
///   - body: gets each difference, sorted by path.
package func forEachChange(
    from baseline: SnapshotReader?, to target: SnapshotReader, lacking: LackingFiles = LackingFiles(),
    _ body: (SnapshotChange) throws -> Void
) throws {
    var baseline = baseline
    var target = target
    var old = try baseline?.next()
    var new = try target.next()
    while old != nil || new != nil {
        if let file = new, old.map({ file.path < $0.path }) ?? true {
            try body(.added(file))
            new = try target.next()
        } else if let file = old, new.map({ file.path < $0.path }) ?? true {
            try body(.removed(file))
            old = try baseline?.next()
        } else if let before = old, let after = new {
            if before.digest != after.digest {
                try body(.changed(from: before, to: after))
            } else if !lacking.isEmpty, lacking.covers(after) {
                try body(.added(after))
            }
            old = try baseline?.next()
            new = try target.next()
        }
    }
}
