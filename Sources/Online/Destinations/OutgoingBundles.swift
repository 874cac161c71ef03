import BundleFormat
package import Catalog
package import Platform
package import Snapshots

/// The bundles that are to travel: for each destination whose key was confirmed the newest that leads beyond what it has acknowledged; the
/// newest for anybody where no destination is known.
///
/// - Parameter here: the bundles that lie on the medium already.
/// - Returns: each once, oldest first; none whose archive is gone.
package func outgoingBundles(_ catalog: Catalog, besides here: Set<Identifier>, now: Timestamp) throws -> [BundleRecord] {
    let known = try catalog.knownDestinations().filter { $0.confirmed != nil }
    let newest =
        known.isEmpty
        ? [try catalog.bundles().first { $0.destination == .any && $0.pruned == nil }]
        : try known.map { try DestinationStanding($0, catalog: catalog, now: now).pending.last { $0.pruned == nil } }
    let wanted = Set(newest.compactMap { $0 }.filter { !here.contains($0.id) })
    return wanted.sorted { $0.number < $1.number }
}
