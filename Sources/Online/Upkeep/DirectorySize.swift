package import Catalog
import Platform
package import SystemPackage

/// Measures what lies below a directory.
package enum DirectorySize {
    /// What a walk came to.
    package struct Result: Sendable, Hashable {
        package var total = FileTotals()
        /// Directories that could not be read; what is in them is not counted.
        package var unreadable = 0
    }

    /// Walks a directory and sums up the sizes of its files; links are not followed, and what vanishes meanwhile is not counted.
    ///
    /// A file with several names counts once for each.
    package static func measure(_ directory: FilePath) -> Result {
        var result = Result()
        var pending = [directory]
        while let path = pending.popLast() {
            do throws(FileSystemError) {
                guard let reader = try DirectoryReader(opening: path) else { continue }
                try reader.forEachName { name throws(FileSystemError) in
                    guard let status = try reader.status(of: name) else { return }
                    switch status.kind {
                    case .directory: pending.append(path.appending(name))
                    case .file: result.total.add(bytes: status.identity.size)
                    case .symbolicLink, .other: break
                    }
                }
            } catch {
                result.unreadable += 1
            }
        }
        return result
    }
}
