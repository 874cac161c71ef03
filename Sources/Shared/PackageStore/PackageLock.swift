import Glibc
package import Platform
package import SystemPackage

/// Verdaccio's lock on one package: the empty file `package.json.lock`, made exclusively (`@verdaccio/file-locking`).
///
/// The file is made under a hidden name first and renamed into place where none stands, so that its inode is known, and can be noted,
/// before it is a lock: after a crash the next run can tell its own lock from everybody else's. Publishing, tagging and unpublishing
/// take it, so a read-merge-write under it loses nothing. Verdaccio ignores a lock after about 112 seconds of waiting and takes over one
/// that is older than five minutes, hence `isHeld`. A lock from before the machine was started is nobody's.
package struct PackageLock: Sendable {
    /// How the lock is waited for.
    package struct Patience: Sendable {
        /// How often it is tried, with `pause` in between.
        package var attempts: Int
        /// Waits for about a tenth of a second; a test gives its own.
        package var pause: @Sendable () -> Void
        /// Nanoseconds of a clock that only moves forward.
        package var elapsed: @Sendable () -> Int64
        /// When the machine was started.
        package var booted: Timestamp

        package init(
            attempts: Int = 1200, pause: @escaping @Sendable () -> Void = { usleep(100_000) },
            elapsed: @escaping @Sendable () -> Int64 = PackageLock.monotonicNanoseconds, booted: Timestamp = .ofBoot()
        ) {
            self.attempts = attempts
            self.pause = pause
            self.elapsed = elapsed
            self.booted = booted
        }
    }

    /// The lock stayed with somebody else for as long as `Patience` allows.
    ///
    /// Nothing was changed.
    package struct Busy: Error, CustomStringConvertible {
        package let path: FilePath

        package init(path: FilePath) {
            self.path = path
        }

        package var description: String { "\"\(path)\" is held by another process; is a publish hanging?" }
    }

    /// The lock file.
    package let path: FilePath
    /// What the file was when it was made.
    package let identity: FileIdentity
    private let files: any FileSystem
    private let patience: Patience
    private let takenAt: Int64

    /// The name the lock is made under, beside the lock.
    package static let draftName = ".package.json.lock.ferry"
    private static let staleAfter: Int64 = 5 * 60 * 1_000_000_000
    private static let trustedFor: Int64 = 60 * 1_000_000_000

    /// Takes the lock of the package in a directory, waiting for it, and takes over one that is stale.
    ///
    /// - Parameter announce: told the lock's path and what the file will be, before it is a lock.
    /// - Throws: `Busy`, or `FileSystemError` where the file cannot be made.
    package init(
        directory: FilePath, files: any FileSystem, clock: WallClock, patience: Patience,
        announce: (FilePath, FileIdentity) throws -> Void
    ) throws {
        path = directory.appending("package.json.lock")
        self.files = files
        self.patience = patience
        let draft = directory.appending(Self.draftName)
        for _ in 0..<max(1, patience.attempts) {
            _ = try files.remove(draft)
            if let identity = try files.createExclusively(draft) {
                try announce(path, identity)
                if try files.renameWithoutReplacing(draft, to: path) {
                    self.identity = identity
                    takenAt = patience.elapsed()
                    return
                }
                _ = try files.remove(draft)
            }
            if let other = try files.status(of: path)?.identity,
                other.changed <= patience.booted.nanoseconds || clock.now().nanoseconds - other.changed > Self.staleAfter
            {
                _ = try files.remove(path)
            } else {
                patience.pause()
            }
        }
        throw Busy(path: path)
    }

    /// Whether the lock file is still the one that was made, and young enough that Verdaccio respects it.
    package func isHeld() throws(FileSystemError) -> Bool {
        guard patience.elapsed() - takenAt < Self.trustedFor, let status = try files.status(of: path) else { return false }
        return status.identity.inode == identity.inode && status.identity.device == identity.device
    }

    /// Removes the lock file if it is still ours.
    package func release() throws(FileSystemError) {
        guard let status = try files.status(of: path), status.identity.inode == identity.inode else { return }
        _ = try files.remove(path)
    }

    /// Nanoseconds of the machine's monotonic clock.
    package static func monotonicNanoseconds() -> Int64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
    }
}
