import Catalog
import Foundation
import Integrity
import PackageStore
import Platform
import SystemPackage
import Testing

/// Search, order and pages of the list of packages.
@Suite struct PackageQueryTests {
    private static let names = ["react", "react-dom", "@types/react", "preact", "ReactNative", "left-pad", "@re/x", "a", "@a/b_c"]

    private func world() throws -> StorageWorld {
        let world = try StorageWorld()
        for (number, name) in Self.names.enumerated() {
            try world.put(name, (0...number).map { "1.0.\($0)" }, tags: ["latest": "1.0.\(number)"])
        }
        try world.scan()
        return world
    }

    @Test(arguments: [
        ("", ["@a/b_c", "@re/x", "@types/react", "a", "left-pad", "preact", "react", "react-dom", "ReactNative"]),
        ("react", ["@types/react", "preact", "react", "react-dom", "ReactNative"]), ("REACT-", ["react-dom"]),
        ("re", ["@types/react", "react", "react-dom", "ReactNative"]), ("@r", ["@re/x"]), ("a", ["a"]), ("b_", ["@a/b_c"]),
        ("types/", ["@types/react"]), ("%", []), ("_", []), ("\"", []), ("\"\"\"", []), ("act-dom", ["react-dom"]), ("rea*", []),
        ("nothing", []), ("t-p", ["left-pad"]),
    ])
    func `typing finds parts of names, and with one or two characters beginnings`(typed: String, found: [String]) throws {
        #expect(try world().search(typed) == found)
    }

    @Test func `pages follow each other without a gap, whatever they are sorted by`() throws {
        let world = try world()
        for order in PackageQuery.Order.allCases {
            for isDescending in [false, true] {
                let whole = try world.search("", by: order, isDescending: isDescending)
                let pages = try (0..<5).flatMap { try world.search("", by: order, isDescending: isDescending, limit: 2, offset: $0 * 2) }
                #expect(pages == whole && Set(whole) == Set(Self.names))
            }
        }
        #expect(try world.search("", by: .cached, isDescending: true).first == "@a/b_c")
        #expect(try world.search("", by: .known).first == "react")
    }

    @Test(arguments: PackageQuery.Order.allCases, [false, true])
    func `a page is found in an index in its order, whatever is filtered by, and only its rows are read`(
        order: PackageQuery.Order, isDescending: Bool
    ) throws {
        let world = try world()
        for source in [nil, PackageSource.local] {
            for isDamaged in [nil, true, false] {
                var query = PackageQuery()
                query.order = order
                query.isDescending = isDescending
                query.source = source
                query.isDamaged = isDamaged
                let plan = try world.catalog.plan(of: query)
                let lookups = plan.filter { $0.hasPrefix("SCAN") || $0.hasPrefix("SEARCH") }
                #expect(lookups.count == 2 && lookups[0].contains("INTEGER PRIMARY KEY"), "\(plan)")
                #expect(lookups.last?.contains("USING COVERING INDEX package_in_order_of_") == true, "\(plan)")
                // Sorting is of the page alone.
                let sorts = plan.indices.filter { plan[$0].contains("TEMP B-TREE") }
                #expect(sorts.allSatisfy { $0 == plan.endIndex - 1 }, "\(plan)")
            }
        }
    }

    @Test func `packages are filtered by source and damage, and counted`() throws {
        let world = try world()
        try world.put("@own/one", [], local: ["1.0.0"])
        try world.scan()
        func found(_ source: PackageSource?, _ isDamaged: Bool?, _ search: String = "") throws -> (names: [String], total: Int) {
            var query = PackageQuery()
            (query.source, query.isDamaged, query.search) = (source, isDamaged, search)
            let page = try world.catalog.packages(query)
            return (page.elements.map(\.name), page.total)
        }
        let candidate = try #require(try world.catalog.checkCandidates(after: .start, all: true, limit: 1).first)
        let proof = TarballProof(sha512: .ofNothing, sha1: nil, size: candidate.identity.size)
        try world.catalog.keep([CheckResult(candidate: candidate, proof: proof, damage: Damage(.truncated, "it ends"))], at: world.now)
        let damaged = candidate.path.package.text
        #expect(try found(.local, nil) == (["@own/one"], 1))
        #expect(try found(.proxied, nil).total == Self.names.count)
        #expect(try found(nil, true) == ([damaged], 1))
        #expect(try found(.proxied, true) == ([damaged], 1))
        #expect(try found(.local, true) == ([], 0))
        #expect(try found(nil, false).names.sorted() == (Self.names + ["@own/one"]).filter { $0 != damaged }.sorted())
        #expect(try found(.proxied, false).total == Self.names.count - 1)
        #expect(try found(.local, nil, "react") == ([], 0))
        #expect(try found(.proxied, nil, "re").total == 4)
        #expect(try found(.local, false, "one") == (["@own/one"], 1))
    }

