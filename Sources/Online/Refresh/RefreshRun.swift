import CanonicalJSON
import Catalog
import PackageStore
import Platform
import Registries
import Resolution
import VerdaccioSettings

/// One refresh under way: what is asked of which package, what was chosen, and what is still to do.
///
/// All of it is touched by one task only; visits and fetches run beside it and hand over what they found.
final class RefreshRun {
    /// A piece of work.
    private enum Job {
        case visit(PackageName)
        case fetch(PackageName, Release)
    }

    private enum Outcome: Sendable {
        case visited(PackageName, Visit)
        case fetched(PackageName, Release, TarballFetch.Outcome)
        case measured(Int64?)
        /// A pause is over.
        case woken
    }

    /// First in, first out.
    private struct Queue {
        private var jobs: [Job] = []
        private var next = 0

        var count: Int { jobs.count - next }

        mutating func append(_ job: Job) { jobs.append(job) }

        mutating func take() -> Job? {
            guard next < jobs.count else { return nil }
            let job = jobs[next]
            next += 1
            if next > 4096 {
                jobs.removeFirst(next)
                next = 0
            }
            return job
        }
    }

    private struct State {
        /// Whether the policies and the versions in storage count, and whether they were looked at.
        var isRoot = false
        var isRootDone = false
        /// Demands that the next visit answers.
        var waiting: [Demand] = []
        /// The keys of all demands so far.
        var asked: Set<String> = []
        /// Whether a visit is queued.
        var isQueued = false
        /// The demands of a visit under way, to be asked again where it comes to nothing.
        var underWay: [Demand]?
        var isRootUnderWay = false
        var isRefreshed = false
        /// Versions that are to be in storage.
        var chosen: Set<String> = []
        /// Versions whose dependencies were asked for, by what npm would pick, or by whatever is there.
        var followed: Set<String> = []
        var completed: Set<String> = []
        var overlay: UpstreamOverlay?
        var hasNews = false
    }

    private let visitor: PackageVisitor
    private let fetch: TarballFetch
    private let uplinks: (PackageName) -> [VerdaccioUplink]
    private let progress: (RefreshProgress) -> Void
    private var options: RefreshOptions { visitor.options }

    private var states: [PackageName: State] = [:]
    private var visits = Queue()
    /// Fetches go first: then few wait, and whoever interrupts has what was chosen.
    private var fetches = Queue()
    /// Dependencies of versions in storage: looked at when all else is known, since what comes may satisfy them.
    private var completions: [PackageName: [String: Demand]] = [:]
    private var locked: Set<RegistryDependency> = []
    /// How often something went wrong with what.
    private var attempts: [String: Int] = [:]
    private var cache: [PackageName: (releases: ReleaseList, size: Int)] = [:]
    private var cacheSize = 0
    private var records: [(PackageName, UpstreamRecord)] = []
    private var findings: Set<RefreshFinding> = []
    private var newVersions: [PackageName: Set<PackageVersion>] = [:]
    private var report = RefreshReport()
    private var amount = RefreshProgress()
    /// Nothing is begun before this moment.
    private var pausedUntil: ContinuousClock.Instant?
    /// Pauses that brought nothing, one after the other.
    private var idlePauses = 0
    /// Times that upstream was silent, one after the other.
    private var silences = 0
    /// Jobs that are done one at a time: where Verdaccio went away, one of those under way may be why.
    private var carefulJobs = 0
    /// Whether upstream is no longer waited for, nor asked.
    private var isUpstreamGivenUp = false
    private var isWakerSet = false
    /// Why nothing more is begun.
    private var surrender: RefreshFinding?
    private var isCancelled = false

    /// Packuments kept in memory, by their bytes on disk; read, they take several times that.
    private static let cacheLimit = 4 << 20

    init(
        visitor: PackageVisitor, fetch: TarballFetch, uplinks: @escaping (PackageName) -> [VerdaccioUplink],
        progress: @escaping (RefreshProgress) -> Void
    ) {
        self.visitor = visitor
        self.fetch = fetch
        self.uplinks = uplinks
        self.progress = progress
    }

