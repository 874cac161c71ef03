package import Jobs
package import Platform
package import Settings

/// Runs what is queued: starts processes, ends them, and queues what follows.
///
/// All that it has to remember is in the store. A server that is killed leaves jobs that end themselves, and the next server goes on with them.
package actor JobRunner {
    /// What it goes by.
    package struct Rules: Sendable {
        /// Jobs at once.
        package var width = 2
        /// How long a process that was told to end is waited for.
        package var patience = Duration.seconds(10)
        /// How long jobs may go on when the server is to end.
        package var grace = Duration.seconds(10)
        /// How often in a row an interrupted job is begun again.
        package var resumptions = 3
        package var chains: [ServiceSettings.Chain] = []

        package init() {}
    }

    private struct Worker {
        let kind: JobKind
        let task: Task<Void, Never>
        let line: StopLine
        var stop: JobRun.Stop?
        /// By the boot clock, in seconds: when it was seen to run, and when it was told to end.
        var began: Int64?
        var stopped: Int64?
    }

    private let store: JobStore
    private let launcher: JobLauncher
    private let rules: Rules
    private let seconds: @Sendable () -> Int64
    private let log: @Sendable (String) -> Void
    private let started: Timestamp
    private var workers: [Int64: Worker] = [:]
    private var isEnding = false
    private var waiters: [CheckedContinuation<Void, Never>] = []

    /// - Parameters:
    ///   - seconds: the boot clock.
    ///   - log: of the server.
    package init(
        store: JobStore, launcher: JobLauncher, rules: Rules, clock: WallClock = .system,
        seconds: @escaping @Sendable () -> Int64 = { Timestamp.ofBoot().seconds }, log: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.store = store
        self.launcher = launcher
        self.rules = rules
        self.seconds = seconds
        self.log = log
        started = clock.now()
    }

    /// How many jobs run.
    package var running: Int { workers.count }

    /// Does what there is to do now: marks what is gone, queues what follows, ends what takes too long, starts what is queued.
    ///
    /// - Throws: `DatabaseFileError`; the next turn does the rest.
    package func turn() throws {
        try watchWorkers()
        // Of those that this server started, the ends of their processes are told.
        try store.markInterrupted(except: Set(workers.keys))
        for job in try store.unhandled() { try settle(job) }
        guard !isEnding else { return }
        for job in try store.jobs(in: .queued) where workers[job.id] == nil {
            guard workers.count < rules.width else { break }
            if job.kind.isExclusive, workers.values.contains(where: \.kind.isExclusive) { continue }
            try start(job)
        }
    }

    private func start(_ job: JobRecord) throws {
        let line = try StopLine()
        let task = Task { [launcher] in
            let ending = await launcher.run(job, line)
            ended(job.id, ending)
        }
        workers[job.id] = Worker(kind: job.kind, task: task, line: line)
        log("job \(job.id), \(job.kind.rawValue), was started")
    }

    /// A process says itself how its job ended; for one that could not, that is said here.
    private func ended(_ id: Int64, _ ending: JobLauncher.Ending) {
        let worker = workers.removeValue(forKey: id)
        defer {
            if workers.isEmpty {
                for waiter in waiters { waiter.resume() }
                waiters = []
            }
        }
        do {
            guard let job = try store.job(id), !job.state.isEnded else { return }
            // A process of the server before has begun it meanwhile.
            if job.state == .running, try store.isAlive(id) { return }
            // It had not begun, and the next server begins it.
            if job.state == .queued, worker?.stop == .shutdown { return }
            let result =
                worker?.stop.map { stop in
                    let (state, reason) = stop.ending(timeLimit: job.timeLimit)
                    return JobResult(state: state, exitCode: 130, reason: "\(reason); \(ending)")
                } ?? self.result(of: ending)
            try store.end(id, result)
            log("job \(id): \(result.reason)")
        } catch { log("job \(id): \(ending), and that could not be recorded: \(error)") }
    }

    private func result(of ending: JobLauncher.Ending) -> JobResult {
        switch ending {
        case .signalled: JobResult(state: .interrupted, exitCode: 130, reason: "\(ending)")
        case .exited(let code): JobResult(state: .failed, exitCode: code, reason: "\(ending); its log says why")
        case .notStarted: JobResult(state: .failed, exitCode: 1, reason: "\(ending)")
        }
    }

    // MARK: Ending

    /// What became of the wish to end a job.
    package enum Cancellation: Sendable, Hashable {
        /// It had not begun, and is cancelled.
        case done
        /// Its process was told, and ends in its own time.
        case told
    }

    /// Ends a job, whoever runs it.
    ///
    /// - Throws: `JobStore.Refusal` where there is none, or it has ended; `DatabaseFileError`.
    package func cancel(_ id: Int64) throws -> Cancellation {
        if workers[id] == nil, try store.cancelQueued(id, reason: "cancelled before it began") { return .done }
        if workers[id] != nil {
            stop(id, .cancelled)
            return .told
        }
        // A person's own process: as long as it keeps its file locked, the number is its own.
        guard let job = try store.job(id) else { throw JobStore.Refusal.noSuchJob(id) }
        guard !job.state.isEnded else { throw JobStore.Refusal.ended(id, job.state) }
        if let process = job.process, try store.isAlive(id) { interruptProcess(process) }
        return .told
    }

    private func stop(_ id: Int64, _ reason: JobRun.Stop) {
        guard var worker = workers[id], worker.stop == nil else { return }
        worker.stop = reason
        worker.stopped = seconds()
        workers[id] = worker
        worker.line.say(reason)
    }

    /// Ends what runs beyond its time, and kills what does not end.
    private func watchWorkers() throws {
        let now = seconds()
        for (id, worker) in workers {
            if let stopped = worker.stopped {
                if now - stopped >= rules.patience.components.seconds { worker.task.cancel() }
                continue
            }
            guard let job = try store.job(id), job.state == .running, let limit = job.timeLimit else { continue }
            guard let began = worker.began else {
                workers[id]?.began = now
                continue
            }
            if now - began >= limit { stop(id, .timedOut) }
        }
    }

    /// Starts nothing any more, lets jobs go on for the grace, ends those that are left, and returns when none is left.
    ///
    /// - Parameter wait: waits for a time; throws when there is none left.
    package func end(_ wait: @escaping @Sendable (Duration) async throws -> Void) async {
        isEnding = true
        await withTaskGroup { group in
            group.addTask { await self.untilIdle() }
            group.addTask { try? await wait(self.rules.grace) }
            await group.next()
            for id in workers.keys { stop(id, .shutdown) }
            group.addTask {
                try? await wait(self.rules.patience)
                await self.killAll()
            }
            await untilIdle()
            group.cancelAll()
        }
    }

    private func killAll() {
        for worker in workers.values { worker.task.cancel() }
    }

    private func untilIdle() async {
        guard !workers.isEmpty else { return }
        await withCheckedContinuation { waiters.append($0) }
    }

    // MARK: What follows

    private func settle(_ job: JobRecord) throws {
        let isOld = job.asker == .commandLine && (job.ended ?? started) < started
        switch job.state {
        case .succeeded where !job.parameters.isDryRun && !isOld:
            if let place = job.chain { return try store.settle(job, chains: place.next.map { [$0] } ?? []) }
            let chains = rules.chains.filter { $0.trigger == job.kind && !$0.steps.isEmpty }
            try store.settle(
                job, chains: chains.map { JobRecord.ChainPlace(name: $0.name, root: job.id, step: 0, steps: $0.steps) })
        case .interrupted where job.asker != .commandLine && job.kind.isResumable && job.resumptions < rules.resumptions:
            try store.settle(job, isResumed: true)
        default: try store.settle(job)
        }
    }
}
