import CanonicalJSON
package import Catalog
package import PackageStore
package import Platform
package import Registries
import Resolution
import SystemPackage
import VerdaccioSettings

/// Makes a proxying Verdaccio's cache complete: current packuments, chosen versions, and all that they need on every platform.
///
/// It asks Verdaccio over HTTP, as any client does, and changes nothing in storage but for removing bytes that are not what was published.
/// What cannot be had is a finding and stops nothing. Interrupted, it is simply run again: what is in storage is not fetched twice.
package struct Refresher: Sendable {
    private let registry: ProxyRegistry
    private let layout: StorageLayout
    private let catalog: Catalog
    private let clock: WallClock
    private let progress: @Sendable (RefreshProgress) -> Void

    package init(
        registry: ProxyRegistry, layout: StorageLayout, catalog: Catalog, clock: WallClock = .system,
        progress: @escaping @Sendable (RefreshProgress) -> Void = { _ in }
    ) {
        self.registry = registry
        self.layout = layout
        self.catalog = catalog
        self.clock = clock
        self.progress = progress
    }

    /// Refreshes; a cancelled task ends early, and what was done stays.
    ///
    /// - Throws: `RefreshError` where Verdaccio does not answer at all, or would keep nothing; `FileSystemError` when the storage cannot be
    ///   read; the catalog's errors.
    package func run(_ options: RefreshOptions) async throws -> RefreshReport {
        let verdaccio = HTTPFetcher(connections: options.parallelism, idle: options.idleTimeout, decompresses: false)
        let upstream = HTTPFetcher(connections: options.parallelism, idle: options.idleTimeout, decompresses: true)
        let result: Result<RefreshReport, any Error>
        do { result = .success(try await run(options, verdaccio, upstream)) } catch { result = .failure(error) }
        await verdaccio.shutdown()
        await upstream.shutdown()
        return try result.get()
    }

    private func run(_ options: RefreshOptions, _ verdaccio: HTTPFetcher, _ upstream: HTTPFetcher) async throws -> RefreshReport {
        let layout = try self.layout.located()
        if !options.isDryRun {
            do {
                let pong = try await verdaccio.get("\(registry.url)/-/ping", headers: registry.headers, limit: 1 << 16)
                guard (200..<300).contains(pong.status) else {
                    throw RefreshError.verdaccioUnreachable(url: registry.url, reason: "it answers \(pong.status) to a ping")
                }
            } catch let failure as HTTPFetcher.Failure {
                if failure != .cancelled { throw RefreshError.verdaccioUnreachable(url: registry.url, reason: failure.description) }
            }
        }
        let uplinks = registry.uplinks
        let room = ReadingRoom()
        let reader = UpstreamReader(registry, upstream, room: room)
        let packuments = PackumentRefresh(registry, verdaccio, reader, layout: layout, clock: clock)
        let visitor = PackageVisitor(
            packuments: packuments, upstream: reader, room: room, layout: layout, catalog: catalog, options: options, clock: clock)
        let fetch = TarballFetch(registry, verdaccio, keepTimeout: options.keepTimeout)
        let run = RefreshRun(visitor: visitor, fetch: fetch, uplinks: { uplinks($0) ?? [] }, progress: progress)
        try seed(run, options)
        try await run.work()
        try run.keepUpstreamRecords()
        return run.finishedReport(requests: (verdaccio.requests, upstream.requests))
    }

    /// The packages in storage that a refresh of that scope looks at, sorted.
    ///
    /// - Throws: `RefreshError.nothingKept` where no tarball of any of them would be kept; `FileSystemError` when the storage cannot be read.
    package func packages(of scope: RefreshOptions.Scope) throws -> [PackageName] {
        let now = clock.now().nanoseconds
        var keepless: (uplink: String, count: Int) = ("", 0)
        let packages = try layout.discover().packages.filter { location in
            let uplinks = registry.uplinks(location.package)
            if let uplinks {
                guard let first = uplinks.first else { return false }
                if !uplinks.contains(where: \.caches) { keepless = (first.name, keepless.count + 1) }
            }
            // What cannot be read is looked at, and becomes a finding then.
            guard let look = try? Look(at: location) else { return true }
            guard look.isProxied else { return false }
            guard case .delta(let minutes) = scope else { return true }
            // A time that nanoseconds still count: almost two centuries.
            return now - look.changed <= Int64(min(minutes, 100_000_000)) * 60_000_000_000
        }.map(\.package)
        if keepless.count > 0, keepless.count >= packages.count { throw RefreshError.nothingKept(uplink: keepless.uplink) }
        return packages
    }

    /// Asks for everything that is to be looked at.
    private func seed(_ run: RefreshRun, _ options: RefreshOptions) throws {
        for package in try packages(of: options.scope) { run.add(root: package) }
        for dependency in options.wanted { run.want(dependency, isLocked: false) }
        for dependency in options.locked { run.want(dependency, isLocked: true) }
    }

    /// What the disk says of a package without asking anybody.
    private struct Look {
        /// Whether any of it came from an uplink.
        var isProxied = true
        /// When a tarball was last stored, or a version last published as far as is known here; nanoseconds.
        var changed: Int64 = 0

        init(at location: StorageLayout.Location) throws {
            guard let directory = try DirectoryReader(opening: location.directory) else { return }
            for name in try directory.names() where name.hasSuffix(".tgz") {
                changed = max(changed, try directory.status(of: name)?.identity.modified ?? 0)
            }
            let path = location.directory.appending("package.json")
            guard let bytes = try DiskFileSystem().contents(of: path, limit: StoredPackument.sizeLimit),
                let stored = try? StoredPackument(parsing: bytes, of: location.package, holding: [])
            else { return }
            if let modified = stored.object["time"]?.object?["modified"]?.string.flatMap({ Timestamp($0) }) {
                changed = max(changed, modified.nanoseconds)
            }
            isProxied = !PackumentMarks(of: stored.object).isLocal
        }
    }
}