    // MARK: Asking

    func add(root package: PackageName) {
        states[package, default: State()].isRoot = true
        enqueue(package)
    }

    /// - Parameter isLocked: whether it is from a lockfile, which names what it needs as well.
    func want(_ dependency: RegistryDependency, isLocked: Bool) {
        if isLocked { locked.insert(dependency) }
        let asker = isLocked ? "a lockfile" : "the list of wanted packages"
        ask(dependency, Demand(wanted: dependency.wanted, isOptional: false, isSatisfiedByHeld: false, isExplicit: true, by: asker))
    }

    private func ask(_ dependency: RegistryDependency, _ demand: Demand) {
        // Whatever is looked at lies in storage then, and would be a root of the next full refresh: so that it finds nothing to do.
        let fresh = State(isRoot: options.scope == .full)
        guard states[dependency.package, default: fresh].asked.insert(demand.key).inserted else { return }
        states[dependency.package]?.waiting.append(demand)
        enqueue(dependency.package)
    }

    private func enqueue(_ package: PackageName) {
        guard let state = states[package], !state.isQueued, state.underWay == nil else { return }
        states[package]?.isQueued = true
        visits.append(.visit(package))
    }

    /// Asks for what a version needs.
    private func askForDependencies(of release: Release, in package: PackageName, isSatisfiedByHeld: Bool) {
        let asker = "\(package)@\(release.version)"
        for problem in release.problems { find(.versionInvalid, asker, problem) }
        if release.hasOverrides { find(.overridesIgnored, asker, "npm heeds its \"overrides\" only where it is the root project") }
        for dependency in release.dependencies {
            switch dependency.target {
            case .success(let target):
                let demand = Demand(
                    wanted: target.wanted, isOptional: dependency.kind == .optional, isSatisfiedByHeld: isSatisfiedByHeld, by: asker)
                if isSatisfiedByHeld {
                    if states[target.package]?.asked.contains(demand.key) != true {
                        completions[target.package, default: [:]][demand.key] = demand
                    }
                } else {
                    ask(target, demand)
                }
            case .failure(let problem):
                let code: RefreshFinding.Code = if case .elsewhere = problem { .foreignDependency } else { .invalidDependency }
                let severity: RefreshFinding.Severity? = dependency.kind == .optional ? .note : nil
                findings.insert(RefreshFinding(code, asker, "\(dependency.name): \(problem)", severity: severity))
            }
        }
    }

    private func find(_ code: RefreshFinding.Code, _ subject: String, _ message: String) {
        findings.insert(RefreshFinding(code, subject, message))
    }

    // MARK: Working

    /// Does everything that is asked for, and all that follows from it.
    ///
    /// - Throws: the catalog's errors; then what was fetched stays.
    func work() async throws {
        try await withThrowingTaskGroup(of: Outcome.self) { group in
            var running = 0
            while true {
                if Task.isCancelled { isCancelled = true }
                let width = carefulJobs > 0 ? 1 : options.parallelism
                while running < width, !isCancelled, surrender == nil, pausedUntil == nil, let job = fetches.take() ?? visits.take() {
                    start(job, in: &group)
                    running += 1
                }
                if running == 0, pausedUntil == nil || isCancelled {
                    if isCancelled || surrender != nil { break }
                    guard fetches.count + visits.count == 0 else { continue }
                    guard takeCompletions() else { break }
                    continue
                }
                if let until = pausedUntil, !isWakerSet {
                    isWakerSet = true
                    group.addTask {
                        _ = try? await Task.sleep(until: until, clock: .continuous)
                        return .woken
                    }
                }
                guard let outcome = try await group.next() else { break }
                if case .woken = outcome {
                    (pausedUntil, isWakerSet) = (nil, false)
                    continue
                }
                running -= 1
                if carefulJobs > 0 { carefulJobs -= 1 }
                try handle(outcome)
                progress(amount)
            }
            group.cancelAll()
        }
    }

