import ArgumentParser
import Backups
import BundleFormat
import CanonicalJSON
import Databases
import Glibc
import ImportLedger
import ImportPipeline
import MediaLayout
import Mounts
import PackageStore
import Platform
import Reports
import Rollbacks
import Services
import Snapshots
import SystemPackage
import Terminal
import VerdaccioSettings
import Verification

/// Where the isolated side keeps its state.
struct StateOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The state directory.", discussion: "Environment: FERRY_OFFLINE_STATE.", valueName: "dir"))
    var state: String?

    @Flag(help: "Print JSON for machines: one object on a line, of work under way with \"event\".")
    var json = false

    /// Tells machines how far the work is, where they are who listens.
    func announceProgress() {
        guard json else { return }
        Terminal.admit(
            Terminal.Audience(isAlone: false, hear: { _ in }) { progress in
                let event: JSONValue = [
                    "event": "progress", "stage": .string(progress.title), "done": .integer(progress.done),
                    "total": .integer(progress.total), "unit": .string(progress.unit),
                ]
                try? Terminal.output(event.canonicalBytes + [0x0A])
            })
    }

    /// The state directory, made where it is missing.
    func directory() throws -> FilePath {
        guard let path = state ?? environment("FERRY_OFFLINE_STATE") else {
            throw ValidationError("name the state directory: --state DIR, or FERRY_OFFLINE_STATE")
        }
        let directory = FilePath(path)
        try DiskFileSystem().createDirectories(directory)
        try FileSystemSpace.requireReserve(in: directory)
        return directory
    }

    /// The ledger of the state.
    func ledger() throws -> Ledger { try Ledger(opening: directory().appending("ledger.sqlite")) }

    /// Where the trusted keys are listed.
    func trustPath() throws -> FilePath { try directory().appending("trust.json") }

    /// The trusted keys; `nil` where none were ever named.
    func trust() throws -> TrustStore? {
        do { return try TrustStore(contentsOf: trustPath()) } catch { throw BundleRefusal.brokenTrustStore("\(error)") }
    }

    /// Who this destination is.
    func destination(_ ledger: Ledger) throws -> Identifier {
        guard let destination = try ledger.destination() else {
            throw ValidationError("this destination has no name yet; run \"ferry-offline init\" first")
        }
        return destination
    }
}

/// Which Verdaccio storage is meant.
struct StorageOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Verdaccio's storage directory.", discussion: "Environment: FERRY_STORAGE.", valueName: "dir"))
    var storage: String?

    @Option(
        help: ArgumentHelp("Verdaccio's config.yaml: gives the storage and the per-package \"storage:\" directories.", valueName: "file"))
    var verdaccioConfig: String?

    /// The storage, with what the configuration says of it.
    func layout() throws -> StorageLayout {
        if let verdaccioConfig {
            let settings = try VerdaccioSettings(
                contentsOf: FilePath(verdaccioConfig), environmentStoragePath: environment("VERDACCIO_STORAGE_PATH"))
            return StorageLayout(
                root: try Self.root(storage.map { FilePath($0) } ?? settings.storage), subdirectories: settings.storageSubdirectories
            ) { settings.storageSubdirectory(for: $0.text) }
        }
        guard let path = storage ?? environment("FERRY_STORAGE") else {
            throw ValidationError("name the storage: --storage DIR, --verdaccio-config FILE, or FERRY_STORAGE")
        }
        let root = try Self.root(FilePath(path))
        try Self.refuseUnlikely(root)
        return try StorageLayout(root: root).located()
    }

    /// The storage with every link followed.
    private static func root(_ path: FilePath) throws -> FilePath {
        let files = DiskFileSystem()
        guard let root = try files.resolve(path) else { throw BundleRefusal.notAStorage("there is no storage at \"\(path)\"") }
        guard try files.status(of: root)?.kind == .directory else { throw BundleRefusal.notAStorage("\"\(path)\" is not a directory") }
        return root
    }

    /// Nothing tells a storage from any other directory but its packages: one that holds other things only is refused.
    private static func refuseUnlikely(_ root: FilePath) throws {
        let files = DiskFileSystem()
        let names = (try files.names(in: root) ?? []).filter { !$0.hasPrefix(".") && $0 != "lost+found" }
        let hasPackage = try names.contains { name in
            try name.hasPrefix("@") || files.status(of: root.appending(name).appending("package.json")) != nil
        }
        guard let stranger = names.first, !hasPackage else { return }
        throw BundleRefusal.notAStorage(
            "\"\(root)\" holds \"\(stranger)\" and no package, so it is hardly a storage; if it is, name it by --verdaccio-config")
    }
}

/// Runs a command and turns what went wrong into a message, hints and an exit code.
func reporting(_ body: () throws -> Void) throws {
    // What is written into the storage must be readable by Verdaccio, whatever the operator's shell says.
    umask(0o022)
    // Nobody reading the report any more is no reason to leave the rest of a medium unread.
    signal(SIGPIPE, SIG_IGN)
    do {
        try body()
    } catch let error as ValidationError {
        throw error
    } catch let error as ExitCode {
        throw error
    } catch {
        Terminal.say("ferry-offline: error: \(error)")
        for hint in hints(for: error) { Terminal.say("ferry-offline: hint: \(hint)") }
        throw ExitCode(exitCode(of: error))
    }
}

