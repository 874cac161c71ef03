import Glibc

/// Maps inputs on threads of its own and hands the results out in the order of the inputs.
///
/// Inputs are pulled and results handed out on the caller's thread, inside `next()`; only `transform` runs elsewhere. At most
/// `window` inputs are under way at once, which bounds memory. When `transform` throws, `next()` throws that error at the place of
/// its result, and the pipeline is over. Letting go of the pipeline waits for transforms under way and drops the rest.
package final class OrderedPipeline<Input: Sendable, Output: Sendable> {
    private let window: Int
    private let pull: () throws -> Input?
    private let shared: PipelineState<Input, Output>
    private var threads: [pthread_t] = []
    private var isExhausted = false
    private var pulled = 0
    private var handedOut = 0

    /// Starts `width` threads.
    ///
    /// - Parameters:
    ///   - width: how many transforms run at once.
    ///   - window: how many inputs may be pulled beyond the results handed out.
    ///   - pull: the next input, `nil` at the end; its errors come out of `next()`.
    ///   - transform: runs on any of the threads, for several inputs at once.
    package init(
        width: Int,
        window: Int,
        pull: @escaping () throws -> Input?,
        transform: @escaping @Sendable (Input) throws -> Output
    ) {
        precondition(width > 0 && window >= width)
        self.window = window
        self.pull = pull
        shared = PipelineState(transform: transform)
        threads = (0..<width).compactMap { [shared] _ in startThread { shared.work() } }
        precondition(!threads.isEmpty, "no thread can be started")
    }

    deinit {
        shared.condition.lock()
        shared.isOver = true
        shared.inputs.removeAll()
        shared.condition.broadcast()
        shared.condition.unlock()
        for thread in threads { pthread_join(thread, nil) }
    }

    /// The next result in the order of the inputs, or `nil` after the last.
    package func next() throws -> Output? {
        while !isExhausted, pulled - handedOut < window {
            guard let input = try pull() else {
                isExhausted = true
                break
            }
            shared.condition.lock()
            shared.inputs.append((pulled, input))
            shared.condition.broadcast()
            shared.condition.unlock()
            pulled += 1
        }
        guard handedOut < pulled else { return nil }
        shared.condition.lock()
        while shared.outputs[handedOut] == nil { shared.condition.wait() }
        let result = shared.outputs.removeValue(forKey: handedOut)
        shared.condition.unlock()
        handedOut += 1
        return try result?.get()
    }

    /// Hands every remaining result to `body`.
    package func forEach(_ body: (Output) throws -> Void) throws {
        while let output = try next() { try body(output) }
    }
}

/// What the threads and the caller share; everything mutable is guarded by `condition`.
private final class PipelineState<Input: Sendable, Output: Sendable>: @unchecked Sendable {
    let condition = Condition()
    let transform: @Sendable (Input) throws -> Output
    var inputs: [(Int, Input)] = []
    var outputs: [Int: Result<Output, any Error>] = [:]
    var isOver = false

    init(transform: @escaping @Sendable (Input) throws -> Output) {
        self.transform = transform
    }

    /// A thread's life: transforms inputs until the pipeline is over.
    func work() {
        while true {
            condition.lock()
            while inputs.isEmpty, !isOver { condition.wait() }
            if isOver {
                condition.unlock()
                return
            }
            let (index, input) = inputs.removeFirst()
            condition.unlock()
            let result = Result { try transform(input) }
            condition.lock()
            outputs[index] = result
            condition.broadcast()
            condition.unlock()
        }
    }
}
