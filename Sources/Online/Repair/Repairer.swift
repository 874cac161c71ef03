import ArchiveCheck
package import Catalog
package import PackageStore
package import Platform
package import Registries
package import Snapshots
package import SystemPackage

/// Replaces what checks found damaged by what upstream has, through the proxying Verdaccio.
///
/// A damaged tarball is copied into quarantine, removed and fetched again; nothing else is touched. Verdaccio's `_distfiles` are never
/// stripped, and no packument that can be read is edited. What was published to this registry alone is never removed: there is nobody to
/// fetch it from. The copies of what could not be replaced stay in quarantine.
package struct Repairer: Sendable {
    package struct Options: Sendable {
        /// Packages at once.
        package var parallelism = 8
        /// How often a tarball is tried that breaks off or comes wrong.
        package var attempts = 3
        /// The first pause before a registry is asked again; it doubles each time, up to a minute.
        package var pause = Duration.seconds(1)
        /// How long a registry is waited for that gives no answer, in all, for each file.
        package var patience = Duration.seconds(360)
        /// How long a connection may be silent.
        package var idleTimeout = Duration.seconds(120)
        /// How long Verdaccio may take to keep a tarball that it has served.
        package var keepTimeout = Duration.seconds(30)

        package init() {}
    }

    /// What became of one file.
    package struct Outcome: Sendable {
        package let archive: BrokenArchive
        package let attempt: BrokenArchive.Attempt
        package let state: BrokenArchive.State
        /// Where the damaged copy is kept.
        package let quarantined: String?
        package let isGoneUpstream: Bool
    }

    /// What a repair came to.
    package struct Report: Sendable {
        /// In the order of the archives' paths.
        package let outcomes: [Outcome]
        package let isCancelled: Bool

        /// Files that are good again.
        package var repaired: Int { outcomes.count { $0.attempt.isRepaired } }
    }

    /// Verdaccio gives no answer.
    ///
    /// Nothing was changed.
    package struct Unreachable: Error, CustomStringConvertible {
        package let url: String
        package let reason: String

        package var description: String { "verdaccio does not answer at \(url): \(reason)" }
    }

    private let registry: ProxyRegistry
    private let layout: StorageLayout
    private let catalog: Catalog
    private let snapshots: SnapshotStore
    private let quarantine: Quarantine
    private let clock: WallClock
    private let progress: @Sendable (Int, Int) -> Void

    /// - Parameters:
    ///   - layout: the storage of that Verdaccio, with where its packages lie.
    ///   - snapshots: where the last good form of a packument may be found.
    ///   - quarantine: where damaged files are kept.
    ///   - progress: told after every file: files done, files in all.
    package init(
        registry: ProxyRegistry, layout: StorageLayout, catalog: Catalog, snapshots: SnapshotStore, quarantine: FilePath,
        clock: WallClock = .system, progress: @escaping @Sendable (Int, Int) -> Void = { _, _ in }
    ) {
        self.registry = registry
        self.layout = layout
        self.catalog = catalog
        self.snapshots = snapshots
        self.quarantine = Quarantine(directory: quarantine)
        self.clock = clock
        self.progress = progress
    }

    /// Repairs files, several packages at once, and keeps each attempt in the catalog.
    ///
    /// A cancelled task ends it after the files under way, which are then as a failed attempt leaves them.
    ///
    /// - Throws: `Unreachable`; `DatabaseFileError`, and what was repaired by then is.
    package func run(_ archives: [BrokenArchive], _ options: Options = Options()) async throws -> Report {
        let verdaccio = HTTPFetcher(connections: options.parallelism, idle: options.idleTimeout, decompresses: false)
        let upstream = HTTPFetcher(connections: options.parallelism, idle: options.idleTimeout, decompresses: true)
        let reader = UpstreamReader(registry, upstream)
        let inspector = TarballInspector()
        let tools = PackageRepair.Tools(
            registry: registry, layout: layout, clock: clock, options: options, quarantine: quarantine, inspector: inspector,
            upstream: reader, packuments: PackumentRefresh(registry, verdaccio, reader, layout: layout, clock: clock),
            tarballs: TarballFetch(registry, verdaccio, keepTimeout: options.keepTimeout),
            verdaccio: verdaccio, salvage: PackumentSalvage(layout: layout, catalog: catalog, snapshots: snapshots, inspector: inspector),
            patience: SharedPatience(options.patience), note: { [catalog] in try catalog.noteTaken($0, quarantined: $1.string) })
        let result: Result<Report, any Error>
        do {
            try await ping(verdaccio)
            result = .success(try await repair(archives, tools, options))
        } catch {
            result = .failure(error)
        }
        await verdaccio.shutdown()
        await upstream.shutdown()
        return try result.get()
    }

    /// Files are not to be taken out of a storage while nobody answers who could bring others.
    private func ping(_ verdaccio: HTTPFetcher) async throws {
        do {
            let pong = try await verdaccio.get("\(registry.url)/-/ping", headers: registry.headers, limit: 1 << 16)
            guard (200..<300).contains(pong.status) else {
                throw Unreachable(url: registry.url, reason: "it answers \(pong.status) to a ping")
            }
        } catch let failure as HTTPFetcher.Failure {
            if failure != .cancelled { throw Unreachable(url: registry.url, reason: failure.description) }
        }
    }

    private func repair(_ archives: [BrokenArchive], _ tools: PackageRepair.Tools, _ options: Options) async throws -> Report {
        var waiting = Dictionary(grouping: archives, by: \.path.package).sorted { $0.key < $1.key }[...]
        var outcomes: [Outcome] = []
        try await withThrowingTaskGroup(of: [Outcome].self) { group in
            func next() {
                guard !Task.isCancelled, let (package, archives) = waiting.popFirst() else { return }
                group.addTask { await PackageRepair(package: package, tools: tools).repair(archives) }
            }
            for _ in 0..<options.parallelism { next() }
            while let done = try await group.next() {
                for outcome in done {
                    try catalog.keep(
                        outcome.attempt, of: outcome.archive, state: outcome.state, quarantined: outcome.quarantined,
                        isGoneUpstream: outcome.isGoneUpstream)
                }
                outcomes += done
                progress(outcomes.count, archives.count)
                next()
            }
        }
        outcomes.sort { $0.archive.path < $1.archive.path }
        return Report(outcomes: outcomes, isCancelled: Task.isCancelled)
    }
}
