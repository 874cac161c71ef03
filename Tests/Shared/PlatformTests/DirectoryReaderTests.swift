import Foundation
import Glibc
import Platform
import SystemPackage
import Testing

@Suite struct DirectoryReaderTests {
    @Test func `names come with the kind of what stands there, sorted by their bytes`() throws {
        let files = DiskFileSystem()
        let root = FilePath(FileManager.default.temporaryDirectory.path).appending("ferry-directory-\(UUID().uuidString)")
        try files.createDirectories(root.appending("folder"))
        defer { try? files.removeTree(root) }
        try files.write([1], to: root.appending("file"))
        try #require(symlink("folder", root.appending("link").string) == 0)
        try #require(root.appending("pipe").withPlatformString { mkfifo($0, 0o600) } == 0)
        let garbled = Array(root.appending("x").string.utf8).dropLast().map { CChar(bitPattern: $0) } + [CChar(bitPattern: 0xFF), 0]
        try #require(garbled.withUnsafeBufferPointer { $0.baseAddress.map { mkdir($0, 0o755) } } == 0)
        let reader = try #require(try DirectoryReader(opening: root))
        let kinds = try reader.kinds()
        #expect(kinds.map(\.name) == ["file", "folder", "link", "pipe", "\u{FFFD}"])
        #expect(kinds.map(\.kind) == [.file, .directory, .symbolicLink, .other, nil])
        #expect(try reader.names() == kinds.map(\.name))
        for (name, kind) in kinds { #expect(try reader.status(of: name)?.kind == kind) }
    }
}
