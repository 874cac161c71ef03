package import Platform
package import SystemPackage

/// The three folders of a medium's `ferry/`, or of any directory, in which documents of the isolated side lie (FORMAT.md §9, §14).
package struct ReplyBox: Sendable {
    /// What is written and read there.
    package enum Folder: String, Sendable, CaseIterable {
        case cards = "destinations"
        case receipts, requests

        /// Largest document there in bytes.
        var sizeLimit: Int { self == .cards ? 64 << 10 : Receipt.sizeLimit }
    }

    /// Something else than a directory stands where a folder belongs.
    package struct Obstructed: Error, Equatable, CustomStringConvertible {
        package let path: FilePath

        package var description: String { "\"\(path)\" is not a directory" }
    }

    /// Files in each folder that are looked at; the names that sort last are passed over.
    package static let fileLimit = 1000

    private let root: FilePath
    private let files: any FileSystem

    /// - Parameter root: `ferry/` of a medium.
    package init(root: FilePath, files: any FileSystem = DiskFileSystem()) {
        self.root = root
        self.files = files
    }

    /// Writes a document and its signature; those it takes the place of are removed after that.
    ///
    /// Cut off at any moment, whole documents with their signatures are there: the old ones, the new one, or both.
    ///
    /// - Parameter isReplaced: whether a document of that name is one it takes the place of.
    /// - Throws: `FileSystemError`, `Obstructed`.
    package func put(_ reply: SignedReply, in folder: Folder, replacing isReplaced: (String) -> Bool = { _ in false }) throws {
        let directory = root.appending(folder.rawValue)
        try files.createDirectories(root)
        _ = try files.createDirectory(directory)
        guard try files.status(of: directory)?.kind == .directory else { throw Obstructed(path: directory) }
        try files.replace(directory.appending("\(reply.fileName).minisig"), with: Array(reply.signature.utf8))
        try files.replace(directory.appending(reply.fileName), with: reply.bytes)
        for name in try files.names(in: directory) ?? [] where name != reply.fileName && name.hasSuffix(".json") && isReplaced(name) {
            try remove(name, in: directory)
        }
        try files.syncDirectory(root)
    }

    /// Removes a document and its signature, where it is there.
    package func remove(_ fileName: String, from folder: Folder) throws {
        let directory = root.appending(folder.rawValue)
        guard try files.status(of: directory)?.kind == .directory else { return }
        try remove(fileName, in: directory)
    }

    private func remove(_ name: String, in directory: FilePath) throws(FileSystemError) {
        // A signature alone is nothing.
        _ = try files.remove(directory.appending(name))
        _ = try files.remove(directory.appending("\(name).minisig"))
        try files.syncDirectory(directory)
    }

    /// The documents in a folder by name, with their signatures; none where there is no such folder.
    ///
    /// - Parameter trouble: told of what is there and cannot be read.
    package func replies(in folder: Folder, trouble: (FilePath, any Error) -> Void = { _, _ in }) -> [SignedReply] {
        let directory = root.appending(folder.rawValue)
        do {
            guard let status = try files.status(of: directory) else { return [] }
            guard status.kind == .directory else { throw Obstructed(path: directory) }
            let names = (try files.names(in: directory) ?? []).filter { $0.hasSuffix(".json") && !$0.hasPrefix(".") }
            return names.prefix(Self.fileLimit).compactMap { name in
                let path = directory.appending(name)
                do { return try reply(at: path, limit: folder.sizeLimit) } catch {
                    trouble(path, error)
                    return nil
                }
            }
        } catch {
            trouble(directory, error)
            return []
        }
    }

    /// The document at a path and the signature beside it; `nil` where there is no regular file.
    private func reply(at path: FilePath, limit: Int) throws(FileSystemError) -> SignedReply? {
        guard try files.status(of: path)?.kind == .file, let bytes = try files.contents(of: path, limit: limit) else { return nil }
        let name = path.lastComponent?.string ?? ""
        let beside = path.removingLastComponent().appending("\(name).minisig")
        let isThere = try files.status(of: beside)?.kind == .file
        let signature = isThere ? try files.contents(of: beside, limit: SignedReply.signatureLimit) : nil
        return SignedReply(fileName: name, bytes: bytes, signature: String(decoding: signature ?? [], as: UTF8.self))
    }
}
