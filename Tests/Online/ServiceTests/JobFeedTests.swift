import CanonicalJSON
import Foundation
import Jobs
import Platform
import Service
import SystemPackage
import Testing

@Suite struct JobFeedTests {
    private final class Place: Sendable {
        let root = FilePath(FileManager.default.temporaryDirectory.path).appending("ferry-feed-\(UUID().uuidString)")
        let store: JobStore
        let feed: JobFeed

        init() throws {
            try DiskFileSystem().createDirectories(root.appending("logs"))
            store = try JobStore(state: root)
            feed = try JobFeed(store: store) { ["id": .integer($0.id), "state": .string($0.state.rawValue)] }
        }

        deinit { try? DiskFileSystem().removeTree(root) }

        func begin() throws -> JobRecord { try store.begin(.scan, .none, by: .commandLine, process: 1) { _ in } }

        func end(_ job: JobRecord) throws {
            try store.end(job.id, JobResult(state: .succeeded, exitCode: 0, reason: ""))
        }

        /// What a listener is told next, as words.
        func next(_ listener: Int) async throws -> [String]? {
            try await feed.next(for: listener)?.map { "\($0.name) \(String(decoding: $0.data, as: UTF8.self))" }
        }
    }

    private static func words(_ id: Int64, _ state: String) -> String { #"job {"id":\#(id),"state":"\#(state)"}"# }

    @Test func `a listener hears what changes after it began to listen`() async throws {
        let place = try Place()
        let first = try place.begin()
        #expect(try await place.feed.turn())
        let listener = await place.feed.listen(after: nil)
        try place.end(first)
        let second = try place.begin()
        #expect(try await place.feed.turn())
        #expect(try await place.next(listener) == [Self.words(first.id, "succeeded"), Self.words(second.id, "running")])
        #expect(try await !place.feed.turn())
    }

    @Test func `of several changes of a job the last one is told`() async throws {
        let place = try Place()
        let listener = await place.feed.listen(after: nil)
        let job = try place.begin()
        for done in 1...5 as ClosedRange<Int64> {
            let progress = JobProgress(phase: "x", done: done, total: 5, unit: "y", item: "", rate: 1, secondsLeft: 1)
            try place.store.note(progress, of: job.id)
        }
        try place.end(job)
        try await place.feed.turn()
        #expect(try await place.next(listener) == [Self.words(job.id, "succeeded")])
    }

    @Test func `a listener that was away is told of every job that changed since`() async throws {
        let place = try Place()
        let seen = try place.begin()
        try await place.feed.turn()
        let revision = try place.store.revision()
        let missed = try place.begin()
        try place.end(seen)
        try await place.feed.turn()
        let listener = await place.feed.listen(after: revision)
        #expect(try await place.next(listener) == [Self.words(missed.id, "running"), Self.words(seen.id, "succeeded")])
    }

    @Test func `one that was away for longer than is remembered is told from the record`() async throws {
        let place = try Place()
        let job = try place.begin()
        try await place.feed.turn()
        let revision = try place.store.revision()
        for _ in 0..<1100 {
            let other = try place.begin()
            try place.end(other)
            try await place.feed.turn()
        }
        try place.end(job)
        try await place.feed.turn()
        let listener = await place.feed.listen(after: revision)
        var told: [String] = []
        while told.last != Self.words(job.id, "succeeded") { told += try await place.next(listener) ?? [] }
        #expect(told.count == 1101)
    }

    @Test(arguments: [Int64.min, -1, 0, Int64.max])
    func `a revision that there is not does no harm`(revision: Int64) async throws {
        let place = try Place()
        let job = try place.begin()
        try await place.feed.turn()
        let listener = await place.feed.listen(after: revision)
        if revision == .max {
            try place.end(job)
            try await place.feed.turn()
        }
        #expect(try await place.next(listener) == [Self.words(job.id, revision == .max ? "succeeded" : "running")])
    }

    @Test func `a listener that is slow loses the oldest of what is posted, and nobody waits for it`() async throws {
        let place = try Place()
        let (slow, quick) = (await place.feed.listen(after: nil), await place.feed.listen(after: nil))
        var heard: [String] = []
        for number in 0..<1000 as Range<Int64> {
            await place.feed.post("media", .integer(number))
            heard += try await place.next(quick) ?? []
        }
        #expect(heard == (0..<1000).map { "media \($0)" })
        #expect(try await place.next(slow) == (744..<1000).map { "media \($0)" })
    }

    @Test func `lines of running jobs are told whole, as they come`() async throws {
        let place = try Place()
        let listener = await place.feed.listen(after: nil)
        let job = try place.begin()
        let log = place.store.log(of: job.id)
        try DiskFileSystem().write(Array("one\ntw".utf8), to: log)
        try await place.feed.turn()
        #expect(try await place.next(listener) == [Self.words(job.id, "running"), #"log {"job":\#(job.id),"lines":["one"],"offset":4}"#])
        try DiskFileSystem().write(Array("one\ntwo\nthree\n".utf8), to: log)
        try place.end(job)
        try await place.feed.turn()
        let last = #"log {"job":\#(job.id),"lines":["two","three"],"offset":14}"#
        #expect(try await place.next(listener) == [Self.words(job.id, "succeeded"), last])
    }

    @Test func `whoever waits is let go when the feed ends, and when it leaves`() async throws {
        let place = try Place()
        let (first, second) = (await place.feed.listen(after: nil), await place.feed.listen(after: nil))
        #expect(await place.feed.audience == 2)
        let waiting = Task { try await place.next(first) }
        await place.feed.leave(first)
        #expect(try await waiting.value == nil)
        let other = Task { try await place.next(second) }
        await place.feed.end()
        #expect(try await other.value == nil)
    }
}
