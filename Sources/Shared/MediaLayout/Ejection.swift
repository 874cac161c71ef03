import Mounts
import Platform
package import SystemPackage

/// Makes a medium safe to be pulled out: everything on it durable, and it unmounted.
package struct Ejection: Sendable {
    /// What keeps a medium from being unmounted.
    ///
    /// Everything that was written is on the device all the same.
    package enum Refusal: Error, Equatable, CustomStringConvertible {
        /// A plain directory, or one of a mounted file system.
        case notMounted(FilePath)
        case busy(FilePath, by: [String])
        case failed(FilePath, String)

        package var description: String {
            switch self {
            case .notMounted(let path): "\"\(path)\" is not a mount point, so there is nothing to unmount"
            case .busy(let path, let users):
                "\"\(path)\" is in use\(users.isEmpty ? "" : " by \(users.joined(separator: ", "))"), and was not unmounted"
            case .failed(let path, let words): "\"\(path)\" was not unmounted: \(words)"
            }
        }
    }

    private let point: FilePath

    /// - Throws: `Refusal.notMounted`, `FileSystemError`.
    package init(of path: FilePath) throws {
        let point = try DiskFileSystem().resolve(path) ?? path
        guard try MountTable().mounts.contains(where: { $0.point == point }), point != "/" else { throw Refusal.notMounted(path) }
        self.point = point
    }

    /// Writes out what is still in memory, and unmounts.
    ///
    /// - Throws: `Refusal`, `FileSystemError` where the device does not take what is to be written.
    package func run() throws {
        try DiskFileSystem().syncFileSystem(holding: point)
        // The program may do what this process may not: a person's own mounts.
        let result: ChildProcess.Result
        do throws(ChildProcess.Failure) { result = try ChildProcess.run(["umount", point.string], seconds: 600) } catch {
            throw Refusal.failed(point, "\(error)")
        }
        guard result.status != 0 else { return }
        guard try MountTable().mounts.contains(where: { $0.point == point }) else { return }
        let words = result.output.split(whereSeparator: \.isNewline).joined(separator: " ")
        guard words.contains("busy") else { throw Refusal.failed(point, words) }
        throw Refusal.busy(point, by: ProcessTable.users(of: point))
    }
}
