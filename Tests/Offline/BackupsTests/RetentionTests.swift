import Backups
import Platform
import Snapshots
import Testing

@Suite struct RetentionTests {
    private func candidate(day: Int, isNeeded: Bool = false) throws -> Retention.Candidate {
        let started = try #require(Timestamp("2026-11-\(day + 10)T00:00:00Z"))
        let bundle = try #require(Identifier("b-\(String(repeating: "0", count: 20))", .bundle))
        return Retention.Candidate(
            name: GenerationName(import: Int64(day), started: started, bundle: bundle), started: started, made: nil, isNeeded: isNeeded)
    }

    /// The generation of the tenth import, of a bundle made on the 20th.
    private func last(started text: String) throws -> Retention.Candidate {
        let started = try #require(Timestamp(text))
        let bundle = try #require(Identifier("b-\(String(repeating: "0", count: 20))", .bundle))
        return Retention.Candidate(
            name: GenerationName(import: 10, started: started, bundle: bundle), started: started,
            made: Timestamp("2026-11-20T00:00:00Z"), isNeeded: false)
    }

    private func expired(
        _ retention: Retention, _ candidates: [Retention.Candidate], now text: String = "2026-11-20T12:00:00Z"
    ) throws -> [String] {
        let now = try #require(Timestamp(text))
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
        #expect(try expired(Retention(count: 1), [last(started: "2001-01-01T00:00:00Z"), candidate(day: 9)]) == ["20261119"])
    }

    @Test func `what is older than its days goes, and what is needed stays`() throws {
        let candidates = try [candidate(day: 3), candidate(day: 9), candidate(day: 1, isNeeded: true), candidate(day: 7)]
        #expect(try expired(Retention(days: 4), candidates) == ["20261113"])
        #expect(try expired(Retention(count: 1, days: 3), candidates) == ["20261113", "20261117"])
    }

    @Test func `so many of the newest stay whatever their age, and older ones while they last`() throws {
        let candidates = try [candidate(day: 3), candidate(day: 9), candidate(day: 1), candidate(day: 7)]
        #expect(try expired(Retention(count: 3, days: 2), candidates) == ["20261111"])
        #expect(try expired(Retention(count: 1, days: 8), candidates) == ["20261111"])
        #expect(try expired(Retention(count: 2, days: 1), candidates, now: "2099-01-01T00:00:00Z") == ["20261111", "20261113"])
    }

    @Test(arguments: ["2099-01-01T00:00:00Z", "2026-11-21T12:00:00Z", "1970-01-01T00:00:00Z"])
    func `no clock here that is wrong while a bundle is imported makes anything older than the bundle lets it be`(clock: String) throws {
        let candidates = try [candidate(day: 3), candidate(day: 9), last(started: clock), candidate(day: 7)]
        let late = max(clock, "2026-11-21T12:00:00Z")
        #expect(try expired(Retention(days: 4), candidates, now: late) == ["20261113"])
        #expect(try expired(Retention(days: 7), candidates, now: late) == [])
        #expect(try expired(Retention(days: 0), candidates, now: late) == ["20261113", "20261117", "20261119"])
    }

    @Test func `an import at a time to come is as old as the one that followed it`() throws {
        let bundle = try #require(Identifier("b-\(String(repeating: "0", count: 20))", .bundle))
        let started = try #require(Timestamp("2027-03-01T00:00:00Z"))
        let next = Retention.Candidate(
            name: GenerationName(import: 11, started: started, bundle: bundle), started: started, made: started, isNeeded: false)
        #expect(try expired(Retention(days: 30), [last(started: "2099-01-01T00:00:00Z"), next], now: "2027-03-02T00:00:00Z") == [])
        let newest = Retention.Candidate(
            name: GenerationName(import: 12, started: started, bundle: bundle), started: started, made: Timestamp("2027-06-01T00:00:00Z"),
            isNeeded: true)
        let candidates = try [last(started: "2099-01-01T00:00:00Z"), next, newest]
        #expect(try expired(Retention(days: 30), candidates, now: "2027-06-02T00:00:00Z").count == 2)
    }

    @Test(arguments: [
        "000042-20261128T074500Z-b-00000000000000000000", "42-20261128T074500Z-b-00000000000000000000", "000042-20261128T074500Z",
        "000042-20261128T074500Z-o-00000000000000000000", "000042-20261128074500-b-00000000000000000000", "",
    ])
    func `a name is accepted in its only spelling`(text: String) {
        #expect((GenerationName(text) != nil) == (text == "000042-20261128T074500Z-b-00000000000000000000"))
    }
}
