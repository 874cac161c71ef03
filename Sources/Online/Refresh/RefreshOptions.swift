package import PackageStore
package import Resolution

/// Which versions of a package are kept in the cache beside those that others need.
package enum VersionPolicy: String, Sendable, CaseIterable {
    /// What `latest` points at.
    case latest
    /// What any dist-tag points at.
    case tags
    /// The newest stable version of each major.
    case latestPerMajor = "latest-per-major"
    /// For each version held, the newest stable one of its minor and of its major.
    case siblings
    /// For each range by which a version held needs the package, what npm would pick now.
    case ranges
}

/// What a refresh is to do.
package struct RefreshOptions: Sendable {
    /// Which packages are looked at.
    package enum Scope: Sendable, Equatable {
        /// All in storage that come from an uplink.
        case full
        /// Those of which a tarball was stored, or that upstream has changed as far as is known here, in the last so many minutes.
        case delta(minutes: Int)
    }

    package var scope = Scope.full
    package var policies: Set<VersionPolicy> = [.latest]
    /// The machines that packages will be installed on.
    package var platforms: [TargetPlatform] = []
    /// The versions of Node that `engines` is judged by; where there are none, it does not count.
    package var nodes: [SemanticVersion] = []
    /// What must be complete beside what is in storage.
    package var wanted: [RegistryDependency] = []
    /// Versions that must be there as they are, such as those of lockfiles.
    package var locked: [RegistryDependency] = []
    /// Requests at once.
    package var parallelism = 16
    /// How long a connection may be silent.
    package var idleTimeout = Duration.seconds(120)
    /// How often something is tried.
    package var attempts = 3
    /// How long Verdaccio may take to keep a tarball that it has served.
    package var keepTimeout = Duration.seconds(30)
    /// The first pause before a registry that gave no answer is asked again; it doubles each time.
    package var pause = Duration.seconds(1)
    /// Tell what would be done, and do nothing.
    package var isDryRun = false

    package init() {}
}
