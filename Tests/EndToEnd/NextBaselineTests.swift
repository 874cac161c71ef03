import BundleFormat
import Catalog
import Destinations
import Integrity
import PackageStore
import Platform
import Replies
import Snapshots
import Testing
import Upkeep

/// What the next bundle for a destination starts from, and what therefore must stay.
@Suite struct NextBaselineTests {
    private func known(_ world: World, _ baseline: DestinationRecord.BaselinePolicy = .acknowledged) throws -> DestinationRecord {
        let record = DestinationRecord(
            id: world.destination, name: "Plant 7", key: world.key.publicKey, firstSeen: WallClock.system.now(),
            confirmed: WallClock.system.now(), baseline: baseline)
        try world.catalog.keep(record)
        return record
    }

    private func next(_ world: World, _ record: DestinationRecord) throws -> (snapshot: SnapshotID?, lacking: Int) {
        let next = try NextBaseline(for: record, catalog: world.catalog, snapshots: world.snapshots)
        return (next.snapshot?.header.id, next.lacking.count)
    }

    private func ground(_ world: World, _ record: DestinationRecord) throws -> String {
        let next = try NextBaseline(for: record, catalog: world.catalog, snapshots: world.snapshots)
        return "\(next.ground.rawValue) \(next.sequence ?? 0): \(next.reason)"
    }

    /// States of the origin, each with one package more.
    private func states(_ world: World, _ count: Int) throws -> [SnapshotHeader] {
        try (1...count).map { number in
            try world.put("p\(number)", ["1.0.0": "\(number)"])
            return try world.snapshot().header
        }
    }

