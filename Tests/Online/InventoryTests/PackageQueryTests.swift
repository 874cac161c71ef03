import Catalog
import PackageStore
import Platform
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
    func `a page is read from an index in its order`(order: PackageQuery.Order, isDescending: Bool) throws {
        var query = PackageQuery()
        query.order = order
        query.isDescending = isDescending
        let plan = try world().catalog.plan(of: query)
        #expect(plan.count == 1 && plan.allSatisfy { $0.contains("USING INDEX package_by_") }, "\(plan)")
    }

    @Test(arguments: ["re", "react"])
    func `a search looks at no package that it does not find`(typed: String) throws {
        var query = PackageQuery()
        query.search = typed
        let plan = try world().catalog.plan(of: query)
        #expect(
            !plan.contains { $0.contains("SCAN package") && !$0.contains("VIRTUAL TABLE") && !$0.contains("USING INDEX package_by_name") })
    }

    @Test func `more than a thousand are never given at once`() throws {
        let world = try world()
        #expect(try world.search("", limit: 1_000_000).count == Self.names.count)
        #expect(try world.search("", limit: -1).isEmpty)
    }
}
