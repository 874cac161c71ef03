import Activation
import BundleFormat
import Foundation
import ImportLedger
import ImportPipeline
import PackageStore
import Platform
import Rollbacks
import SystemPackage

/// One isolated side, copied from the prepared one, so that each cut starts from the same state.
struct Side {
    let root: FilePath
    let world: World
    let ledger: Ledger

    init(of world: World, number: Int) throws {
        self.world = world
        root = world.root.appending("side-\(number)")
        try FileManager.default.createDirectory(atPath: root.string, withIntermediateDirectories: true)
        for name in ["isolated", "offline-state"] {
            try FileManager.default.copyItem(
                atPath: world.root.appending(name).string, toPath: root.appending(name).string)
        }
        ledger = try Ledger(opening: root.appending("offline-state/ledger.sqlite"))
    }

    var storage: FilePath { root.appending("isolated") }

    /// Imports on a machine that was started after everything that lies here was written.
    func run(
        _ archive: FilePath, files: any FileSystem, _ options: ImportPipeline.Options = .oneAtATime
    ) throws -> ImportPipeline.Report {
        let pipeline = ImportPipeline(
            layout: StorageLayout(root: storage), state: root.appending("offline-state"), ledger: ledger, trust: world.trust,
            destination: world.destination, options: options, files: files,
            patience: PackageLock.Patience(attempts: 2, pause: {}, booted: Timestamp(nanoseconds: .max)))
        try pipeline.recover()
        return try pipeline.run(ArchiveSource(volumes: [archive]), operatorName: "tester", sourceName: "test")
    }

    /// Takes away what something that was interrupted has left.
    func clear(files: any FileSystem = DiskFileSystem()) throws {
        try InterruptedWork(layout: StorageLayout(root: storage), state: root.appending("offline-state"), files: files).clear()
    }

    /// Undoes the second import.
    func rollBack(files: any FileSystem = DiskFileSystem()) throws {
        try clear(files: files)
        let rollback = Rollback(
            layout: StorageLayout(root: storage), state: root.appending("offline-state"), ledger: ledger, files: files,
            patience: PackageLock.Patience(attempts: 2, pause: {}, booted: Timestamp(nanoseconds: .max)))
        _ = try rollback.run(2, operatorName: "tester", acceptsLosses: false)
    }

    private func keeper(files: any FileSystem) -> QuarantineKeeper {
        QuarantineKeeper(
            layout: StorageLayout(root: storage), state: root.appending("offline-state"), ledger: ledger, files: files,
            patience: PackageLock.Patience(attempts: 2, pause: {}, booted: Timestamp(nanoseconds: .max)))
    }

    /// The versions in quarantine.
    func quarantined() throws -> [String] {
        try keeper(files: DiskFileSystem()).list().map { "\($0.entry.package)@\($0.entry.version.version)" }
    }

    /// Lets what is in quarantine of a package back.
    func release(_ name: String, files: any FileSystem) throws {
        let keeper = keeper(files: files)
        if let package = PackageName(name) { _ = try keeper.release(package, nil, operatorName: "tester") }
    }
}
