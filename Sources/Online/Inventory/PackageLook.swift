import CanonicalJSON
import Catalog
import Integrity
import PackageStore
import Platform
import SystemPackage

/// Looks at one package's directory, and reads its packument where something was touched.
struct PackageLook: Sendable {
    /// What came of it.
    struct Result: Sendable {
        let package: PackageName
        /// `nil` where nothing was touched since the scan before, or nothing could be seen.
        var facts: PackageFacts?
        /// Whether the directory is there no more.
        var isGone = false
        var findings: [Finding] = []
    }

    let location: StorageLayout.Location
    let previous: Catalog.Listing?
    /// What upstream says otherwise than the storage.
    let overlay: UpstreamOverlay
    /// When the scan began, in nanoseconds.
    let scanStart: Int64

    /// The members of a version entry that are kept.
    private static let members: Set<String> = ["deprecated", "description", "dependencies", "optionalDependencies", "peerDependencies"]

    func look() -> Result {
        var result = Result(package: location.package)
        do {
            guard let reader = try DirectoryReader(opening: location.directory) else {
                result.isGone = true
                return result
            }
            var files: [(name: FileName, identity: FileIdentity)] = []
            for entry in try reader.names() {
                guard let name = FileName(entry) else {
                    try note(entry, reader.status(of: entry)?.kind, &result)
                    continue
                }
                guard let status = try reader.status(of: entry) else { continue }
                if status.kind == .file {
                    files.append((name, status.identity))
                } else {
                    let code = status.kind == .symbolicLink ? Finding.Code.symbolicLink : .strayEntry
                    result.findings.append(Finding(code, "\(location.package)/\(entry)", "not a regular file; it is not looked into"))
                }
            }
            let listing = digest(of: files)
            if let previous, previous.digest == listing, files.allSatisfy({ $0.identity.isSettled(before: previous.scannedAt) }) {
                return result
            }
            result.facts = try facts(files, listing, &result.findings)
        } catch {
            result.findings.append(Finding(.unreadable, location.package.text, "\(error)"))
        }
        return result
    }

    private func note(_ entry: String, _ kind: FileStatus.Kind?, _ result: inout Result) throws {
        if entry.hasPrefix(".") || entry.hasPrefix("package.json.lock") { return }
        let subject = "\(location.package)/\(entry)"
        if kind == nil, entry.contains("\u{FFFD}") { return result.findings.append(.notUTF8(subject)) }
        guard kind != nil else { return }
        let isLeftover = entry.contains(".tgz.tmp-") || entry.hasPrefix("package.json.tmp")
        result.findings.append(
            isLeftover
                ? Finding(.leftover, subject, "a download under way, or the rest of one")
                : Finding(.strayEntry, subject, "not a file of a package"))
    }

    private func digest(of files: [(name: FileName, identity: FileIdentity)]) -> SHA512Digest {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(files.count * 72 + 64)
        for (name, identity) in files {
            bytes += name.text.utf8
            bytes.append(0)
            for number in [
                Int64(bitPattern: identity.device), Int64(bitPattern: identity.inode), identity.size, identity.modified, identity.changed,
            ] {
                withUnsafeBytes(of: number.littleEndian) { bytes += $0 }
            }
        }
        if !overlay.isEmpty { overlay.digest.append(to: &bytes) }
        return SHA512.digest(of: bytes)
    }

    private func facts(
        _ files: [(name: FileName, identity: FileIdentity)], _ listing: SHA512Digest, _ findings: inout [Finding]
    ) throws -> PackageFacts {
        var facts = PackageFacts(
            package: location.package, listing: listing, scannedAt: scanStart, packument: .missing, packumentSize: 0, metadata: nil,
            tarballs: files.filter { !$0.name.isPackument }.map { PackageFacts.Tarball(file: $0.name, identity: $0.identity) })
        let subject = "\(location.package)/package.json"
        guard let listed = files.first(where: \.name.isPackument)?.identity,
            let reader = try FileReader(opening: location.directory.appending("package.json"))
        else {
            findings.append(Finding(.packumentMissing, location.package.text, "no package.json; nothing names its tarballs"))
            return facts
        }
        facts.packumentSize = listed.size
        do {
            let bytes = try reader.readAll(limit: StoredPackument.sizeLimit)
            let stored = try StoredPackument(parsing: bytes, of: location.package, keeping: Self.members)
            findings += stored.findings
            facts.metadata = metadata(of: stored)
            facts.packument = isSafe(stored) ? .usable : .unusable("it has no \"_attachments\"; verdaccio ends at the next download")
            name(&facts.tarballs, by: stored)
        } catch let error as PackumentError {
            facts.packument = .unusable("\(error)")
            findings.append(Finding(.packumentInvalid, subject, "\(error)"))
        } catch let error as FileSystemError where error.errno == .fileTooLarge {
            facts.packument = .unusable("it has more than \(StoredPackument.sizeLimit) bytes")
            findings.append(Finding(.packumentTooLarge, subject, "\(error)"))
        }
        return facts
    }

