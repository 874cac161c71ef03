import ArchiveCheck
import CanonicalJSON
import Catalog
import PackageStore
import Platform
import Registries
import SystemPackage

/// Repairs the damaged files of one package: its packument first, then its tarballs.
struct PackageRepair: Sendable {
    struct Tools: Sendable {
        let registry: ProxyRegistry
        let layout: StorageLayout
        let clock: WallClock
        let options: Repairer.Options
        let quarantine: Quarantine
        let inspector: TarballInspector
        let upstream: UpstreamReader
        let packuments: PackumentRefresh
        let tarballs: TarballFetch
        let salvage: PackumentSalvage
    }

    /// How a try ended.
    private enum Ending {
        /// It is good; how that came.
        case repaired(String, quarantined: FilePath? = nil)
        /// Why it is not good.
        case failed(String, quarantined: FilePath? = nil, isGoneUpstream: Bool = false)
    }

    /// What upstream has of the package.
    private enum Upstream {
        /// These versions; none where it does not have the package, or the package has no upstream.
        case has([String: JSONObject])
        /// Nobody can say; why.
        case unknown(String)
    }

    let package: PackageName
    let tools: Tools

    private var directory: FilePath { tools.layout.directory(of: package) }
    private var packumentPath: FilePath { directory.appending("package.json") }

    func repair(_ archives: [BrokenArchive]) async -> [Repairer.Outcome] {
        var outcomes: [Repairer.Outcome] = []
        var packument: Ending?
        if usablePackument() == nil || archives.contains(where: \.path.file.isPackument) {
            let began = tools.clock.now()
            let ending = await attempt { try await repairPackument() }
            packument = ending
            for archive in archives where archive.path.file.isPackument { outcomes.append(outcome(of: archive, began, ending)) }
        }
        for archive in archives where !archive.path.file.isPackument {
            let began = tools.clock.now()
            let ending: Ending
            if case .failed(let reason, _, _)? = packument {
                ending = .failed("its packument cannot be repaired: \(reason)")
            } else {
                ending = await attempt { try await repairTarball(archive) }
            }
            outcomes.append(outcome(of: archive, began, ending))
        }
        return outcomes
    }

    private func attempt(_ body: () async throws -> Ending) async -> Ending {
        do { return try await body() } catch { return .failed("\(error)") }
    }

    private func outcome(of archive: BrokenArchive, _ began: Timestamp, _ ending: Ending) -> Repairer.Outcome {
        let ended = tools.clock.now()
        switch ending {
        case .repaired(let how, let copy):
            if copy == nil, let old = archive.quarantined { tools.quarantine.discard(FilePath(old)) }
            return Repairer.Outcome(
                archive: archive, attempt: .init(began: began, ended: ended, isRepaired: true, reason: how), state: .repaired,
                quarantined: copy?.string, isGoneUpstream: false)
        case .failed(let why, let copy, let isGone):
            let path = directory.appending(archive.path.file.text)
            let isThere = (try? DiskFileSystem().status(of: path)) != nil
            return Repairer.Outcome(
                archive: archive, attempt: .init(began: began, ended: ended, isRepaired: false, reason: why),
                state: isThere ? .damaged : .missing, quarantined: copy?.string ?? archive.quarantined,
                isGoneUpstream: isGone || (archive.isGoneUpstream && !isThere))
        }
    }

    // MARK: Tarballs

    private func repairTarball(_ archive: BrokenArchive) async throws -> Ending {
        let file = archive.path.file
        guard var stored = try readPackument() else { return try await removeUnnamed(file) }
        if !stored.declared.contains(where: { $0.file == file }) {
            if let refusal = await refreshPackument() { return .failed(refusal) }
            guard let renewed = try readPackument() else { return .failed("its packument has vanished") }
            stored = renewed
        }
        guard let declared = stored.declared.first(where: { $0.file == file }) else { return try await removeUnnamed(file) }
        if isSound(declared) {
            let isNamedNow = archive.damage.kind == .orphan || archive.damage.kind == .noPackumentEntry
            return .repaired(isNamedNow ? "a version names it now, and it is what was published" : "it is good by now, without this repair")
        }
        if stored.proxied[declared.version.text] == nil {
            switch try await renewAddress(of: declared, in: stored) {
            case .failure(let refusal): return .failed(refusal.reason)
            case .success: break
            }
        }
        let copy = try tools.quarantine.take(directory.appending(file.text), of: package)
        return await fetch(declared, quarantined: copy)
    }

