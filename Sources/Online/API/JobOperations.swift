import CanonicalJSON
import Documents
package import HTTPService
package import Jobs
package import Platform
import Scheduling
package import Service
import Settings

/// What the service does, beside what it can be asked about.
package struct JobContext: Sendable {
    package let store: JobStore
    package let feed: JobFeed
    package let runner: JobRunner
    package let scheduler: Scheduler
    /// Seconds that a job may run, unless the request says otherwise.
    package let timeLimit: Int64?
    package let clock: WallClock

    package init(
        store: JobStore, feed: JobFeed, runner: JobRunner, scheduler: Scheduler, timeLimit: Int64?, clock: WallClock = .system
    ) {
        self.store = store
        self.feed = feed
        self.runner = runner
        self.scheduler = scheduler
        self.timeLimit = timeLimit
        self.clock = clock
    }
}

extension Problem.Kind {
    package static let jobOpen = Problem.Kind("job-open", 409, "The same job is queued or running")
    package static let jobEnded = Problem.Kind("job-ended", 409, "The job has ended")
}

extension FerryAPI {
    /// The kinds of jobs that are asked for, each under its address.
    private static let addresses: [(address: String, kind: JobKind)] = [
        ("full-refresh", .fullRefresh), ("delta-refresh", .deltaRefresh), ("metadata-scan", .scan), ("broken-rescan", .check),
        ("broken-repair", .repair), ("snapshot", .snapshot), ("diff-build", .diffBuild), ("retention", .retention),
    ]

    private static let jobID = Parameter.path("id", .jobNumber, "The job's number.") { Int64($0) }

    /// What can be asked for and ended: jobs, schedules, and streams of what happens.
    package static func working(_ context: JobContext) -> [HTTPOperation] {
        reading(context) + addresses.map { start($0.address, $0.kind, context) } + streams(context) + schedules(context)
    }

    // MARK: Jobs

    private static func reading(_ context: JobContext) -> [HTTPOperation] {
        let kind = Parameter<JobKind?>.choice("kind", "Only jobs of that kind.")
        let state = Parameter<JobState?>.choice("state", "Only jobs in that state.")
        let package = Parameter<String>.text("package", .string(maxLength: 214), "Only jobs that changed that package.")
        return [
            HTTPOperation(
                .get, "/jobs", id: "listJobs", tag: "jobs", "List jobs, newest first.",
                parameters: [kind.declaration, state.declaration, package.declaration, limit.declaration, offset.declaration],
                success: [HTTPOperation.Success(pageSchema(.job), "A page of jobs.")], problems: commonProblems
            ) { request in
                var query = JobStore.Query()
                query.kinds = try request.value(of: kind).map { [$0] } ?? []
                query.states = try request.value(of: state).map { [$0] } ?? []
                let name = try request.value(of: package)
                query.package = name.isEmpty ? nil : name
                (query.limit, query.offset) = (try request.value(of: limit), try request.value(of: offset))
                return try await request.blocking { [query] in
                    let found = try context.store.jobs(query)
                    return .json(try page(found.jobs.map { $0.json(now: context.clock.now()) }, of: found.total, request))
                }
            },
            HTTPOperation(
                .get, "/jobs/{id}", id: "getJob", tag: "jobs", "Get a job.", parameters: [jobID.declaration],
                success: [HTTPOperation.Success(.job, "The job.")], problems: commonProblems
            ) { request in
                let id = try request.value(of: jobID)
                return try await request.blocking { .json(try job(id, context).json(now: context.clock.now())) }
            },
            HTTPOperation(
                .delete, "/jobs/{id}", id: "cancelJob", tag: "jobs", "End a job.",
                explanation: "One that is queued does not begin; one that runs is told to end, and does so in its own time.",
                parameters: [jobID.declaration],
                success: [
                    HTTPOperation.Success(.job, "It is cancelled."), HTTPOperation.Success(.job, "It was told to end.", status: 202),
                ], problems: commonProblems + [.jobEnded]
            ) { request in
                let id = try request.value(of: jobID)
                let isDone: Bool
                do { isDone = try await context.runner.cancel(id) == .done } catch let refusal as JobStore.Refusal {
                    throw problem(of: refusal)
                }
                return try await request.blocking {
                    .json(try job(id, context).json(now: context.clock.now()), status: isDone ? 200 : 202)
                }
            },
            HTTPOperation(
                .get, "/jobs/{id}/packages", id: "listTouchedPackages", tag: "jobs", "List the packages that a job changed.",
                parameters: [jobID.declaration, limit.declaration, offset.declaration],
                success: [HTTPOperation.Success(pageSchema(.packageName), "A page of names.")], problems: commonProblems
            ) { request in
                let id = try request.value(of: jobID)
                let (count, first) = (try request.value(of: limit), try request.value(of: offset))
                return try await request.blocking {
                    _ = try job(id, context)
                    let found = try context.store.touched(by: id, limit: count, offset: first)
                    return .json(try page(found.packages.map { .string($0) }, of: found.total, request))
                }
            },
        ]
    }

