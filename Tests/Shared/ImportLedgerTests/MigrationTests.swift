import Foundation
import ImportLedger
import PackageStore
import Platform
import Snapshots
import SystemPackage
import Testing

/// A ledger that an older version has written is brought up to date, with all that it knew; each released version stays here for ever.
@Suite struct MigrationTests {
    private func opened(_ name: String, _ body: (Ledger) throws -> Void) throws {
        let fixture = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
            .appending("Fixtures").appending(name)
        let root = FilePath(FileManager.default.temporaryDirectory.path).appending("ferry-ledger-\(UUID().uuidString)")
        defer { try? DiskFileSystem().removeTree(root) }
        try DiskFileSystem().createDirectories(root)
        let path = root.appending("ledger.sqlite")
        try FileManager.default.copyItem(atPath: fixture.string, toPath: path.string)
        // Twice: what was brought up to date is opened as well.
        for _ in 0..<2 { try body(Ledger(opening: path)) }
    }

    @Test func `version 1 keeps its imports, deliveries and forms, and its imports cannot be undone`() throws {
        try opened("ledger-1.sqlite") { ledger in
            #expect(try ledger.destination()?.text == "d-a3yrgweabjttywnwe7t3")
            let record = try #require(try ledger.imports().first)
            #expect(record.id == 1 && record.kind == .import && record.state == .applied && record.outcomes == ["added": 3])
            let package = try #require(PackageName("ferry-example-greet"))
            let view = try #require(try ledger.views(of: [package], origin: record.origin)[package])
            #expect(view.deliveries.map(\.outcome) == [.added, .added] && view.form != nil)
            #expect(try ledger.form(of: package, origin: record.origin) != nil)
            #expect(try ledger.generations().isEmpty)
        }
    }
}