    /// Fetches a tarball that is not in storage, and proves what has come.
    private func fetch(_ declared: DeclaredVersion, quarantined copy: FilePath?) async -> Ending {
        var (tries, pause, waited) = (0, tools.options.pause, Duration.zero)
        while true {
            switch await tools.tarballs.fetch(declared, of: package, into: directory) {
            case .cancelled: return .failed("cancelled; run it again", quarantined: copy)
            case .kept(let bytes, _):
                guard isSound(declared) else { return .failed("what upstream serves is damaged, too", quarantined: copy) }
                if let copy { tools.quarantine.discard(copy) }
                return .repaired("fetched again, \(bytes) bytes")
            case .failed(let fault, let retry):
                let isGone = fault.code == .gone
                switch retry {
                case .never: return .failed(fault.message, quarantined: copy, isGoneUpstream: isGone)
                case .atOnce, .later: tries += 1
                case .whenUplinkIsBack, .whenVerdaccioAnswers: waited += pause
                }
                guard tries < tools.options.attempts, waited <= tools.options.patience,
                    (try? await Task.sleep(for: pause)) != nil
                else { return .failed(fault.message, quarantined: copy) }
                pause = min(pause * 2, max(.seconds(60), tools.options.pause))
            }
        }
    }

    /// Whether the tarball in storage is good.
    private func isSound(_ declared: DeclaredVersion) -> Bool {
        let job = TarballInspector.Job(path: directory.appending(declared.file.text), declared: declared.digests)
        if case .judged(let verdict) = tools.inspector.inspect(job) { return verdict.damage == nil }
        return false
    }

    /// Takes a tarball out of the storage that no version names and that upstream does not know.
    ///
    /// It would keep its version from ever being published. Its copy stays.
    private func removeUnnamed(_ file: FileName) async throws -> Ending {
        guard let copy = try tools.quarantine.take(directory.appending(file.text), of: package) else {
            return .repaired("it has left the storage")
        }
        // An empty directory would end Verdaccio's search.
        _ = try? DiskFileSystem().remove(directory)
        return .repaired("no version names it, here or upstream: taken out of the storage, kept as \"\(copy)\"", quarantined: copy)
    }

    private struct Refusal: Error {
        let reason: String
    }

    /// Lets Verdaccio learn anew where a tarball is fetched from, which it never does by itself.
    private func renewAddress(of declared: DeclaredVersion, in stored: StoredPackument) async throws -> Result<Void, Refusal> {
        let versions: [String: JSONObject]
        switch await askUpstream() {
        case .unknown(let reason): return .failure(Refusal(reason: "nobody can say whether it was published here: \(reason)"))
        case .has(let known): versions = known
        }
        let theirs = versions[declared.version.text].flatMap { try? DeclaredVersion.read(declared.version.text, .object($0)).get() }
        guard let theirs, theirs.digests == declared.digests else {
            return .failure(
                Refusal(reason: "it was published here and upstream does not have it; put a good copy in its place, or unpublish it"))
        }
        let local = stored.declared.filter { versions[$0.version.text] == nil && stored.proxied[$0.version.text] == nil }
        guard local.isEmpty else {
            let names = local.prefix(3).map(\.version.text).joined(separator: ", ")
            return .failure(
                Refusal(
                    reason: "verdaccio has lost where to fetch it from, and its packument, which holds versions published here (\(names)), "
                        + "is not edited while verdaccio runs"))
        }
        let copy = try tools.quarantine.take(packumentPath, of: package)
        if let refusal = await refreshPackument() { return .failure(Refusal(reason: refusal)) }
        if let copy, usablePackument() != nil { tools.quarantine.discard(copy) }
        return .success(())
    }

    // MARK: The packument

    /// Reads the packument; `nil` where there is none.
    private func readPackument() throws -> StoredPackument? {
        guard let bytes = try tools.packuments.packument(of: package) else { return nil }
        return try StoredPackument(parsing: bytes, of: package)
    }

    /// Whether the packument can be read, and Verdaccio survives it.
    private func usablePackument() -> StoredPackument? {
        guard let stored = try? readPackument(), stored.object["_attachments"]?.object != nil else { return nil }
        return stored
    }

