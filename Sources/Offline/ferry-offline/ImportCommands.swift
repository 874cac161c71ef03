import ArgumentParser
import Backups
import BundleFormat
import CanonicalJSON
import ImportLedger
import ImportPipeline
import MediaLayout
import PackageStore
import Platform
import Rollbacks
import Services
import Snapshots
import SystemPackage
import Terminal
import Verification

struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Prove a bundle to its last byte and check that it fits; change nothing.")

    @Argument(
        help: ArgumentHelp("Media, bundles' directories, or archives; every medium that is plugged in by default.", valueName: "path"))
    var paths: [String] = []
    @Flag(help: "Accept an unsigned bundle this time.") var allowUnsigned = false
    @OptionGroup var storage: StorageOptions
    @OptionGroup var state: StateOptions

    func run() throws {
        try reporting {
            try forEachBundle(at: paths, storage, state, allowsUnsigned: allowUnsigned, changesStorage: false) { bundle, pipeline in
                try pipeline.verify(bundle.open()).show(bundle.name, json: state.json)
            }
        }
    }
}

struct Import: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Bring bundles into the storage.",
        discussion: """
            Without a path it takes every medium that is plugged in: what can be pulled out, and what is mounted below /media, /run/media or \
            /mnt (FERRY_MEDIA_ROOTS says otherwise).

            Every byte is proven before anything in the storage changes. Versions and tags that were published here are never lost or \
            moved. Verdaccio may go on serving and receiving. Interrupted at any moment, the same command completes the work.

            With --registry, what came in is then fetched as npm would and compared; if it is not served, the import is undone and the \
            program ends with 14. For a registry that answers nobody without, FERRY_REGISTRY_AUTHORIZATION is sent along.
            """)

    @Argument(
        help: ArgumentHelp("Media, bundles' directories, or archives; every medium that is plugged in by default.", valueName: "path"))
    var paths: [String] = []
    @OptionGroup var options: ImportOptions
    @Flag(help: "Verify only and say what would come in.") var dryRun = false

    func run() throws {
        try reporting { try Interruption.noticing { try options.run(paths, isDryRun: dryRun) } }
    }
}

/// Whatever brings bundles into the storage goes by these.
struct ImportOptions: ParsableArguments {
    @Flag(help: "Accept an unsigned bundle this time.") var allowUnsigned = false
    @OptionGroup var storage: StorageOptions
    @OptionGroup var state: StateOptions
    @OptionGroup var services: ServiceOptions
    @OptionGroup var removals: RemovalOptions
    @Flag(help: "Mix incoming versions into packages that hold only versions published here.") var adoptLocal = false
    @Flag(help: "Bring back versions that were removed here.") var restoreRemoved = false
    @Flag(help: "Take what was imported before and is gone for removed on purpose, rather than for lost.") var acceptRemovals = false

    /// Brings in what is found at the paths, or on the media that are plugged in, and says back what came of it.
    ///
    /// - Parameter mayAsk: whether a person who is there may be asked for the next medium.
    func run(_ paths: [String], isDryRun: Bool = false, mayAsk: Bool = true) throws {
        var options = ImportPipeline.Options()
        options.adoptsLocalPackages = adoptLocal
        options.restoresRemoved = restoreRemoved
        options.acceptsRemovals = acceptRemovals
        let ledger = try state.ledger()
        let layout = try storage.layout()
        try removals.apply(to: &options, ledger)
        let rollback = Rollbacks.Rollback(layout: layout, state: try state.directory(), ledger: ledger)
        let served = ServedImport(try services.service(ledger), ledger: ledger, rollback: rollback, say: Terminal.say)
        var reply = isDryRun ? nil : ImportReply(try state.replies(ledger, layout))
        try forEachBundle(
            at: paths, storage, state, allowsUnsigned: allowUnsigned, changesStorage: !isDryRun, mayAsk: mayAsk, options
        ) { bundle, pipeline in
            reply?.begin(at: bundle.place)
            let source = try bundle.open()
            guard !isDryRun else { return try pipeline.verify(source).show(bundle.name, json: state.json) }
            let report = try served.run(
                source, by: pipeline, operatorName: operatorName(), sourceName: bundle.name,
                details: importDetails(from: bundle.place, into: layout))
            try report.show(bundle.name, json: state.json)
            reply?.note(report)
        } ended: { error in
            if case BundleRefusal.gap(let gap)? = error { reply?.send(gap) } else { reply?.send() }
        }
    }
}

