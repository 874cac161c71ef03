import ArgumentParser
import BundleFormat
import CanonicalJSON
import Glibc
import ImportLedger
import ImportPipeline
import MediaLayout
import PackageStore
import Platform
import Snapshots
import SystemPackage
import Terminal
import VerdaccioSettings
import Verification

/// Where the isolated side keeps its state.
struct StateOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The state directory.", discussion: "Environment: FERRY_OFFLINE_STATE.", valueName: "dir"))
    var state: String?

    @Flag(help: "Print JSON for machines.")
    var json = false

    /// The state directory, made where it is missing.
    func directory() throws -> FilePath {
        guard let path = state ?? environment("FERRY_OFFLINE_STATE") else {
            throw ValidationError("name the state directory: --state DIR, or FERRY_OFFLINE_STATE")
        }
        let directory = FilePath(path)
        try DiskFileSystem().createDirectories(directory)
        return directory
    }

    /// The ledger of the state.
    func ledger() throws -> Ledger { try Ledger(opening: directory().appending("ledger.sqlite")) }

    /// Where the trusted keys are listed.
    func trustPath() throws -> FilePath { try directory().appending("trust.json") }

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

    @Flag(help: "Accept an unsigned bundle this time.") var allowUnsigned = false

    /// The storage, with what the configuration says of it.
    func layout() throws -> StorageLayout {
        if let verdaccioConfig {
            let settings = try VerdaccioSettings(
                contentsOf: FilePath(verdaccioConfig), environmentStoragePath: environment("VERDACCIO_STORAGE_PATH"))
            return StorageLayout(root: storage.map { FilePath($0) } ?? settings.storage) {
                settings.storageSubdirectory(for: $0.text)
            }
        }
        guard let path = storage ?? environment("FERRY_STORAGE") else {
            throw ValidationError("name the storage: --storage DIR, --verdaccio-config FILE, or FERRY_STORAGE")
        }
        return try StorageLayout(root: FilePath(path)).located()
    }
}

/// There is no bundle where one was looked for.
struct NoBundle: Error, CustomStringConvertible {
    let path: String

    var description: String { "there is no bundle at \"\(path)\"" }
}

/// A bundle that was found, under the name it goes by.
struct FoundBundle {
    let name: String
    let source: ArchiveSource
    /// Whether the index says that it is for somebody else.
    let isForeign: Bool
}

/// Finds bundles: on a medium those of its index in their order, elsewhere the archive or volumes at the path.
func findBundles(at text: String, destination: Identifier) throws -> [FoundBundle] {
    let path = FilePath(text)
    for root in [path, path.removingLastComponent()] {
        let medium = Medium(root: root)
        guard root == path || path.lastComponent?.string == "ferry", let entries = try medium.entries() else { continue }
        guard !entries.isEmpty else { throw NoBundle(path: text) }
        return try entries.map { entry in
            let recipient = entry.descriptor.destination
            return FoundBundle(
                name: "\(entry.descriptor.label) (\(entry.descriptor.bundle))", source: try medium.archive(of: entry),
                isForeign: recipient != "any" && recipient != destination.text)
        }
    }
    let volumes = try Medium.volumes(at: path)
    guard !volumes.isEmpty else { throw NoBundle(path: text) }
    return [FoundBundle(name: path.lastComponent?.string ?? text, source: try ArchiveSource(volumes: volumes), isForeign: false)]
}

/// Runs a command and turns what went wrong into a message, hints and an exit code.
func reporting(_ body: () throws -> Void) throws {
    // What is written into the storage must be readable by Verdaccio, whatever the operator's shell says.
    umask(0o022)
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
    case let error as BundleError where error.code == .notABundle: 3
    case is BundleError, is DocumentError: 3
    case is ProcessLock.Held: 11
    case let refusal as BundleRefusal: refusal.isAboutTrust ? 12 : 13
    default: 1
    }
}

private func hints(for error: any Error) -> [String] {
    let unchanged = "nothing in the storage was changed"
    switch error {
    case is BundleError, is DocumentError: return [unchanged, "copy or export the bundle again; try another medium"]
    case let refusal as BundleRefusal:
        switch refusal {
        case .unsigned: return [unchanged, "sign it at the origin, or accept it this once with --allow-unsigned"]
        case .noTrustStore, .notTrusted: return [unchanged, "trust the origin's key: ferry-offline trust add KEY.pub --origin ID"]
        case .gap: return [unchanged, "import the bundles in between first, or make a full one: ferry-online bundle --baseline empty"]
        default: return [unchanged]
        }
    case is ProcessLock.Held: return ["one import at a time; wait for it to end"]
    case is PackageLock.Busy: return ["run the same import again; what was applied stays"]
    case is NoBundle: return ["give a medium, a bundle's directory, or a diff-….tar.zst"]
    default: return []
    }
}
