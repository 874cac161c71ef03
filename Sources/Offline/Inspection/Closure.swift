import CanonicalJSON
package import PackageStore
package import Resolution

/// Which installs would fail with what a storage holds, and why: for each version that is here, all that npm would install with it, by npm's
/// own rules.
///
/// What can be had is decided for one platform. npm takes the one version it likes best; where that one cannot be installed, it does not try
/// another, and neither does this.
package struct Closure: Sendable {
    /// A version of a package.
    package struct Node: Sendable, Hashable, Comparable, CustomStringConvertible {
        package let package: PackageName
        package let version: PackageVersion

        package init(_ package: PackageName, _ version: PackageVersion) {
            self.package = package
            self.version = version
        }

        package var description: String { "\(package)@\(version)" }

        package static func < (left: Node, right: Node) -> Bool {
            left.package == right.package ? left.version < right.version : left.package < right.package
        }
    }

    /// What keeps a version from being installed.
    package enum Obstacle: Sendable, Hashable, CustomStringConvertible {
        /// Its tarball is not here.
        case noTarball
        /// It is not for this platform.
        case platform
        /// It needs a package that is not here at all.
        case noPackage(RegistryDependency)
        /// It needs a version of a package of which only others are here.
        case noVersion(RegistryDependency, here: [String])
        /// It needs what no registry has.
        case elsewhere(String, RegistryDependency.Problem)
        /// What it needs is here and cannot be installed itself.
        case dependency(Node)

        package var description: String {
            switch self {
            case .noTarball: "its tarball is not here"
            case .platform: "it is not for this platform"
            case .noPackage(let dependency): "it needs \(dependency), and that package is not here"
            case .noVersion(let dependency, let here):
                "it needs \(dependency), and of that package only \(here.joined(separator: ", ")) is here"
            case .elsewhere(let name, let problem): "it needs \(name), and \(problem)"
            case .dependency(let node): "it needs \(node), which cannot be installed"
            }
        }
    }

    /// A version as it was looked at.
    private struct Entry {
        let release: Release
        let hasTarball: Bool
        let runsScripts: Bool
    }

    private var lists: [PackageName: ReleaseList] = [:]
    private var entries: [Node: Entry] = [:]
    private let platform: TargetPlatform
    /// What keeps each version from being installed; nothing for those that can be.
    package private(set) var obstacles: [Node: [Obstacle]] = [:]
    private var needs: [Node: [Node]] = [:]

    /// The members of a version entry that this reads.
    package static let members = Release.members.union(["scripts", "hasInstallScript", "gypfile"])

    package init(platform: TargetPlatform) {
        self.platform = platform
    }

    /// Takes a package with the names of the tarballs that are here.
    package mutating func add(_ package: PackageName, _ stored: StoredPackument, tarballs: Set<FileName>) {
        let list = ReleaseList(stored)
        lists[package] = list
        for release in list.releases {
            entries[Node(package, release.version)] = Entry(
                release: release, hasTarball: tarballs.contains(release.file), runsScripts: Self.runsScripts(release.declared))
        }
    }

    /// Whether npm runs a script when it installs a version.
    private static func runsScripts(_ declared: DeclaredVersion) -> Bool {
        if declared.manifest["hasInstallScript"]?.bool == true || declared.manifest["gypfile"]?.bool == true { return true }
        let scripts = declared.manifest["scripts"]?.object
        return ["preinstall", "install", "postinstall"].contains { scripts?[$0]?.string.map { !$0.isEmpty } ?? false }
    }

    /// Decides for every version; to be called once all packages were added.
    package mutating func solve() {
        var dependents: [Node: [Node]] = [:]
        var failing: [Node] = []
        for (node, entry) in entries {
            var found: [Obstacle] = []
            if !entry.hasTarball { found.append(.noTarball) }
            if !entry.release.platforms.allows(platform) { found.append(.platform) }
            var picked: [Node] = []
            for dependency in entry.release.dependencies {
                switch pick(dependency) {
                case .success(let target):
                    picked.append(target)
                    // What is optional and cannot be had, npm leaves out.
                    if dependency.kind != .optional { dependents[target, default: []].append(node) }
                case .failure(let failure): if dependency.kind != .optional { found.append(failure.obstacle) }
                }
            }
            needs[node] = picked
            if !found.isEmpty {
                obstacles[node] = found
                failing.append(node)
            }
        }
        while let node = failing.popLast() {
            for dependent in dependents[node] ?? [] {
                if obstacles[dependent] == nil { failing.append(dependent) }
                obstacles[dependent, default: []].append(.dependency(node))
            }
        }
    }

    private struct Failure: Error { let obstacle: Obstacle }

    private func pick(_ dependency: Release.Dependency) -> Result<Node, Failure> {
        switch dependency.target {
        case .failure(let problem): .failure(Failure(obstacle: .elsewhere(dependency.name, problem)))
        case .success(let target): pick(target)
        }
    }

    private func pick(_ target: RegistryDependency) -> Result<Node, Failure> {
        guard let list = lists[target.package] else { return .failure(Failure(obstacle: .noPackage(target))) }
        guard let release = list.pick(target.wanted) else {
            let here = list.releases.map(\.version).sorted().suffix(8).map(\.text)
            return .failure(Failure(obstacle: .noVersion(target, here: here)))
        }
        return .success(Node(target.package, release.version))
    }

    /// Every version that was added, sorted.
    package var nodes: [Node] { entries.keys.sorted() }

    /// The version that npm would choose for a wish, or what keeps it from choosing one.
    package func chosen(_ wish: RegistryDependency) -> (node: Node?, obstacle: Obstacle?) {
        switch pick(wish) {
        case .success(let node): (node, nil)
        case .failure(let failure): (nil, failure.obstacle)
        }
    }

    /// Whether a version is here under that number.
    package func holds(_ node: Node) -> Bool { entries[node] != nil }

    /// Whether a version is made for the platform; `false` for one that is not here.
    package func isForPlatform(_ node: Node) -> Bool { entries[node]?.release.platforms.allows(platform) ?? false }

    /// The version entry of a version that is here.
    package func declared(_ node: Node) -> DeclaredVersion? { entries[node]?.release.declared }

    /// What is lacking in the end for a version to be installed: the obstacles at the ends of its chains, each with the version it stops.
    package func causes(of node: Node) -> [(node: Node, obstacle: Obstacle)] {
        var causes: [(Node, Obstacle)] = []
        var seen: Set<Node> = [node]
        var open = [node]
        while let next = open.popLast() {
            for obstacle in obstacles[next] ?? [] {
                if case .dependency(let below) = obstacle {
                    if seen.insert(below).inserted { open.append(below) }
                } else {
                    causes.append((next, obstacle))
                }
            }
        }
        return causes.sorted { ($0.0, "\($0.1)") < ($1.0, "\($1.1)") }.map { (node: $0.0, obstacle: $0.1) }
    }

    /// Of what npm would install with these versions, those that run a script when they are installed, sorted.
    package func scripted(with roots: some Sequence<Node>) -> [Node] {
        installed(with: roots).filter { entries[$0]?.runsScripts ?? false }
    }

    /// Whether a version says that it runs on a version of Node; npm only warns where it does not.
    package func runs(_ node: Node, on version: SemanticVersion) -> Bool { entries[node]?.release.runs(on: version) ?? true }

    /// What npm would install with these versions, sorted.
    package func installed(with roots: some Sequence<Node>) -> [Node] {
        var seen: Set<Node> = []
        var open = Array(roots)
        while let node = open.popLast() {
            guard seen.insert(node).inserted else { continue }
            open += (needs[node] ?? []).filter { !seen.contains($0) && obstacles[$0] == nil }
        }
        return seen.sorted()
    }
}
