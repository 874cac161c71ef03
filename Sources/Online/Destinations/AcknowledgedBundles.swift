import BundleFormat
package import Catalog
import Platform
import Snapshots

/// The bundles whose states have arrived: whoever one was made for has acknowledged its state since it was made, or a later one.
///
/// A bundle for anybody was made for every destination that is known, confirmed or not. Nobody has acknowledged what is for a destination
/// that is not known, or whose last receipt tells of missing files, or of a state that no bundle here leads to: it may be one of before this side
/// was restored from a backup.
package func acknowledgedBundles(_ catalog: Catalog) throws -> [BundleRecord] {
    let known = try catalog.knownDestinations()
    let bundles = try catalog.bundles()
    var last: [Identifier: ReceiptRecord] = [:]
    for destination in known where destination.confirmed != nil {
        last[destination.id] = try catalog.receipts(of: destination.id).first.flatMap { $0.isOfOurs(bundles) ? $0 : nil }
    }
    return bundles.filter { bundle in
        let addressees: [Identifier]
        switch bundle.destination {
        case .any: addressees = known.map(\.id)
        case .only(let id): addressees = [id]
        }
        return !addressees.isEmpty && addressees.allSatisfy { last[$0]?.acknowledges(bundle) ?? false }
    }
}

extension ReceiptRecord {
    fileprivate func isOfOurs(_ bundles: [BundleRecord]) -> Bool {
        bundles.contains { $0.sequence == sequence && $0.targetRoot == targetRoot }
    }

    fileprivate func acknowledges(_ record: BundleRecord) -> Bool {
        guard let sequence, missing == 0, sequence >= record.sequence else { return false }
        if bundle == record.id { return true }
        // What was made after it answers to something that it does not know of, such as a storage that was lost.
        // A bundle knows the second alone.
        guard read.seconds > record.created.seconds else { return false }
        // A filler leads to no other state than it starts from, which says nothing of whether it came.
        return sequence > record.sequence || (targetRoot == record.targetRoot && record.baseline != record.target)
    }
}
