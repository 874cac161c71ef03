package import Platform
package import SystemPackage

extension FileSystem {
    /// The bytes of the packument in a package's directory; `nil` where there is none.
    ///
    /// - Throws: `PackumentError.invalid` where something else than a file stands there, or one above `StoredPackument.sizeLimit`;
    ///   `FileSystemError`.
    package func packument(in directory: FilePath) throws -> [UInt8]? {
        let path = directory.appending("package.json")
        guard let status = try status(of: path) else { return nil }
        guard status.kind == .file else { throw PackumentError.invalid("its package.json is not a regular file") }
        do throws(FileSystemError) {
            return try contents(of: path, limit: StoredPackument.sizeLimit)
        } catch {
            guard error.errno == .fileTooLarge else { throw error }
            throw PackumentError.invalid("it has more than \(StoredPackument.sizeLimit) bytes")
        }
    }
}
