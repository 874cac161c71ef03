import Integrity
import PackageStore
import Platform
import SystemPackage

/// What one scan of a package gave.
struct PackageScan: Sendable {
    let package: PackageName
    let record: PackageRecord
    /// What the record is in a snapshot's manifest.
    let lines: ManifestLines
    /// Whether the package held still and looks exactly as the previous record says.
    let isUnchanged: Bool
    /// Whether the record must be written back, which it must also where only its scan time moved on.
    let isNewRecord: Bool
    /// That of the package's listing; `nil` where what was read may not be what was listed.
    let fingerprint: Int?
    /// What was seen beside the files that travel: leftovers of downloads and foreign names.
    let passingFindings: [Finding]
    /// Tarballs whose bytes were read.
    let hashedFiles: Int
    let hashedBytes: Int64
}

/// A package that is to be scanned, with what is known of it.
struct ScanInput: Sendable {
    let location: StorageLayout.Location
    /// What the scan before learnt.
    var previous: PackageRecord?
    /// What upstream says otherwise than the storage.
    var overlay = UpstreamOverlay()
    /// The tarballs that a check has found damaged, as they were then.
    var damaged: [FileName: FileIdentity] = [:]
}

/// Reads a handful of packages at once: looks at each, reads what changed since its record, and makes their transfer forms.
struct PackageScanner: Sendable {
    let store: SnapshotStore
    /// When the scan began, on the clock that file times are taken from.
    let scanStart: Int64
    /// Largest transfer form, in bytes; a test gives a smaller one.
    var formLimit = SnapshotFile.packumentLimit
    /// What is known beside their records of the tarballs of packages from one to another.
    var proofs: @Sendable (_ first: PackageName, _ last: PackageName) throws -> [StorePath: KnownProof] = { _, _ in [:] }
    /// Reads and digests tarballs; a test gives its own outcomes.
    var hash: @Sendable ([TarballHasher.Job]) -> [TarballHasher.Outcome] = { TarballHasher.hash($0) }

    /// Scans packages; the results are in the order of the inputs.
    ///
    /// A package that cannot be read is findings, not an error.
    ///
    /// - Throws: `FileSystemError` when a transfer form cannot be written.
    func scan(_ inputs: [ScanInput]) throws -> [PackageScan] {
        var drafts = inputs.map { Draft($0, scanStart: scanStart) }
        let objects = try DirectoryReader(opening: store.objects)
        let unknown = drafts.indices.filter { drafts[$0].look(beside: objects) }
        if let first = unknown.first, let last = unknown.last {
            let proofs = try proofs(drafts[first].location.package, drafts[last].location.package)
            for index in unknown { drafts[index].read(knowing: proofs) }
        }
        let jobs = drafts.indices.flatMap { index in drafts[index].jobs.map { (index, $0) } }
        let results = hash(jobs.map(\.1))
        for (job, result) in zip(jobs, results) { drafts[job.0].take(result, for: job.1) }
        return try finished(drafts)
    }

    /// Bytes of transfer forms that are held at once, to be digested side by side.
    private static let formsLimit = 4 << 20

    private func finished(_ drafts: [Draft]) throws -> [PackageScan] {
        var scans: [PackageScan] = []
        var group: [Draft.Outcome] = []
        var bytes = 0
        func finishGroup() throws {
            var digests = SHA512.digests(of: group.filter(\.hasForm).flatMap { [$0.core, $0.bytes] })[...]
            for outcome in group {
                var form: PackageRecord.Form?
                if outcome.hasForm, let core = digests.popFirst(), let digest = digests.popFirst() {
                    form = PackageRecord.Form(digest: digest, size: Int64(outcome.bytes.count), coreDigest: core)
                }
                scans.append(try drafts[scans.count].finished(outcome, as: form, in: store, limit: formLimit))
            }
            group = []
            bytes = 0
        }
        for draft in drafts {
            group.append(draft.outcome())
            bytes += group.last?.bytes.count ?? 0
            if bytes > Self.formsLimit { try finishGroup() }
        }
        try finishGroup()
        return scans
    }

    /// One package on its way from directory to record.
    private struct Draft {
        let location: StorageLayout.Location
        let previous: PackageRecord?
        let overlay: UpstreamOverlay
        let overlayDigest: SHA512Digest?
        let damaged: [FileName: FileIdentity]
        let scanStart: Int64
        /// What the directory holds.
        var files: [(name: FileName, identity: FileIdentity)] = []
        var fingerprint: Int?
        var packument: FileIdentity?
        var stored: StoredPackument?
        var tarballs: [FileName: PackageRecord.Tarball] = [:]
        var jobs: [TarballHasher.Job] = []
        var contentFindings: [Finding] = []
        var passingFindings: [Finding] = []
        var reused: PackageRecord?
        /// Whether something changed or vanished while it was read.
        var hasMoved = false

