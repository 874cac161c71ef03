import ArgumentParser
import BundleFormat
import CanonicalJSON
import Catalog
import Databases
import Destinations
import Export
import HTTPService
import Integrity
import Inventory
import Keys
import MediaLayout
import PackageStore
import Platform
import Refresh
import Repair
import Settings
import Snapshots
import SystemPackage
import Terminal
import Upkeep
import VerdaccioSettings

/// Where the online side keeps its state, and which settings it goes by.
struct StateOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The state directory.", discussion: "Environment: FERRY_ONLINE_STATE.", valueName: "dir"))
    var state: String?

    @Option(
        help: ArgumentHelp(
            "The settings (default: ferry.yaml in the state directory, else /etc/ferry/ferry.yaml).",
            discussion: "Environment: FERRY_CONFIG. \"ferry-online config\" explains them.", valueName: "file"))
    var config: String?

    @Flag(help: "Print JSON for machines.")
    var json = false

    /// What holds: these flags and those of the command, else the environment, else `ferry.yaml`, else defaults.
    func settings(_ flags: [OnlineSettings.Flag] = []) throws -> OnlineSettings {
        let directory = (state ?? environment("FERRY_ONLINE_STATE")).map { FilePath($0) }
        let file = try SettingsFile.find(flag: config, environment: environment, state: directory)
        return try settings(file, flags)
    }

    /// What holds with that file.
    func settings(_ file: SettingsFile?, _ flags: [OnlineSettings.Flag] = []) throws -> OnlineSettings {
        try OnlineSettings(file: file, environment: environment, flags: flags + [OnlineSettings.Flag("state", "--state", state)])
    }

    /// The state directory, made where it is missing.
    ///
    /// - Parameter needingRoom: whether a disk that is too full to work on is refused.
    func directory(needingRoom: Bool = true) throws -> FilePath {
        guard let directory = try settings().state.value else {
            throw ValidationError("name the state directory: --state DIR, FERRY_ONLINE_STATE, or \"state\" in ferry.yaml")
        }
        try DiskFileSystem().createDirectories(directory)
        if needingRoom { try FileSystemSpace.requireReserve(in: directory) }
        return directory
    }

    /// The snapshots of the state.
    func snapshots() throws -> SnapshotStore { SnapshotStore(directory: try directory().appending("snapshots")) }

    /// The catalog of the state.
    func catalog() throws -> Catalog { try Catalog(opening: directory().appending("data.sqlite")) }

    /// Who this origin is; where the catalog is new, whoever made the snapshots that are there.
    func origin(_ catalog: Catalog) throws -> Identifier {
        try catalog.origin(former: formerOrigin) { randomBytes(20) }
    }

    private func formerOrigin() throws -> (origin: Identifier, base: Int64)? {
        guard let newest = try snapshots().headers().last else { return nil }
        let origin = newest.origin
        let artifacts = try directory().appending("artifacts")
        var sequence: Int64 = 0
        for name in try DiskFileSystem().names(in: artifacts) ?? [] {
            let volumes = try Medium.volumes(at: artifacts.appending(name))
            // One that cannot be read says nothing, and an export of it will.
            guard !volumes.isEmpty, let tail = try? BundleTail(of: ArchiveSource(volumes: volumes)) else { continue }
            if tail.descriptor.origin == origin { sequence = max(sequence, tail.descriptor.sequence) }
        }
        Terminal.say(
            "warning: the catalog is new, and there are snapshots of \(origin), which goes on; its last bundle had sequence \(sequence)")
        return (origin, max(0, sequence - newest.counter))
    }

    /// A new log of some work, in the state's `logs`.
    func log(_ work: String) throws -> LogFile {
        let logs = try directory().appending("logs")
        try DiskFileSystem().createDirectories(logs)
        let name = "\(work)-\(WallClock.system.now().compact)"
        var path = logs.appending("\(name).log")
        var number = 1
        while try DiskFileSystem().status(of: path) != nil {
            number += 1
            path = logs.appending("\(name)-\(number).log")
        }
        return try LogFile(appendingTo: path)
    }

    /// Takes the writer's place: one snapshot or bundle at a time on one state.
    func lock(_ work: String, needingRoom: Bool = true) throws -> ProcessLock {
        try ProcessLock(directory(needingRoom: needingRoom).appending("lock"), holder: "\(work), since \(WallClock.system.now())")
    }
}

/// Which Verdaccio storage is meant.
struct StorageOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Verdaccio's storage directory.", discussion: "Environment: FERRY_STORAGE.", valueName: "dir"))
    var storage: String?

    @Option(
        help: ArgumentHelp(
            "Verdaccio's config.yaml: gives the storage and the per-package \"storage:\" directories.",
            discussion: "Environment: FERRY_VERDACCIO_CONFIG.", valueName: "file"))
    var verdaccioConfig: String?

    /// The keys of the settings that these flags set.
    var flags: [OnlineSettings.Flag] {
        [
            OnlineSettings.Flag("storage", "--storage", storage),
            OnlineSettings.Flag("verdaccio.config", "--verdaccio-config", verdaccioConfig),
        ]
    }

    /// The storage that flags and settings name, with what Verdaccio's configuration says of it.
    func layout(_ state: StateOptions) throws -> StorageLayout {
        let settings = try state.settings(flags)
        return try settings.layout(settings.verdaccio(environment))
    }
}

extension OnlineSettings {
    /// The storage, with what Verdaccio's configuration says of it.
    func layout(_ verdaccio: VerdaccioSettings?) throws -> StorageLayout {
        guard let root = storage(verdaccio).value else {
            throw ValidationError(
                "name the storage: --storage DIR, --verdaccio-config FILE, FERRY_STORAGE, or \"storage\" in ferry.yaml")
        }
        guard let verdaccio else { return StorageLayout(root: root) }
        return StorageLayout(root: root, subdirectories: verdaccio.storageSubdirectories) { verdaccio.storageSubdirectory(for: $0.text) }
    }
}