    /// Replaces a packument that cannot be used: by what was published here alone, if there is such; Verdaccio fetches the rest.
    private func repairPackument() async throws -> Ending {
        if usablePackument() != nil { return .repaired("it is good by now, without this repair") }
        let upstream: Set<String>
        switch await askUpstream() {
        case .unknown(let reason): return .failed("nobody can say which versions were published here: \(reason)")
        case .has(let versions): upstream = Set(versions.keys)
        }
        let salvaged = try tools.salvage.salvage(package, upstream: upstream)
        let copy: FilePath?
        if let document = salvaged.document {
            copy = try replacePackument(by: document)
        } else {
            copy = try tools.quarantine.take(packumentPath, of: package)
            if upstream.isEmpty {
                _ = try? DiskFileSystem().remove(directory)
                return .repaired(
                    "no registry has the package, and nothing of it could be saved here: taken out of the storage", quarantined: copy)
            }
        }
        if !upstream.isEmpty, let refusal = await refreshPackument() { return .failed(refusal, quarantined: copy) }
        guard let stored = usablePackument() else { return .failed("verdaccio did not make it anew", quarantined: copy) }
        let lost = salvaged.versions.filter { version in !stored.declared.contains { $0.version == version } }
        guard lost.isEmpty else {
            return .failed("\(lost.map(\.text).joined(separator: ", ")) of it, published here, did not come back", quarantined: copy)
        }
        let words = salvaged.versions.isEmpty ? "" : ", with \(salvaged.versions.count) versions that were published here"
        // What could not be saved of it is in no other place than the copy.
        if salvaged.lost.isEmpty, let copy { tools.quarantine.discard(copy) }
        return .repaired("fetched again\(words)", quarantined: salvaged.lost.isEmpty ? nil : copy)
    }

    private func replacePackument(by document: JSONObject) throws -> FilePath? {
        let files = DiskFileSystem()
        let copy = try tools.quarantine.copy(packumentPath, of: package)?.copy
        let lock = try PackageLock(directory: directory, files: files, clock: tools.clock, patience: .init()) { _, _ in }
        defer { try? lock.release() }
        guard usablePackument() == nil else { return copy }
        let owner = try files.status(of: directory)
        let draft = directory.appending(".package.json.ferry")
        try files.write(JSONValue.object(document).canonicalBytes, to: draft)
        if let owner { try files.setAttributes(of: draft, owner: owner.owner, group: owner.group, mode: 0o644) }
        try files.sync(draft)
        try files.rename(draft, to: packumentPath)
        try files.syncDirectory(directory)
        return copy
    }

    /// Makes Verdaccio fetch the packument, and proves that it did; what kept it from that, in words.
    private func refreshPackument() async -> String? {
        if tools.registry.uplinks(package)?.isEmpty == true { return nil }
        var (tries, pause, waited) = (0, tools.options.pause, Duration.zero)
        while true {
            let before = tools.packuments.marks(of: package)
            guard let hearing = await tools.packuments.hear(of: package, before: before, known: nil) else {
                return "cancelled; run it again"
            }
            let (freshness, _) = tools.packuments.judge(hearing, of: package, stored: try? readPackument())
            switch freshness {
            case .refreshed, .fresh: return nil
            // Upstream has been heard, and does not have it: that is an answer.
            case .stale(let fault, _) where fault.code == .goneUpstream || fault.code == .noSuchPackage: return nil
            case .stale(let fault, let retry):
                switch retry {
                case .never: return fault.message
                case .atOnce, .later: tries += 1
                case .whenUplinkIsBack, .whenVerdaccioAnswers: waited += pause
                }
                guard tries < tools.options.attempts, waited <= tools.options.patience, (try? await Task.sleep(for: pause)) != nil else {
                    return fault.message
                }
                pause = min(pause * 2, max(.seconds(60), tools.options.pause))
            }
        }
    }

    private func askUpstream() async -> Upstream {
        guard let uplinks = tools.registry.uplinks(package) else {
            return .unknown("upstream is not known; name verdaccio's configuration, or --upstream")
        }
        guard !uplinks.isEmpty else { return .has([:]) }
        switch await tools.upstream.read(package, known: nil, keeping: ["dist"]) {
        case .document(let document, _)?: return .has((document["versions"]?.object?.dictionary ?? [:]).compactMapValues(\.object))
        case .missing?: return .has([:])
        case .unreachable(let reason)?, .silent(let reason)?: return .unknown("upstream gives no answer: \(reason)")
        case .useless(let reason)?: return .unknown("upstream's answer is of no use: \(reason)")
        case .unchanged?, nil: return .unknown("upstream gave no answer")
        }
    }
}
