import Platform
import Synchronization

/// What keeps the service going: it looks for what is due, what has changed and what there is to do, a few times a second.
package struct ServiceLoop: Sendable {
    private let feed: JobFeed
    private let runner: JobRunner
    private let scheduler: Scheduler
    private let failure: @Sendable (any Error) -> Void
    private let alive: @Sendable () -> Void
    private let wait: @Sendable (Duration) async throws -> Void

    /// How soon a change by another process is seen.
    private static let pace = Duration.milliseconds(200)
    /// How many such times until all else is looked at, whether or not something changed.
    private static let beats = 5

    /// - Parameters:
    ///   - wait: waits for a time.
    ///   - alive: told that it goes on, about once a second.
    ///   - failure: told what went wrong in a turn; the next turn tries again.
    package init(
        feed: JobFeed, runner: JobRunner, scheduler: Scheduler,
        wait: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) },
        alive: @escaping @Sendable () -> Void = {},
        failure: @escaping @Sendable (any Error) -> Void
    ) {
        self.feed = feed
        self.runner = runner
        self.scheduler = scheduler
        self.wait = wait
        self.alive = alive
        self.failure = failure
    }

    /// Goes on until the task is cancelled.
    package func run() async {
        var beat = 0
        while !Task.isCancelled {
            var isNews = false
            do { isNews = try await feed.turn() } catch { failure(error) }
            if beat == 0 { await attempt { _ = try await scheduler.turn() } }
            if beat == 0 || isNews { await attempt { try await runner.turn() } }
            if beat == 0 { alive() }
            beat = (beat + 1) % Self.beats
            do { try await wait(Self.pace) } catch { return }
        }
    }

    private func attempt(_ body: () async throws -> Void) async {
        do { try await body() } catch { failure(error) }
    }
}
