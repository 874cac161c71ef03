import Dispatch
import Glibc
import Synchronization

/// Signals that a person (Ctrl-C) or the system (SIGTERM) sends to end the work.
///
/// The first one is heard by the innermost work that listens; the second ends the program at once, as signals do. Work that begins to listen
/// when one has come hears it at once, so that none is lost between two.
package enum Interruption {
    private struct State {
        var isAsked = false
        var listeners: [@Sendable () -> Void] = []
        var sources: [any DispatchSourceSignal] = []
    }

    private static let state = Mutex(State())

    private static let signals = [SIGINT, SIGTERM]

    /// Whether a signal has come: what fails from then on may fail for that.
    package static var isAsked: Bool { state.withLock { $0.isAsked } }

    /// Runs work that a signal cancels.
    ///
    /// The work's task is cancelled, and ends in its own way.
    ///
    /// - Returns: what the work returned.
    package static func cancelling<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        let task = Task { try await body() }
        begin {
            Terminal.say("stopping; once more to end at once")
            task.cancel()
        }
        defer { end() }
        return try await task.value
    }

    /// Runs work that looks at `isAsked` from time to time, and ends in its own way.
    package static func noticing<Value>(_ body: () throws -> Value) rethrows -> Value {
        begin { Terminal.say("stopping; once more to end at once") }
        defer { end() }
        return try body()
    }

    /// Runs work during which a signal says what is still true, and ends the program with 130.
    ///
    /// - Parameter words: for people.
    package static func leaving<Value>(with words: String, _ body: () throws -> Value) rethrows -> Value {
        begin {
            Terminal.say(words)
            _exit(130)
        }
        defer { end() }
        return try body()
    }

    /// Runs work during which a signal, outside of what it cancels, calls a handler that ends the program.
    ///
    /// The handler runs beside the work.
    package static func ending<Value>(
        with handler: @escaping @Sendable () -> Void, _ body: () async throws -> Value
    ) async rethrows -> Value {
        begin(handler)
        defer { end() }
        return try await body()
    }

    private static func begin(_ listener: @escaping @Sendable () -> Void) {
        let isAsked = state.withLock { state in
            if state.listeners.isEmpty { listen(&state) }
            state.listeners.append(listener)
            return state.isAsked
        }
        if isAsked { listener() }
    }

    private static func end() {
        state.withLock { state in
            state.listeners.removeLast()
            guard state.listeners.isEmpty else { return }
            for source in state.sources { source.cancel() }
            for number in signals { signal(number, SIG_DFL) }
            state.sources = []
        }
    }

    private static func listen(_ state: inout State) {
        // A source begins to hear some time after it was told to; until then a signal ends the program, and none is lost.
        state.sources = signals.map { number in
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { hear(number) }
            source.resume()
            return source
        }
    }

    private static func hear(_ number: Int32) {
        guard !isAsked else {
            signal(number, SIG_DFL)
            kill(getpid(), number)
            return
        }
        ask()
    }

    /// Does what a first signal does.
    package static func ask() {
        let listener = state.withLock { state in
            defer { state.isAsked = true }
            return state.isAsked ? nil : state.listeners.last
        }
        listener?()
    }
}
