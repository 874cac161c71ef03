import Catalog
import Databases
import Foundation
import GRDB
import ImportLedger
import Jobs
import PackageStore
import Platform
import Snapshots
import SystemPackage
import Testing

/// Every form that a database has had is brought up to date for ever.
///
/// Each file of `Tests/Fixtures/databases` is a database of one form, with a row of each kind. Whoever gives a database a new form adds its
/// file, and never changes another.
@Suite struct DatabaseTests {
    /// A database of a state directory.
    enum Kind: String, CaseIterable {
        case catalog, jobs, ledger

        var file: String {
            switch self {
            case .catalog: "data.sqlite"
            case .jobs: "jobs.sqlite"
            case .ledger: "ledger.sqlite"
            }
        }

        /// The form that this program brings it to.
        var newest: String {
            switch self {
            case .catalog: Catalog.form
            case .jobs: JobStore.form
            case .ledger: Ledger.form
            }
        }

        /// Opens it as the programs do, and closes it again.
        func open(in state: FilePath) throws {
            switch self {
            case .catalog: _ = try Catalog(opening: state.appending(file))
            case .jobs: _ = try JobStore(state: state)
            case .ledger: _ = try Ledger(opening: state.appending(file))
            }
        }
    }

    /// A state directory, gone with this value.
    private final class State {
        let path = FilePath(FileManager.default.temporaryDirectory.path).appending("ferry-forms-\(UUID().uuidString)")

        init() throws { try DiskFileSystem().createDirectories(path) }

        deinit { try? DiskFileSystem().removeTree(path) }

        /// Puts a database there as it was in a form.
        func put(_ kind: Kind, form: Int) throws {
            let text = try #require(
                try DiskFileSystem().contents(of: DatabaseTests.fixtures.appending("\(kind.rawValue)-\(form).sql"), limit: 1 << 20))
            try execute(String(decoding: text, as: UTF8.self), on: kind)
        }

        func execute(_ sql: String, on kind: Kind) throws {
            try DatabaseQueue(path: path.appending(kind.file).string).write { try $0.execute(sql: sql) }
        }

        /// All that a database is made of, whatever its layout; a table that statements have changed may read otherwise.
        func schema(of kind: Kind) throws -> [String] {
            let rows = try DatabaseQueue(path: path.appending(kind.file).string).read {
                try String.fetchAll($0, sql: "SELECT type || ' ' || name || ' ' || ifnull(sql, '') FROM sqlite_master ORDER BY type, name")
            }
            return rows.map { $0.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
        }
    }

    fileprivate static let fixtures = FilePath(#filePath).removingLastComponent().removingLastComponent().appending("Fixtures/databases")

    /// Every form of every database that there is a file of.
    static let forms: [(kind: Kind, form: Int)] = Kind.allCases.flatMap { kind in
        (1...(Int(kind.newest) ?? 0)).map { (kind, $0) }
    }

    @Test func `every form has its file, and every file is tested`() throws {
        let names = try #require(try DiskFileSystem().names(in: Self.fixtures))
        #expect(Set(names) == Set(Self.forms.map { "\($0.kind.rawValue)-\($0.form).sql" }))
    }

    @Test(arguments: forms)
    func `a database of any form becomes what a new one is`(kind: Kind, form: Int) throws {
        let (old, new) = (try State(), try State())
        try old.put(kind, form: form)
        try kind.open(in: old.path)
        try kind.open(in: new.path)
        #expect(try old.schema(of: kind) == new.schema(of: kind))
    }

    @Test(arguments: forms.filter { $0.kind == .catalog }.map(\.form))
    func `a catalog of any form keeps all that it holds`(form: Int) throws {
        let state = try State()
        try state.put(.catalog, form: form)
        let catalog = try Catalog(opening: state.path.appending("data.sqlite"))
        let name = try #require(PackageName("@corp/tool"))
        #expect(try catalog.origin { [] }.text == "o-0123456789abcdefghjk")
        let bundle = try #require(try catalog.bundles().first)
        #expect(bundle.label == "diff-202611190000" && bundle.sequence == 7)
        if form >= 2 { #expect(try catalog.upstream(of: name)?.url == "https://registry.example/@corp%2ftool") }
        if form >= 3 { #expect(try catalog.wants().map(\.spec).sorted() == ["left-pad", "react@18"]) }
        if form >= 4 {
            let package = try #require(try catalog.package(name))
            #expect(package.versions.map(\.version) == ["1.0.0"])
            #expect(try catalog.brokenArchives().map(\.path.description) == ["@corp/tool/tool-1.0.0.tgz"])
        }
        if form >= 5 { #expect(try catalog.measurements(since: Timestamp(nanoseconds: 0)).map(\.storage?.bytes) == [1000]) }
        if form >= 10 {
            let destination = try #require(try catalog.knownDestinations().first)
            #expect(destination.name == "Plant 7" && destination.confirmed != nil && destination.quietDays == 30)
            #expect(try catalog.lastReceipt(of: destination.id)?.record.sequence == 7)
            #expect(try catalog.requests().map(\.items) == [1] && catalog.exports().map(\.medium) == ["STICK"])
        }
        // The states go on above the sequences that bundles had.
        let header = SnapshotHeader(
            id: try #require(SnapshotID("20261119T000000Z")), counter: 1, origin: try catalog.origin { [] }, created: bundle.created,
            isSettled: true, stateRoot: bundle.targetRoot, counts: ContentCounts(), findings: 0)
        #expect(try catalog.sequence(of: header) == 8)
    }

    @Test func `a record of jobs keeps all that it holds`() throws {
        let state = try State()
        try state.put(.jobs, form: 1)
        let job = try #require(try JobStore(state: state.path).job(3))
        #expect(job.kind == .deltaRefresh && job.state == .succeeded && job.exitCode == 0)
    }

    @Test(arguments: forms.filter { $0.kind == .ledger }.map(\.form))
    func `a ledger of any form keeps all that it holds, and its chain holds`(form: Int) throws {
        let state = try State()
        try state.put(.ledger, form: form)
        let ledger = try Ledger(opening: state.path.appending("ledger.sqlite"))
        #expect(try ledger.destination()?.text == "d-0123456789abcdefghjk")
        #expect(try ledger.imports().count == form)
        let audit = try ledger.audit()
        #expect(audit.entries == form && audit.findings == [])
        let name = try #require(PackageName("@corp/tool"))
        #expect(try ledger.events(of: name, version: nil).map(\.record.id) == Array(1...Int64(form)))
    }

    /// A program that is older than its database must not touch it: it would not keep what it does not know.
    @Test(arguments: Kind.allCases)
    func `a database of a newer program is refused by name, and stays as it is`(kind: Kind) throws {
        let state = try State()
        try kind.open(in: state.path)
        try state.execute("CREATE TABLE of_tomorrow (x); INSERT INTO grdb_migrations VALUES ('98'), ('99')", on: kind)
        let before = try state.schema(of: kind)
        let path = state.path.appending(kind.file)
        #expect(throws: DatabaseFileError.newer(path, form: "99", known: kind.newest)) { try kind.open(in: state.path) }
        #expect(try state.schema(of: kind) == before)
    }
}
