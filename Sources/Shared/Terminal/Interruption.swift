import Dispatch
import Glibc

/// Runs work that a person may end with Ctrl-C, or the system with SIGTERM.
///
/// The first signal cancels the work's task, which then ends in its own way; the second ends the program at once, as signals do.
///
/// - Returns: what the work returned.
package func interruptible<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
    let task = Task { try await body() }
    let sources = [SIGINT, SIGTERM].map { number in
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
        source.setEventHandler {
            signal(number, SIG_DFL)
            Terminal.say("stopping; once more to end at once")
            task.cancel()
        }
        source.resume()
        return source
    }
    defer {
        for source in sources { source.cancel() }
        for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
    }
    return try await task.value
}
