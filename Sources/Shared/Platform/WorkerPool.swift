import Glibc

/// Hands inputs to threads of its own, which work on several at once in no order.
///
/// At most `window` inputs wait or are worked on, which bounds memory. After the first error nothing more is begun, and `push` or
/// `finish` throws it. Letting go of the pool waits for work under way and drops the rest.
package final class WorkerPool<Input: Sendable> {
    private let shared: PoolState<Input>
    private var threads: [pthread_t] = []

    /// Starts `width` threads.
    ///
    /// - Parameter work: runs on any of the threads, for several inputs at once.
    package init(width: Int, window: Int, work: @escaping @Sendable (Input) throws -> Void) {
        precondition(width > 0 && window >= width)
        shared = PoolState(window: window, work: work)
        threads = (0..<width).compactMap { [shared] _ in startThread { shared.run() } }
        precondition(!threads.isEmpty, "no thread can be started")
    }

    deinit {
        shared.end()
        for thread in threads { pthread_join(thread, nil) }
    }

    /// Hands an input over, waiting until there is room for it.
    package func push(_ input: Input) throws { try shared.push(input) }

    /// Hands an input over where there is room for it at once; `false` where there is none.
    package func offer(_ input: Input) throws -> Bool { try shared.offer(input) }

    /// Waits until all that was handed over is done.
    package func finish() throws { try shared.finish() }
}

/// What the threads and the caller share; everything mutable is guarded by `condition`.
private final class PoolState<Input: Sendable>: @unchecked Sendable {
    private let condition = Condition()
    private let window: Int
    private let work: @Sendable (Input) throws -> Void
    private var waiting: [Input] = []
    private var underWay = 0
    private var failure: (any Error)?
    private var isOver = false

    init(window: Int, work: @escaping @Sendable (Input) throws -> Void) {
        self.window = window
        self.work = work
    }

    func push(_ input: Input) throws {
        condition.lock()
        defer { condition.unlock() }
        while failure == nil, waiting.count + underWay >= window { condition.wait() }
        if let failure { throw failure }
        waiting.append(input)
        condition.broadcast()
    }

    func offer(_ input: Input) throws -> Bool {
        condition.lock()
        defer { condition.unlock() }
        if let failure { throw failure }
        guard waiting.count + underWay < window else { return false }
        waiting.append(input)
        condition.broadcast()
        return true
    }

    func finish() throws {
        condition.lock()
        defer { condition.unlock() }
        while underWay > 0 || (failure == nil && !waiting.isEmpty) { condition.wait() }
        if let failure { throw failure }
    }

    func end() {
        condition.lock()
        isOver = true
        condition.broadcast()
        condition.unlock()
    }

    /// A thread's life.
    func run() {
        condition.lock()
        while true {
            while !isOver, failure != nil || waiting.isEmpty { condition.wait() }
            if isOver { break }
            let input = waiting.removeFirst()
            underWay += 1
            condition.unlock()
            let result = Result { try work(input) }
            condition.lock()
            underWay -= 1
            if case .failure(let error) = result, failure == nil { failure = error }
            condition.broadcast()
        }
        condition.unlock()
    }
}
