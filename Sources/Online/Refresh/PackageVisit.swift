import CanonicalJSON
import Catalog
import PackageStore
import Platform
import Registries
import Resolution
import SystemPackage

/// What is asked of a package.
struct Demand: Sendable {
    let wanted: WantedVersion
    /// Whether an install goes on without it.
    let isOptional: Bool
    /// Whether any version that is there will do; otherwise the one that npm would pick now is meant.
    let isSatisfiedByHeld: Bool
    /// Whether a person asked for it by name.
    var isExplicit = false
    /// Who asks.
    let by: String

    /// What tells demands on one package apart, whoever asks: a text, since most are too short to need memory of their own.
    var key: String { "\(wanted)\(isOptional ? "\u{1}" : "")\(isSatisfiedByHeld ? "\u{2}" : "")" }
}

/// What one visit to a package brought.
struct Visit: Sendable {
    /// A version to be kept, and whether its tarball is there.
    struct Pick: Sendable {
        let release: Release
        let isPresent: Bool
        /// Whether its tarball is also that of a version that was picked before.
        var isShared = false
    }

    /// `nil` where Verdaccio was not asked.
    var freshness: Freshness?
    var isCancelled = false
    var findings: [RefreshFinding] = []
    /// Sorted by version.
    var picks: [Pick] = []
    /// The versions in storage that were not picked; of the roots only.
    var held: [Release] = []
    /// What to keep in the catalog.
    var upstream: UpstreamRecord?
    var releases: ReleaseList?
    /// What upstream says otherwise than the packument in storage.
    var overlay: UpstreamOverlay?
    /// Bytes of the packument, which tell how costly `releases` are to keep.
    var size = 0
    /// Whether the packument in storage says anything else than before.
    var isChanged = false
}

/// Looks at one package: makes Verdaccio refresh it, reads what upstream says, and picks versions.
struct PackageVisitor: Sendable {
    let packuments: PackumentRefresh
    let upstream: UpstreamReader
    /// Where large packuments wait for one another.
    let room: ReadingRoom
    let layout: StorageLayout
    let catalog: Catalog
    let options: RefreshOptions
    let clock: WallClock

    /// - Parameters:
    ///   - isRoot: whether the policies and the versions in storage count, and not only the demands.
    ///   - refreshes: whether Verdaccio is to be asked; otherwise its copy is of this run.
    ///   - asksUpstream: whether upstream itself is asked, too.
    ///   - known: what an earlier visit of this run read.
    ///   - overlay: what an earlier visit of this run learnt from upstream.
    ///   - chosen: the versions that are on their way into storage.
    func visit(
        _ package: PackageName, _ demands: [Demand], isRoot: Bool, refreshes: Bool, asksUpstream: Bool, known: ReleaseList?,
        overlay: UpstreamOverlay?, chosen: Set<String>
    ) async throws -> Visit {
        var visit = Visit()
        visit.overlay = overlay
        if let known {
            visit.releases = known
        } else if options.isDryRun {
            await foresee(package, &visit)
        } else if refreshes {
            await refresh(package, try catalog.upstream(of: package), asksUpstream: asksUpstream, &visit)
        } else {
            await read(package, &visit)
        }
        if let releases = visit.releases { choose(from: releases, of: package, demands, isRoot: isRoot, chosen: chosen, &visit) }
        return visit
    }

    // MARK: Freshness

    private func refresh(_ package: PackageName, _ record: UpstreamRecord?, asksUpstream: Bool, _ visit: inout Visit) async {
        visit.overlay = record?.overlay
        let before = await room.hold(packuments.size(of: package)) { packuments.marks(of: package) }
        // A name that lives here alone is nobody else's business.
        guard before?.isLocal != true else { return await read(package, &visit) }
        guard let hearing = await packuments.hear(of: package, before: before, known: record, asksUpstream: asksUpstream) else {
            return visit.isCancelled = true
        }
        await room.hold(packuments.size(of: package)) {
            let stored = stored(package, &visit)
            let verdict = packuments.judge(hearing, of: package, stored: stored)
            (visit.freshness, visit.isChanged) = (verdict.freshness, verdict.isChanged)
            if let said = hearing.upstream { learn(package, said, record, before: before, stored, &visit) }
            visit.releases = stored.map { ReleaseList(visit.overlay?.applied(to: $0) ?? $0) }
        }
    }