    private static func job(_ id: Int64, _ context: JobContext) throws -> JobRecord {
        guard let job = try context.store.job(id) else { throw problem(of: .noSuchJob(id)) }
        return job
    }

    private static func problem(of refusal: JobStore.Refusal) -> Problem {
        switch refusal {
        case .noSuchJob: Problem(.notFound, "\(refusal)", members: ["parameter": "id"])
        case .ended: Problem(.jobEnded, "\(refusal)")
        case .duplicate(let id):
            Problem(
                .jobOpen, "\(refusal)", members: ["see": .string("/jobs/\(id)")], headers: [("Location", "/jobs/\(id)")])
        }
    }

    /// The operation that asks for a job of a kind: parameters in the query, lists and all else in the body.
    private static func start(_ address: String, _ kind: JobKind, _ context: JobContext) -> HTTPOperation {
        let scalars = kind.parameters.compactMap { parameter in
            parameter.schema.isList ? nil : Parameter.value(parameter.name, parameter.schema.schema, parameter.summary)
        }
        let timeLimit = Parameter.value("timeLimitSeconds", .integer(1...31_536_000), "How long it may run.")
        let body = Schema.object(
            kind.parameters.map { Schema.Member($0.name, $0.schema.schema, $0.summary, isRequired: false) })
        return HTTPOperation(
            .post, PathTemplate(stringLiteral: "/jobs/\(address)"), id: "start-\(address)", tag: "jobs",
            "Ask for a job: \(kind.rawValue).",
            explanation: "Parameters may stand in the query, or in the body, which wins.",
            parameters: scalars.map(\.declaration) + [timeLimit.declaration], body: HTTPOperation.Body(body, isRequired: false),
            success: [HTTPOperation.Success(.job, "It is queued; `Location` says where it is.", status: 201)],
            problems: commonProblems + [.jobOpen]
        ) { request in
            var values: [String: JSONValue] = [:]
            for parameter in scalars {
                if let value = try request.value(of: parameter) { values[parameter.declaration.name] = value }
            }
            for (name, value) in request.body?.object?.members ?? [] { values[name] = value }
            let parameters: JobParameters
            do throws(JobParameterError) { parameters = try JobParameters(values, for: kind) } catch {
                throw Problem(.invalidParameter, "\(error)", members: ["parameter": .string(error.parameter)])
            }
            let limit = try request.value(of: timeLimit)?.integer ?? context.timeLimit
            return try await request.blocking {
                try queue(kind, parameters, timeLimit: limit, context)
            }
        }
    }

    /// Queues a job, unless the same one is open, and answers where it is.
    static func queue(_ kind: JobKind, _ parameters: JobParameters, timeLimit: Int64?, _ context: JobContext) throws -> Answer {
        do {
            let job = try context.store.add(kind, parameters, by: .api, isUnique: true, timeLimit: timeLimit)
            return .json(job.json(now: context.clock.now()), status: 201, headers: [("Location", "/jobs/\(job.id)")])
        } catch let refusal as JobStore.Refusal { throw problem(of: refusal) }
    }

    // MARK: Streams