    /// Whether Verdaccio survives it: it writes into `_attachments` after each download without asking whether that is there.
    private func isSafe(_ stored: StoredPackument) -> Bool { stored.object["_attachments"]?.object != nil }

    private func metadata(of stored: StoredPackument) -> PackageFacts.Metadata {
        let applied = overlay.applied(to: stored)
        let current = Dictionary(applied.declared.map { ($0.version.text, $0) }, uniquingKeysWith: { first, _ in first })
        let times = stored.object["time"]?.object?.dictionary ?? [:]
        let proxied = stored.proxied
        var metadata = PackageFacts.Metadata()
        metadata.versions = stored.declared.map { declared in
            let text = declared.version.text
            return PackageFacts.Version(
                version: text, published: times[text]?.string.flatMap { Timestamp($0) },
                deprecated: (current[text] ?? declared).deprecation, isLocal: proxied[text] == nil,
                isWithdrawn: current[text] == nil)
        }
        let local = metadata.versions.count(where: \.isLocal)
        let isForeign = ["_uplinks", "_distfiles"].contains { stored.object[$0]?.object?.members.isEmpty == false }
        metadata.source = !isForeign ? .local : local == 0 ? .proxied : local == metadata.versions.count ? .local : .mixed
        for (tag, version) in applied.object["dist-tags"]?.object?.members ?? [] { metadata.tags[tag] = version.string }
        let latest = metadata.tags["latest"].flatMap { current[$0] }
        metadata.summary = latest?.manifest["description"]?.string.map { String($0.prefix(300)) }
        metadata.needs = latest.map { needs(of: $0.manifest) } ?? []
        return metadata
    }

    /// What a version needs; of a name that is needed in several ways, the strongest counts.
    ///
    /// npm writes what is optional among the regular ones, too.
    private func needs(of manifest: JSONObject) -> [PackageNeed] {
        var found: [String: PackageNeed] = [:]
        let lists: [(member: String, kind: PackageNeed.Kind)] = [
            ("peerDependencies", .peer), ("dependencies", .regular), ("optionalDependencies", .optional),
        ]
        for (member, kind) in lists {
            for (name, value) in manifest[member]?.object?.members ?? [] {
                guard let range = value.string, let need = need(of: name, range, kind) else { continue }
                found[need.name] = need
            }
        }
        return found.values.sorted { $0.name < $1.name }
    }

    /// A line of a list; `nil` for what is no package of a registry's.
    private func need(of name: String, _ range: String, _ kind: PackageNeed.Kind) -> PackageNeed? {
        let prefix = "npm:"
        guard range.hasPrefix(prefix) else {
            return PackageName(name).map { PackageNeed(name: $0.text, kind: kind, range: String(range.prefix(100))) }
        }
        let target = range.dropFirst(prefix.count)
        let end = target.dropFirst().lastIndex(of: "@") ?? target.endIndex
        return PackageName(String(target[..<end])).map { package in
            PackageNeed(name: package.text, kind: kind, range: String(target[end...].dropFirst().prefix(100)))
        }
    }

    /// Says which version names each tarball; of several, the first.
    private func name(_ tarballs: inout [PackageFacts.Tarball], by stored: StoredPackument) {
        let versions = Dictionary(stored.declared.map { ($0.file, $0) }, uniquingKeysWith: { first, _ in first })
        for index in tarballs.indices {
            guard let version = versions[tarballs[index].file] else { continue }
            tarballs[index].version = version.version.text
            tarballs[index].declared = version.digests
        }
    }
}
