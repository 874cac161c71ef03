import Integrity
import PackageStore
import Platform
import SystemPackage

/// Where damaged files are kept that were taken out of a storage: `<directory>/<package>/<file>.<the digest's beginning>`.
struct Quarantine: Sendable {
    let directory: FilePath

    /// Copies a file into the quarantine; durable when it returns.
    ///
    /// - Returns: where the copy lies, and the file as it was copied; `nil` where there is no file.
    /// - Throws: `FileSystemError`.
    func copy(_ file: FilePath, of package: PackageName) throws -> (copy: FilePath, identity: FileIdentity)? {
        let files = DiskFileSystem()
        guard let reader = try FileReader(opening: file), let name = file.lastComponent?.string else { return nil }
        let identity = try reader.status().identity
        let folder = directory.appending(package.text)
        try files.createDirectories(folder)
        let draft = folder.appending(".\(name).draft")
        _ = try files.remove(draft)
        do {
            let copy = folder.appending("\(name).\(try fill(draft, from: reader).hex.prefix(16))")
            try files.rename(draft, to: copy)
            try files.syncDirectory(folder)
            return (copy, identity)
        } catch {
            // On a full disk half a copy is in the way of everything else.
            discard(draft)
            throw error
        }
    }

    private func fill(_ draft: FilePath, from reader: FileReader) throws -> SHA512Digest {
        let writer = try FileWriter(creating: draft)
        let hasher = SHA512Hasher()
        var offset: Int64 = 0
        while true {
            let piece = try reader.read(1 << 20, at: offset)
            if piece.isEmpty { break }
            hasher.update(piece)
            try writer.write(piece)
            offset += Int64(piece.count)
        }
        try writer.sync()
        try writer.close()
        return hasher.finalize()
    }

    /// Copies a file into the quarantine and then removes it from where it is.
    ///
    /// - Parameter note: told where the copy lies before the file is removed, so that a killed run leaves nothing that nobody knows of.
    /// - Returns: where the copy lies; `nil` where the file is gone, or has become another meanwhile and was left alone.
    /// - Throws: `FileSystemError`, and what `note` throws; the file is still where it was.
    func take(_ file: FilePath, of package: PackageName, noting note: (FilePath) throws -> Void) throws -> FilePath? {
        guard let (copy, identity) = try copy(file, of: package) else { return nil }
        guard try DiskFileSystem().status(of: file)?.identity == identity else {
            discard(copy)
            return nil
        }
        do {
            try note(copy)
            _ = try DiskFileSystem().remove(file)
        } catch {
            discard(copy)
            throw error
        }
        return copy
    }

    /// Removes a copy that is no longer of use, and its folder where it was the last.
    func discard(_ copy: FilePath) {
        _ = try? DiskFileSystem().remove(copy)
        _ = try? DiskFileSystem().remove(copy.removingLastComponent())
    }
}