    /// Notes what upstream said.
    private func learn(
        _ package: PackageName, _ said: UpstreamReader.Answer, _ record: UpstreamRecord?, before: PackumentMarks?,
        _ stored: StoredPackument?, _ visit: inout Visit
    ) {
        let address = upstream.address(of: package)
        switch said {
        case .unchanged:
            guard let record else { return }
            visit.upstream = UpstreamRecord(url: address, etag: record.etag, checked: clock.now(), overlay: record.overlay)
        case .document(let document, let etag):
            guard let stored else { return }
            do throws(UpstreamError) {
                let fresh = try UpstreamOverlay(of: stored, upstream: document, after: before?.modified)
                visit.upstream = UpstreamRecord(url: address, etag: etag, checked: clock.now(), overlay: fresh)
                visit.overlay = fresh
            } catch {
                let code: RefreshFinding.Code = if case .older = error { .upstreamBehind } else { .upstreamFault }
                visit.findings.append(RefreshFinding(code, package.text, "\(error)"))
            }
        case .missing, .unreachable, .silent, .useless: break
        }
    }

    /// Reads the packument in storage; `nil` where there is none that can be used, which is a finding.
    private func stored(_ package: PackageName, _ visit: inout Visit) -> StoredPackument? {
        do {
            guard let bytes = try packuments.packument(of: package) else { return nil }
            visit.size = bytes.count
            let stored = try StoredPackument(parsing: bytes, of: package, keeping: Release.members)
            visit.findings += stored.findings.map { RefreshFinding(.versionInvalid, $0.subject, $0.message) }
            return stored
        } catch {
            visit.findings.append(RefreshFinding(.packumentInvalid, "\(package)/package.json", "\(error)"))
            return nil
        }
    }

    /// Reads the packument in storage as upstream would have it.
    private func read(_ package: PackageName, _ visit: inout Visit) async {
        await room.hold(packuments.size(of: package)) {
            visit.releases = stored(package, &visit).map { ReleaseList(visit.overlay?.applied(to: $0) ?? $0) }
        }
    }

    /// For a dry run: reads what upstream has, or else what is in storage, and changes nothing.
    private func foresee(_ package: PackageName, _ visit: inout Visit) async {
        let said = await upstream.read(
            package, known: nil, keeping: Release.members.union(["dist"]), expected: packuments.size(of: package))
        if case .document(let document, _)? = said, let packument = try? StoredPackument(reading: document, of: package) {
            visit.releases = ReleaseList(packument)
            visit.freshness = .refreshed
            return
        }
        await read(package, &visit)
        switch said {
        case .unreachable(let reason)?, .silent(let reason)?:
            visit.freshness = .stale(PackumentFault(.upstreamUnreachable, "upstream gives no answer: \(reason)"), .never)
        case .useless(let reason)?:
            visit.freshness = .stale(PackumentFault(.upstreamFault, "upstream's answer is of no use: \(reason)"), .never)
        case .missing? where visit.releases != nil:
            visit.freshness = .stale(PackumentFault(.goneUpstream, "upstream has it no more; what is in storage stays"), .never)
        case .document?:
            visit.freshness = .stale(PackumentFault(.upstreamFault, "upstream's answer is about another package"), .never)
        case .missing?, .unchanged?, nil:
            if visit.releases == nil {
                visit.freshness = .stale(PackumentFault(.noSuchPackage, "it is not in storage, and no uplink is known"), .never)
            }
        }
    }

    // MARK: The choice

