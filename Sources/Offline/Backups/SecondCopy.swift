package import Platform
import Snapshots
package import SystemPackage

/// A file under a second name, so that it outlives its first one.
package enum SecondCopy {
    /// Gives a file a second name, which costs no space; where the file system has no links, copies it.
    ///
    /// The bytes are durable when this returns, the name with the next sync of its directory.
    ///
    /// - Parameter bytes: what the file holds, if that is known.
    package static func make(
        of path: FilePath, at copy: FilePath, owner: Generation.Owner, files: any FileSystem, holding bytes: (() throws -> [UInt8])? = nil
    ) throws {
        do throws(FileSystemError) {
            _ = try files.link(path, to: copy)
            return
        } catch {
            guard [.notPermitted, .notSupported, .notSupportedOnSocket, .tooManyLinks].contains(error.errno) else { throw error }
        }
        let draft = copy.parent.appending(".draft")
        try files.write(bytes?() ?? files.contents(of: path, limit: Int(SnapshotFile.tarballLimit)) ?? [], to: draft)
        try owner.own(draft, mode: 0o644)
        try files.sync(draft)
        try files.rename(draft, to: copy)
    }
}
