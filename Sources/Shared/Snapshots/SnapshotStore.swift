import CanonicalJSON
package import Integrity
package import PackageStore
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

    /// Where the paths lie that a snapshot withholds.
    func withheldList(of id: SnapshotID) -> FilePath { directory.appending(id.text).appending("withheld.txt") }

    /// Where the paths lie that a snapshot does not hold since upstream has withdrawn them.
    func withdrawnList(of id: SnapshotID) -> FilePath { directory.appending(id.text).appending("withdrawn.txt") }

    /// Where the tarballs lie that a snapshot leaves out.
    func leftOutList(of id: SnapshotID) -> FilePath { directory.appending(id.text).appending("left-out.txt") }

    /// Where the transfer form of that digest lies.
    package func object(_ digest: SHA512Digest) -> FilePath { objects.appending(digest.hex) }

    /// Opens a snapshot; `nil` where there is none of that name.
    package func open(_ id: SnapshotID) throws -> SnapshotReader? {
        try SnapshotReader(opening: manifest(of: id))
    }

    /// Opens the newest snapshot of that content; `nil` where there is none.
    package func snapshot(of root: SHA512Digest) throws -> SnapshotReader? {
        try headers().last { $0.stateRoot == root }.flatMap { try open($0.id) }
    }

    /// What stood in the storage and could not be taken into a snapshot, of all that the snapshots before it held.
    package func withheldPaths(of id: SnapshotID) throws -> Set<StorePath> { try paths(in: withheldList(of: id)) }

    /// What upstream has withdrawn of all that the snapshots before it held.
    package func withdrawnPaths(of id: SnapshotID) throws -> Set<StorePath> { try paths(in: withdrawnList(of: id)) }

    /// The tarballs that stood in the storage and a snapshot does not hold since they were damaged, undeclared or too large.
    package func leftOut(of id: SnapshotID) throws -> [StorePath: Finding.Code] {
        var leftOut: [StorePath: Finding.Code] = [:]
        try forEachLine(of: leftOutList(of: id)) { line in
            let parts = line.split(separator: " ", maxSplits: 1)
            guard parts.count == 2, let code = Finding.Code(rawValue: String(parts[0])), let path = StorePath(String(parts[1].dropFirst()))
            else { return false }
            leftOut[path] = code
            return true
        }
        return leftOut
    }

    private func paths(in list: FilePath) throws -> Set<StorePath> {
        var paths: Set<StorePath> = []
        try forEachLine(of: list) { line in StorePath(line).map { paths.insert($0).inserted } ?? false }
        return paths
    }

    /// - Parameter body: whether the line is one of the list.
    private func forEachLine(of list: FilePath, _ body: (String) -> Bool) throws {
        guard let reader = try FileReader(opening: list) else { return }
        var lines = LineReader(reader, limit: 512)
        while let line = try lines.next() {
            guard body(String(decoding: line, as: UTF8.self)) else {
                throw DocumentError("list \"\(list)\"", "a line of it is not a path of a storage")
            }
        }
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
