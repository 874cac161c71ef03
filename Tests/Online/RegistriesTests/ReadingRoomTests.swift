import CanonicalJSON
import PackageStore
import Registries
import RegistryHarness
import Synchronization
import Testing
import VerdaccioSettings

/// How many bytes of large documents are in memory at the same time.
struct ReadingRoomTests {
    /// How much is held.
    private final class Tally: Sendable {
        private let held = Mutex((now: 0, most: 0))
        var now: Int { held.withLock { $0.now } }
        var most: Int { held.withLock { $0.most } }

        func add(_ bytes: Int) {
            held.withLock {
                $0.now += bytes
                $0.most = max($0.most, $0.now)
            }
        }
    }

    @Test func `large documents never take more room than there is, and each comes`() async {
        let room = ReadingRoom(capacity: 10, small: 1)
        let tally = Tally()
        let done = await withTaskGroup(of: Void.self) { group in
            for number in 0..<200 {
                // One larger than the room among them, which is then alone in it.
                let bytes = 2 + number % 10
                group.addTask {
                    await room.hold(bytes) {
                        tally.add(min(bytes, 10))
                        for _ in 0..<5 { await Task.yield() }
                        tally.add(-min(bytes, 10))
                    }
                }
            }
            return await group.reduce(0) { count, _ in count + 1 }
        }
        #expect(done == 200)
        #expect(tally.now == 0)
        #expect(tally.most == 10)
    }

    @Test func `a small document passes while there is no room, and who fails leaves his`() async {
        struct Failed: Error {}
        let room = ReadingRoom(capacity: 10, small: 1)
        let passed = await room.hold(10) { await room.hold(1) { true } }
        #expect(passed)
        await #expect(throws: Failed.self) { try await room.hold(10) { throw Failed() } }
        #expect(await room.hold(10) { true })
    }

    @Test(arguments: [(0, 2), (999, 2), (5000, 1)])
    func `a large packument that was not expected is asked for twice, and only what is asked for of it is kept`(
        expected: Int, requests: Int
    ) async throws {
        try await ScriptedUpstream.run { upstream in
            let version: JSONValue = ["deprecated": "old", "readme": .string(String(repeating: "x", count: 3000))]
            upstream.set("/big", .document(["name": "big", "versions": ["1.0.0": version]], etag: "\"1\""))
            let uplink = VerdaccioUplink(name: "up", url: upstream.url)
            let registry = ProxyRegistry(url: "http://127.0.0.1:1", authorization: nil) { _ in [uplink] }
            let fetcher = HTTPFetcher(connections: 2, idle: .seconds(5), decompresses: true)
            let reader = UpstreamReader(registry, fetcher, room: ReadingRoom(capacity: 4000, small: 999))
            let package = try #require(PackageName("big"))
            let answer = await reader.read(package, known: nil, expected: expected)
            await fetcher.shutdown()
            guard case .document(let document, _)? = answer else {
                Issue.record("\(String(describing: answer))")
                return
            }
            #expect(JSONValue.object(document) == ["name": "big", "versions": ["1.0.0": ["deprecated": "old"]]])
            #expect(upstream.requests.count == requests)
        }
    }
}