    private static func streams(_ context: JobContext) -> [HTTPOperation] {
        [
            HTTPOperation(
                .get, "/events", id: "followEvents", tag: "jobs", "Follow what happens.",
                explanation: """
                    Server-sent events: `job` with a job whenever it changes, `log` with lines that running jobs write (`job`, `lines`, and \
                    `offset`, the bytes of its log up to there), `media` with what was plugged in and pulled out, `replies` with what came back \
                    on a medium, `destinations` with one about which a person has decided something. The id of a `job` event is its \
                    revision: after a loss of the connection, `Last-Event-ID` brings every job that changed since, as it is by then. \
                    Lines are not sent again; the log has them.
                    """, success: [HTTPOperation.Success(mediaType: MediaType.events, "A stream that does not end.")]
            ) { _ in
                .events(
                    EventFeed(heartbeat: .seconds(15), clock: .continuous) { lastID in
                        let number = await context.feed.listen(after: lastID.flatMap { Int64($0) })
                        return events(of: number, context.feed)
                    })
            },
            HTTPOperation(
                .get, "/jobs/{id}/log", id: "followLog", tag: "jobs", "Follow the log of a job.",
                explanation: """
                    Server-sent events: `lines`, each with the id that is the bytes of the log up to there, so that `Last-Event-ID` goes on \
                    behind them; and `end` with the state of a job that has ended, after which the stream is over.
                    """, parameters: [jobID.declaration],
                success: [HTTPOperation.Success(mediaType: MediaType.events, "A stream that ends with the job.")], problems: commonProblems
            ) { request in
                let id = try request.value(of: jobID)
                _ = try await request.blocking { try job(id, context) }
                return .events(
                    EventFeed(heartbeat: .seconds(15), clock: .continuous) { lastID in
                        lines(of: id, from: lastID.flatMap { Int64($0) } ?? 0, context)
                    })
            },
        ]
    }

    private static func events(of number: Int, _ feed: JobFeed) -> AsyncThrowingStream<ServerEvent, any Error> {
        let pending = PendingEvents()
        return AsyncThrowingStream {
            await withTaskCancellationHandler {
                if let event = await pending.take() { return event }
                guard let events = try? await feed.next(for: number) else {
                    await feed.leave(number)
                    return nil
                }
                await pending.put(
                    events.map {
                        ServerEvent(id: $0.revision.map { "\($0)" }, name: $0.name, data: String(decoding: $0.data, as: UTF8.self))
                    })
                return await pending.take()
            } onCancel: {
                Task { await feed.leave(number) }
            }
        }
    }

    /// The lines of a log as they come, and then how the job ended.
    private static func lines(
        of id: Int64, from offset: Int64, _ context: JobContext
    ) -> AsyncThrowingStream<ServerEvent, any Error> {
        let reader = LogReader(context.store, id, offset: offset)
        return AsyncThrowingStream { try await reader.next() }
    }

    // MARK: Schedules

    private static func schedules(_ context: JobContext) -> [HTTPOperation] {
        let name = Parameter.path("name", .string(pattern: ServiceSettings.namePattern, maxLength: 100), "The schedule's name.") { $0 }
        func change(_ word: String, _ isPaused: Bool, _ summary: String) -> HTTPOperation {
            HTTPOperation(
                .post, PathTemplate(stringLiteral: "/schedules/{name}/\(word)"), id: "\(word)Schedule", tag: "schedules", summary,
                parameters: [name.declaration], success: [HTTPOperation.Success(.schedule, "The schedule as it is now.")],
                problems: commonProblems
            ) { request in
                let name = try request.value(of: name)
                do { try await context.scheduler.pause(name, isPaused) } catch let error as Scheduler.Unknown { throw unknown(error) }
                let entries = try await context.scheduler.entries(next: 5)
                guard let entry = entries.first(where: { $0.timetable.schedule.name == name }) else {
                    throw unknown(Scheduler.Unknown(name: name))
                }
                return .json(entry.json)
            }
        }
        return [
            HTTPOperation(
                .get, "/schedules", id: "listSchedules", tag: "schedules", "List the schedules.",
                parameters: [limit.declaration, offset.declaration],
                success: [HTTPOperation.Success(pageSchema(.schedule), "A page of schedules, by name.")], problems: commonProblems
            ) { request in
                .json(try page(of: try await context.scheduler.entries(next: 5).map(\.json), request))
            },
            change("pause", true, "Let a schedule start nothing."),
            change("resume", false, "Let a schedule go on; what was missed is passed over."),
            HTTPOperation(
                .post, "/schedules/{name}/start", id: "startSchedule", tag: "schedules", "Start the job of a schedule now.",
                parameters: [name.declaration],
                success: [HTTPOperation.Success(.job, "It is queued; `Location` says where it is.", status: 201)],
                problems: commonProblems + [.jobOpen]
            ) { request in
                do {
                    let job = try await context.scheduler.startNow(try request.value(of: name))
                    return .json(job.json(now: context.clock.now()), status: 201, headers: [("Location", "/jobs/\(job.id)")])
                } catch let error as Scheduler.Unknown { throw unknown(error) } catch let refusal as JobStore.Refusal {
                    throw problem(of: refusal)
                }
            },
        ]
    }