    /// Asks for what versions in storage still lack; `false` where there is nothing to ask.
    private func takeCompletions() -> Bool {
        guard !completions.isEmpty else { return false }
        let taken = completions
        completions = [:]
        for (package, demands) in taken {
            for demand in demands.values { ask(RegistryDependency(package, demand.wanted), demand) }
        }
        return true
    }

    private func start(_ job: Job, in group: inout ThrowingTaskGroup<Outcome, any Error>) {
        let (visitor, fetch) = (visitor, fetch)
        switch job {
        case .visit(let package):
            let state = states[package] ?? State()
            states[package]?.isQueued = false
            states[package]?.waiting = []
            let (demands, known) = (state.waiting, state.isRefreshed ? cache[package]?.releases : nil)
            let isRoot = state.isRoot && !state.isRootDone
            let asksUpstream = !isUpstreamGivenUp
            states[package]?.isRootUnderWay = isRoot
            group.addTask {
                let visit = try await visitor.visit(
                    package, demands, isRoot: isRoot, refreshes: !state.isRefreshed, asksUpstream: asksUpstream, known: known,
                    overlay: state.overlay, chosen: state.chosen)
                return .visited(package, visit)
            }
            states[package]?.underWay = demands
        case .fetch(let package, let release):
            let directory = visitor.layout.directory(of: package)
            if options.isDryRun {
                let url = release.declared.manifest["dist"]?.object?["tarball"]?.string ?? ""
                group.addTask { .measured(await visitor.upstream.size(ofTarballAt: url, of: package)) }
            } else {
                group.addTask { .fetched(package, release, await fetch.fetch(release.declared, of: package, into: directory)) }
            }
        }
    }

    private func handle(_ outcome: Outcome) throws {
        switch outcome {
        case .visited(let package, let visit): try handle(visit, of: package)
        case .fetched(let package, let release, let outcome): handle(outcome, of: release, in: package)
        case .woken: break
        case .measured(let size):
            amount.tarballs.done += 1
            report.tarballs.fetched += 1
            report.tarballs.bytes += size ?? 0
            if size == nil { report.tarballs.ofUnknownSize += 1 }
        }
    }

    private func handle(_ visit: Visit, of package: PackageName) throws {
        let demands = states[package]?.underWay ?? []
        states[package]?.underWay = nil
        if visit.isCancelled { return isCancelled = true }
        switch visit.freshness {
        case .stale(let fault, let retry)?:
            let finding = RefreshFinding(RefreshFinding.Code(fault.code), package.text, fault.message)
            if mayTryAgain(retry, package, finding) {
                states[package]?.waiting.insert(contentsOf: demands, at: 0)
                enqueue(package)
                return
            }
            var severity: RefreshFinding.Severity?
            let isGone = finding.code == .noSuchPackage || finding.code == .goneUpstream
            if isGone { report.packages.gone += 1 } else { report.packages.failed += 1 }
            if finding.code == .noSuchPackage {
                if demands.contains(where: \.isExplicit) { severity = .failure }
                if !demands.isEmpty, demands.allSatisfy(\.isOptional) { severity = .note }
            }
            let asker = finding.code == .noSuchPackage ? demands.first.map { "; \($0.by) needs it" } ?? "" : ""
            findings.insert(RefreshFinding(finding.code, finding.subject, finding.message + asker, severity: severity))
            finishRefresh(of: package)
        case .refreshed?:
            (idlePauses, silences, isUpstreamGivenUp) = (0, 0, false)
            report.packages.refreshed += 1
            finishRefresh(of: package)
        case .fresh?:
            report.packages.fresh += 1
            finishRefresh(of: package)
        case nil: if states[package]?.isRefreshed == false { finishRefresh(of: package) }
        }
        if states[package]?.isRootUnderWay == true { states[package]?.isRootDone = true }
        findings.formUnion(visit.findings)
        if visit.isChanged { states[package]?.hasNews = true }
        states[package]?.overlay = visit.overlay.flatMap { $0.isEmpty ? nil : $0 }
        if let record = visit.upstream {
            if !record.overlay.isEmpty { report.overlaid += 1 }
            records.append((package, record))
            if records.count >= 500 { try keepUpstreamRecords() }
        }
        remember(visit, of: package)
        for pick in visit.picks { choose(pick, of: package) }
        let isSatisfiedByHeld = !options.policies.contains(.ranges)
        for release in visit.held where states[package]?.completed.insert(release.version.text).inserted == true {
            askForDependencies(of: release, in: package, isSatisfiedByHeld: isSatisfiedByHeld)
        }
        if let state = states[package], !state.waiting.isEmpty || (state.isRoot && !state.isRootDone) { enqueue(package) }
        amount.packages.known = states.count
    }

