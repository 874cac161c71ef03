import BundleFormat
import CanonicalJSON
import Foundation
import ImportLedger
import ImportPipeline
import PackageStore
import Platform
import Reports
import Snapshots
import SystemPackage
import Testing

/// The ledger tells what was done, and when somebody has changed what it tells.
@Suite struct LedgerTests {
    /// An import, one with a conflict, one of whose files was healed, and a rollback.
    private func prepared() throws -> World {
        let world = try World()
        try world.put("foo", ["1.0.0": "foo one"])
        try world.snapshot()
        try world.run(world.bundle())
        try world.put("foo", ["1.0.0": "foo one", "1.1.0": "published inside"], in: world.isolated)
        try world.put("foo", ["1.0.0": "foo one", "1.1.0": "foo two", "1.2.0": "foo <three>"])
        try world.snapshot()
        try world.run(world.bundle())
        try world.rollBack(2)
        try world.run(world.bundle())
        return world
    }

    /// Runs SQL over the ledger as somebody would who wants to hide something; the program that does it is not ours.
    private func tamper(_ world: World, _ sql: String) throws -> LedgerAudit {
        let path = world.root.appending("tampered-\(UUID().uuidString).sqlite")
        let original = world.root.appending("offline-state/ledger.sqlite")
        for script in ["VACUUM INTO '\(path)'"] { try run(original, script) }
        try run(path, sql)
        return try Ledger(opening: path).audit()
    }

    private func run(_ path: FilePath, _ sql: String) throws {
        let script = "import sqlite3, sys\ndb = sqlite3.connect(sys.argv[1], isolation_level=None)\ndb.executescript(sys.argv[2])"
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", script, path.string, sql]
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }

    @Test func `a ledger that nobody changed is as it was written`() throws {
        let world = try prepared()
        let audit = try world.ledger.audit()
        #expect(audit.entries == 4 && audit.findings.isEmpty)
        #expect(try audit.head == world.ledger.imports().first?.digest)
        #expect(try tamper(world, "SELECT 1") == audit)
    }

    @Test(arguments: [
        "UPDATE import SET operator = 'somebody else' WHERE id = 1", "UPDATE import SET started = '2020-01-01T00:00:00.000Z' WHERE id = 4",
        "UPDATE import SET keys = '' WHERE id = 2", "UPDATE import SET details = '{}' WHERE id = 1",
        "UPDATE import SET state = 'applied' WHERE id = 2", "UPDATE import SET undoes = 1 WHERE id = 3",
        "DELETE FROM change WHERE import = 1", "UPDATE change SET outcome = 'held' WHERE import = 2 AND file = 'foo-1.2.0.tgz'",
        "UPDATE change SET version = '9.9.9' WHERE import = 1", "UPDATE import SET chained = 9 WHERE id = 4",
        "DELETE FROM change WHERE import = 2; DELETE FROM generation WHERE import = 2; DELETE FROM import WHERE id = 2",
        """
        INSERT INTO import (bundle, label, origin, sequence, target_root, started, finished, state, keys, operator, source, outcomes, previous)
        SELECT bundle, label, origin, 99, target_root, started, finished, 'applied', keys, operator, source, outcomes, '' FROM import WHERE id = 1
        """,
    ])
    func `what was changed, put in or taken out is found`(sql: String) throws {
        #expect(try !tamper(prepared(), sql).findings.isEmpty)
    }

    @Test func `entries taken from the end show by the last digest`() throws {
        let world = try prepared()
        let head = try world.ledger.audit().head
        let audit = try tamper(
            world,
            """
            PRAGMA foreign_keys = OFF; DELETE FROM change WHERE import = 4; DELETE FROM delivery WHERE import = 4;
            DELETE FROM replaced_form WHERE import = 4; DELETE FROM form WHERE import = 4; DELETE FROM generation WHERE import = 4;
            DELETE FROM import WHERE id = 4
            """)
        #expect(audit.findings.isEmpty && audit.head != head)
    }

    @Test func `when a version came in, and from which bundle, is told`() throws {
        let world = try prepared()
        let foo = try #require(PackageName("foo"))
        let events = try world.ledger.events(of: foo, version: PackageVersion("1.2.0"))
        #expect(events.map { $0.record.id } == [2, 3, 4])
        #expect(events.map { $0.change.outcome } == [.added, .undone, .added])
        #expect(events.map { $0.record.undoes } == [nil, 2, nil])
        #expect(try world.ledger.events(of: foo, version: PackageVersion("7.0.0")).isEmpty)
        #expect(try world.ledger.events(of: foo, version: nil).count > 4)
    }

    @Test(arguments: Phrases.Language.allCases)
    func `a report is one page that holds everything and runs nothing`(language: Phrases.Language) throws {
        let world = try prepared()
        let report = try ImportReport(2, of: world.ledger)
        let text = HTMLReport(report, Phrases(language)).text()
        for word in ["foo", "1.2.0", "1.1.0", world.origin.text, report.record.bundle.text, report.record.digest ?? "?"] {
            #expect(text.contains(word), "\(word)")
        }
        #expect(text.contains(language == .ru ? "отклонено" : "refused") && text.contains("lang=\"\(language.rawValue)\""))
        for word in ["<script", "http://", "https://", "src=", "url("] { #expect(!text.contains(word), "\(word)") }
    }

    @Test func `a report of very many files stays small, and says where the rest is`() throws {
        let world = try World()
        let versions = Dictionary(uniqueKeysWithValues: (0..<1200).map { ("1.0.\($0)", "\($0)") })
        try world.put("foo", versions)
        try world.snapshot()
        try world.run(world.bundle())
        let text = HTMLReport(try ImportReport(1, of: world.ledger), Phrases(.en)).text()
        #expect(text.contains("1200") && text.contains("And so many more, which are listed by 200: ferry-offline show 1 --csv"))
        #expect(text.split(separator: "<tr>").count < 1100)
    }

    @Test func `names in a report are text, whatever they hold`() throws {
        let world = try World()
        try world.put("foo", ["1.0.0": "foo one"])
        try world.snapshot()
        let archive = try world.bundle()
        _ = try world.pipeline().run(
            ArchiveSource(volumes: [archive]), operatorName: "<script>alert(1)</script>", sourceName: "a\"b'&\u{1B}[31m",
            details: JSONObject(uniqueMembers: [(name: "host", value: "<b>host</b>")]))
        let text = HTMLReport(try ImportReport(1, of: world.ledger), Phrases(.en)).text()
        #expect(text.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && text.contains("a&quot;b&#39;&amp;\u{FFFD}[31m"))
        #expect(text.contains("&lt;b&gt;host") && !text.contains("<script") && !text.contains("<b>"))
    }
}
