import BundleFormat
package import ImportLedger
package import Integrity
package import PackageStore
import Platform
package import Snapshots
import SystemPackage

/// What a bundle builds upon, checked by content against the storage and the applied view (FORMAT.md §10, last line).
package struct Prerequisites: Sendable {
    private let layout: StorageLayout
    private let ledger: Ledger
    private let origin: Identifier

    package init(layout: StorageLayout, ledger: Ledger, origin: Identifier) {
        self.layout = layout
        self.ledger = ledger
        self.origin = origin
    }

    /// The files of one package's target state that are neither carried nor held.
    ///
    /// What was refused here before is no gap.
    ///
    /// - Parameter forgivesRemovals: what was given and then removed here is no gap either.
    package func missing(
        _ package: PackageName, target: [FileName: SHA512Digest], carried: Set<FileName>, forgivesRemovals: Bool
    ) throws -> [StorePath] {
        let wanted = target.filter { !carried.contains($0.key) }
        guard !wanted.isEmpty else { return [] }
        let deliveries = try ledger.deliveries(of: package)
        let directory = layout.directory(of: package)
        let files = DiskFileSystem()
        let isHere = try files.status(of: directory) != nil
        var missing: [StorePath] = []
        for (file, digest) in wanted {
            let delivery = deliveries.first { $0.path.file == file && $0.digest == digest }
            if let delivery, delivery.outcome.isRefusal || delivery.outcome == .absent { continue }
            // The whole package was removed here after it had been delivered.
            if forgivesRemovals, !isHere, !deliveries.isEmpty { continue }
            if file.isPackument {
                let isWhole = try ledger.formDigest(of: package, origin: origin) == digest
                if !isWhole, !wasRefused(target, deliveries) { missing.append(StorePath(package, file)) }
            } else if try !isHeld(file, digest, of: package, delivery != nil, forgivesRemovals: forgivesRemovals) {
                missing.append(StorePath(package, file))
            }
        }
        return missing
    }

    /// Whether everything the target holds of the package was offered before and not taken.
    private func wasRefused(_ target: [FileName: SHA512Digest], _ deliveries: [DeliveryRecord]) -> Bool {
        target.filter { !$0.key.isPackument }.allSatisfy { file, digest in
            deliveries.contains { $0.path.file == file && $0.digest == digest && $0.outcome.isRefusal }
        }
    }

    private func isHeld(
        _ file: FileName, _ digest: SHA512Digest, of package: PackageName, _ wasDelivered: Bool, forgivesRemovals: Bool
    ) throws -> Bool {
        guard let reader = try FileReader(opening: layout.directory(of: package).appending(file.text)) else {
            return forgivesRemovals && wasDelivered ? try wasRemoved(file, of: package) : false
        }
        if wasDelivered { return true }
        let hasher = SHA512Hasher()
        var offset: Int64 = 0
        while true {
            let piece = try reader.read(1 << 20, at: offset)
            if piece.isEmpty { return hasher.finalize() == digest }
            hasher.update(piece)
            offset += Int64(piece.count)
        }
    }

    /// A delivered tarball that is gone was removed on purpose when the packument does not list it any more.
    private func wasRemoved(_ file: FileName, of package: PackageName) throws -> Bool {
        let path = layout.directory(of: package).appending("package.json")
        guard let bytes = try DiskFileSystem().contents(of: path, limit: StoredPackument.sizeLimit) else { return true }
        guard let stored = try? StoredPackument(parsing: bytes, of: package) else { return false }
        return !stored.declared.contains { $0.file == file }
    }
}