    private func choose(
        from list: ReleaseList, of package: PackageName, _ demands: [Demand], isRoot: Bool, chosen: Set<String>, _ visit: inout Visit
    ) {
        let directory = layout.directory(of: package)
        let present = Set((try? DirectoryReader(opening: directory)?.names()) ?? [])
        let held = list.releases.filter { present.contains($0.file.text) }
        var picked: [String: Release] = [:]
        if isRoot {
            for release in byPolicy(list, held) { picked[release.version.text] = release }
        }
        let there =
            demands.contains(where: \.isSatisfiedByHeld)
            ? ReleaseList(held + list.releases.filter { chosen.contains($0.version.text) }, tags: list.tags) : nil
        for demand in demands {
            if demand.isSatisfiedByHeld, there?.pick(demand.wanted) != nil { continue }
            var isFound = false
            for node in options.nodes.isEmpty ? [nil] : options.nodes.map(Optional.some) {
                guard let release = list.pick(demand.wanted, node: node) else { continue }
                isFound = true
                if runs(release) {
                    picked[release.version.text] = release
                } else if !demand.isOptional {
                    picked[release.version.text] = release
                    let message = "\(demand.by) needs it, and it runs on none of the platforms"
                    visit.findings.append(RefreshFinding(.wrongPlatform, "\(package)@\(release.version)", message))
                }
            }
            if !isFound {
                let message = "\(demand.by) asks for a version that upstream does not have"
                let finding = RefreshFinding(
                    .noSuchVersion, "\(package)@\(demand.wanted)", message,
                    severity: demand.isOptional ? .note : demand.isExplicit ? .failure : nil)
                visit.findings.append(finding)
            }
        }
        visit.picks = picks(picked, from: list, of: package, present, chosen: chosen, &visit)
        if isRoot { visit.held = held.filter { picked[$0.version.text] == nil } }
    }

    /// Sorted, and without versions that name the tarball of another one: Verdaccio keeps one file of a name.
    private func picks(
        _ picked: [String: Release], from list: ReleaseList, of package: PackageName, _ present: Set<String>, chosen: Set<String>,
        _ visit: inout Visit
    ) -> [Visit.Pick] {
        let files = Set(picked.values.map(\.file))
        let claims = Dictionary(grouping: list.releases.filter { files.contains($0.file) }, by: \.file).filter { $0.value.count > 1 }
        var taken = claims.isEmpty ? [] : Set(chosen.compactMap { list[$0]?.file })
        return picked.values.sorted { $0.version < $1.version }.compactMap { release in
            var pick = Visit.Pick(release: release, isPresent: present.contains(release.file.text))
            guard let claimants = claims[release.file] else { return pick }
            let usual = claimants.first { release.file == FileName("\(package.base)-\($0.version).tgz") }
            if let owner = usual ?? claimants.min(by: { $0.version < $1.version }), !release.declared.isAlike(owner.declared) {
                let message = "its tarball has the name of that of \(owner.version), and is another one"
                visit.findings.append(RefreshFinding(.versionInvalid, "\(package)@\(release.version)", message))
                return nil
            }
            pick.isShared = !taken.insert(release.file).inserted
            return pick
        }
    }

    /// The versions that the policies want.
    private func byPolicy(_ list: ReleaseList, _ held: [Release]) -> [Release] {
        let usable = list.releases.filter { $0.version.isStable && !$0.isDeprecated }
        func newest(_ isOf: (SemanticVersion) -> Bool) -> Release? {
            usable.filter { isOf($0.version.semantic) }.max { $0.version < $1.version }
        }
        var wanted: [Release?] = []
        for policy in options.policies {
            switch policy {
            case .latest:
                let latest = PackageVersion.preferredLatest(of: list.releases.map(\.version))
                wanted.append(list.tags["latest"].flatMap { list[$0] } ?? latest.flatMap { list[$0.text] })
            case .tags: wanted += list.tags.values.map { list[$0] }
            case .latestPerMajor:
                for major in Set(usable.map(\.version.semantic.major)) { wanted.append(newest { $0.major == major }) }
            case .siblings:
                for version in held.map(\.version.semantic) {
                    wanted.append(newest { $0.major == version.major && $0.minor == version.minor })
                    wanted.append(newest { $0.major == version.major })
                }
            case .ranges: break
            }
        }
        // What runs on none of the platforms is nobody's newest version.
        return wanted.compactMap { $0 }.filter(runs)
    }

    /// Whether a version runs on any of the platforms.
    private func runs(_ release: Release) -> Bool {
        options.platforms.isEmpty || options.platforms.contains { release.platforms.allows($0) }
    }
}

extension DeclaredVersion {
    /// Whether two entries declare the same bytes.
    fileprivate func isAlike(_ other: DeclaredVersion) -> Bool {
        func digests(_ declared: DeclaredVersion) -> [JSONValue?] {
            ["integrity", "shasum"].map { declared.manifest["dist"]?.object?[$0] }
        }
        return digests(self) == digests(other)
    }
}