    private func finishRefresh(of package: PackageName) {
        states[package]?.isRefreshed = true
        amount.packages.done += 1
        report.packages.visited += 1
    }

    private func remember(_ visit: Visit, of package: PackageName) {
        guard let releases = visit.releases, visit.size > 0, visit.size < Self.cacheLimit / 8, cache[package] == nil else { return }
        while cacheSize + visit.size > Self.cacheLimit, let (victim, entry) = cache.first {
            cache[victim] = nil
            cacheSize -= entry.size
        }
        cache[package] = (releases, visit.size)
        cacheSize += visit.size
    }

    private func choose(_ pick: Visit.Pick, of package: PackageName) {
        let release = pick.release
        let version = release.version.text
        if states[package]?.chosen.insert(version).inserted == true, !pick.isShared {
            report.tarballs.needed += 1
            amount.tarballs.known += 1
            if pick.isPresent {
                report.tarballs.present += 1
                amount.tarballs.done += 1
            } else if let uplink = uplinks(package).first, !uplinks(package).contains(where: \.caches) {
                let message = "verdaccio's configuration says \"cache: false\" for uplink \"\(uplink.name)\""
                find(.tarballNotKept, StorePath(package, release.file).description, message)
                report.tarballs.failed += 1
                amount.tarballs.done += 1
            } else {
                fetches.append(.fetch(package, release))
                // What comes into storage would be looked at by the next refresh; so that it finds nothing to do, it is now.
                states[package]?.isRoot = true
            }
        }
        // A lockfile names what its versions need; only what it leaves out is looked for.
        if locked.contains(RegistryDependency(package, .version(release.version.semantic))) {
            guard states[package]?.completed.insert(version).inserted == true else { return }
            askForDependencies(of: release, in: package, isSatisfiedByHeld: true)
        } else if states[package]?.followed.insert(version).inserted == true {
            askForDependencies(of: release, in: package, isSatisfiedByHeld: false)
        }
    }

    private func handle(_ outcome: TarballFetch.Outcome, of release: Release, in package: PackageName) {
        let subject = StorePath(package, release.file).description
        switch outcome {
        case .cancelled: return isCancelled = true
        case .kept(let bytes, let isUnproven):
            idlePauses = 0
            report.tarballs.fetched += 1
            report.tarballs.bytes += bytes
            amount.bytes += bytes
            newVersions[package, default: []].insert(release.version)
            states[package]?.hasNews = true
            if isUnproven { find(.tarballUnproven, subject, "the packument declares no digest to compare with") }
        case .failed(let fault, let retry):
            let finding = RefreshFinding(RefreshFinding.Code(fault.code), subject, fault.message)
            // Behind everything else, so that one bad tarball does not stop the good ones.
            if mayTryAgain(retry, package, finding) { return visits.append(.fetch(package, release)) }
            findings.insert(finding)
            report.tarballs.failed += 1
        }
        amount.tarballs.done += 1
    }

    // MARK: Trying again

