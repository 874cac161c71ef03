package import BundleFormat
package import Integrity
package import PackageStore
package import Snapshots

/// Files that a bundle's target needs and that are neither in the bundle nor here.
package struct BundleGap: Sendable, CustomStringConvertible {
    package let descriptor: BundleDescriptor
    /// What is missing by path, as far as there is room to say it in a request.
    package private(set) var missing: [(path: StorePath, digest: SHA512Digest)] = []
    /// The first of what stands in the place of missing tarballs, and is none.
    package var obstructions: [Obstruction] = []
    /// How many files are missing in all.
    package private(set) var count = 0
    /// The sequence of the newest state of the origin that was applied here; 0 before the first.
    package var newest: Int64 = 0
    /// The bundle of an import that did not end, which may be why.
    package var unfinished: Identifier?

    /// Longest list that is kept (FORMAT.md §2).
    package static let limit = 200_000
    /// Files that are named to people.
    package static let namedLimit = 20

    package init(descriptor: BundleDescriptor) {
        self.descriptor = descriptor
    }

    mutating package func add(_ path: StorePath, _ digest: SHA512Digest?) {
        count += 1
        if let digest, missing.count < Self.limit { missing.append((path, digest)) }
    }

    package var description: String {
        let named = missing.prefix(Self.namedLimit).map { "\($0.path)" }.joined(separator: ", ")
        let words = obstructions.prefix(5).map { "; \($0): move that away" }.joined()
        let isFar = newest > 0 && descriptor.sequence > newest + 1
        let between = isFar ? " (it leads to state #\(descriptor.sequence), and #\(newest) is here)" : ""
        let more = count > Self.namedLimit ? ", …" : ""
        return "\(count) file(s) that the bundle builds upon\(between) are not here: \(named)\(more)\(words)"
    }
}
