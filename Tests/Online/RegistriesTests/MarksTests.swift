import CanonicalJSON
import Registries
import Testing
import VerdaccioSettings

/// What `fetched` proves.
struct MarksTests {
    private static func marks(_ fetched: [String: Int64]) -> PackumentMarks {
        let uplinks = fetched.map { (name: $0.key, value: ["fetched": .integer($0.value)] as JSONValue) }
        return PackumentMarks(
            of: JSONObject(uniqueMembers: [("_uplinks", .object(JSONObject(uniqueMembers: uplinks))), ("_distfiles", [:])]))
    }

    private static func uplink(_ name: String, maxAge: Duration = .seconds(120)) -> VerdaccioUplink {
        var uplink = VerdaccioUplink(name: name, url: "http://\(name)")
        uplink.maxAge = maxAge
        return uplink
    }

    private static let hour: Duration = .seconds(3600)

    static let cases: [(String, before: [String: Int64]?, after: [String: Int64], uplinks: [VerdaccioUplink], PackumentMarks.Proof)] = [
        ("it moved", ["a": 1], ["a": 1_000_500], [uplink("a")], .fetched(isMoved: true)),
        ("there was nothing before", nil, ["a": 1_000_500], [uplink("a")], .fetched(isMoved: true)),
        ("it stayed", ["a": 1], ["a": 1], [uplink("a")], .none),
        ("it stayed within maxage", ["a": 900_000], ["a": 900_000], [uplink("a")], .fetched(isMoved: false)),
        ("its maxage had just ended when it was asked for", ["a": 880_000], ["a": 880_000], [uplink("a")], .none),
        ("its maxage ended only afterwards", ["a": 880_001], ["a": 880_001], [uplink("a")], .fetched(isMoved: false)),
        ("the one uplink left no mark", nil, ["b": 1_000_500], [uplink("a")], .none),
        (
            "one moved, the other is within its own maxage", ["a": 1, "b": 1], ["a": 1_000_500, "b": 1],
            [uplink("a"), uplink("b", maxAge: hour)], .fetched(isMoved: true)
        ),
        ("one moved, the other stayed", ["a": 1, "b": 1], ["a": 1_000_500, "b": 1], [uplink("a"), uplink("b")], .none),
        ("the other does not have it", ["a": 1], ["a": 1_000_500], [uplink("a"), uplink("b")], .fetched(isMoved: true)),
        ("nobody knows the name", ["x": 1], ["x": 1_000_500], [uplink("")], .fetched(isMoved: true)),
        ("nobody knows an uplink", ["x": 1], ["x": 1], [], .none),
        ("it stayed, by a clock that is ahead", ["a": 1_001_000], ["a": 1_001_000], [uplink("a", maxAge: .zero)], .none),
        ("it moved, by a clock that is far ahead", ["a": 1], ["a": 9_000_000], [uplink("a")], .fetched(isMoved: true)),
        ("it moved, by a clock that was set back", ["a": 990_000], ["a": 980_000], [uplink("a")], .fetched(isMoved: true)),
        ("it is young, by a clock that is ahead", ["a": 1_001_000], ["a": 1_001_000], [uplink("a")], .fetched(isMoved: false)),
        ("it will be fetched", ["a": 9_000_000], ["a": 9_000_000], [uplink("a")], .future(uplink: "a")),
    ]

    @Test(arguments: cases.map(\.0))
    func `a mark proves what it says, for each uplink`(name: String) throws {
        let (_, before, after, uplinks, expected) = try #require(Self.cases.first { $0.0 == name })
        let proof = Self.marks(after).proof(since: before.map(Self.marks), asked: 1_000_000, now: 1_002_000, uplinks: uplinks)
        #expect(proof == expected)
    }
}
