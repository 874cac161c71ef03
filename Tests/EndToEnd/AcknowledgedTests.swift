import BundleFormat
import Catalog
import Destinations
import Integrity
import Platform
import Snapshots
import Testing

/// Which bundles have arrived, and so may go from media.
@Suite struct AcknowledgedTests {
    private let moment = Timestamp(nanoseconds: 1_700_000_000_000_000_000)

    private func know(_ catalog: Catalog, _ id: Identifier, isConfirmed: Bool = true) throws {
        try catalog.keep(
            DestinationRecord(
                id: id, name: "Plant", key: MinisignSecretKey.generate().publicKey, firstSeen: moment, confirmed: isConfirmed ? moment : nil
            ))
    }

    private func acknowledge(
        _ catalog: Catalog, _ bundle: BundleRecord, by destination: Identifier, as id: Identifier? = nil, missing: Int = 0,
        counter: Int64 = 1,
        read: Timestamp? = nil
    ) throws {
        let record = ReceiptRecord(
            destination: destination, counter: counter, created: moment,
            read: read ?? Timestamp(nanoseconds: bundle.created.nanoseconds + 1_000_000_000), bundle: id ?? bundle.id,
            sequence: bundle.sequence, targetRoot: bundle.targetRoot, missing: missing, refused: 0, digest: .ofNothing)
        try catalog.add(record, document: [], fulfilling: [])
    }

    /// Bundles for a destination, each of a state with one package more.
    private func bundles(_ world: World, _ count: Int, for destination: BundleDestination) throws -> [BundleRecord] {
        try (1...count).map { number in
            try world.put("p\(number)-of-\(count)", ["1.0.0": "\(number)"])
            try world.snapshot()
            return try world.keepBundle(destination: destination)
        }
    }

    private func acknowledged(_ world: World) throws -> Set<Identifier> { Set(try acknowledgedBundles(world.catalog).map(\.id)) }

    @Test func `a bundle has arrived once its state or a later one is acknowledged, whole, and no longer when that is taken back`() throws {
        let world = try World()
        let made = try bundles(world, 3, for: .only(world.destination))
        #expect(try acknowledged(world) == [])
        try know(world.catalog, world.destination, isConfirmed: false)
        try acknowledge(world.catalog, made[1], by: world.destination)
        #expect(try acknowledged(world) == [], "its key was not confirmed")
        try know(world.catalog, world.destination)
        #expect(try acknowledged(world) == [made[0].id, made[1].id])
        try acknowledge(world.catalog, made[2], by: world.destination, missing: 1, counter: 2)
        #expect(try acknowledged(world) == [], "files are missing there")
        try acknowledge(world.catalog, made[0], by: world.destination, counter: 3)
        #expect(try acknowledged(world) == [made[0].id], "it was restored from a backup")
    }

    @Test func `one for anybody has arrived when all that are known acknowledge it, and none where nobody is known`() throws {
        let world = try World()
        let made = try bundles(world, 2, for: .any)
        #expect(try acknowledged(world) == [])
        let others = [1, 2].map { Identifier(.destination, random: [UInt8](repeating: $0, count: 20)) }
        try know(world.catalog, others[0])
        try acknowledge(world.catalog, made[1], by: others[0])
        #expect(try acknowledged(world) == [made[0].id, made[1].id])
        try know(world.catalog, others[1], isConfirmed: false)
        #expect(try acknowledged(world) == [], "somebody has introduced themselves")
        try know(world.catalog, others[1])
        try acknowledge(world.catalog, made[0], by: others[1])
        #expect(try acknowledged(world) == [made[0].id])
        // A bundle for one of them is that one's alone.
        let theirs = try bundles(world, 1, for: .only(others[0]))
        try acknowledge(world.catalog, theirs[0], by: others[1], counter: 2)
        #expect(try !acknowledged(world).contains(theirs[0].id))
        try acknowledge(world.catalog, theirs[0], by: others[0], counter: 2)
        #expect(try acknowledged(world).contains(theirs[0].id))
    }

    @Test func `what was made after the receipt, and a filler of the same state, have not arrived by it`() throws {
        let world = try World()
        let made = try bundles(world, 1, for: .only(world.destination))
        try know(world.catalog, world.destination)
        let other = Identifier(.bundle, random: randomBytes(20))
        try acknowledge(world.catalog, made[0], by: world.destination, as: other, read: made[0].created)
        #expect(try acknowledged(world) == [], "a storage that was lost gets its state again")
        try acknowledge(world.catalog, made[0], by: world.destination, as: other, counter: 2)
        #expect(try acknowledged(world) == [made[0].id])
        let filler = try world.keepBundle(from: made[0].target, destination: .only(world.destination))
        try acknowledge(world.catalog, made[0], by: world.destination, as: made[0].id, counter: 3)
        #expect(try acknowledged(world) == [made[0].id])
        try acknowledge(world.catalog, filler, by: world.destination, counter: 4)
        #expect(try acknowledged(world) == [made[0].id, filler.id])
    }
}
