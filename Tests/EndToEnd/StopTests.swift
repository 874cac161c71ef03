import BundleFormat
import ImportLedger
import ImportPipeline
import PackageStore
import Platform
import Snapshots
import Synchronization
import SystemPackage
import Testing

/// An import that is told to end, at every moment at which it asks.
@Suite struct StopTests {
    @Test(arguments: [1, 2])
    func `an import that is told to end leaves no lock, and the same import completes the work`(width: Int) throws {
        let world = try World()
        for name in ["bar", "baz", "foo"] { try world.put(name, ["1.0.0": "\(name) one"]) }
        let first = try world.snapshot()
        let full = try world.bundle()
        for name in ["bar", "baz", "foo"] { try world.put(name, ["1.0.0": "\(name) one", "1.1.0": "\(name) two"]) }
        try world.put("new", ["1.0.0": "new one"])
        try world.snapshot()
        let bundle = try world.bundle(from: first.header.id)
        try world.run(full)
        let before = try world.contents()

        var stops = (before: 0, within: 0)
        var ending = 1
        while true {
            let asked = Atomic(0)
            var options = ImportPipeline.Options.oneAtATime
            options.width = width
            let pipeline = ImportPipeline(
                layout: StorageLayout(root: world.isolated), state: world.root.appending("offline-state"), ledger: world.ledger,
                trust: world.trust, destination: world.destination, options: options,
                isToEnd: { [ending] in asked.wrappingAdd(1, ordering: .relaxed).newValue >= ending })
            do {
                _ = try pipeline.run(ArchiveSource(volumes: [bundle]), operatorName: "tester", sourceName: "test")
                break
            } catch let stopped as ImportPipeline.Stopped {
                if stopped.hasBegun { stops.within += 1 } else { stops.before += 1 }
                if !stopped.hasBegun { #expect(try world.contents() == before, "ended at \(ending)") }
            }
            try world.expectServable()
            #expect(try world.contents().keys.filter { $0.hasSuffix(".lock") } == [], "ended at \(ending)")
            ending += 1
        }
        // Once for each package's plan and each file, then for packages, of which none is applied twice.
        #expect(stops.before >= 8 && stops.within >= 4, "\(stops)")
        #expect(try world.ledger.openImport() == nil)
        #expect(try world.run(bundle).result == .nothingToDo)
        try world.expectServable()
    }
}