    private func acknowledge(
        _ world: World, _ header: SnapshotHeader, missing: [String] = [], counter: Int64 = 1, key: MinisignSecretKey? = nil
    ) throws -> Correspondence.Outcome {
        let receipt = Receipt(
            destination: world.destination, origin: world.origin, counter: counter, created: WallClock.system.now(),
            applied: Receipt.Applied(
                bundle: Identifier(.bundle, random: randomBytes(20)), sequence: try world.catalog.sequence(of: header),
                targetRoot: header.stateRoot),
            imports: [], missing: try missing.map { FileReference(try #require(StorePath($0)), .ofNothing) }, refused: [])
        let correspondence = Correspondence(catalog: world.catalog, snapshots: world.snapshots, origin: world.origin)
        return try correspondence.take(SignedReply(receipt, by: key ?? world.key), from: .receipts)
    }

    @Test func `before anything came back the bundle is a full one, then it starts from what was acknowledged`() throws {
        let world = try World()
        let states = try states(world, 3)
        let record = try known(world)
        #expect(try next(world, record) == (nil, 0))
        #expect(try ground(world, record) == "no-receipt 0: nothing has come back from Plant 7 yet")
        _ = try acknowledge(world, states[1], missing: ["p1/package.json"])
        #expect(try next(world, record) == (states[1].id, 1))
        #expect(try ground(world, record) == "acknowledged 2: Plant 7 has state #2 without one file, which is carried again")
        // Prune keeps it, and no longer what nobody builds upon.
        try world.keepBundle(destination: .only(world.destination))
        let needed = Retention.needed(
            snapshots: states, bundles: try world.catalog.bundles(),
            acknowledged: try [#require(world.catalog.receipts(of: world.destination).first)])
        #expect(Set(needed.keys) == [states[1].id, states[2].id])
        // A state that is gone is no baseline.
        try world.files.removeTree(world.snapshots.manifest(of: states[1].id))
        #expect(try next(world, record) == (nil, 0))
        #expect(try ground(world, record) == "acknowledged-gone 2: the state that Plant 7 has, #2, is not kept any more")
    }

    @Test func `where nothing comes back, the third-last bundle on a medium is taken for applied`() throws {
        let world = try World()
        let record = try known(world, .assumeApplied)
        var bundles: [BundleRecord] = []
        for number in 1...5 {
            try world.put("p\(number)", ["1.0.0": "\(number)"])
            try world.snapshot()
            bundles.append(try world.keepBundle(destination: number == 2 ? .any : .only(world.destination)))
        }
        let moment = WallClock.system.now()
        for (count, bundle) in bundles.prefix(4).enumerated() {
            #expect(try next(world, record).snapshot == (count < 3 ? nil : bundles[count - 3].target))
            // Twice on media is once.
            for _ in 1...2 { try world.catalog.noteExport(ExportRecord(bundle: bundle.id, medium: "stick", written: moment)) }
        }
        #expect(try next(world, record).snapshot == bundles[1].target)
        let sequence = bundles[1].sequence
        let words = "Plant 7 is assumed to have state #\(sequence), of its third-last bundle on a medium"
        #expect(try ground(world, record) == "assumed \(sequence): \(words)")
        // What a receipt says of a later state counts more.
        let header = try #require(try world.snapshots.open(bundles[3].target)).header
        _ = try acknowledge(world, header)
        #expect(try next(world, record).snapshot == bundles[3].target)
    }

    @Test func `what is to travel is the newest bundle that each destination has not acknowledged`() throws {
        let world = try World()
        func outgoing(besides here: Set<Identifier> = []) throws -> [Identifier] {
            try outgoingBundles(world.catalog, besides: here, now: WallClock.system.now()).map(\.id)
        }
        var states = try states(world, 1)
        let anybody = try world.keepBundle()
        #expect(try outgoing() == [anybody.id])
        #expect(try outgoing(besides: [anybody.id]) == [])
        _ = try known(world)
        try world.put("q", ["1.0.0": "q"])
        states.append(try world.snapshot().header)
        let theirs = try world.keepBundle(destination: .only(world.destination))
        #expect(try outgoing() == [theirs.id])
        _ = try acknowledge(world, states[1])
        #expect(try outgoing() == [])
    }

    @Test func `a receipt of a state that was lost with the catalog lets states count from there, and acknowledges nothing`() throws {
        let world = try World()
        let states = try states(world, 1)
        let record = try known(world)
        try world.keepBundle(destination: .only(world.destination))
        func lost(_ counter: Int64) -> SnapshotHeader {
            SnapshotHeader(
                id: states[0].id, counter: counter, origin: world.origin, created: states[0].created, isSettled: true,
                stateRoot: SHA512.digest(of: Array("lost".utf8)), counts: states[0].counts, findings: 0)
        }
        let outcome = try acknowledge(world, lost(9), counter: 7)
        #expect(outcome.description.contains("has state #9; the newest here is #1, so this side was restored from a backup"), "\(outcome)")
        #expect(try next(world, record) == (nil, 0))
        #expect(try acknowledgedBundles(world.catalog).isEmpty)
        #expect(try world.catalog.sequence(of: states[0]) == 10)
        // The same state again, of which the sequences here know by now.
        #expect(try acknowledge(world, lost(0), counter: 8).description.hasSuffix("has state #9"))
        // What is made from now on is on its way, and is acknowledged in its turn.
        try world.put("later", ["1.0.0": "later"])
        let later = try world.snapshot().header
        let made = try world.keepBundle(destination: .only(world.destination))
        #expect(made.sequence == 11)
        #expect(try outgoingBundles(world.catalog, besides: [], now: WallClock.system.now()).map(\.id) == [made.id])
        _ = try acknowledge(world, later, counter: 9)
        #expect(try next(world, record).snapshot == later.id)
    }

    @Test func `a receipt counts once, in its order, with the key that was confirmed`() throws {
        let world = try World()
        let states = try states(world, 2)
        var record = try known(world)
        guard case .refused(_, .unusable) = try acknowledge(world, states[0], key: .generate()) else {
            Issue.record("another key's receipt was taken")
            return
        }
        guard case .receipt = try acknowledge(world, states[1], counter: 5),
            case .refused(_, .older(counter: 4, last: 5)) = try acknowledge(world, states[0], counter: 4),
            case .refused(_, .older(counter: 5, last: 5)) = try acknowledge(world, states[0], counter: 5)
        else {
            Issue.record("receipts were taken out of order")
            return
        }
        #expect(try next(world, record).snapshot == states[1].id)
        record.confirmed = nil
        try world.catalog.keep(record)
        #expect(try acknowledge(world, states[0], counter: 6).description.contains("not confirmed"))
        #expect(try world.catalog.receipts(of: world.destination).count == 1)
    }
}
