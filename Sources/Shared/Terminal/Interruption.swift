import Dispatch
import Glibc
import Synchronization

/// Signals that a person (Ctrl-C) or the system (SIGTERM) sends to end the work.
package enum Interruption {
    /// How many works run that a signal cancels.
    private static let cancellable = Mutex(0)

    private static let signals = [SIGINT, SIGTERM]

    /// Runs work that a signal cancels.
    ///
    /// The first signal cancels the work's task, which then ends in its own way; the second ends the program at once, as signals do.
    ///
    /// - Returns: what the work returned.
    package static func cancelling<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        let task = Task { try await body() }
        cancellable.withLock { $0 += 1 }
        let sources = handlers {
            for number in signals { signal(number, SIG_DFL) }
            Terminal.say("stopping; once more to end at once")
            task.cancel()
        }
        defer {
            sources.end()
            cancellable.withLock { $0 -= 1 }
        }
        return try await task.value
    }

    /// Runs work during which a signal, outside of what it cancels, calls a handler that ends the program.
    ///
    /// The handler runs beside the work.
    package static func ending<Value>(
        with handler: @escaping @Sendable () -> Void, _ body: () async throws -> Value
    ) async rethrows -> Value {
        let sources = handlers {
            if cancellable.withLock({ $0 }) == 0 { handler() }
        }
        defer { sources.end() }
        return try await body()
    }

    /// What was set for signals, and what was set before.
    private struct Handlers {
        let sources: [any DispatchSourceSignal]
        let before: [(number: Int32, handler: __sighandler_t?)]

        func end() {
            for source in sources { source.cancel() }
            for (number, handler) in before { signal(number, handler) }
        }
    }

    private static func handlers(_ handler: @escaping @Sendable () -> Void) -> Handlers {
        let before = signals.map { (number: $0, handler: signal($0, SIG_IGN)) }
        let sources = signals.map { number in
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler(handler: handler)
            source.resume()
            return source
        }
        return Handlers(sources: sources, before: before)
    }
}
