import Backups
import Foundation
import Integrity
import PackageStore
import Platform
import Snapshots
import SystemPackage
import Testing

@Suite struct GenerationTests {
    private final class Place {
        let root = FilePath(FileManager.default.temporaryDirectory.path).appending("ferry-generation-\(UUID().uuidString)")
        let files = DiskFileSystem()

        init() throws { try files.createDirectories(root) }
        deinit { try? files.removeTree(root) }

        func generation() throws -> Generation {
            let bundle = try #require(Identifier("b-\(String(repeating: "0", count: 20))", .bundle))
            let origin = try #require(Identifier("o-\(String(repeating: "0", count: 20))", .origin))
            let generation = Generation(
                GenerationName(import: 1, started: Timestamp(nanoseconds: 0), bundle: bundle), layout: StorageLayout(root: root),
                owner: Generation.Owner { _, _ in }, files: files)
            try generation.open(in: [root], import: 1, bundle: bundle, origin: origin)
            return generation
        }

        /// Replaces a packument as an import does.
        func replace(_ package: PackageName, _ bytes: String, by generation: Generation) throws {
            let path = root.appending("live.json")
            let old = try #require(try files.contents(of: path, limit: 1 << 20))
            try generation.keep(package, at: path, holding: old, replacedBy: Array(bytes.utf8))
            try files.replace(path, with: Array(bytes.utf8))
        }
    }

    private let package = PackageName("@scope/foo")

    @Test func `each write is kept as it was, in its order, and what is kept stays though the packument changes`() throws {
        let place = try Place()
        let package = try #require(self.package)
        try place.files.write(Array("one".utf8), to: place.root.appending("live.json"))
        let generation = try place.generation()
        try place.replace(package, "two", by: generation)
        try place.replace(package, "three", by: place.generation())
        try place.files.write(Array("changed in place".utf8), to: place.root.appending("live.json"))
        let writes = try generation.writes(of: package)
        #expect(writes.map { String(decoding: $0.before, as: UTF8.self) } == ["one", "two"])
        #expect(writes.map { String(decoding: $0.after, as: UTF8.self) } == ["two", "three"])
        #expect(try generation.packages(in: [place.root]) == [package])
    }

    @Test func `a write that did not come to be is done over`() throws {
        let place = try Place()
        let package = try #require(self.package)
        let live = place.root.appending("live.json")
        try place.files.write(Array("one".utf8), to: live)
        let generation = try place.generation()
        try generation.keep(package, at: live, holding: Array("one".utf8), replacedBy: Array("never".utf8))
        try place.replace(package, "two", by: generation)
        let writes = try generation.writes(of: package)
        #expect(writes.map { String(decoding: $0.after, as: UTF8.self) } == ["two"])
    }

    @Test(arguments: ["before.json", "after.zst"]) func `damage of a sealed generation is noticed`(kind: String) throws {
        for damage in ["changed", "gone"] {
            let place = try Place()
            let package = try #require(self.package)
            try place.files.write(Array("one".utf8), to: place.root.appending("live.json"))
            let generation = try place.generation()
            try place.replace(package, "two", by: generation)
            try generation.seal(in: [place.root])
            #expect(try place.generation().writes(of: package).count == 1)
            let folder = place.root.appending(".ferry-backups").appending(generation.name.text).appending("packuments")
            let path = folder.appending("@scope+foo+1.\(kind)")
            if damage == "gone" { _ = try place.files.remove(path) } else { try place.files.replace(path, with: Array("other".utf8)) }
            #expect(throws: GenerationError.damaged(path)) { try place.generation().writes(of: package) }
        }
    }

    @Test func `a file system without links gets copies`() throws {
        let place = try Place()
        let package = try #require(self.package)
        let path = place.root.appending("live.json")
        try place.files.write(Array("one".utf8), to: path)
        let bundle = try #require(Identifier("b-\(String(repeating: "0", count: 20))", .bundle))
        let generation = Generation(
            GenerationName(import: 1, started: Timestamp(nanoseconds: 0), bundle: bundle), layout: StorageLayout(root: place.root),
            owner: Generation.Owner { _, _ in }, files: LinklessFileSystem())
        try place.generation().seal(in: [])
        try generation.keep(package, at: path, holding: Array("one".utf8), replacedBy: Array("two".utf8))
        let file = try #require(FileName("foo-1.0.0.tgz"))
        try generation.keep(StorePath(package, file), at: path)
        try place.files.write(Array("changed in place".utf8), to: path)
        #expect(try generation.writes(of: package).map { String(decoding: $0.before, as: UTF8.self) } == ["one"])
        let kept = place.root.appending(".ferry-backups").appending(generation.name.text).appending("files/@scope+foo/foo-1.0.0.tgz")
        #expect(try place.files.contents(of: kept, limit: 100) == Array("one".utf8))
    }
}

/// The machine's file system without a second name for any file.
private struct LinklessFileSystem: FileSystem {
    private let disk = DiskFileSystem()

    func status(of path: FilePath) throws(FileSystemError) -> FileStatus? { try disk.status(of: path) }
    func contents(of path: FilePath, limit: Int) throws(FileSystemError) -> [UInt8]? { try disk.contents(of: path, limit: limit) }
    func names(in directory: FilePath) throws(FileSystemError) -> [String]? { try disk.names(in: directory) }
    func createDirectory(_ path: FilePath) throws(FileSystemError) -> Bool { try disk.createDirectory(path) }
    func createExclusively(_ path: FilePath) throws(FileSystemError) -> FileIdentity? { try disk.createExclusively(path) }
    func write(_ bytes: [UInt8], to path: FilePath) throws(FileSystemError) { try disk.write(bytes, to: path) }
    func append(_ bytes: UnsafeRawBufferPointer, to path: FilePath) throws(FileSystemError) { try disk.append(bytes, to: path) }
    func truncate(_ path: FilePath, to size: Int64) throws(FileSystemError) { try disk.truncate(path, to: size) }
    func sync(_ path: FilePath) throws(FileSystemError) { try disk.sync(path) }
    func syncDirectory(_ path: FilePath) throws(FileSystemError) { try disk.syncDirectory(path) }
    func syncFileSystem(holding path: FilePath) throws(FileSystemError) { try disk.syncFileSystem(holding: path) }
    func rename(_ path: FilePath, to newPath: FilePath) throws(FileSystemError) { try disk.rename(path, to: newPath) }
    func renameWithoutReplacing(_ path: FilePath, to newPath: FilePath) throws(FileSystemError) -> Bool {
        try disk.renameWithoutReplacing(path, to: newPath)
    }
    func link(_ path: FilePath, to newPath: FilePath) throws(FileSystemError) -> Bool {
        throw FileSystemError("link to \"\(newPath)\" the file", path, .notPermitted)
    }
    func remove(_ path: FilePath) throws(FileSystemError) -> Bool { try disk.remove(path) }
    func setAttributes(of path: FilePath, owner: UInt32, group: UInt32, mode: UInt32) throws(FileSystemError) {
        try disk.setAttributes(of: path, owner: owner, group: group, mode: mode)
    }
}
