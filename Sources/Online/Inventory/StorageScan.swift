package import Catalog
package import PackageStore
package import Platform
package import SystemPackage

/// Brings what the catalog knows of the storage up to date.
///
/// A package that was not touched since the scan before is listed and not read; no tarball is. It may run beside a serving Verdaccio: what
/// changes under it is seen by the next scan.
package struct StorageScan: Sendable {
    /// What a scan came to.
    package struct Report: Sendable {
        package let totals: StorageTotals
        /// Packages that were found.
        package var packages = 0
        /// Packages that were read, since something was touched.
        package var read = 0
        package var change = Catalog.InventoryChange()
        /// Packages that have left the storage.
        package var gone = 0
        package var findings: [Finding] = []
        /// The storage, with where its packages were found.
        package let layout: StorageLayout
    }

    /// A storage in which no package is left, of those that the scan before has seen.
    ///
    /// Nothing was changed.
    package struct Vanished: Error, Equatable, CustomStringConvertible {
        package let storage: FilePath
        /// Packages that the scan before has seen.
        package let known: Int

        package var description: String {
            "no package is in \"\(storage)\", and the last scan has seen \(known) there; is the storage mounted?"
        }
    }

    private let layout: StorageLayout
    private let catalog: Catalog
    private let clock: WallClock
    /// Told after every batch: packages done, packages in all.
    private let progress: @Sendable (Int, Int) -> Void

    private static let batch = 64
    private static let transaction = 1024

    package init(
        layout: StorageLayout, catalog: Catalog, clock: WallClock = .system,
        progress: @escaping @Sendable (Int, Int) -> Void = { _, _ in }
    ) {
        self.layout = layout
        self.catalog = catalog
        self.clock = clock
        self.progress = progress
    }

    /// Looks at every package.
    ///
    /// A package that cannot be read is a finding, and what is known of it stays.
    ///
    /// - Parameters:
    ///   - width: threads that list and read.
    ///   - allowsEmpty: whether all packages may have left the storage.
    /// - Throws: `Vanished`; `FileSystemError` when the storage cannot be listed, `DatabaseFileError` when the catalog cannot be written; what was kept by
    ///   then stays, and the next scan goes on from there.
    package func run(width: Int = 2, allowsEmpty: Bool = false) throws -> Report {
        let started = clock.now()
        let found = try layout.discover()
        if found.packages.isEmpty, !allowsEmpty {
            let known = try catalog.inventoriedPackages().count
            guard known == 0 else { throw Vanished(storage: layout.root, known: known) }
        }
        let (catalog, packages) = (self.catalog, found.packages)
        var next = 0
        let pipeline = OrderedPipeline<[PackageLook], [PackageLook.Result]>(
            width: width, window: width * 4,
            pull: {
                let batch = packages[next..<min(next + Self.batch, packages.count)]
                guard let first = batch.first, let last = batch.last else { return nil }
                next += batch.count
                let known = try catalog.listings(from: first.package, through: last.package)
                let overlays = try catalog.overlays(from: first.package, through: last.package)
                return batch.map {
                    PackageLook(
                        location: $0, previous: known[$0.package], overlay: overlays[$0.package] ?? UpstreamOverlay(),
                        scanStart: started.nanoseconds)
                }
            },
            transform: { looks in looks.map { $0.look() } })
        var change = Catalog.InventoryChange()
        var pending: [PackageFacts] = []
        var findings = found.findings
        var (done, read) = (0, 0)
        func keep() throws {
            let kept = try catalog.keep(pending, at: started)
            change.added += kept.added
            change.changed += kept.changed
            pending = []
        }
        while let results = try pipeline.next() {
            for result in results {
                findings += result.findings
                if let facts = result.facts {
                    pending.append(facts)
                    read += 1
                }
            }
            done += results.count
            if pending.count >= Self.transaction { try keep() }
            progress(done, packages.count)
        }
        if !pending.isEmpty { try keep() }
        let layout = layout.located(by: found.packages)
        let gone = try gone(from: layout, present: Set(found.packages.map(\.package)))
        try catalog.markGone(gone, at: started)
        return Report(
            totals: try catalog.takeTotals(at: started), packages: packages.count, read: read, change: change, gone: gone.count,
            findings: findings, layout: layout)
    }

    /// The packages that the catalog knows and whose directories are not there; what cannot be looked at is not gone.
    private func gone(from layout: StorageLayout, present: Set<PackageName>) throws -> [PackageName] {
        try catalog.inventoriedPackages().filter { package in
            guard !present.contains(package) else { return false }
            do { return try DiskFileSystem().status(of: layout.directory(of: package)) == nil } catch { return false }
        }
    }
}
