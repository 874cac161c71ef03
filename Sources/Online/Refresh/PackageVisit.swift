import CanonicalJSON
import Catalog
import PackageStore
import Platform
import Resolution
import SystemPackage
import VerdaccioSettings

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

/// How it stands with Verdaccio's copy of a packument.
enum Freshness: Sendable {
    /// It was fetched anew.
    case refreshed
    /// It is younger than the uplink's `maxage`.
    case fresh
    /// It was not fetched; why, and whether it is worth trying again.
    case stale(RefreshFinding, TarballFetch.Retry)
    case cancelled
}

/// What one visit to a package brought.
struct Visit: Sendable {
    /// A version to be kept, and whether its tarball is there.
    struct Pick: Sendable {
        let release: Release
        let isPresent: Bool
    }

    var freshness: Freshness?
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
    let verdaccio: HTTPFetcher
    let url: String
    let headers: [(String, String)]
    let upstream: UpstreamReader
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
            read(package, &visit)
        }
        if let releases = visit.releases { choose(from: releases, of: package, demands, isRoot: isRoot, chosen: chosen, &visit) }
        return visit
    }

    // MARK: Freshness

    private func refresh(_ package: PackageName, _ record: UpstreamRecord?, asksUpstream: Bool, _ visit: inout Visit) async {
        visit.overlay = record?.overlay
        let path = layout.directory(of: package).appending("package.json")
        let before = times(path)
        let asked = clock.now().nanoseconds / 1_000_000
        let answer: Result<HTTPFetcher.Answer, HTTPFetcher.Failure>
        do throws(HTTPFetcher.Failure) {
            answer = .success(
                try await verdaccio.get("\(url)/-/package/\(package.escaped)/dist-tags", headers: headers, limit: 16 << 20))
        } catch {
            if error == .cancelled { return visit.freshness = .cancelled }
            answer = .failure(error)
        }
        let after = times(path)
        let said = asksUpstream ? await upstream.read(package, known: record) : .unreachable("it gave none before, and is not asked again")
        if Task.isCancelled { return visit.freshness = .cancelled }
        visit.freshness = judge(package, answer, asked: asked, before: before, after: after, said)
        visit.isChanged = before?.etags != after?.etags
        learn(package, said, record, &visit)
        read(package, &visit)
    }

    /// The moments at which Verdaccio had fetched a packument, by uplink, and what it fetched; `nil` where there is no packument.
    private func times(_ path: FilePath) -> (fetched: [String: Int64], etags: [String: String])? {
        guard let bytes = try? DiskFileSystem().contents(of: path, limit: StoredPackument.sizeLimit),
            let object = try? JSONParser.parse(bytes, mode: .likeJavaScript, selection: .init(of: "versions") { _ in false }).object
        else { return nil }
        var (fetched, etags): ([String: Int64], [String: String]) = ([:], [:])
        for (name, value) in object["_uplinks"]?.object?.members ?? [] {
            fetched[name] = value.object?["fetched"]?.integer
            etags[name] = value.object?["etag"]?.string
        }
        return (fetched, etags)
    }

    private func judge(
        _ package: PackageName, _ answer: Result<HTTPFetcher.Answer, HTTPFetcher.Failure>, asked: Int64,
        before: (fetched: [String: Int64], etags: [String: String])?,
        after: (fetched: [String: Int64], etags: [String: String])?, _ said: UpstreamReader.Answer?
    ) -> Freshness? {
        switch answer {
        case .success(let answer):
            switch answer.status {
            case 200..<300, 404, 503: break
            case 401, 403: return stale(package, .accessDenied, "verdaccio answers \(answer.status); it wants a token", .never)
            default:
                let text = String(decoding: answer.body.prefix(120), as: UTF8.self)
                return stale(package, .verdaccioError, "verdaccio answers \(answer.status): \(text)", .atOnce)
            }
        case .failure(.unreachable(let reason)):
            return stale(package, .verdaccioUnreachable, "verdaccio gives no answer: \(reason)", .whenVerdaccioAnswers)
        case .failure(let failure):
            // It may be waiting for upstream itself.
            if case .unreachable(let reason)? = said {
                return stale(package, .upstreamUnreachable, "upstream gives no answer: \(reason)", .whenUplinkIsBack)
            }
            return stale(package, .verdaccioUnreachable, "verdaccio gives no answer: \(failure)", .atOnce)
        }
        let configured = upstream.uplinks(package) ?? []
        let names = configured.isEmpty ? Array((after?.fetched ?? [:]).keys) : configured.map(\.name)
        let now = clock.now().nanoseconds / 1_000_000
        var isMoved = true
        var isFresh = true
        for name in names {
            let fetched = after?.fetched[name] ?? 0
            let maxAge = (configured.first { $0.name == name }?.maxAge ?? .seconds(120)).components
            if fetched <= before?.fetched[name] ?? 0, fetched < asked { isMoved = false }
            if now - fetched >= maxAge.seconds * 1000 + maxAge.attoseconds / 1_000_000_000_000_000 { isFresh = false }
        }
        // What came from no uplink lives here alone, and is as fresh as can be.
        if after != nil, names.isEmpty { return nil }
        if after != nil, isMoved || isFresh { return isMoved ? .refreshed : .fresh }
        switch said {
        case .missing?:
            return after == nil
                ? stale(package, .noSuchPackage, "upstream does not have it", .never)
                : stale(package, .goneUpstream, "upstream has it no more; what is in storage stays", .never)
        case .unreachable(let reason)?:
            return stale(package, .upstreamUnreachable, "upstream gives no answer: \(reason)", .whenUplinkIsBack)
        case .useless(let reason)?: return stale(package, .upstreamFault, "upstream's answer is of no use: \(reason)", .atOnce)
        case .document?, .unchanged?:
            return stale(package, .uplinkOffline, "upstream answers, and verdaccio takes its uplink for offline", .whenUplinkIsBack)
        case nil where after == nil:
            return stale(package, .noSuchPackage, "verdaccio does not have it, and knows no uplink that has", .never)
        case nil:
            return stale(package, .oldCopy, "verdaccio answered from its old copy; name its configuration to learn why", .never)
        }
    }

    private func stale(
        _ package: PackageName, _ code: RefreshFinding.Code, _ message: String, _ retry: TarballFetch.Retry
    ) -> Freshness {
        .stale(RefreshFinding(code, package.text, message), retry)
    }

    /// Notes what upstream said.
    private func learn(_ package: PackageName, _ said: UpstreamReader.Answer?, _ record: UpstreamRecord?, _ visit: inout Visit) {
        guard let said else { return }
        let address = upstream.address(of: package)
        switch said {
        case .unchanged:
            if let record {
                visit.upstream = UpstreamRecord(url: address, etag: record.etag, checked: clock.now(), overlay: record.overlay)
            }
        case .document(let document, let etag):
            guard let stored = stored(package) else { return }
            do {
                let fresh = try UpstreamOverlay(of: stored, upstream: document)
                visit.upstream = UpstreamRecord(url: address, etag: etag, checked: clock.now(), overlay: fresh)
                visit.overlay = fresh
            } catch {
                visit.findings.append(RefreshFinding(.upstreamBehind, package.text, "\(error)"))
            }
        case .missing, .unreachable, .useless: break
        }
    }

    private func stored(_ package: PackageName) -> StoredPackument? {
        let path = layout.directory(of: package).appending("package.json")
        guard let bytes = try? DiskFileSystem().contents(of: path, limit: StoredPackument.sizeLimit) else { return nil }
        return try? StoredPackument(parsing: bytes, of: package, keeping: Release.members)
    }

    /// Reads the packument in storage as upstream would have it.
    private func read(_ package: PackageName, _ visit: inout Visit) {
        let path = layout.directory(of: package).appending("package.json")
        do {
            guard let bytes = try DiskFileSystem().contents(of: path, limit: StoredPackument.sizeLimit) else { return }
            visit.size = bytes.count
            let stored = try StoredPackument(parsing: bytes, of: package, keeping: Release.members)
            visit.findings += stored.findings.map { RefreshFinding(.versionInvalid, $0.subject, $0.message) }
            visit.releases = ReleaseList(visit.overlay?.applied(to: stored) ?? stored)
        } catch {
            visit.findings.append(RefreshFinding(.packumentInvalid, "\(package)/package.json", "\(error)"))
        }
    }

    /// For a dry run: reads what upstream has, or else what is in storage, and changes nothing.
    private func foresee(_ package: PackageName, _ visit: inout Visit) async {
        let said = await upstream.read(package, known: nil)
        if case .document(let document, _)? = said,
            let packument = try? StoredPackument(parsing: JSONValue.object(document).canonicalBytes, of: package, keeping: Release.members)
        {
            visit.releases = ReleaseList(packument)
            visit.freshness = .refreshed
            return
        }
        read(package, &visit)
        switch said {
        case .unreachable(let reason)?:
            visit.freshness = stale(package, .upstreamUnreachable, "upstream gives no answer: \(reason)", .never)
        case .useless(let reason)?: visit.freshness = stale(package, .upstreamFault, "upstream's answer is of no use: \(reason)", .never)
        case .missing? where visit.releases != nil:
            visit.freshness = stale(package, .goneUpstream, "upstream has it no more; what is in storage stays", .never)
        case .document?: visit.freshness = stale(package, .upstreamFault, "upstream's answer is about another package", .never)
        case .missing?, .unchanged?, nil:
            if visit.releases == nil {
                visit.freshness = stale(package, .noSuchPackage, "it is not in storage, and no uplink is known", .never)
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
        for demand in demands {
            if demand.isSatisfiedByHeld {
                let there = held + list.releases.filter { chosen.contains($0.version.text) }
                guard ReleaseList(there, tags: list.tags).pick(demand.wanted) == nil else { continue }
            }
            var isFound = false
            for node in options.nodes.isEmpty ? [nil] : options.nodes.map(Optional.some) {
                guard let release = list.pick(demand.wanted, node: node) else { continue }
                isFound = true
                let isRunnable = options.platforms.isEmpty || options.platforms.contains { release.platforms.allows($0) }
                if isRunnable {
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
        visit.picks = picked.values.sorted { $0.version < $1.version }.map {
            Visit.Pick(release: $0, isPresent: present.contains($0.file.text))
        }
        if isRoot { visit.held = held.filter { picked[$0.version.text] == nil } }
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
        return wanted.compactMap { $0 }
    }
}