/// Finds the bundles at the paths, or on the media, and hands each that is for this destination to `body`, under the locks of the state and, where the
/// storage is to be changed, of the storage, after an interrupted import was cleared away; then tells `ended` what kept it from the rest.
///
/// Where a bundle is spread over more media than are plugged in, a person is asked for the next one; nobody there, it is `MoreToCome`.
private func forEachBundle(
    at paths: [String], _ storage: StorageOptions, _ state: StateOptions, allowsUnsigned: Bool, changesStorage: Bool,
    mayAsk: Bool = true, _ options: ImportPipeline.Options = ImportPipeline.Options(), _ body: (FoundBundle, ImportPipeline) throws -> Void,
    ended: ((any Error)?) -> Void = { _ in }
) throws {
    let ledger = try state.ledger()
    let destination = try state.destination(ledger)
    let layout = try storage.layout()
    var options = options
    options.allowsUnsigned = allowsUnsigned
    state.announceProgress()
    let verifying = ProgressLine("verifying", unit: .bytes)
    let applying = ProgressLine("applying", unit: .items("packages"))
    let pipeline = ImportPipeline(
        layout: layout, state: try state.directory(), ledger: ledger, trust: try state.trust(), destination: destination, options: options,
        progress: { stage, done, total in (stage == "applying" ? applying : verifying).update(done, of: total) },
        // A watch ends after the bundle; only whoever waits for an import ends it within.
        isToEnd: { mayAsk && Interruption.isAsked })
    let copying = ProgressLine("copying", unit: .bytes)
    let search = try BundleSearch(paths, state, layout, destination: destination) { copying.update($0, of: $1) }
    try locked(state, changesStorage ? layout : nil, work: changesStorage ? "import" : "verify") {
        let keeper = GenerationKeeper(layout: layout, ledger: ledger)
        if changesStorage {
            try pipeline.recover()
            try completeRollback(layout, state, ledger)
            try keeper.recover()
        }
        do {
            try forEach(of: search, ledger, waits: mayAsk && paths.isEmpty && isAttended(), copying) { bundle in
                do { try body(bundle, pipeline) } catch let error as BundleError {
                    // Volumes that were kept and are no bundle must come again.
                    if let id = bundle.id { try search.spool.remove(id) }
                    throw error
                }
                if changesStorage, let id = bundle.id { try search.spool.remove(id) }
                verifying.finish()
                applying.finish()
            }
        } catch {
            ended(error)
            throw error
        }
        ended(nil)
        guard changesStorage else { return }
        let (count, days) = try ledger.retention()
        _ = try keeper.prune(Retention(count: count, days: days), now: WallClock.system.now(), isDryRun: false)
    }
}

/// Hands over each bundle that is found, and each that becomes whole when the next medium is plugged in, where a person is waited for.
///
/// One that builds upon what is not here does not keep the others from their turn: it is tried again behind them, unless they led further.
private func forEach(
    of search: BundleSearch, _ ledger: Ledger, waits: Bool, _ copying: ProgressLine, _ body: (FoundBundle) throws -> Void
) throws {
    var done: Set<String> = []
    var refused: [(bundle: FoundBundle, gap: BundleGap)] = []
    while true {
        let findings = try search.run()
        copying.finish()
        let ours = findings.bundles.filter { !$0.isForeign }
        for bundle in ours.isEmpty ? findings.bundles : ours where bundle.id.map({ done.insert($0).inserted }) ?? true {
            do { try body(bundle) } catch BundleRefusal.gap(let gap) {
                refused.append((bundle, gap))
            }
        }
        guard let incomplete = findings.incomplete.first else { break }
        guard waits else { throw incomplete }
        Terminal.say("\(incomplete); plug in the next medium, or end with Ctrl-C: what has come is kept")
        try search.waitForAnother(than: findings.media)
    }
    for (bundle, gap) in refused {
        if try ledger.newestSequence(of: gap.descriptor.origin) < gap.descriptor.sequence {
            try body(bundle)
        } else {
            Terminal.say("\(bundle.name): it does not fit, and is not needed any more: another led as far or further")
        }
    }
}

