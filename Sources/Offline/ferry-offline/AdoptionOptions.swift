import Activation
import Adoption
import ArgumentParser
import CanonicalJSON
import Glibc
import ImportLedger
import PackageStore
import Platform
import SystemPackage
import Terminal

/// Whether, and how, a storage that something else has filled is taken over.
struct AdoptionOptions: ParsableArguments {
    @Flag(help: "Say what would be done with a storage that has packages, and change nothing.") var dryRun = false
    @Flag(help: "Do it without asking.") var yes = false
    @OptionGroup var storage: StorageOptions

    /// The storage, where one is named and there.
    private func layout() throws -> StorageLayout? {
        if storage.verdaccioConfig == nil {
            guard let path = storage.storage ?? environment("FERRY_STORAGE") else { return nil }
            if storage.storage == nil, try DiskFileSystem().status(of: FilePath(path)) == nil { return nil }
        }
        return try storage.layout()
    }

    /// Adopts the storage, where there is something to adopt.
    func adopt(_ state: StateOptions, _ ledger: Ledger) throws {
        guard let layout = try layout() else { return }
        let line = ProgressLine("adopting", unit: .items("packages"))
        let adoption = Adoption(layout: layout, state: try state.directory(), ledger: ledger) { line.update($0, of: $1) }
        guard try adoption.isDue() else { return }
        let plan = try adoption.plan()
        let isBegun = try ledger.adoption() != nil
        show(plan)
        guard !dryRun else { return Terminal.say("nothing was changed") }
        if !plan.cuts.isEmpty, !isBegun, !yes { try confirm() }
        try locked(state, layout, work: "adoption") {
            try InterruptedWork(layout: layout, state: state.directory(), files: DiskFileSystem()).clear()
            let report = try adoption.run(operatorName: operatorName(), details: runDetails(layout))
            line.finish()
            Terminal.say(
                "adopted as entry \(report.id ?? 0): \(report.packages) packages, \(report.tarballs) tarballs, \(Terminal.bytes(report.bytes)); "
                    + "\(report.cuts.count) packuments were cut")
        }
    }

    private func show(_ plan: Adoption.Report) {
        Terminal.say(
            "the storage has \(plan.packages) packages with \(plan.tarballs) tarballs, \(Terminal.bytes(plan.bytes)); they become local")
        for finding in plan.findings { Terminal.say("\(finding)") }
        for cut in plan.cuts.prefix(20) {
            let versions = cut.dropped.prefix(5).joined(separator: ", ") + (cut.dropped.count > 5 ? ", …" : "")
            let words = [
                cut.isGone ? "none of its tarballs is here, so the package goes" : "",
                cut.dropped.isEmpty || cut.isGone ? "" : "\(cut.dropped.count) versions that are not here go: \(versions)",
                cut.origins > 0 ? "\(cut.origins) addresses to fetch from go" : "",
            ]
            let said = words.filter { !$0.isEmpty }.joined(separator: "; ")
            Terminal.say("  \(cut.package): \(said.isEmpty ? "its packument is put in order" : said)")
        }
        if plan.cuts.count > 20 { Terminal.say("  … and \(plan.cuts.count - 20) more packages") }
        if !plan.cuts.isEmpty { Terminal.say("each packument is kept in .ferry-backups before it is replaced") }
    }

    /// Asks whoever sits at the terminal.
    private func confirm() throws {
        guard isatty(0) == 1 else {
            throw ValidationError("packuments of the storage would be cut; look at it with --dry-run, then say --yes")
        }
        Terminal.say("go on? [y/N]")
        guard let answer = readLine(), ["y", "yes", "д", "да"].contains(answer.lowercased()) else { throw ExitCode(130) }
    }
}
