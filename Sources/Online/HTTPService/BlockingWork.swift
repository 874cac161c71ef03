import NIOPosix

/// Threads for what blocks, so that neither the event loops nor Swift's own few threads ever wait for a disk.
package final class BlockingWork: Sendable {
    private let pool: NIOThreadPool

    /// - Parameter threads: how much may block at once; more waits.
    package init(threads: Int = 8) {
        pool = NIOThreadPool(numberOfThreads: threads)
        pool.start()
    }

    deinit { pool.shutdownGracefully { _ in } }

    /// Runs a body on one of the threads.
    package func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await pool.runIfActive(body)
    }
}
