package import PackageStore

/// What a refresh came to.
package struct RefreshReport: Sendable {
    package enum Ending: String, Sendable {
        /// Everything asked for is in the cache, or does not exist upstream.
        case complete
        /// There are failures.
        case incomplete
        /// It was told to stop.
        case cancelled
    }

    /// How it was proved that a packument is what upstream has.
    package struct Packages: Sendable {
        /// Packages that were looked at.
        package var visited = 0
        /// Those that Verdaccio fetched anew, which its `fetched` shows.
        package var refreshed = 0
        /// Those that Verdaccio had fetched within its `maxage`, so that it did not ask.
        package var fresh = 0
        /// Those that upstream does not have, or has no more.
        package var gone = 0
        /// Those that stayed as they were, though upstream may have them.
        package var failed = 0
    }

    package struct Tarballs: Sendable {
        /// Tarballs that the choice of versions came to.
        package var needed = 0
        /// Those that were in storage.
        package var present = 0
        /// Those that were fetched and proved; in a dry run, that would be.
        package var fetched = 0
        package var bytes: Int64 = 0
        /// Those of a dry run whose size nobody says.
        package var ofUnknownSize = 0
        package var failed = 0
    }

    package var ending = Ending.complete
    package var packages = Packages()
    package var tarballs = Tarballs()
    /// The versions that came, sorted.
    package var newVersions: [(package: PackageName, versions: [PackageVersion])] = []
    /// Packages whose packument or tarballs changed, sorted.
    package var touched: [PackageName] = []
    /// What upstream says otherwise than Verdaccio: deprecations, tags and withdrawn versions, in packages.
    package var overlaid = 0
    /// Sorted by severity, subject and code.
    package var findings: [RefreshFinding] = []
    /// Requests to Verdaccio and to upstream.
    package var requests = (verdaccio: 0, upstream: 0)

    package func count(of severity: RefreshFinding.Severity) -> Int { findings.count { $0.severity == severity } }
}

/// How far a refresh is.
package struct RefreshProgress: Sendable {
    package var packages = (done: 0, known: 0)
    package var tarballs = (done: 0, known: 0)
    /// Bytes of tarballs.
    package var bytes: Int64 = 0
    /// What it waits for from now on, such as an uplink; said once.
    package var pause: String?
}

/// Why a refresh did not begin, or could not go on.
package enum RefreshError: Error, CustomStringConvertible {
    case verdaccioUnreachable(url: String, reason: String)
    case nothingKept(uplink: String)

    package var description: String {
        switch self {
        case .verdaccioUnreachable(let url, let reason): "verdaccio does not answer at \(url): \(reason)"
        case .nothingKept(let uplink): "verdaccio's configuration says \"cache: false\" for uplink \"\(uplink)\": it would keep no tarball"
        }
    }
}
