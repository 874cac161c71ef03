import Synchronization

/// Bounds how many bytes of large documents are in memory at the same time; small ones pass freely.
///
/// Who holds room must not wait for more of it.
package final class ReadingRoom: Sendable {
    private struct State {
        var free: Int
        /// First come, first served, so that the largest comes, too.
        var waiting: [(bytes: Int, go: CheckedContinuation<Void, Never>)] = []

        /// Those who may go now.
        mutating func admit() -> [CheckedContinuation<Void, Never>] {
            var admitted: [CheckedContinuation<Void, Never>] = []
            while let first = waiting.first, first.bytes <= free {
                free -= first.bytes
                admitted.append(first.go)
                waiting.removeFirst()
            }
            return admitted
        }
    }

    /// Documents above it are alone.
    package let capacity: Int
    /// Documents of at most this many bytes do not count.
    package let small: Int
    private let state: Mutex<State>

    package init(capacity: Int = 32 << 20, small: Int = 1 << 20) {
        self.capacity = capacity
        self.small = small
        state = Mutex(State(free: capacity))
    }

    /// Waits until there is room for a document of so many bytes, and holds it while the body runs.
    package func hold<Value, Failure: Error>(
        _ bytes: Int, _ body: () async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        guard bytes > small else { return try await body() }
        let bytes = min(bytes, capacity)
        await withCheckedContinuation { go in
            let admitted = state.withLock { state in
                state.waiting.append((bytes, go))
                return state.admit()
            }
            for go in admitted { go.resume() }
        }
        defer {
            let admitted = state.withLock { state in
                state.free += bytes
                return state.admit()
            }
            for go in admitted { go.resume() }
        }
        return try await body()
    }
}
