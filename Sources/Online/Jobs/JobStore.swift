import CanonicalJSON
import Databases
import GRDB
package import Platform
package import SystemPackage

/// The record of jobs, `jobs.sqlite`: what is to run, runs and ran, and what schedules did.
///
/// Programs and server use it at once. Every change but progress is durable when its call returns. All calls throw `DatabaseFileError`.
package final class JobStore: Sendable {
    /// A job that cannot be as it is asked for, since another is in its way.
    package enum Refusal: Error, Equatable, CustomStringConvertible {
        case noSuchJob(Int64)
        /// The same job is queued or running already.
        case duplicate(Int64)
        case ended(Int64, JobState)

        package var description: String {
            switch self {
            case .noSuchJob(let id): "there is no job \(id)"
            case .duplicate(let id): "job \(id) is the same and has not ended"
            case .ended(let id, let state): "job \(id) has ended: \(state.rawValue)"
            }
        }
    }

    /// The form that this program brings the record to.
    package static var form: String { DatabaseMigrator.jobs.newestForm }

    private let file: DatabaseFile
    private let directory: FilePath
    private let clock: WallClock

    /// Opens the record of a state directory, creating it where it is missing.
    package init(state: FilePath, clock: WallClock = .system, patience: Double = 10) throws {
        directory = state
        self.clock = clock
        file = try DatabaseFile(opening: state.appending("jobs.sqlite"), migrator: .jobs, patience: patience)
    }

    /// The log of a job.
    package func log(of id: Int64) -> FilePath { directory.appending("logs").appending("\(id).log") }

    /// The file that the process of a running job keeps locked.
    package func lock(of id: Int64) -> FilePath { directory.appending("run").appending("\(id).lock") }

    // MARK: Queueing

    /// Queues a job.
    ///
    /// - Parameters:
    ///   - isUnique: whether the same kind with the same parameters, queued or running, is refused with `Refusal.duplicate`.
    ///   - timeLimit: seconds that it may run.
    /// - Returns: its record.
    package func add(
        _ kind: JobKind, _ parameters: JobParameters, by asker: JobAsker, isUnique: Bool = false, timeLimit: Int64? = nil
    ) throws -> JobRecord {
        try file.write { db in
            if isUnique, let other = try Self.openJob(like: kind, parameters, db) { throw Refusal.duplicate(other) }
            return try insert(kind, parameters, asker, state: .queued, timeLimit: timeLimit, db)
        }
    }

    /// Records a job that this process runs itself, as running.
    ///
    /// - Parameter claim: locks the file of the job's number, so that nobody takes the process for gone.
    package func begin(
        _ kind: JobKind, _ parameters: JobParameters, by asker: JobAsker, process: Int32, claim: (Int64) throws -> Void
    ) throws -> JobRecord {
        try file.write { db in
            let job = try insert(kind, parameters, asker, state: .running, timeLimit: nil, db)
            try claim(job.id)
            try Self.update(job.id, "started = created, process = ?", [process], in: db)
            return try Self.require(job.id, db)
        }
    }

    private func insert(
        _ kind: JobKind, _ parameters: JobParameters, _ asker: JobAsker, state: JobState, timeLimit: Int64?,
        chain: JobRecord.ChainPlace? = nil, resumptions: Int = 0, _ db: Database
    ) throws -> JobRecord {
        try db.execute(
            sql: """
                INSERT INTO job (
                    id, kind, parameters, asker, chain, chain_root, chain_step, chain_steps, state, created, time_limit, resumptions, revision
                ) VALUES (max(?, 1 + coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'job'), 0)), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                try firstNumber(db), kind.rawValue, String(decoding: parameters.json.canonicalBytes, as: UTF8.self), asker.description,
                chain?.name, chain?.root, chain?.step, chain.map(Self.text), state.rawValue,
                clock.now().nanoseconds, timeLimit, resumptions, try Self.nextRevision(db),
            ])
        return try Self.require(db.lastInsertedRowID, db)
    }

    /// The least number that a job may have: behind those of logs that an earlier record has left.
    private func firstNumber(_ db: Database) throws -> Int64 {
        guard try Int64.fetchOne(db, sql: "SELECT seq FROM sqlite_sequence WHERE name = 'job'") == nil else { return 1 }
        let names = try DiskFileSystem().names(in: directory.appending("logs")) ?? []
        return 1 + (names.compactMap { $0.hasSuffix(".log") ? Int64($0.dropLast(4)) : nil }.max() ?? 0)
    }

    private static func openJob(like kind: JobKind, _ parameters: JobParameters, _ db: Database) throws -> Int64? {
        try Int64.fetchOne(
            db, sql: "SELECT id FROM job WHERE state IN ('queued', 'running') AND kind = ? AND parameters = ? ORDER BY id LIMIT 1",
            arguments: [kind.rawValue, String(decoding: parameters.json.canonicalBytes, as: UTF8.self)])
    }

    // MARK: Running

    /// Says what a queued job waits for.
    package func wait(_ id: Int64, for words: String?) throws {
        try file.writeLazily { db in
            try Self.update(id, "waiting = ?", [words], where: "state = 'queued' AND waiting IS NOT ?", [words], in: db)
        }
    }

    /// Makes a queued job a running one.
    ///
    /// - Throws: `Refusal` where it is not queued, since somebody has cancelled it.
    package func start(_ id: Int64, process: Int32) throws -> JobRecord {
        try file.write { db in
            try Self.update(
                id, "state = 'running', started = ?, process = ?, waiting = NULL", [clock.now().nanoseconds, process],
                where: "state = 'queued'", in: db)
            guard db.changesCount > 0 else { throw Refusal.ended(id, try Self.require(id, db).state) }
            return try Self.require(id, db)
        }
    }

    /// Notes how far a running job is.
    package func note(_ progress: JobProgress, of id: Int64) throws {
        try file.writeLazily { db in
            try Self.update(
                id, "phase = ?, done = ?, total = ?, unit = ?, item = ?, rate = ?, seconds_left = ?",
                [
                    progress.phase, progress.done, progress.total, progress.unit, progress.item, progress.rate, progress.secondsLeft,
                ], where: "state = 'running'", in: db)
        }
    }

    /// Ends a job; one that has ended stays as it is.
    ///
    /// - Returns: whether it is this call that ended it.
    @discardableResult
    package func end(_ id: Int64, _ result: JobResult) throws -> Bool {
        try file.write(bytes: Int64(result.touched.count * 60)) { db in
            try Self.update(
                id, "state = ?, ended = ?, process = NULL, waiting = NULL, exit_code = ?, reason = ?, report = ?, touched = ?",
                [
                    result.state.rawValue, clock.now().nanoseconds, result.exitCode, result.reason,
                    result.report.map { String(decoding: $0.canonicalBytes, as: UTF8.self) }, result.touched.count,
                ], where: "state IN ('queued', 'running')", in: db)
            guard db.changesCount > 0 else { return false }
            let statement = try db.cachedStatement(sql: "INSERT OR IGNORE INTO touched VALUES (?, ?)")
            for package in result.touched { try statement.execute(arguments: [id, package]) }
            return true
        }
    }

    /// Ends a queued job that nobody has begun.
    ///
    /// - Throws: `Refusal.noSuchJob`, `Refusal.ended`.
    /// - Returns: whether it was queued; one that runs is as it was.
    package func cancelQueued(_ id: Int64, reason: String) throws -> Bool {
        try file.write { db in
            let job = try Self.require(id, db)
            guard !job.state.isEnded else { throw Refusal.ended(id, job.state) }
            try Self.update(
                id, "state = 'cancelled', ended = ?, waiting = NULL, reason = ?", [clock.now().nanoseconds, reason],
                where: "state = 'queued'", in: db)
            return db.changesCount > 0
        }
    }

    /// Marks the running jobs whose processes are gone as interrupted: theirs are the files that nobody keeps locked.
    ///
    /// - Parameter known: jobs that are left alone.
    /// - Returns: those that were marked.
    @discardableResult
    package func markInterrupted(except known: Set<Int64> = []) throws -> [Int64] {
        let running = try file.read { db in try Int64.fetchAll(db, sql: "SELECT id FROM job WHERE state = 'running'") }
        var gone: [Int64] = []
        for id in running where try !known.contains(id) && !isAlive(id) {
            guard try end(id, JobResult(state: .interrupted, exitCode: 130, reason: "its process is gone")) else { continue }
            _ = try DiskFileSystem().remove(lock(of: id))
            gone.append(id)
        }
        return gone
    }

    /// Whether the process of a job runs.
    package func isAlive(_ id: Int64) throws -> Bool {
        guard try DiskFileSystem().status(of: lock(of: id)) != nil else { return false }
        do {
            let probe = try ProcessLock(lock(of: id), holder: "")
            withExtendedLifetime(probe) {}
            return false
        } catch is ProcessLock.Held { return true }
    }

    // MARK: What follows

    /// The ended jobs about which something is left to be done, oldest first.
    package func unhandled() throws -> [JobRecord] {
        try file.read { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM job WHERE handled = 0 AND state NOT IN ('queued', 'running') ORDER BY id"
            ).compactMap(Self.job)
        }
    }

    /// Notes that nothing is left to be done about a job, and queues what follows from it, at once or not at all.
    ///
    /// - Parameters:
    ///   - chains: the places in chains that are queued.
    ///   - isResumed: whether it is queued again as it was.
    package func settle(_ job: JobRecord, chains: [JobRecord.ChainPlace] = [], isResumed: Bool = false) throws {
        try file.write { db in
            try db.execute(sql: "UPDATE job SET handled = 1 WHERE id = ? AND handled = 0", arguments: [job.id])
            guard db.changesCount > 0 else { return }
            if isResumed {
                // Its place in a chain goes over to the job that goes on.
                if job.chain != nil {
                    try db.execute(sql: "UPDATE job SET chain_root = NULL, chain_step = NULL WHERE id = ?", arguments: [job.id])
                }
                _ = try insert(
                    job.kind, job.parameters, .resumption(job.id), state: .queued, timeLimit: job.timeLimit, chain: job.chain,
                    resumptions: job.resumptions + 1, db)
            }
            for place in chains {
                let request = place.steps[place.step]
                _ = try insert(request.kind, request.parameters, .chain(place.name), state: .queued, timeLimit: nil, chain: place, db)
            }
        }
    }

    // MARK: Reading

    /// The number of the last change.
    package func revision() throws -> Int64 {
        try file.read { db in try Int64.fetchOne(db, sql: "SELECT value FROM counter WHERE name = 'revision'") ?? 0 }
    }

    /// The jobs that were changed after a revision, in the order of their last changes.
    package func changes(after revision: Int64, limit: Int = 1000) throws -> [JobRecord] {
        try file.read { db in
            try Row.fetchAll(
                db.cachedStatement(sql: "SELECT * FROM job WHERE revision > ? ORDER BY revision LIMIT ?"), arguments: [revision, limit]
            ).compactMap(Self.job)
        }
    }

    package func job(_ id: Int64) throws -> JobRecord? {
        try file.read { db in try Row.fetchOne(db, sql: "SELECT * FROM job WHERE id = ?", arguments: [id]).flatMap(Self.job) }
    }

    /// The jobs of a state, oldest first.
    package func jobs(in state: JobState) throws -> [JobRecord] {
        try file.read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM job WHERE state = ? ORDER BY id", arguments: [state.rawValue]).compactMap(Self.job)
        }
    }

    /// Which jobs are asked for.
    package struct Query: Sendable {
        package var kinds: [JobKind] = []
        package var states: [JobState] = []
        /// Those that changed this package.
        package var package: String?
        package var limit = 50
        package var offset = 0

        package init() {}
    }

    /// A page of jobs, newest first, and how many there are.
    package func jobs(_ query: Query) throws -> (jobs: [JobRecord], total: Int) {
        var conditions: [String] = []
        var arguments: StatementArguments = []
        func add(_ column: String, _ values: [String]) {
            guard !values.isEmpty else { return }
            conditions.append("\(column) IN (\(values.map { _ in "?" }.joined(separator: ", ")))")
            arguments += StatementArguments(values)
        }
        add("kind", query.kinds.map(\.rawValue))
        add("state", query.states.map(\.rawValue))
        if let package = query.package {
            conditions.append("id IN (SELECT job FROM touched WHERE package = ?)")
            arguments += [package]
        }
        let condition = conditions.isEmpty ? "" : " WHERE \(conditions.joined(separator: " AND "))"
        return try file.read { db in
            let total = try Int.fetchOne(db, sql: "SELECT count(*) FROM job\(condition)", arguments: arguments) ?? 0
            let rows = try Row.fetchAll(
                db, sql: "SELECT * FROM job\(condition) ORDER BY id DESC LIMIT ? OFFSET ?",
                arguments: arguments + [query.limit, query.offset])
            return (rows.compactMap(Self.job), total)
        }
    }

    /// The packages that a job changed, by name, and how many there are.
    package func touched(by id: Int64, limit: Int, offset: Int) throws -> (packages: [String], total: Int) {
        try file.read { db in
            let total = try Int.fetchOne(db, sql: "SELECT count(*) FROM touched WHERE job = ?", arguments: [id]) ?? 0
            let names = try String.fetchAll(
                db, sql: "SELECT package FROM touched WHERE job = ? ORDER BY package LIMIT ? OFFSET ?", arguments: [id, limit, offset])
            return (names, total)
        }
    }

    /// How many jobs there are of each kind and state, and when one of them last ended and how long it took.
    package struct Sum: Sendable, Hashable {
        package let kind: JobKind
        package let state: JobState
        package let count: Int
        package let lastEnded: Timestamp?
        package let lastSeconds: Double?
    }

    package func sums() throws -> [Sum] {
        try file.read { db in
            try Row.fetchAll(
                db,
                sql:
                    "SELECT kind, state, count(*) AS count, max(ended) AS ended, started FROM job GROUP BY kind, state ORDER BY kind, state"
            ).compactMap { row in
                guard let kind = JobKind(rawValue: row["kind"]), let state = JobState(rawValue: row["state"]) else { return nil }
                let (ended, started) = (row["ended"] as Int64?, row["started"] as Int64?)
                return Sum(
                    kind: kind, state: state, count: row["count"], lastEnded: ended.map { Timestamp(nanoseconds: $0) },
                    lastSeconds: ended.flatMap { ended in started.map { max(0, Double(ended - $0) / 1_000_000_000) } })
            }
        }
    }

    // MARK: Schedules

    /// What is kept of a schedule.
    package struct ScheduleState: Sendable, Hashable {
        package let isPaused: Bool
        /// The due moment that was handled last; at first, when it was first seen.
        package let handled: Timestamp
        package let lastJob: Int64?
    }

    /// What is kept of a schedule; begun now where there is none yet, or where it recurs otherwise than before.
    package func schedule(_ name: String, recurrence: String) throws -> ScheduleState {
        try file.write { db in
            let now = clock.now().nanoseconds
            try db.execute(
                sql: """
                    INSERT INTO schedule (name, recurrence, handled) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET
                        recurrence = excluded.recurrence, handled = excluded.handled WHERE recurrence <> excluded.recurrence
                    """, arguments: [name, recurrence, now])
            guard let row = try Row.fetchOne(db, sql: "SELECT * FROM schedule WHERE name = ?", arguments: [name]) else {
                throw DatabaseFileError.damaged("the schedule \(name)")
            }
            return ScheduleState(
                isPaused: row["is_paused"], handled: Timestamp(nanoseconds: row["handled"]), lastJob: row["last_job"])
        }
    }

    /// Stops or lets go on what a schedule starts.
    package func pause(_ name: String, _ isPaused: Bool) throws {
        try file.write { db in
            try db.execute(sql: "UPDATE schedule SET is_paused = ? WHERE name = ?", arguments: [isPaused, name])
            _ = try Self.nextRevision(db)
        }
    }

    /// Queues the job of a schedule that is due, unless the same one is open, and notes that it was seen to; both or neither.
    ///
    /// - Parameters:
    ///   - request: `nil` where it is only noted.
    ///   - handled: the due moment.
    /// - Returns: the job; `nil` where none is queued.
    package func fire(_ name: String, _ request: JobRequest?, handled: Timestamp, timeLimit: Int64?) throws -> JobRecord? {
        try file.write { db in
            try db.execute(sql: "UPDATE schedule SET handled = ? WHERE name = ?", arguments: [handled.nanoseconds, name])
            guard let request, try Self.openJob(like: request.kind, request.parameters, db) == nil else { return nil }
            let job = try insert(request.kind, request.parameters, .schedule(name), state: .queued, timeLimit: timeLimit, db)
            try db.execute(sql: "UPDATE schedule SET last_job = ? WHERE name = ?", arguments: [job.id, name])
            return job
        }
    }

    // MARK: Rows

    private static func nextRevision(_ db: Database) throws -> Int64 {
        try db.execute(sql: "UPDATE counter SET value = value + 1 WHERE name = 'revision'")
        return try Int64.fetchOne(db, sql: "SELECT value FROM counter WHERE name = 'revision'") ?? 0
    }

    private static func update(
        _ id: Int64, _ assignments: String, _ values: [(any DatabaseValueConvertible)?], where condition: String = "TRUE",
        _ conditionValues: [(any DatabaseValueConvertible)?] = [], in db: Database
    ) throws {
        let arguments = StatementArguments(values) + [try nextRevision(db), id] + StatementArguments(conditionValues)
        try db.execute(sql: "UPDATE job SET \(assignments), revision = ? WHERE id = ? AND \(condition)", arguments: arguments)
    }

    private static func require(_ id: Int64, _ db: Database) throws -> JobRecord {
        guard let row = try Row.fetchOne(db, sql: "SELECT * FROM job WHERE id = ?", arguments: [id]) else { throw Refusal.noSuchJob(id) }
        guard let job = job(row) else { throw DatabaseFileError.damaged("job \(id)") }
        return job
    }

    private static func job(_ row: Row) -> JobRecord? {
        guard let kind = JobKind(rawValue: row["kind"]), let state = JobState(rawValue: row["state"]),
            let asker = JobAsker(row["asker"] as String),
            let values = try? JSONParser.parse(Array((row["parameters"] as String).utf8), mode: .strict).object,
            let parameters = try? JobParameters(
                Dictionary(uniqueKeysWithValues: values.members.map { ($0.name, $0.value) }), for: kind)
        else { return nil }
        return JobRecord(
            id: row["id"], kind: kind, parameters: parameters, asker: asker, chain: chain(row), state: state,
            created: Timestamp(nanoseconds: row["created"]), started: moment(row["started"]), ended: moment(row["ended"]),
            timeLimit: row["time_limit"], process: row["process"], waiting: row["waiting"], progress: progress(row),
            exitCode: row["exit_code"], reason: row["reason"],
            report: (row["report"] as String?).flatMap { try? JSONParser.parse(Array($0.utf8), mode: .strict) }, touched: row["touched"],
            resumptions: row["resumptions"], revision: row["revision"])
    }

    private static func moment(_ nanoseconds: Int64?) -> Timestamp? { nanoseconds.map { Timestamp(nanoseconds: $0) } }

    private static func chain(_ row: Row) -> JobRecord.ChainPlace? {
        guard let name = row["chain"] as String?, let root = row["chain_root"] as Int64?, let step = row["chain_step"] as Int? else {
            return nil
        }
        let steps = (row["chain_steps"] as String?).flatMap { try? JSONParser.parse(Array($0.utf8), mode: .strict).array } ?? []
        return JobRecord.ChainPlace(name: name, root: root, step: step, steps: steps.compactMap { JobRequest($0) })
    }

    private static func text(_ place: JobRecord.ChainPlace) -> String {
        String(decoding: JSONValue.array(place.steps.map(\.json)).canonicalBytes, as: UTF8.self)
    }

    private static func progress(_ row: Row) -> JobProgress? {
        guard let phase = row["phase"] as String? else { return nil }
        return JobProgress(
            phase: phase, done: row["done"], total: row["total"], unit: row["unit"], item: row["item"], rate: row["rate"],
            secondsLeft: row["seconds_left"])
    }
}
