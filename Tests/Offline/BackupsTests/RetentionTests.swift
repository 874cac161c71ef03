import Backups
import Platform
import Snapshots
import Testing

@Suite struct RetentionTests {
    private func candidate(day: Int, isNeeded: Bool = false) throws -> Retention.Candidate {
        let started = try #require(Timestamp("2026-11-\(day + 10)T00:00:00Z"))
        let bundle = try #require(Identifier("b-\(String(repeating: "0", count: 20))", .bundle))
        return Retention.Candidate(
            name: GenerationName(import: Int64(day), started: started, bundle: bundle), started: started, isNeeded: isNeeded)
    }

    private func expired(_ retention: Retention, _ candidates: [Retention.Candidate]) throws -> [String] {
        let now = try #require(Timestamp("2026-11-20T12:00:00Z"))
        return retention.expired(of: candidates, now: now).map { String($0.text.split(separator: "-")[1].prefix(8)) }
    }

    @Test func `without a limit everything stays`() throws {
        #expect(try expired(Retention(), [candidate(day: 0), candidate(day: 9)]) == [])
    }

    @Test func `the newest of a number stay, whatever their order`() throws {
        let candidates = try [candidate(day: 3), candidate(day: 9), candidate(day: 1), candidate(day: 5)]
        #expect(try expired(Retention(count: 2), candidates) == ["20261111", "20261113"])
        #expect(try expired(Retention(count: 0), candidates).count == 4)
    }

    @Test func `which is the newest its number says, whatever the clock said`() throws {
        let wrong = try #require(Timestamp("2001-01-01T00:00:00Z"))
        let bundle = try #require(Identifier("b-\(String(repeating: "0", count: 20))", .bundle))
        let last = Retention.Candidate(
            name: GenerationName(import: 10, started: wrong, bundle: bundle), started: wrong, isNeeded: false)
        #expect(try expired(Retention(count: 1), [last, candidate(day: 9)]) == ["20261119"])
    }

    @Test func `what is older than its days goes, and what is needed stays`() throws {
        let candidates = try [candidate(day: 3), candidate(day: 9), candidate(day: 1, isNeeded: true), candidate(day: 7)]
        #expect(try expired(Retention(days: 4), candidates) == ["20261113"])
        #expect(try expired(Retention(count: 1, days: 3), candidates) == ["20261113", "20261117"])
    }

    @Test(arguments: [
        "000042-20261128T074500Z-b-00000000000000000000", "42-20261128T074500Z-b-00000000000000000000", "000042-20261128T074500Z",
        "000042-20261128T074500Z-o-00000000000000000000", "000042-20261128074500-b-00000000000000000000", "",
    ])
    func `a name is accepted in its only spelling`(text: String) {
        #expect((GenerationName(text) != nil) == (text == "000042-20261128T074500Z-b-00000000000000000000"))
    }
}