        init(_ input: ScanInput, scanStart: Int64) {
            location = input.location
            previous = input.previous
            overlay = input.overlay
            overlayDigest = input.overlay.isEmpty ? nil : input.overlay.digest
            damaged = input.damaged
            self.scanStart = scanStart
        }

        private var name: String { location.package.text }

        /// Lists the directory and compares it with the record; true where it must be read.
        mutating func look(beside objects: DirectoryReader?) -> Bool {
            do {
                guard let listing = try PackageListing(of: location) else {
                    noticeMove(name, "vanished")
                    return false
                }
                for subject in listing.vanished { noticeMove(subject, "vanished") }
                passingFindings = listing.findings
                files = listing.files
                fingerprint = listing.fingerprint
            } catch {
                contentFindings.append(Finding(.unreadable, name, "\(error)"))
                return false
            }
            guard let previous, isSame(as: previous), previous.form.map({ isKept($0, in: objects) }) ?? true else { return true }
            reused = previous
            return false
        }

        private func isDamaged(_ file: FileName, _ identity: FileIdentity) -> Bool { damaged[file] == identity }

        /// What was learnt of a package that moves is of no one moment.
        private mutating func noticeMove(_ subject: String, _ word: String) {
            contentFindings.append(Finding(.changedWhileRead, subject, "\(word) while it was read"))
            hasMoved = true
        }

        /// Whether the form that a record names is there as a whole; it was synced before the record was kept.
        private func isKept(_ form: PackageRecord.Form, in objects: DirectoryReader?) -> Bool {
            let status = try? objects?.status(of: form.digest.hex)
            return status?.kind == .file && status?.identity.size == form.size
        }

        private func isSame(as record: PackageRecord) -> Bool {
            guard record.isComplete, !hasMoved, record.overlay == overlayDigest else { return false }
            var rest = record.tarballs[...]
            var packument: FileIdentity?
            for (file, identity) in files {
                guard identity.isSettled(before: record.scannedAt) else { return false }
                if file.isPackument {
                    packument = identity
                } else {
                    guard let tarball = rest.popFirst(), tarball.file == file, tarball.identity == identity,
                        tarball.isDamaged == isDamaged(file, identity)
                    else { return false }
                }
            }
            return rest.isEmpty && packument == record.packument
        }

        /// Reads the packument, and decides which tarballs must be read.
        mutating func read(knowing proofs: [StorePath: KnownProof]) {
            let names = Set(files.map(\.name)).subtracting([.packument])
            readPackument(files.first { $0.name.isPackument }?.identity, holding: names)
            let needsSHA1 = Set((stored?.declared ?? []).filter { names.contains($0.file) && $0.needsSHA1 }.map(\.file))
            let known = Dictionary((previous?.tarballs ?? []).map { ($0.file, $0) }, uniquingKeysWith: { first, _ in first })
            for (file, identity) in files where !file.isPackument {
                let subject = StorePath(location.package, file).description
                guard identity.size <= SnapshotFile.tarballLimit else {
                    contentFindings.append(Finding(.tarballTooLarge, subject, "\(identity.size) bytes"))
                    continue
                }
                if let previous, let tarball = known[file], tarball.identity == identity,
                    identity.isSettled(before: previous.scannedAt), tarball.proof.sha1 != nil || !needsSHA1.contains(file)
                {
                    tarballs[file] = tarball
                } else if let known = proofs[StorePath(location.package, file)], known.identity == identity,
                    identity.isSettled(before: known.scannedAt),
                    known.proof.sha1 != nil || !needsSHA1.contains(file)
                {
                    tarballs[file] = PackageRecord.Tarball(file: file, identity: identity, proof: known.proof, version: nil)
                } else {
                    jobs.append(
                        TarballHasher.Job(
                            path: location.directory.appending(file.text), file: file, size: identity.size,
                            needsSHA1: needsSHA1.contains(file)))
                }
            }
        }

        private mutating func readPackument(_ identity: FileIdentity?, holding tarballs: Set<FileName>) {
            guard identity != nil else {
                contentFindings.append(Finding(.packumentMissing, name, "no package.json; its tarballs do not travel"))
                return
            }
            let subject = "\(name)/package.json"
            do {
                guard let reader = try FileReader(opening: location.directory.appending("package.json")) else {
                    return noticeMove(subject, "vanished")
                }
                let before = reader.opened.identity
                let bytes = try reader.readAll(limit: StoredPackument.sizeLimit)
                guard try reader.status().identity == before else {
                    return noticeMove(subject, "changed")
                }
                packument = before
                stored = try StoredPackument(parsing: bytes, of: location.package, holding: tarballs)
            } catch let error as PackumentError {
                let code: Finding.Code =
                    switch error {
                    case .empty: .packumentEmpty
                    case .invalid: .packumentInvalid
                    case .nameMismatch: .nameMismatch
                    }
                contentFindings.append(Finding(code, subject, error.description))
            } catch let error as FileSystemError where error.errno == .fileTooLarge {
                contentFindings.append(Finding(.packumentTooLarge, subject, error.description))
            } catch {
                contentFindings.append(Finding(.unreadable, subject, "\(error)"))
            }
        }

