import Activation
package import BundleFormat
package import ImportLedger
import Integrity
package import PackageStore
package import Platform
package import Snapshots
import Staging
package import SystemPackage
package import Verification

/// The way of a bundle into the storage: verify → check what it builds upon → stage → apply → record (DESIGN §5).
package struct ImportPipeline: Sendable {
    /// What may be said about an import.
    package struct Options: Sendable {
        package var allowsUnsigned = false
        /// Mix incoming versions into packages that hold only local ones.
        package var adoptsLocalPackages = false
        package init() {}
    }

    /// What an import, or its verification, came to.
    package struct Report: Sendable {
        /// What was done.
        package enum Result: String, Sendable {
            case applied
            /// Recorded before, and everything it brought is still here.
            case nothingToDo = "nothing-to-do"
            /// Verified only; nothing was changed.
            case verified
        }

        package let result: Result
        package let descriptor: BundleDescriptor
        package let keys: [String]
        package var importID: Int64?
        package var outcomes: [String: Int] = [:]
        package var newPackages: [PackageName] = []
        package var refusals: [String] = []
    }

    private let layout: StorageLayout
    private let state: FilePath
    private let ledger: Ledger
    private let trust: TrustStore?
    private let destination: Identifier
    private let options: Options
    private let clock: WallClock
    private let files: any FileSystem
    private let patience: PackageLock.Patience
    /// Told how far it is: what is done, bytes or packages done, all of them.
    private let progress: @Sendable (String, Int64, Int64) -> Void

    /// Free space that is left untouched, in bytes.
    private static let reserve: Int64 = 64 << 20
    private static let batch = 256

    package init(
        layout: StorageLayout, state: FilePath, ledger: Ledger, trust: TrustStore?, destination: Identifier, options: Options,
        clock: WallClock = .system, files: any FileSystem = DiskFileSystem(), patience: PackageLock.Patience = PackageLock.Patience(),
        progress: @escaping @Sendable (String, Int64, Int64) -> Void = { _, _, _ in }
    ) {
        self.layout = layout
        self.state = state
        self.ledger = ledger
        self.trust = trust
        self.destination = destination
        self.options = options
        self.clock = clock
        self.files = files
        self.patience = patience
        self.progress = progress
    }

    /// Removes what an interrupted import left: stages, and the lock it held.
    ///
    /// To be called under the import lock.
    package func recover() throws {
        try LockJournal(path: state.appending("package.lock.journal"), files: files).recover()
        try StageArea.removeLeftovers(in: layout.root, files: files)
        try files.removeTree(state.appending("work"))
    }

    /// Proves a bundle to its last byte and checks that it fits this storage; changes nothing in the storage.
    package func verify(_ source: ArchiveSource) throws -> Report {
        let opened = try open(source)
        defer { try? files.removeTree(opened.work) }
        let plan = try prepare(opened)
        var cursor = try self.cursor(opened)
        try opened.reader.readFiles(into: StagingSink(stage: nil) { try Self.target(of: $0, in: &cursor) })
        var report = Report(result: .verified, descriptor: opened.bundle.tail.descriptor, keys: opened.bundle.keys)
        report.newPackages = plan.newPackages
        return report
    }

    /// Imports a bundle.
    ///
    /// Running it again after any interruption completes it.
    ///
    /// - Throws: `BundleError` for damage, `BundleRefusal` for a bundle that is not trusted or does not fit: then the storage is as it was.
    ///   `FileSystemError`, `PackageLock.Busy` while applying: each package is in its old or its new state.
    package func run(_ source: ArchiveSource, operatorName: String, sourceName: String) throws -> Report {
        let opened = try open(source)
        defer { try? files.removeTree(opened.work) }
        let descriptor = opened.bundle.tail.descriptor
        if try isHeld(opened) { return Report(result: .nothingToDo, descriptor: descriptor, keys: opened.bundle.keys) }
        let plan = try prepare(opened)
        let stage = try StageArea(layout: layout, bundle: descriptor.bundle)
        var cursor = try self.cursor(opened)
        let sink = StagingSink(stage: stage) { try Self.target(of: $0, in: &cursor) }
        do {
            try refuseWithoutSpace(descriptor)
            try refuseFoldedNames(opened)
            try opened.reader.readFiles(into: sink)
            for root in sink.roots { try files.syncFileSystem(holding: root) }
        } catch {
            for root in sink.roots { try? files.removeTree(root) }
            throw error
        }
        var report = try apply(opened, stage: stage, plan: plan, operatorName: operatorName, sourceName: sourceName)
        for root in sink.roots {
            try files.syncFileSystem(holding: root)
            try files.removeTree(root)
        }
        try ledger.finish(report.importID ?? 0, outcomes: report.outcomes, at: clock.now())
        report.newPackages = plan.newPackages
        return report
    }

    /// A bundle whose leading frame was read.
    private struct Opened {
        let bundle: TrustedBundle
        let reader: BundleReader
        let work: FilePath
    }

    private struct Plan {
        var newPackages: [PackageName] = []
    }

    private func open(_ source: ArchiveSource) throws -> Opened {
        let verifier = BundleVerifier(
            trust: trust, ledger: ledger, destination: destination, allowsUnsigned: options.allowsUnsigned)
        let bundle = try verifier.verify(source)
        guard try files.status(of: layout.root)?.kind == .directory else {
            throw BundleRefusal.notAStorage("\"\(layout.root)\" is not a directory")
        }
        let work = state.appending("work")
        try files.removeTree(work)
        try files.createDirectories(work)
        do {
            let progress = self.progress
            let reader = try BundleReader(source: source, tail: bundle.tail, work: work) { progress("verifying", $0, $1) }
            _ = try reader.readLeading()
            return Opened(bundle: bundle, reader: reader, work: work)
        } catch {
            try? files.removeTree(work)
            throw error
        }
    }

    private func cursor(_ opened: Opened) throws -> TargetCursor {
        guard let reader = try FileReader(opening: opened.reader.snapshotPath) else {
            throw FileSystemError("open", opened.reader.snapshotPath, .noSuchFileOrDirectory)
        }
        return try TargetCursor(reader)
    }

    /// Moves the cursor forward to a package; packages are asked for in order.
    private static func target(of package: PackageName, in cursor: inout TargetCursor) throws -> [FileName: SHA512Digest] {
        while let entry = try cursor.next() {
            if entry.package == package { return entry.files }
            if package < entry.package { break }
        }
        throw BundleError(.malformed, "\"\(package)\"", "the manifest carries it, and the target state does not hold it")
    }

    /// Whether this bundle was applied and all that the target holds is still here.
    private func isHeld(_ opened: Opened) throws -> Bool {
        let descriptor = opened.bundle.tail.descriptor
        guard try ledger.imports().contains(where: { $0.bundle == descriptor.bundle && $0.state == .applied }) else { return false }
        let prerequisites = Prerequisites(layout: layout, ledger: ledger, origin: descriptor.origin)
        var cursor = try self.cursor(opened)
        while let (package, target) = try cursor.next() {
            // A later import may have brought a newer packument; the tarballs tell whether the content is here.
            let tarballs = target.filter { !$0.key.isPackument }
            if try !prerequisites.missing(package, target: tarballs, carried: [], forgivesRemovals: false).isEmpty { return false }
        }
        return true
    }

    /// Checks the manifest against the target state, and what is not carried against what is here.
    private func prepare(_ opened: Opened) throws -> Plan {
        var plan = Plan()
        var tarballs = try ManifestGroup(opened.reader.manifest(), packuments: false)
        var packuments = try ManifestGroup(opened.reader.manifest(), packuments: true)
        let prerequisites = Prerequisites(layout: layout, ledger: ledger, origin: opened.bundle.tail.descriptor.origin)
        var cursor = try self.cursor(opened)
        var gaps: [String] = []
        var gapCount = 0
        while let (package, target) = try cursor.next() {
            let carried = try tarballs.take(package) + packuments.take(package)
            for file in carried where target[file.path.file] != file.digest {
                throw BundleError(.malformed, "\"\(file.path)\"", "the target state does not hold it with that digest")
            }
            if !carried.isEmpty {
                guard carried.contains(where: { $0.path.file.isPackument }) else {
                    throw BundleError(.malformed, "\"\(package)\"", "its tarballs are carried without its packument")
                }
                if try files.status(of: layout.directory(of: package)) == nil { plan.newPackages.append(package) }
            }
            let names = Set(carried.map(\.path.file))
            for path in try prerequisites.missing(package, target: target, carried: names, forgivesRemovals: true) {
                gapCount += 1
                if gaps.count < 20 { gaps.append(path.description) }
            }
        }
        if let file = tarballs.pending ?? packuments.pending {
            throw BundleError(.malformed, "\"\(file.path)\"", "the manifest carries it, and the target state does not hold it")
        }
        guard gapCount == 0 else { throw BundleRefusal.gap(gaps, count: gapCount) }
        return plan
    }

    private func refuseWithoutSpace(_ descriptor: BundleDescriptor) throws {
        let space = try FileSystemSpace(holding: layout.root)
        let counts = descriptor.counts
        let needed = counts.bytes + Int64(counts.files + counts.packages) * space.blockSize + Self.reserve
        guard space.freeBytes >= needed else {
            throw BundleRefusal.noSpace(needed: needed, free: space.freeBytes, at: layout.root.string)
        }
        let neededFiles = Int64(counts.files + counts.packages * 2 + 16)
        if let free = space.freeFiles, free < neededFiles {
            throw BundleRefusal.noFiles(needed: neededFiles, free: free, at: layout.root.string)
        }
    }

    /// Where the storage's file system folds case, names that differ in case only would overwrite each other.
    private func refuseFoldedNames(_ opened: Opened) throws {
        let probe = layout.root.appending(".ferry-case-Probe")
        _ = try files.createExclusively(probe)
        defer { _ = try? files.remove(probe) }
        guard try files.status(of: layout.root.appending(".ferry-case-pROBE")) != nil else { return }
        var seen: [String: String] = [:]
        var cursor = try self.cursor(opened)
        while let (package, target) = try cursor.next() {
            let paths = [package.text] + target.keys.map { "\(package)/\($0)" }
            for path in paths {
                if let other = seen.updateValue(path, forKey: path.lowercased()) { throw BundleRefusal.foldedNames(other, path) }
            }
        }
    }

    private func apply(
        _ opened: Opened, stage: StageArea, plan: Plan, operatorName: String, sourceName: String
    ) throws -> Report {
        let descriptor = opened.bundle.tail.descriptor
        var policy = PackumentMerge.Policy()
        policy.adoptsLocalPackages = options.adoptsLocalPackages
        policy.addsOnly = try descriptor.sequence < ledger.newestSequence(of: descriptor.origin)
        let applier = PackageApplier(
            layout: layout, stage: stage, ledger: ledger, origin: descriptor.origin, policy: policy, files: files, clock: clock,
            patience: patience, journal: LockJournal(path: state.appending("package.lock.journal"), files: files))
        let id = try ledger.begin(
            descriptor, keys: opened.bundle.keys, operatorName: operatorName, source: sourceName, at: clock.now())
        var report = Report(result: .applied, descriptor: descriptor, keys: opened.bundle.keys)
        report.importID = id
        var packuments = try ManifestGroup(opened.reader.manifest(), packuments: true)
        var cursor = try self.cursor(opened)
        var done: Int64 = 0
        var isOver = false
        while !isOver {
            var batch: [(PackageName, [FileName: SHA512Digest])] = []
            while batch.count < Self.batch {
                guard let (package, target) = try cursor.next() else {
                    isOver = true
                    break
                }
                if try !packuments.take(package).isEmpty { batch.append((package, target)) }
            }
            // What is meant to be given is recorded before it is, so that a crash in between cannot make it look local.
            let intended = try batch.map { package, target in try intention(package, target, stage: stage) }
            try ledger.record(intended, origin: descriptor.origin, import: id, isDone: false)
            var deliveries: [PackageDelivery] = []
            for (package, target) in batch {
                let result = try applier.apply(package, target: target)
                deliveries.append(result.delivery)
                if let refusal = result.refusal { report.refusals.append("\(refusal.package): \(refusal.reason)") }
                for file in result.delivery.files { report.outcomes[file.outcome.rawValue, default: 0] += 1 }
                done += 1
                progress("applying", done, Int64(descriptor.counts.packages))
            }
            try ledger.record(deliveries, origin: descriptor.origin, import: id, isDone: true)
        }
        return report
    }

    /// What would be placed.
    ///
    /// What lies here already keeps what the ledger says of it.
    private func intention(
        _ package: PackageName, _ target: [FileName: SHA512Digest], stage: StageArea
    ) throws -> PackageDelivery {
        let staged = stage.directory(of: package)
        let here = layout.directory(of: package)
        var records: [DeliveryRecord] = []
        for (file, digest) in target where !file.isPackument {
            guard try files.status(of: staged.appending(file.text)) != nil, try files.status(of: here.appending(file.text)) == nil else {
                continue
            }
            records.append(DeliveryRecord(path: StorePath(package, file), digest: digest, outcome: .added))
        }
        return PackageDelivery(package: package, files: records, form: nil)
    }
}

/// One group of a manifest, tarballs or packuments, taken package by package in order.
private struct ManifestGroup {
    private var manifest: BundleManifestReader
    private let packuments: Bool
    private(set) var pending: SnapshotFile?

    init(_ manifest: BundleManifestReader, packuments: Bool) throws {
        self.manifest = manifest
        self.packuments = packuments
        try advance()
    }

    mutating func take(_ package: PackageName) throws -> [SnapshotFile] {
        var files: [SnapshotFile] = []
        while let file = pending, file.path.package == package {
            files.append(file)
            try advance()
        }
        return files
    }

    private mutating func advance() throws {
        repeat { pending = try manifest.nextFile() } while pending.map { $0.path.file.isPackument != packuments } ?? false
    }
}