/// Runs what nobody else may do meanwhile with the state or, where one is given, with the storage.
func locked(_ state: StateOptions, _ layout: StorageLayout?, work: String, _ body: () throws -> Void) throws {
    let holder = "ferry-offline \(work) by \(operatorName()), since \(WallClock.system.now())"
    let stateLock = try ProcessLock(state.directory().appending("import.lock"), holder: holder)
    let storageLock = try layout.map { try ProcessLock(directory: $0.root, holder: "another import into this storage") }
    defer { withExtendedLifetime((stateLock, storageLock)) {} }
    try body()
}

extension ImportPipeline.Report {
    /// Tells people, or machines, what came of a bundle.
    func show(_ name: String, json: Bool) throws {
        if json {
            try Terminal.output(
                JSONValue.object(
                    JSONObject(uniqueMembers: [
                        (name: "event", value: "result"), (name: "result", value: .string(result.rawValue)),
                        (name: "bundle", value: .string(descriptor.bundle.text)),
                        (name: "label", value: .string(descriptor.label)), (name: "sequence", value: .integer(descriptor.sequence)),
                        (name: "origin", value: .string(descriptor.origin.text)), (name: "counts", value: descriptor.counts.json),
                        (name: "keys", value: .array(keys.map { .string($0) })),
                        (name: "newPackages", value: .integer(newPackages.count)),
                        (name: "olderThan", value: olderThan.map { .integer($0) } ?? .null),
                        (
                            name: "outcomes",
                            value: .object(
                                JSONObject(uniqueMembers: outcomes.map { (name: $0.key, value: .integer($0.value)) }))
                        ),
                        (name: "refusals", value: .array(refusals.map { .string($0) })),
                        (name: "withdrawn", value: .array(withdrawn.map { .string($0.description) })),
                        (name: "taken", value: .array(taken.map { .string($0.description) })),
                        (name: "lost", value: .array(lost.map { .string($0) })),
                    ])
                ).canonicalBytes + [0x0A])
            return
        }
        for refusal in refusals { Terminal.say("refused: \(refusal)") }
        if let olderThan {
            Terminal.say(
                "\(name) leads to state #\(descriptor.sequence), and a bundle to #\(olderThan) was imported before: of an older one what is absent "
                    + "is added, and nothing else is changed")
        }
        if !withdrawn.isEmpty {
            let first = withdrawn.prefix(3).map { "\"\($0)\"" }.joined(separator: ", ")
            let gone = Set(taken)
            let isKept = withdrawn.contains { !gone.contains($0) }
            Terminal.say(
                "warning: upstream has withdrawn \(withdrawn.count) versions"
                    + (isKept ? "; what is here of them stays, unless --withdrawn says otherwise: " : ": ")
                    + "\(first)\(withdrawn.count > 3 ? ", …" : "")")
        }
        if result == .verified, !taken.isEmpty {
            Terminal.say("\(taken.count) tarballs would be taken away, since they have left their origin")
        }
        for loss in lost { Terminal.say("lost: \(loss)") }
        let signature = keys.isEmpty ? "unsigned" : "signed by \(keys.joined(separator: ", "))"
        switch result {
        case .nothingToDo: try Terminal.output("\(name): imported before, and everything it brought is here; nothing to do")
        case .verified:
            try Terminal.output(
                "\(name): sound, \(signature); \(descriptor.counts.packages) packages (\(newPackages.count) new), "
                    + "\(descriptor.counts.files) files, \(Terminal.bytes(descriptor.counts.bytes)); nothing was changed")
        case .applied:
            let counts = outcomes.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
            try Terminal.output(
                "\(name): applied, \(signature); \(descriptor.counts.packages) packages (\(newPackages.count) new); versions: "
                    + "\(counts.isEmpty ? "none" : counts)")
        }
    }
}
