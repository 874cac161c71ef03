import Synchronization
import Testing

@testable import HTTPService

/// What listeners are sent.
@Suite struct EventFeedTests {
    @Test(arguments: [
        (ServerEvent(data: "x"), "data: x\n\n"), (ServerEvent(id: "1", name: "job", data: "{}"), "id: 1\nevent: job\ndata: {}\n\n"),
        (ServerEvent(data: "a\nb\r\nc\rd"), "data: a\ndata: b\ndata: c\ndata: d\n\n"), (ServerEvent(data: ""), "data: \n\n"),
        (ServerEvent(id: "1\n2\0", name: "a\r\nb", data: "\n"), "id: 12\nevent: ab\ndata: \ndata: \n\n"),
    ])
    func `an event is its fields, a line each`(event: ServerEvent, text: String) {
        #expect(event.text == text)
    }

    @Test func `events come in order, to the last`() async throws {
        let feed = EventFeed(heartbeat: .seconds(1), clock: HandClock()) { lastID in
            AsyncStream { stream in
                for number in 0..<100 { stream.yield(ServerEvent(id: "\(number)", data: lastID ?? "none")) }
                stream.finish()
            }
        }
        let texts = Mutex<[String]>([])
        try await feed.forEach(after: "7") { text in texts.withLock { $0.append(text) } }
        #expect(texts.withLock(\.self) == [": hello\n\n"] + (0..<100).map { "id: \($0)\ndata: 7\n\n" })
    }

    @Test func `where nothing happens there is a sign of life at every interval`() async throws {
        let clock = HandClock()
        let feed = EventFeed(heartbeat: .seconds(5), clock: clock) { _ in AsyncStream<ServerEvent> { _ in } }
        let (beats, heard) = AsyncStream<String>.makeStream()
        let listener = Task { try await feed.forEach(after: nil) { heard.yield($0) } }
        var iterator = beats.makeAsyncIterator()
        #expect(await iterator.next() == ": hello\n\n")
        for _ in 0..<3 {
            await clock.untilSomebodySleeps()
            clock.advance(by: .seconds(5))
            #expect(await iterator.next() == ": still here\n\n")
        }
        listener.cancel()
        _ = await listener.result
    }

    @Test func `nothing is taken from the source before the last event has gone`() async throws {
        let taken = Mutex(0)
        let feed = EventFeed(heartbeat: .seconds(5), clock: HandClock()) { _ in
            Counted { taken.withLock { $0 += 1 } }
        }
        let (gates, gate) = AsyncStream<Void>.makeStream()
        let (sent, sending) = AsyncStream<String>.makeStream()
        let listener = Task {
            try await feed.forEach(after: nil) { text in
                sending.yield(text)
                var iterator = gates.makeAsyncIterator()
                _ = await iterator.next()
            }
        }
        var iterator = sent.makeAsyncIterator()
        for number in 0..<20 {
            _ = await iterator.next()
            // One is being sent, and one waits.
            #expect(taken.withLock(\.self) <= number + 2)
            gate.yield()
        }
        listener.cancel()
        gate.finish()
        _ = await listener.result
    }
}

/// Events without end, which counts those that were taken.
private struct Counted: AsyncSequence, AsyncIteratorProtocol, Sendable {
    let count: @Sendable () -> Void

    func makeAsyncIterator() -> Counted { self }
    func next() async -> ServerEvent? {
        count()
        return ServerEvent(data: "x")
    }
}

/// A clock that only a test moves.
final class HandClock: Clock, Sendable {
    struct Instant: InstantProtocol {
        var offset: Duration
        func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Duration { other.offset - offset }
        static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
    }

    private struct State {
        var now = Instant(offset: .zero)
        var sleepers: [Int: (deadline: Instant, go: CheckedContinuation<Void, any Error>)] = [:]
        var watchers: [CheckedContinuation<Void, Never>] = []
        var number = 0
    }

    private let state = Mutex(State())
    let minimumResolution = Duration.zero
    var now: Instant { state.withLock(\.now) }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        let number = state.withLock { state in
            state.number += 1
            return state.number
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (go: CheckedContinuation<Void, any Error>) in
                let (isOver, watchers) = state.withLock { state in
                    let isOver = deadline <= state.now || Task.isCancelled
                    if !isOver { state.sleepers[number] = (deadline, go) }
                    defer { state.watchers = [] }
                    return (isOver, state.watchers)
                }
                for watcher in watchers { watcher.resume() }
                if isOver { go.resume() }
            }
        } onCancel: {
            state.withLock { $0.sleepers.removeValue(forKey: number) }?.go.resume(throwing: CancellationError())
        }
    }

    /// Waits until something waits for this clock.
    func untilSomebodySleeps() async {
        await withCheckedContinuation { go in
            let isThere = state.withLock { state in
                if state.sleepers.isEmpty { state.watchers.append(go) }
                return !state.sleepers.isEmpty
            }
            if isThere { go.resume() }
        }
    }

    func advance(by duration: Duration) {
        let due = state.withLock { state in
            state.now = state.now.advanced(by: duration)
            let due = state.sleepers.filter { $0.value.deadline <= state.now }
            for number in due.keys { state.sleepers[number] = nil }
            return due.values.map(\.go)
        }
        for go in due { go.resume() }
    }
}
