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
        let verdaccio: HTTPFetcher
        let salvage: PackumentSalvage
        let patience: SharedPatience
        /// Told of a file that is about to be taken out of the storage, and where its copy lies.
        let note: @Sendable (BrokenArchive, FilePath) throws -> Void
    }

    /// How a try ended.
    private enum Ending {
        /// It is good; how that came. `cleared` where it was good before.
        case repaired(String, quarantined: FilePath? = nil, state: BrokenArchive.State = .repaired)
        /// Why it is not good.
        case failed(String, quarantined: FilePath? = nil, isGoneUpstream: Bool = false)
    }

    /// What upstream has of the package.
    private enum Upstream {
        /// These versions, and what its `latest` points at; none where it does not have the package, or the package has no upstream.
        case has([String: JSONObject], latest: String?)
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
        let ofPackument = archives.first(where: \.path.file.isPackument)
        if ofPackument != nil || usablePackument() == nil {
            let began = tools.clock.now()
            let ending = await attempt { try await repairPackument(ofPackument) }
            packument = ending
            for archive in archives where archive.path.file.isPackument { outcomes.append(outcome(of: archive, began, ending)) }
        }
        for archive in archives where !archive.path.file.isPackument {
            let began = tools.clock.now()
            let ending: Ending
            if tools.patience.isVerdaccioLost {
                ending = .failed("it was not tried, since verdaccio gives no answer any more")
            } else if case .failed(let reason, _, _)? = packument {
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
        case .repaired(let how, let copy, let state):
            if copy == nil, let old = archive.quarantined { tools.quarantine.discard(FilePath(old)) }
            return Repairer.Outcome(
                archive: archive, attempt: .init(began: began, ended: ended, isRepaired: true, reason: how), state: state,
                quarantined: copy?.string, isGoneUpstream: false)
        case .failed(let why, let copy, let isGone):
            let path = directory.appending(archive.path.file.text)
            // What cannot be looked at has not been taken away.
            let isThere: Bool
            do { isThere = try DiskFileSystem().status(of: path) != nil } catch { isThere = true }
            return Repairer.Outcome(
                archive: archive, attempt: .init(began: began, ended: ended, isRepaired: false, reason: why),
                state: isThere ? .damaged : .missing, quarantined: copy?.string ?? archive.quarantined,
                isGoneUpstream: isGone || (archive.isGoneUpstream && !isThere))
        }
    }

    // MARK: Tarballs

    private func repairTarball(_ archive: BrokenArchive) async throws -> Ending {
        let file = archive.path.file
        guard var stored = try readPackument() else { return try removeUnnamed(archive) }
        if !stored.declared.contains(where: { $0.file == file }) {
            if let refusal = await refreshPackument() { return .failed(refusal) }
            guard let renewed = try readPackument() else { return .failed("its packument has vanished") }
            stored = renewed
        }
        guard let declared = stored.declared.first(where: { $0.file == file }) else { return try removeUnnamed(archive) }
        if isSound(declared) {
            let isNamedNow = archive.damage.kind == .orphan || archive.damage.kind == .noPackumentEntry
            let words = isNamedNow ? "a version names it now, and it is what was published" : "it is good by now, without this repair"
            return .repaired(words, state: .cleared)
        }
        if stored.proxied[declared.version.text] == nil {
            switch try await renewAddress(of: declared, in: stored) {
            case .failure(let refusal): return .failed(refusal.reason)
            case .success: break
            }
        } else if archive.damage.kind == .digestMismatch, let versions = await theirs(declared) {
            switch try await renewPackument(stored, versions, "it is upstream's, and the packument declares another digest of it") {
            case .failure(let refusal): return .failed(refusal.reason)
            case .success:
                return .repaired("it is upstream's; its packument, which declared another digest, was fetched again", state: .cleared)
            }
        }
        if let refusal = await refusal() { return .failed(refusal) }
        let copy = try take(archive)
        return await fetch(declared, quarantined: copy)
    }

    /// What upstream has of the package, where a tarball in storage is upstream's, though not the one that the packument declares.
    private func theirs(_ declared: DeclaredVersion) async -> [String: JSONObject]? {
        guard case .has(let versions, _) = await askUpstream(),
            let theirs = versions[declared.version.text].flatMap({ try? DeclaredVersion.read(declared.version.text, .object($0)).get() }),
            theirs.digests != DeclaredDigests()
        else { return nil }
        return isSound(declared.file, theirs.digests) ? versions : nil
    }

    /// Why Verdaccio would fetch nothing of the package for this user; `nil` where it would, or nobody knows.
    private func refusal() async -> String? {
        let url = "\(tools.registry.url)/-/package/\(package.text.replacing("/", with: "%2f"))/dist-tags"
        guard let answer = try? await tools.verdaccio.get(url, headers: tools.registry.headers, limit: 16 << 20),
            answer.status == 401 || answer.status == 403
        else { return nil }
        return "verdaccio answers \(answer.status); it wants a token"
    }

    /// Fetches a tarball that is not in storage, and proves what has come.
    private func fetch(_ declared: DeclaredVersion, quarantined copy: FilePath?) async -> Ending {
        var (tries, pause, waited) = (0, tools.options.pause, Duration.zero)
        while true {
            switch await tools.tarballs.fetch(declared, of: package, into: directory) {
            case .cancelled: return .failed("cancelled; run it again", quarantined: copy)
            case .kept(let bytes, _):
                tools.patience.renew()
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
                guard tries < tools.options.attempts, tools.patience.allows(waited, retry), (try? await Task.sleep(for: pause)) != nil
                else { return .failed(fault.message, quarantined: copy) }
                pause = min(pause * 2, max(.seconds(60), tools.options.pause))
            }
        }
    }

    /// Whether the tarball in storage is good.
    private func isSound(_ declared: DeclaredVersion) -> Bool { isSound(declared.file, declared.digests) }

    private func isSound(_ file: FileName, _ digests: DeclaredDigests) -> Bool {
        let job = TarballInspector.Job(path: directory.appending(file.text), declared: digests)
        if case .judged(let verdict) = tools.inspector.inspect(job) { return verdict.damage == nil }
        return false
    }

    /// Takes a damaged file out of the storage.
    ///
    /// - Returns: where its copy lies; `nil` where it is gone, or has become another meanwhile and was left alone.
    private func take(_ archive: BrokenArchive) throws -> FilePath? {
        try tools.quarantine.take(directory.appending(archive.path.file.text), of: package) { try tools.note(archive, $0) }
    }

    /// Takes a tarball out of the storage that no version names and that upstream does not know.
    ///
    /// It would keep its version from ever being published. Its copy stays. One that a version named once may be all that is left of that
    /// version, as where Verdaccio, asked for a packument that was gone, has made one of upstream's versions alone: it stays where it is.
    private func removeUnnamed(_ archive: BrokenArchive) throws -> Ending {
        if let version = archive.version, archive.damage.kind != .orphan, archive.damage.kind != .noPackumentEntry {
            return .failed(
                "it was \(version) once, which no registry has any more, and whose entry is lost; publish a good copy anew, or remove it")
        }
        if let former = try tools.salvage.formerVersion(of: archive.path.file, package), isSound(former) {
            return .failed(
                "it is \(former.version), which was published here and which the packument, made anew, names no more; take the file out of "
                    + "the storage and publish it again (npm publish FILE)")
        }
        guard let copy = try take(archive) else { return .repaired("it has left the storage", state: .cleared) }
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
        case .has(let known, _): versions = known
        }
        let theirs = versions[declared.version.text].flatMap { try? DeclaredVersion.read(declared.version.text, .object($0)).get() }
        guard let theirs, theirs.digests == declared.digests else {
            return .failure(
                Refusal(reason: "it was published here and upstream does not have it; put a good copy in its place, or unpublish it"))
        }
        return try await renewPackument(stored, versions, "verdaccio has lost where to fetch it from")
    }

    /// Lets Verdaccio fetch a whole packument anew that nothing was published to here.
    ///
    /// - Parameter why: what is wrong with it.
    private func renewPackument(
        _ stored: StoredPackument, _ versions: [String: JSONObject], _ why: String
    ) async throws -> Result<Void, Refusal> {
        let local = stored.declared.filter { versions[$0.version.text] == nil && stored.proxied[$0.version.text] == nil }
        guard local.isEmpty else {
            let names = local.prefix(3).map(\.version.text).joined(separator: ", ")
            let reason = "\(why), and the packument, which holds versions published here (\(names)), is not edited while verdaccio runs"
            return .failure(Refusal(reason: reason))
        }
        // Somebody may have published to it since it was read.
        let copy = try locked {
            guard try readPackument()?.object["versions"] == stored.object["versions"] else { throw Changed() }
            return try tools.quarantine.take(packumentPath, of: package) { _ in }
        }
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
    ///
    /// - Parameter archive: the record of its damage; `nil` where there is no packument.
    private func repairPackument(_ archive: BrokenArchive?) async throws -> Ending {
        if usablePackument() != nil { return .repaired("it is good by now, without this repair", state: .cleared) }
        if let stored = try? readPackument() { return try complete(stored) }
        let upstream: [String: JSONObject]
        let latest: String?
        switch await askUpstream() {
        case .unknown(let reason): return .failed("nobody can say which versions were published here: \(reason)")
        case .has(let versions, let tag): (upstream, latest) = (versions, tag)
        }
        // Where there is no packument, the question would make Verdaccio fetch one without what was published here.
        if !upstream.isEmpty, try DiskFileSystem().status(of: packumentPath) != nil, let refusal = await refusal() {
            return .failed(refusal)
        }
        let salvaged = try tools.salvage.salvage(package, upstream: upstream, latest: latest)
        let copy: FilePath?
        if let document = salvaged.document {
            copy = try replacePackument(by: document)
        } else {
            if upstream.isEmpty, archive != nil, !salvaged.lost.isEmpty {
                return .failed("no registry has the package, and no tarball of it is whole: it stays as it is")
            }
            copy = try tools.quarantine.take(packumentPath, of: package) { copy in try archive.map { try tools.note($0, copy) } }
            if upstream.isEmpty {
                _ = try? DiskFileSystem().remove(directory)
                return .repaired("no registry has the package, and it has no tarball here: taken out of the storage", quarantined: copy)
            }
        }
        if !upstream.isEmpty, let refusal = await refreshPackument() { return .failed(refusal, quarantined: copy) }
        guard let stored = usablePackument() else { return .failed("verdaccio did not make it anew", quarantined: copy) }
        let lost = salvaged.versions.filter { version in !stored.declared.contains { $0.version == version } }
        guard lost.isEmpty else {
            return .failed("\(lost.map(\.text).joined(separator: ", ")) of it, published here, did not come back", quarantined: copy)
        }
        let words = salvaged.versions.isEmpty ? "" : ", with \(salvaged.versions.count) versions that were published here"
        let how = upstream.isEmpty ? "made anew" : "fetched again"
        // What could not be saved of it is in no other place than the copy.
        if salvaged.lost.isEmpty, let copy { tools.quarantine.discard(copy) }
        return .repaired("\(how)\(words)", quarantined: salvaged.lost.isEmpty ? nil : copy)
    }

    private func replacePackument(by document: JSONObject) throws -> FilePath? {
        let copy = try tools.quarantine.copy(packumentPath, of: package)?.copy
        try locked {
            if usablePackument() == nil { try write(document) }
        }
        return copy
    }

    /// Gives a packument that is whole, but for `_attachments`, that member: Verdaccio would end at the next download.
    private func complete(_ stored: StoredPackument) throws -> Ending {
        let proxied = stored.proxied
        var attachments: [(name: String, value: JSONValue)] = []
        var named: Set<FileName> = []
        for declared in stored.declared where named.insert(declared.file).inserted {
            guard try DiskFileSystem().status(of: directory.appending(declared.file.text)) != nil else { continue }
            var attachment = JSONObject()
            attachment["shasum"] = declared.manifest["dist"]?.object?["shasum"] ?? .string("")
            if proxied[declared.version.text] == nil { attachment["version"] = .string(declared.version.text) }
            attachments.append((declared.file.text, .object(attachment)))
        }
        var document = stored.object
        document["_attachments"] = .object(JSONObject(uniqueMembers: attachments))
        try locked {
            guard try readPackument()?.object == stored.object else { throw Changed() }
            try write(document)
        }
        return .repaired("its \"_attachments\" were made anew")
    }

    /// A packument that is another one than it was a moment ago.
    private struct Changed: Error, CustomStringConvertible {
        let description = "its packument was changed meanwhile; run it again"
    }

    /// Runs a body under Verdaccio's lock of the package, which every publication takes.
    private func locked<Result>(_ body: () throws -> Result) throws -> Result {
        let lock = try PackageLock(directory: directory, files: DiskFileSystem(), clock: tools.clock, patience: .init()) { _, _ in }
        defer { try? lock.release() }
        return try body()
    }

    private func write(_ document: JSONObject) throws {
        let files = DiskFileSystem()
        let owner = try files.status(of: directory)
        let draft = directory.appending(".package.json.ferry")
        try files.write(JSONValue.object(document).canonicalBytes, to: draft)
        if let owner { try files.setAttributes(of: draft, owner: owner.owner, group: owner.group, mode: 0o644) }
        try files.sync(draft)
        try files.rename(draft, to: packumentPath)
        try files.syncDirectory(directory)
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
                guard tries < tools.options.attempts, tools.patience.allows(waited, retry), (try? await Task.sleep(for: pause)) != nil
                else {
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
        guard !uplinks.isEmpty else { return .has([:], latest: nil) }
        switch await tools.upstream.read(package, known: nil, keeping: ["dist"]) {
        case .document(let document, _)?:
            let versions = (document["versions"]?.object?.dictionary ?? [:]).compactMapValues(\.object)
            return .has(versions, latest: document["dist-tags"]?.object?["latest"]?.string.flatMap { versions[$0] == nil ? nil : $0 })
        case .missing?: return .has([:], latest: nil)
        case .unreachable(let reason)?, .silent(let reason)?: return .unknown("upstream gives no answer: \(reason)")
        case .useless(let reason)?: return .unknown("upstream's answer is of no use: \(reason)")
        case .unchanged?, nil: return .unknown("upstream gave no answer")
        }
    }
}