extension OnlineSettings {
    /// What finds the media that are plugged in.
    func media(state: FilePath, _ verdaccio: VerdaccioSettings? = nil) throws -> MediaSurvey {
        let storage = storage(try verdaccio ?? self.verdaccio(environment)).value
        return MediaSurvey(roots: mediaRoots.value, reserved: [state] + (storage.map { [$0] } ?? []))
    }
}

/// Runs a command and turns what went wrong into a message, hints and an exit code.
func reporting(_ body: () throws -> Void) throws {
    do { try body() } catch { try report(error) }
}

/// Runs a command and turns what went wrong into a message, hints and an exit code.
func reporting(_ body: () async throws -> Void) async throws {
    do { try await body() } catch { try report(error) }
}

private func report(_ error: any Error) throws -> Never {
    switch error {
    case is ValidationError, is ExitCode: throw error
    default:
        Terminal.say("ferry-online: error: \(error)")
        for hint in hints(for: error) { Terminal.say("ferry-online: hint: \(hint)") }
        throw ExitCode(commandExitCode(of: error))
    }
}

func commandExitCode(of error: any Error) -> Int32 {
    switch error {
    case is ProcessLock.Held, DatabaseFileError.locked: 11
    case let error as SettingsError: error.isWrongUsage ? 64 : 78
    case BundleBuilder.Refusal.damaged: 3
    case let error as BundleError where ![.sourceChanged, .tooLarge, .newer].contains(error.code): 3
    default: 1
    }
}

func hints(for error: any Error) -> [String] {
    switch error {
    case is SnapshotBuilder.Shrunk: ["no snapshot was made; if the files are meant to be gone, repeat with --allow-shrink"]
    case let error as SettingsError where !error.isWrongUsage: ["\"ferry-online config example\" shows every key; nothing was changed"]
    case let error as WebServer.CannotListen where error.isInUse:
        ["end what listens there, or choose another address with --listen or serve.listen; nothing was changed"]
    case is WebServer.CannotListen: ["choose an address of this machine with --listen or serve.listen; nothing was changed"]
    case is ProcessLock.Held: ["wait for it to end; nothing was changed"]
    case DatabaseFileError.locked: ["wait for that process to end, and repeat the command; what was kept before stays"]
    case DatabaseFileError.newer:
        ["nothing was changed; install the newer ferry-online again, or put back the copy of the state from before it was installed"]
    case DatabaseFileError.inaccessible(let path, _):
        ["it, and its directory \"\(path.removingLastComponent())\", must be writable for the user that runs this; nothing was changed"]
    case DatabaseFileError.corrupt(let path, _):
        [
            "the storage, the snapshots and the bundles are as they were; put a backup of the state's data.sqlite in its place, or move "
                + "\"\(path)\" away, with \"\(path)-wal\" and \"\(path)-shm\", and begin a new one",
            "a new one goes on as the origin of the snapshots, and begins with a full bundle; the list of bundles, what is wanted, the "
                + "history and the list of what is in quarantine are lost; \"refresh\" and \"check\" learn the rest again",
        ]
    case let error as FileSystemError where error.isAboutStorage:
        ["name Verdaccio's storage: --storage, FERRY_STORAGE, or Verdaccio's own --verdaccio-config; nothing was changed"]
    case RefreshError.verdaccioUnreachable, is Repairer.Unreachable: ["start it, or name its address with --registry; nothing was changed"]
    case RefreshError.nothingKept: ["set \"cache: true\" for it and restart verdaccio; nothing was changed"]
    case is StorageScan.Vanished: ["nothing was changed; if the packages are meant to be gone, run \"ferry-online scan --allow-empty\""]
    case is SnapshotBuilder.TooLarge: ["no snapshot was made"]
    case is PruneError: ["the snapshots are as they were"]
    case BundleBuilder.Refusal.damaged: ["run \"ferry-online repair\" and take a new snapshot; no bundle was made"]
    case let error as BundleError where error.code == .sourceChanged: ["no bundle was made; the storage is as it was"]
    case is NoSuchRequest: ["\"ferry-online requests\" lists them; nothing was changed"]
    case is NoSuchDestination: ["\"ferry-online destinations\" lists them; nothing was changed"]
    case is OtherFingerprint: ["nothing was changed; ask that destination's people for what \"ferry-offline init\" says"]
    case is Filler.Refusal: ["no bundle was made"]
    case is AnotherMedium: ["nothing was written; \"ferry-online media\" lists what is plugged in"]
    case Ejection.Refusal.busy: ["end what uses it, and repeat \"ferry-online media eject\"; all that was written is on the device"]
    case is Ejection.Refusal: ["all that was written is on the device"]
    case MediumTrouble.gone:
        ["plug it in again and repeat the command: what was written is kept, and what the medium held before is as it was"]
    case MediumTrouble.full, MediumTrouble.fullOfFiles:
        [
            "what it held is as it was; \"ferry-online media clean\" removes bundles that are on it, with --acknowledged those that have arrived"
        ]
    case is MediumTrouble: ["what the medium held before is as it was, as far as it can be read; take another medium"]
    case MediumWriter.Refusal.readBackDiffers: ["take another medium; what this one held before is as it was"]
    case MediumWriter.Refusal.notThere: ["\"ferry-online media\" lists what is on it; nothing was removed"]
    case is MediumWriter.Refusal: ["what the medium held before is as it was"]
    case let error as KeyFileError where error.cause.code == .passphraseNeeded: ["give it in FERRY_KEY_PASSPHRASE"]
    default: []
    }
}
