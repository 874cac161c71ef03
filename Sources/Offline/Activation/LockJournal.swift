import PackageStore
package import Platform
import Synchronization
package import SystemPackage

/// Which of Verdaccio's locks this importer holds, so that after a crash the next run removes those and no others.
package final class LockJournal: Sendable {
    private let path: FilePath
    private let files: any FileSystem
    private let holder = Mutex(())

    /// The name a packument is written under, beside it and under its lock, before it takes its place.
    package static let draftName = ".package.json.ferry"

    /// The journal of a state directory.
    package init(ofState state: FilePath, files: any FileSystem) {
        path = state.appending("package.lock.journal")
        self.files = files
    }

    /// Runs what takes a lock; the journal has room for one.
    package func oneAtATime<Value>(_ body: () throws -> sending Value) throws -> sending Value {
        try holder.withLock { _ in try body() }
    }

    /// Notes the one lock that is about to be taken.
    package func note(_ lock: FilePath, _ identity: FileIdentity) throws(FileSystemError) {
        try files.write(Array("\(identity.device) \(identity.inode) \(lock)\n".utf8), to: path)
    }

    /// Forgets the lock that was noted, once it is released: another one may get its inode.
    package func clear() throws(FileSystemError) { _ = try files.remove(path) }

    /// Removes the lock that a crashed run left, if the file is still the one it made, and the draft it wrote under it.
    package func recover() throws(FileSystemError) {
        guard let bytes = try files.contents(of: path, limit: 64 * 1024) else { return }
        let line = String(decoding: bytes, as: UTF8.self).split(separator: "\n").first ?? ""
        let parts = line.split(separator: " ", maxSplits: 2)
        if parts.count == 3 {
            let lock = FilePath(String(parts[2]))
            for place in [lock, lock.parent.appending(PackageLock.draftName)] {
                if let identity = try files.status(of: place)?.identity, "\(identity.device)" == parts[0], "\(identity.inode)" == parts[1] {
                    _ = try files.remove(lock.parent.appending(Self.draftName))
                    _ = try files.remove(place)
                }
            }
        }
        _ = try files.remove(path)
    }
}