    /// Decides whether something is tried again, and pauses everything where the registry as a whole gives no answer.
    ///
    /// Where several pauses in a row brought nothing, upstream is no longer waited for, and without Verdaccio nothing more is begun.
    private func mayTryAgain(_ retry: Retry, _ package: PackageName, _ finding: RefreshFinding) -> Bool {
        guard !isCancelled, surrender == nil else { return false }
        // That Verdaccio takes an uplink for offline is not the fault of who hears of it.
        let isOffline = finding.code == .uplinkOffline
        let key = isOffline ? "offline \(finding.subject)" : finding.subject
        let attempt = attempts[key, default: 0] + 1
        attempts[key] = attempt
        switch retry {
        case .never: return false
        case .atOnce: return attempt < options.attempts
        case .later:
            silences += 1
            guard attempt < options.attempts, !isUpstreamGivenUp else { return false }
            return silences < 4 || pause(offlineTime(of: package), limit: options.attempts - 1, finding) { isUpstreamGivenUp = true }
        // Verdaccio notes a tarball that it has kept in the packument, and may undo there what a refresh wrote meanwhile.
        case .whenUplinkIsBack where isOffline && attempt == 1 && finding.subject == package.text: return true
        case .whenUplinkIsBack:
            guard attempt < (isOffline ? Self.patience : options.attempts), !isUpstreamGivenUp else { return false }
            return pause(offlineTime(of: package), limit: options.attempts - 1, finding) { isUpstreamGivenUp = true }
        case .whenVerdaccioAnswers:
            guard attempt < options.attempts + 3 else { return false }
            carefulJobs = 2 * options.parallelism
            // A restart takes a while; six pauses make a minute.
            return pause(options.pause * (1 << idlePauses), limit: options.attempts + 3, finding) { surrender = finding }
        }
    }

    /// How often one package or tarball may hear that an uplink is offline.
    private static let patience = 20

    private func offlineTime(of package: PackageName) -> Duration { uplinks(package).map(\.failTimeout).max() ?? .seconds(300) }

    /// Begins nothing for a while, unless too many pauses brought nothing: then gives up and returns false.
    private func pause(_ length: Duration, limit: Int, _ finding: RefreshFinding, orElse giveUp: () -> Void) -> Bool {
        guard pausedUntil == nil else { return true }
        guard idlePauses < limit else {
            giveUp()
            return false
        }
        idlePauses += 1
        pausedUntil = .now + length
        amount.pause = "\(finding.message); trying again in \(max(1, length.components.seconds)) s"
        progress(amount)
        amount.pause = nil
        return true
    }

    // MARK: The end

    /// Writes what was learnt from upstream to the catalog.
    func keepUpstreamRecords() throws {
        guard !records.isEmpty, !options.isDryRun else { return }
        try visitor.catalog.keep(records)
        records = []
    }

    func finishedReport(requests: (verdaccio: Int, upstream: Int)) -> RefreshReport {
        let rest = fetches.count + visits.count
        if let surrender, rest > 0 || !completions.isEmpty {
            let message = "\(surrender.message); nothing more was tried"
            findings.insert(RefreshFinding(surrender.code, "\(rest + completions.count) packages and tarballs", message))
        }
        func order(_ severity: RefreshFinding.Severity) -> Int { severity == .failure ? 0 : severity == .warning ? 1 : 2 }
        func key(_ finding: RefreshFinding) -> String {
            "\(order(finding.severity)) \(finding.subject)\0\(finding.code.rawValue)\0\(finding.message)"
        }
        report.findings = findings.sorted { key($0).precedesByBytes(key($1)) }
        report.newVersions = newVersions.map { ($0.key, $0.value.sorted()) }.sorted { $0.package < $1.package }
        report.touched = states.filter(\.value.hasNews).map(\.key).sorted()
        report.requests = requests
        report.ending = isCancelled ? .cancelled : report.count(of: .failure) > 0 ? .incomplete : .complete
        return report
    }
}
