import Catalog
import Integrity
import PackageStore
import Platform
import Snapshots
import Synchronization
import SystemPackage
import Testing

/// What the catalog says where its disk is full.
@Suite struct CatalogTests {
    @Test func `a catalog is not opened on a full disk, and nothing is left there`() throws {
        let world = try World()
        let path = world.root.appending("full/data.sqlite")
        try world.files.createDirectories(path.removingLastComponent())
        #expect(throws: CatalogError.noSpace(path)) { try Catalog(opening: path, freeBytes: { _ in 1 << 20 }) }
        #expect(try world.files.names(in: path.removingLastComponent()) == [])
    }

    @Test func `a change that the disk has no room for is refused before it begins`() throws {
        let world = try World()
        let free = Mutex<Int64>(1 << 30)
        let path = world.root.appending("full/data.sqlite")
        try world.files.createDirectories(path.removingLastComponent())
        let catalog = try Catalog(opening: path, freeBytes: { _ in free.withLock { $0 } })
        #expect(try catalog.takeSequence() == 1)
        free.withLock { $0 = 1 << 20 }
        #expect(throws: CatalogError.noSpace(path)) { try catalog.takeSequence() }
        // Room for the reserve is not room for the reserve and a record.
        free.withLock { $0 = FileSystemSpace.reserve + 100 }
        try world.put("foo", ["1.0.0": "foo one"])
        try world.snapshot()
        let name = try #require(PackageName("foo"))
        let record = try #require(try world.catalog.records(from: name, through: name)[name])
        #expect(throws: CatalogError.noSpace(path)) { try catalog.keep([(name, record)]) }
        #expect(try catalog.records(from: name, through: name) == [:])
        free.withLock { $0 = 1 << 30 }
        try catalog.keep([(name, record)])
        #expect(try catalog.records(from: name, through: name) == [name: record] && catalog.takeSequence() == 2)
    }
}