    @Test(arguments: ["re", "react"], [nil, PackageSource.proxied])
    func `what has left the storage is neither found nor counted, on no page`(typed: String, source: PackageSource?) throws {
        let world = try world()
        var query = PackageQuery()
        (query.search, query.source) = (typed, source)
        let before = try world.catalog.packages(query)
        #expect(before.total == before.elements.count && before.total > 1)
        try world.files.removeTree(world.storage.appending("react"))
        try world.scan()
        for (limit, offset) in [(50, 0), (1, 0), (1, 1), (50, 100), (0, 0)] {
            (query.limit, query.offset) = (limit, offset)
            let page = try world.catalog.packages(query)
            #expect(page.total == before.total - 1 && !page.elements.contains { $0.name == "react" }, "\(limit) \(offset)")
        }
    }

    @Test(arguments: ["re", "react"])
    func `a search looks at no package that it does not find`(typed: String) throws {
        var query = PackageQuery()
        query.search = typed
        let plan = try world().catalog.plan(of: query)
        #expect(
            !plan.contains { $0.contains("SCAN package") && !$0.contains("VIRTUAL TABLE") && !$0.contains("package_in_order_of_folded") })
    }

    @Test(arguments: ["", "re", "react", "@a", "/x", "b_", "act-dom", "TYPES/", "\"", "ft-padpre", "\0\0\0"])
    func `packages that are held are found, filtered and sorted as SQLite does it`(typed: String) throws {
        let world = try world()
        try world.put("@own/react-too", [], local: ["1.0.0"])
        try world.scan()
        try world.files.removeTree(world.storage.appending("preact"))
        try world.scan()
        let candidate = try #require(try world.catalog.checkCandidates(after: .start, all: true, limit: 1).first)
        let proof = TarballProof(sha512: .ofNothing, sha1: nil, size: candidate.identity.size)
        try world.catalog.keep([CheckResult(candidate: candidate, proof: proof, damage: Damage(.truncated, "it ends"))], at: world.now)
        let plain = try Catalog(opening: world.root.appending("data.sqlite"), packagesHeld: 0)
        _ = try (0..<2).map { _ in try world.catalog.packages(PackageQuery()) }
        var query = PackageQuery()
        query.search = typed
        for source in [nil, PackageSource.local, .proxied] {
            for isDamaged in [nil, true, false] {
                (query.source, query.isDamaged) = (source, isDamaged)
                for order in PackageQuery.Order.allCases {
                    for isDescending in [false, true] {
                        (query.order, query.isDescending) = (order, isDescending)
                        for (limit, offset) in [(50, 0), (2, 3), (1, 100)] {
                            (query.limit, query.offset) = (limit, offset)
                            let (held, wanted) = (try world.catalog.packages(query), try plain.packages(query))
                            #expect(held.elements == wanted.elements && held.total == wanted.total, "\(query)")
                        }
                    }
                }
            }
        }
        #expect(world.catalog.rostersMade == 1 && plain.rostersMade == 0)
    }

    @Test func `what another process changes is seen at once, and what is held is made again only for those who ask twice`() throws {
        let world = try world()
        let reader = try Catalog(opening: world.root.appending("data.sqlite"))
        var query = PackageQuery()
        query.search = "react"
        func names() throws -> [String] { try reader.packages(query).elements.map(\.name) }
        // Held before anybody asks, it is not made for those who do.
        try reader.holdPackages()
        #expect(reader.rostersMade == 1)
        for _ in 0..<3 { #expect(try names().count == 5) }
        #expect(reader.rostersMade == 1)
        try world.put("react-new", ["1.0.0"])
        try world.scan()
        for _ in 0..<3 { #expect(try names().contains("react-new")) }
        #expect(reader.rostersMade == 2)
        try world.files.removeTree(world.storage.appending("react-new"))
        try world.scan()
        #expect(try !names().contains("react-new"))
        // A look that finds nothing new changes nothing that is held.
        for _ in 0..<2 { _ = try names() }
        try world.scan()
        for _ in 0..<3 { #expect(try !names().contains("react-new")) }
        #expect(reader.rostersMade == 3)
    }

    @Test(arguments: ["source", "broken", "latest", "known", "cached", "bytes", "published", "first_seen", "changed", "gone"])
    func `no column that lists go by changes behind the back of what is held`(column: String) throws {
        let world = try world()
        for _ in 0..<2 { _ = try world.catalog.packages(PackageQuery()) }
        let made = world.catalog.rostersMade
        let program = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.executescript(sys.argv[2]); c.close()"
        let change = "UPDATE package SET \(column) = \(column) WHERE name = 'react'"
        let python = try Process.run(
            URL(fileURLWithPath: "/usr/bin/python3"), arguments: ["-c", program, world.root.appending("data.sqlite").string, change])
        python.waitUntilExit()
        #expect(python.terminationStatus == 0)
        for _ in 0..<2 { _ = try world.catalog.packages(PackageQuery()) }
        #expect(world.catalog.rostersMade == made + 1)
    }

    @Test func `more than a thousand are never given at once`() throws {
        let world = try world()
        #expect(try world.search("", limit: 1_000_000).count == Self.names.count)
        #expect(try world.search("", limit: -1).isEmpty)
    }
}
