import Integrity
package import Lockfiles
package import PackageStore
import Platform
package import Resolution
import SystemPackage

/// Says which installs would fail here: of all that is here, of what is named, or of a lockfile.
package struct ClosureRun: Sendable {
    /// What is asked for.
    package enum Subject: Sendable {
        case everything
        case wishes([RegistryDependency])
        case lockfile(Lockfile)
    }

    /// A version or wish that cannot be installed.
    package struct Failure: Sendable, Hashable {
        /// Such as `foo@1.2.0`.
        package let subject: String
        /// Why, each in words; the first is the nearest to the subject.
        package let reasons: [String]
    }

    /// What was found for one platform.
    package struct Report: Sendable {
        package let platform: TargetPlatform
        /// Versions, or wishes, that can be installed.
        package var installable = 0
        /// Versions that are for other platforms.
        package var elsewhere = 0
        package var failures: [Failure] = []
        /// Of what would be installed, the versions that run a script then.
        package var scripted: [String] = []
        /// Of what would be installed, the versions that want another Node; npm warns of them, and refuses them where it is told to be strict.
        package var otherNode: [String] = []
    }

    private let packages: [(package: PackageName, stored: StoredPackument, tarballs: Set<FileName>)]
    /// Packages whose packument cannot be read, each with the reason: nothing of them can be installed.
    package let unreadable: [Failure]

    /// Reads the packuments of a storage.
    package init(_ layout: StorageLayout) throws {
        let locations = try layout.discover().packages
        var next = 0
        let results = OrderedPipeline(
            width: 2, window: 8,
            pull: {
                guard next < locations.count else { return nil }
                defer { next += 1 }
                return locations[next]
            },
            transform: { location in (location.package, Self.read(location)) })
        var packages: [(package: PackageName, stored: StoredPackument, tarballs: Set<FileName>)] = []
        var unreadable: [Failure] = []
        while let (package, content) = try results.next() {
            switch content {
            case .success(let (stored, tarballs)): packages.append((package, stored, tarballs))
            case .failure(let error): unreadable.append(Failure(subject: package.text, reasons: ["\(error)"]))
            }
        }
        self.packages = packages
        self.unreadable = unreadable
    }

    private static func read(_ location: StorageLayout.Location) -> Result<(StoredPackument, Set<FileName>), any Error> {
        let files = DiskFileSystem()
        return Result {
            guard let bytes = try files.packument(in: location.directory) else { throw PackumentError.invalid("there is no package.json") }
            let stored = try StoredPackument(parsing: bytes, of: location.package, keeping: Closure.members)
            return (stored, try TarballListing(of: location.directory, files: files).files)
        }
    }

    private func solved(on platform: TargetPlatform) -> Closure {
        var closure = Closure(platform: platform)
        for (package, stored, tarballs) in packages { closure.add(package, stored, tarballs: tarballs) }
        closure.solve()
        return closure
    }

    /// What would have to come in for everything that is here to be installable on a platform, as npm takes it; sorted.
    package func lacking(on platform: TargetPlatform) -> [String] {
        let closure = solved(on: platform)
        var lacking: Set<String> = []
        for node in closure.nodes where closure.isForPlatform(node) {
            for obstacle in closure.obstacles[node] ?? [] {
                switch obstacle {
                case .noTarball: lacking.insert("\(node)")
                case .noPackage(let dependency), .noVersion(let dependency, _): lacking.insert("\(dependency)")
                case .platform, .elsewhere, .dependency: break
                }
            }
        }
        return lacking.sorted()
    }

    /// The versions of a lockfile that are not here, as npm takes them; sorted.
    package func lacking(of lockfile: Lockfile) -> [String] {
        let here = Dictionary(packages.map { ($0.package, Set($0.stored.declared.map(\.version))) }) { first, _ in first }
        return Set(lockfile.packages.filter { here[$0.name]?.contains($0.version) != true }.map { "\($0.name)@\($0.version)" }).sorted()
    }

    /// Decides for a platform.
    ///
    /// - Parameter node: the Node that is there; `nil` where that does not matter.
    package func report(_ subject: Subject, on platform: TargetPlatform, node: SemanticVersion? = nil) -> Report {
        let closure = solved(on: platform)
        var report = Report(platform: platform)
        var roots: [Closure.Node] = []
        switch subject {
        case .everything:
            for node in closure.nodes {
                if closure.isForPlatform(node) { judge(node, "\(node)", closure, &report, &roots) } else { report.elsewhere += 1 }
            }
            report.failures += unreadable
        case .wishes(let wishes):
            for wish in wishes {
                let (node, obstacle) = closure.chosen(wish)
                if let node { judge(node, "\(wish)", closure, &report, &roots) }
                if let obstacle { report.failures.append(Failure(subject: "\(wish)", reasons: words(obstacle))) }
            }
        case .lockfile(let lockfile):
            for locked in lockfile.packages { judge(locked, closure, &report, &roots) }
        }
        report.scripted = closure.scripted(with: roots).map(\.description)
        if let node { report.otherNode = closure.installed(with: roots).filter { !closure.runs($0, on: node) }.map(\.description) }
        return report
    }

    private func judge(
        _ node: Closure.Node, _ name: String, _ closure: Closure, _ report: inout Report, _ roots: inout [Closure.Node]
    ) {
        guard closure.obstacles[node] != nil else {
            report.installable += 1
            roots.append(node)
            return
        }
        let reasons = closure.causes(of: node).map { cause in
            cause.node == node && name == "\(node)" ? "\(cause.obstacle)" : "\(cause.node): \(cause.obstacle)"
        }
        report.failures.append(Failure(subject: name, reasons: reasons))
    }

    /// A lockfile names each version itself, so that only what it names must be here.
    private func judge(_ locked: LockedPackage, _ closure: Closure, _ report: inout Report, _ roots: inout [Closure.Node]) {
        let node = Closure.Node(locked.name, locked.version)
        var reason: String?
        if let declared = closure.declared(node) {
            if closure.obstacles[node]?.contains(.platform) == true { reason = "\(Closure.Obstacle.platform)" }
            let (wanted, here) = (locked.integrity?.sha512 ?? [], declared.integrity?.sha512 ?? [])
            if closure.obstacles[node]?.contains(.noTarball) == true {
                reason = "\(Closure.Obstacle.noTarball)"
            } else if !wanted.isEmpty, !here.isEmpty, Set(wanted).isDisjoint(with: here) {
                reason = "it is here with other bytes than the lockfile wants"
            }
        } else {
            reason = "it is not here"
        }
        if let reason {
            // What is optional and cannot be had, or is for other platforms, is left out.
            if locked.isOptional {
                report.elsewhere += 1
                return
            }
            report.failures.append(Failure(subject: "\(locked)", reasons: [reason]))
        } else {
            report.installable += 1
            roots.append(node)
        }
    }

    private func words(_ obstacle: Closure.Obstacle) -> [String] {
        switch obstacle {
        case .noPackage(let dependency):
            unreadable.first { $0.subject == dependency.package.text }?.reasons ?? ["that package is not here"]
        case .noVersion(_, let here): ["of that package only \(here.joined(separator: ", ")) is here"]
        default: ["\(obstacle)"]
        }
    }
}