    private static func unknown(_ error: Scheduler.Unknown) -> Problem {
        Problem(.notFound, "there is no schedule \"\(error.name)\"", members: ["parameter": "name"])
    }
}

extension Scheduler.Entry {
    fileprivate var json: JSONValue {
        [
            "name": .string(timetable.schedule.name), "job": .string(timetable.request.description),
            "kind": .string(timetable.request.kind.rawValue), "when": .string(timetable.schedule.recurrence.description),
            "jitterSeconds": .integer(timetable.schedule.jitter.components.seconds), "paused": .bool(isPaused),
            "next": .array(next.map { .string($0.description) }), "lastJob": lastJob.map { .integer($0) } ?? .null,
        ]
    }
}

extension JobParameter {
    fileprivate var schema: (schema: Schema, isList: Bool) { form.schema }
}

extension JobParameter.Form {
    fileprivate var schema: (schema: Schema, isList: Bool) {
        switch self {
        case .flag: (.boolean, false)
        case .integer(let range): (.integer(range), false)
        case .word(let words): (.choice(words), false)
        case .text(let limit): (.string(pattern: "^[!-~]+$", maxLength: limit), false)
        case .matching(let pattern, _): (.string(pattern: pattern), false)
        case .path: (.string(minLength: 1, maxLength: JobParameter.pathLimit), false)
        case .list(let form): (.array(form.schema.schema, maxItems: JobParameter.listLimit), true)
        }
    }
}

/// Events that have come together and are sent one after the other.
private actor PendingEvents {
    private var events: [ServerEvent] = []

    func put(_ events: [ServerEvent]) { self.events = events }
    func take() -> ServerEvent? { events.isEmpty ? nil : events.removeFirst() }
}

/// Reads a log piece by piece, and waits for more as long as its job has not ended.
private actor LogReader {
    private let store: JobStore
    private let id: Int64
    private var offset: Int64
    private var isOver = false

    private static let window = 64 << 10

    init(_ store: JobStore, _ id: Int64, offset: Int64) {
        self.store = store
        self.id = id
        self.offset = max(0, offset)
    }

    /// The next event; `nil` behind the last.
    func next() async throws -> ServerEvent? {
        guard !isOver else { return nil }
        while true {
            // Asked before the log is read, so that nothing comes between.
            let job = try store.job(id)
            if let event = try read() { return event }
            guard let job, !job.state.isEnded else {
                isOver = true
                let state: JSONValue = ["state": .text(job?.state.rawValue)]
                return ServerEvent(id: "\(offset)", name: "end", data: state.canonicalText)
            }
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    private func read() throws -> ServerEvent? {
        guard let reader = try FileReader(opening: store.log(of: id)) else { return nil }
        let size = try reader.status().identity.size
        guard size > offset else { return nil }
        let bytes = try reader.read(Int(min(size - offset, Int64(Self.window))), at: offset)
        // A line that is longer than the window comes in pieces.
        guard let end = bytes.lastIndex(of: UInt8(ascii: "\n")).map({ $0 + 1 }) ?? (bytes.count == Self.window ? bytes.count : nil)
        else { return nil }
        offset += Int64(end)
        let lines = bytes[..<end].split(separator: UInt8(ascii: "\n")).map { JSONValue.string(String(decoding: $0, as: UTF8.self)) }
        let data: JSONValue = ["lines": .array(lines), "offset": .integer(offset)]
        return ServerEvent(id: "\(offset)", name: "lines", data: data.canonicalText)
    }
}