private func exitCode(of error: any Error) -> Int32 {
    switch error {
    case is NoBundle: 10
    case let error where isNewer(error): 13
    case is MoreToCome: 5
    case is BundleError, is DocumentError: 3
    case is ProcessLock.Held: 11
    case let refusal as BundleRefusal: refusal.isAboutTrust ? 12 : 13
    case let refusal as RollbackRefusal: refusal.isComplete ? 13 : 1
    case is GenerationError, is ServedImport.NoService, is VolumeSpool.NoSpace, is QuarantineKeeper.Refusal: 13
    case is ServedImport.Undone: 14
    case is ImportPipeline.Stopped: 130
    default: 1
    }
}

/// Whether it is about something that is sound, and of a newer program.
private func isNewer(_ error: any Error) -> Bool {
    switch error {
    case let error as BundleError: error.code == .newer
    case let error as DocumentError: error.isNewer
    case DatabaseFileError.newer: true
    default: false
    }
}

private func hints(for error: any Error) -> [String] {
    let unchanged = "nothing in the storage was changed"
    let nameStorage = "name Verdaccio's storage: --storage, FERRY_STORAGE, or Verdaccio's own --verdaccio-config"
    switch error {
    case DatabaseFileError.newer:
        return [unchanged, "install the newer ferry-offline again, or put back the copy of the state from before it was installed"]
    case let error where isNewer(error):
        return [unchanged, "install a ferry-offline as new as the ferry-online that wrote it; \"--version\" tells what each reads"]
    case is BundleError, is DocumentError: return [unchanged, "copy or export the bundle again; try another medium"]
    case let refusal as BundleRefusal:
        switch refusal {
        case .unsigned: return [unchanged, "sign it at the origin, or accept it this once with --allow-unsigned"]
        case .noTrustStore, .notTrusted: return [unchanged, "trust the origin's key: ferry-offline trust add KEY.pub --origin ID"]
        case .brokenTrustStore: return [unchanged, "restore trust.json of the state, or remove it and trust the keys anew"]
        case .gap(let gap) where gap.unfinished != nil:
            return [unchanged, "the import of \(gap.unfinished?.text ?? "another bundle") did not end; import that bundle again first"]
        case .gap:
            return [
                unchanged, "import the bundles in between first; or carry the request back: the connected side makes what is missing",
                "if the files were removed here on purpose, say so with --accept-removals",
            ]
        case .notWritable: return [unchanged, "run it as root, or as the user who owns the storage"]
        case .readOnly: return [unchanged, "mount it for writing, and repeat the command"]
        case .noSpace(let room):
            let more = Terminal.bytes(room.neededBytes - room.freeBytes)
            return [unchanged, "make \(more) more room there; \"ferry-offline generations\" lists what is kept for rollbacks and may go"]
        case .noFiles: return [unchanged, "remove files there, or move the storage to a file system with more inodes"]
        case .notAStorage: return [unchanged, nameStorage]
        case .obstructed: return [unchanged, "move that away, and repeat the command"]
        case .foreignDestination: return [unchanged, "carry it there; the connected side makes one for this destination, or for any"]
        case .foldedNames: return [unchanged, "move the storage to a file system that keeps upper and lower case apart"]
        case .unsignedAfterSigned, .forged, .contradicted:
            return [unchanged, "do not import it; ask the people of the connected side what they sent, and how it came here"]
        }
    case let error as FileSystemError where error.isAboutStorage: return [unchanged, nameStorage]
    case let refusal as RollbackRefusal:
        switch refusal {
        case .noSuchImport, .notAnImport: return ["\"ferry-offline history\" lists the imports"]
        case .losses: return [unchanged, "--dry-run shows all of it; --accept-losses goes on"]
        case .unfinished(let id): return ["complete it: ferry-offline rollback \(id)"]
        case .damagedPackages: return ["repair them, then run the same rollback again; what was undone stays"]
        case .nothingKept: return [unchanged, "\"ferry-offline generations\" lists what can be undone"]
        case .doneBefore: return [unchanged]
        }
    case is ServedImport.NoService:
        return [unchanged, "start Verdaccio, or say how: --restart; or import without: --check none"]
    case let undone as ServedImport.Undone:
        return undone.trouble == nil
            ? ["the registry serves what it served before; nothing else was changed"] : ["see why Verdaccio does not start: its log"]
    case is QuarantineKeeper.Refusal: return [unchanged, "\"ferry-offline quarantine\" lists what can be released"]
    case is GenerationError: return [unchanged, "\"ferry-offline generations\" lists what can be undone"]
    case is ProcessLock.Held: return ["one import at a time; wait for it to end"]
    case let stopped as ImportPipeline.Stopped:
        return stopped.hasBegun ? ["the same command again goes on from there"] : [unchanged, "the same command again imports it"]
    case is ImportPipeline.Overwritten: return ["run the same import again; nothing is lost, and what was applied stays"]
    case is PackageLock.Busy: return ["run the same import again; what was applied stays"]
    case is ImportReport.NoSuchEntry: return ["\"ferry-offline history\" lists the entries"]
    case is MoreToCome: return ["plug in the media that carry them, in any order, and repeat the command; what has come is kept"]
    case is VolumeSpool.NoSpace: return [unchanged, "make room there, or plug in all its media at once"]
    case MediumTrouble.gone: return ["plug it in again and repeat the command; what was applied stays"]
    case is NoBundle: return ["plug one in, or give a medium, a bundle's directory, or a diff-….tar.zst"]
    default: return []
    }
}
