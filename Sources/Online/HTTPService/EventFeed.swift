import AsyncAlgorithms
import ServiceLifecycle

/// One event that is sent to those who listen.
package struct ServerEvent: Sendable, Equatable {
    /// From which a client that lost the connection goes on; one line.
    package let id: String?
    /// What happened; one line.
    package let name: String?
    package let data: String

    package init(id: String? = nil, name: String? = nil, data: String) {
        self.id = id
        self.name = name
        self.data = data
    }

    /// The lines that are sent.
    ///
    /// A line break would end a field, and NUL is not allowed in an id: they are left out of both.
    var text: String {
        func line(_ text: String) -> String { text.filter { !$0.isNewline && $0 != "\0" } }
        var lines = ""
        if let id { lines += "id: \(line(id))\n" }
        if let name { lines += "event: \(line(name))\n" }
        for part in data.split(omittingEmptySubsequences: false, whereSeparator: { $0 == "\n" || $0 == "\r\n" || $0 == "\r" }) {
            lines += "data: \(part)\n"
        }
        return lines + "\n"
    }
}

/// Events for one listener, with a sign of life where nothing happens.
///
/// Nothing is asked of the source before the last event has gone to the client's connection: what piles up there is bounded by how the
/// source was made, and nothing piles up here.
package struct EventFeed: Sendable {
    private let forEachText: @Sendable (String?, (String) async throws -> Void) async throws -> Void

    /// - Parameters:
    ///   - interval: between signs of life, which also find out that a client has vanished.
    ///   - subscribe: opens the source when the client is there; gets the id of the last event that it has, where it says one.
    package init<Events: AsyncSequence & Sendable, Beats: Clock>(
        heartbeat interval: Beats.Duration, clock: Beats, subscribe: @escaping @Sendable (_ lastID: String?) async -> Events
    ) where Events.Element == ServerEvent {
        forEachText = { lastID, body in
            try await body(": hello\n\n")
            let events = chain(await subscribe(lastID).map { Turn.event($0) }, [Turn.over].async)
            let beats = AsyncTimerSequence(interval: interval, clock: clock).map { _ in Turn.beat }
            for try await turn in merge(events, beats).cancelOnGracefulShutdown() {
                switch turn {
                case .event(let event): try await body(event.text)
                case .beat: try await body(": still here\n\n")
                case .over: return
                }
            }
        }
    }

    private enum Turn: Sendable { case event(ServerEvent), beat, over }

    /// Hands over what is to be sent, piece by piece, until the source ends, the task is cancelled or the service is to end.
    func forEach(after lastID: String?, _ body: (String) async throws -> Void) async throws { try await forEachText(lastID, body) }
}
