import Foundation
import PackageStore
import Platform
import SystemPackage
import Testing

@Suite struct StorageLayoutTests {
    @Test func `an unreadable directory is a finding and stops nothing`() throws {
        let storage = try Storage()
        for name in ["foo", "locked", "@open/bar", "@locked/bar", "sub/locked"] { try storage.put(name) }
        for name in ["locked", "@locked", "sub"] { try storage.setMode(0o000, of: name) }
        defer { for name in ["locked", "@locked", "sub"] { try? storage.setMode(0o755, of: name) } }
        // A listed directory whose entries cannot be looked at.
        try storage.put("@listed/bar")
        try storage.setMode(0o444, of: "@listed")
        defer { try? storage.setMode(0o755, of: "@listed") }
        let found = try withoutPrivileges { try StorageLayout(root: storage.root).discover() }
        #expect(found.packages.map(\.package.text) == ["@open/bar", "foo"])
        #expect(found.findings.map(\.subject) == ["@listed", "@locked", "locked", "sub"])
        #expect(found.findings.allSatisfy { $0.code == .unreadable })
    }

    @Test(arguments: ["", "@scope"])
    func `a directory whose name is not utf-8 is a finding`(inside: String) throws {
        let storage = try Storage()
        try storage.put("@scope/bar")
        try storage.put("foo")
        let parent = storage.root.appending(inside)
        let name = Array(parent.string.utf8CString.dropLast()) + [0x2F, 0x66, CChar(bitPattern: 0xFF), 0]
        _ = name.withUnsafeBufferPointer { mkdir($0.baseAddress!, 0o755) }
        let found = try StorageLayout(root: storage.root).discover()
        #expect(found.packages.count == 2 && found.findings.map(\.code) == [.invalidName])
    }

    @Test func `each configured sub-directory is looked into, whatever its name`() throws {
        let storage = try Storage()
        for path in [
            "plain", "corp", "corp/foo", "@acme/@acme/a", "@acme/b", ".hidden/secret", "deep/down/in/fine", "ok/@z/fine", "@own/c",
        ] {
            try storage.put(path)
        }
        let places = [
            "foo": "corp", "@acme/a": "@acme", "@acme/b": "@acme", "b": "@acme", "secret": ".hidden", "fine": "deep/down/in",
            "@z/fine": "ok", "@own/c": "", "gone": "absent",
        ]
        let layout = StorageLayout(root: storage.root, subdirectories: Set(places.values).sorted()) { places[$0.text] }
        let found = try layout.discover()
        #expect(
            found.packages.map { "\($0.package) \(storage.relative($0.directory))" } == [
                "@acme/a @acme/@acme/a", "@own/c @own/c", "@z/fine ok/@z/fine", "b @acme/b", "corp corp", "fine deep/down/in/fine",
                "foo corp/foo", "plain plain", "secret .hidden/secret",
            ])
        #expect(found.findings == [])
    }

    @Test func `a package that the configuration serves from elsewhere is a finding once`() throws {
        let storage = try Storage()
        try storage.put("corp/foo")
        try storage.put("bar")
        let layout = StorageLayout(root: storage.root, subdirectories: ["corp"]) { $0.text == "bar" ? "corp" : nil }
        let found = try layout.discover()
        #expect(found.packages == [] && found.findings.map(\.code) == [.misplacedPackage, .misplacedPackage])
    }

    @Test func `a configured sub-directory behind a link is not followed`() throws {
        let (storage, elsewhere) = (try Storage(), try Storage())
        try elsewhere.put("in/foo")
        try FileManager.default.createSymbolicLink(
            atPath: storage.root.appending(".linked").string, withDestinationPath: elsewhere.root.string)
        let layout = StorageLayout(root: storage.root, subdirectories: [".linked/in"]) { _ in ".linked/in" }
        let found = try layout.discover()
        #expect(found.packages == [] && found.findings.map(\.code) == [.symbolicLink])
    }
}

/// Runs a body as a user whom permission bits bind; Swift's Glibc leaves setfsuid(2) out.
private func withoutPrivileges<Result>(_ body: () throws -> Result) rethrows -> Result {
    let setUser = unsafeBitCast(dlsym(nil, "setfsuid"), to: (@convention(c) (uid_t) -> Int32).self)
    _ = setUser(geteuid() == 0 ? 65534 : geteuid())
    defer { _ = setUser(geteuid()) }
    return try body()
}

/// A storage in a temporary directory.
private final class Storage {
    let root: FilePath
    private let files = DiskFileSystem()

    init() throws {
        root = FilePath(FileManager.default.temporaryDirectory.path).appending("ferry-storage-\(UUID().uuidString)")
        try files.createDirectories(root)
    }

    deinit { try? files.removeTree(root) }

    /// Makes a directory that counts as a package.
    func put(_ path: String) throws {
        try files.createDirectories(root.appending(path))
        try files.write(Array("{}".utf8), to: root.appending(path).appending("package.json"))
    }

    func setMode(_ mode: UInt32, of path: String) throws {
        try files.setAttributes(of: root.appending(path), owner: UInt32.max, group: UInt32.max, mode: mode)
    }

    func relative(_ path: FilePath) -> String { String(path.string.dropFirst(root.string.count + 1)) }
}
