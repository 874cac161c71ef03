package import Integrity
import Platform
package import SystemPackage

/// Where snapshots and transfer forms lie: the folder `snapshots` of the online side's state (FORMAT.md §4).
package struct SnapshotStore: Sendable {
    /// The folder itself.
    package let directory: FilePath

    package init(directory: FilePath) {
        self.directory = directory
    }

    /// The folder of transfer forms by digest.
    package var objects: FilePath { directory.appending("objects") }

    /// Where the manifest of a snapshot lies.
    package func manifest(of id: SnapshotID) -> FilePath { directory.appending(id.text).appending("manifest.json") }

    /// Where the transfer form of that digest lies.
    package func object(_ digest: SHA512Digest) -> FilePath { objects.appending(digest.hex) }

    /// Opens a snapshot; `nil` where there is none of that name.
    package func open(_ id: SnapshotID) throws -> SnapshotReader? {
        try SnapshotReader(opening: manifest(of: id))
    }

    /// Every snapshot, oldest first by its counter.
    package func headers() throws -> [SnapshotHeader] {
        var headers: [SnapshotHeader] = []
        for name in try DiskFileSystem().names(in: directory) ?? [] {
            guard let id = SnapshotID(name), let reader = try open(id) else { continue }
            headers.append(reader.header)
        }
        return headers.sorted { $0.counter < $1.counter }
    }
}