        mutating func take(_ result: TarballHasher.Outcome, for job: TarballHasher.Job) {
            let subject = StorePath(location.package, job.file).description
            switch result {
            case .hashed(let identity, let proof):
                tarballs[job.file] = PackageRecord.Tarball(file: job.file, identity: identity, proof: proof, version: nil)
            case .changed: noticeMove(subject, "changed")
            case .vanished: noticeMove(subject, "vanished")
            case .unreadable(let error): contentFindings.append(Finding(.unreadable, subject, error.description))
            }
        }

        /// What the files that were read make.
        struct Outcome {
            var findings: [Finding] = []
            var withdrawn: Set<FileName> = []
            var carried: [FileName: PackageVersion] = [:]
            /// Of the transfer form; empty where there is none.
            var bytes: [UInt8] = []
            /// Of the form without its readme.
            var core: [UInt8] = []

            var hasForm: Bool { !bytes.isEmpty }
        }

        func outcome() -> Outcome {
            var outcome = Outcome(findings: contentFindings)
            guard reused == nil, let stored else { return outcome }
            let sound = tarballs.filter { !isDamaged($0.key, $0.value.identity) }
            let made = TransferForm.make(of: location.package, from: stored, tarballs: sound.mapValues(\.proof), overlay: overlay)
            outcome.findings += made.findings
            outcome.withdrawn = made.withdrawn
            guard let form = made.form else { return outcome }
            (outcome.bytes, outcome.core) = form.bytesAndCore()
            for version in form.carried { outcome.carried[version.file] = version.version }
            return outcome
        }

        /// Ends the draft, and writes the transfer form where it is a new one.
        func finished(
            _ outcome: Outcome, as made: PackageRecord.Form?, in store: SnapshotStore, limit: Int64
        ) throws -> PackageScan {
            if let reused { return result(reused, isUnchanged: true, isNew: false) }
            var findings = outcome.findings
            var form: PackageRecord.Form?
            if let made {
                form = try keep(outcome.bytes, as: made, in: store, limit: limit)
                if form == nil {
                    let message = "its transfer form has more than \(limit) bytes"
                    findings.append(Finding(.packumentTooLarge, "\(location.package)/package.json", message))
                }
            }
            for tarball in tarballs.values where isDamaged(tarball.file, tarball.identity) {
                let subject = StorePath(location.package, tarball.file).description
                findings.append(Finding(.tarballDamaged, subject, "a check found it damaged; it does not travel"))
            }
            let sorted = tarballs.values.sorted { $0.file < $1.file }.map { tarball in
                var tarball = tarball
                tarball.version = outcome.carried[tarball.file]
                tarball.isWithdrawn = outcome.withdrawn.contains(tarball.file)
                tarball.isDamaged = isDamaged(tarball.file, tarball.identity)
                return tarball
            }
            let record = PackageRecord(
                scannedAt: scanStart, packument: packument, overlay: overlayDigest, form: form, tarballs: sorted,
                findings: findings.sorted { $0.subject < $1.subject })
            var comparable = previous
            comparable?.scannedAt = scanStart
            return result(record, isUnchanged: !hasMoved && comparable == record, isNew: true)
        }

        private func result(_ record: PackageRecord, isUnchanged: Bool, isNew: Bool) -> PackageScan {
            PackageScan(
                package: location.package, record: record, lines: ManifestLines(of: record.files(of: location.package)),
                isUnchanged: isUnchanged, isNewRecord: isNew,
                fingerprint: hasMoved || !record.isComplete ? nil : fingerprint, passingFindings: passingFindings, hashedFiles: jobs.count,
                hashedBytes: jobs.reduce(0) { $0 + $1.size })
        }

        /// Writes the form by its digest, unless it differs from the previous one in the readme only; `nil` for one above the limit.
        private func keep(
            _ bytes: [UInt8], as form: PackageRecord.Form, in store: SnapshotStore, limit: Int64
        ) throws -> PackageRecord.Form? {
            let files = DiskFileSystem()
            if let before = previous?.form, before.coreDigest == form.coreDigest,
                try isKept(before, in: DirectoryReader(opening: store.objects))
            {
                return before
            }
            guard form.size <= limit else { return nil }
            let object = store.object(form.digest)
            // No record names it before it is synced, so what a power cut left here is no more than a rest.
            do throws(FileSystemError) {
                let writer = try FileWriter(creating: object, exclusively: true)
                try writer.write(bytes)
                try writer.close()
            } catch {
                guard error.errno == .fileExists else { throw error }
                if try files.contents(of: object, limit: Int(SnapshotFile.packumentLimit)) != bytes {
                    try files.replace(object, with: bytes)
                }
            }
            return form
        }
    }
}
