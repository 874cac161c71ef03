import CanonicalJSON
import Foundation
import HTTPService
import Jobs
import Platform
import Service
import SystemPackage
import Testing

@testable import API

/// Jobs, what is told of them, and how the service is, over a socket; each answer is held against the document.
@Suite(.serialized) struct WorkingTests {
    private static let job = "/jobs/{id}"

    @Test func `a job that is asked for is queued, listed, and ended`() async throws {
        let world = try APIWorld()
        try await world.serving { client in
            let asked = try await client.get(
                "/jobs/delta-refresh?minutes=60&dryRun=true&timeLimitSeconds=90", of: "/jobs/delta-refresh", method: "POST")
            #expect(asked.status == 201 && asked.json["state"] == "queued" && asked.json["askedBy"] == "api")
            #expect(asked.json["parameters"] == ["minutes": 60, "dryRun": true] && asked.json["timeLimitSeconds"] == 90)
            let place = try #require(asked.fields["location"])
            #expect(try await client.get(place, of: Self.job).json["id"] == asked.json["id"])
            let listed = try await client.get("/jobs?kind=delta_refresh&state=queued")
            #expect(listed.items.count == 1 && listed.json["total"] == 1)
            // The same is not queued twice; another is.
            let again = try await client.get("/jobs/delta-refresh?minutes=60&dryRun=true", of: "/jobs/delta-refresh", method: "POST")
            #expect(again.problem == "job-open" && again.fields["location"] == place && again.json["see"] == .string(place))
            #expect(try await client.get("/jobs/delta-refresh?minutes=61", of: "/jobs/delta-refresh", method: "POST").status == 201)
            let ended = try await client.get(place, of: Self.job, method: "DELETE")
            #expect(ended.status == 200 && ended.json["state"] == "cancelled")
            let late = try await client.get(place, of: Self.job, method: "DELETE")
            #expect(late.status == 409 && late.problem == "job-ended")
            try await client.validateAnswers()
        }
    }

    @Test(arguments: [
        ("/jobs/delta-refresh?minutes=-1", nil), ("/jobs/delta-refresh?minutes=1e3", nil),
        ("/jobs/delta-refresh?minutes=99999999999999999999", nil), ("/jobs/delta-refresh?minutes=", nil),
        ("/jobs/delta-refresh?minutes=5&minutes=6", nil), ("/jobs/delta-refresh?hours=5", nil), ("/jobs/full-refresh?dryRun=yes", nil),
        ("/jobs/diff-build?baseline=..%2F..%2Fetc", nil), ("/jobs/delta-refresh", "{"), ("/jobs/delta-refresh", "[]"),
        ("/jobs/delta-refresh", #"{"minutes": "60"}"#), ("/jobs/delta-refresh", #"{"minutes": -5}"#),
        ("/jobs/delta-refresh", #"{"minutes": 60.5}"#), ("/jobs/delta-refresh", #"{"minutes": 1, "minutes": 2}"#),
        ("/jobs/full-refresh", #"{"platforms": "linux-x64"}"#), ("/jobs/full-refresh", #"{"policies": ["never"]}"#),
        ("/jobs/broken-repair", #"{"packages": ["a b"]}"#),
    ])
    func `what cannot be a parameter is refused by name, and no job is queued`(path: String, body: String?) async throws {
        let world = try APIWorld()
        try await world.serving { client in
            let fields = body == nil ? [] : ["Content-Type: application/json"]
            let answer = try await client.get(path, of: String(path.prefix { $0 != "?" }), fields, method: "POST", body: body)
            #expect(answer.status == 400 && answer.problem != nil, "\(answer.status)")
            #expect(try await client.get("/jobs?state=queued").json["total"] == 0)
            try await client.validateAnswers()
        }
    }

    @Test(arguments: ["0", "-1", "abc", "1.0", "99999999999999999999", "..%2F1", "999"])
    func `a job that there is not is refused`(id: String) async throws {
        let problems = ["999": "not-found", "..%2F1": "malformed-request"]
        let world = try APIWorld()
        try await world.serving { client in
            for (path, method) in [
                ("/jobs/\(id)", "GET"), ("/jobs/\(id)", "DELETE"), ("/jobs/\(id)/log", "GET"), ("/jobs/\(id)/packages", "GET"),
            ] {
                let template = path.hasSuffix("log") ? "/jobs/{id}/log" : path.hasSuffix("packages") ? "/jobs/{id}/packages" : Self.job
                let answer = try await client.get(path, of: template, method: method)
                #expect(answer.problem == (problems[id] ?? "invalid-parameter"), "\(method) \(path)")
            }
            try await client.validateAnswers()
        }
    }

    @Test func `a schedule is paused, goes on and is started, and the list says so`() async throws {
        let world = try APIWorld()
        try await world.serving { client in
            func scan() async throws -> JSONObject? { try await client.get("/schedules").items.first { $0["name"] == "scan" } }
            #expect(try await scan()?["next"]?.array?.count == 5)
            let paused = try await client.get("/schedules/scan/pause", of: "/schedules/{name}/pause", method: "POST")
            #expect(paused.status == 200 && paused.json["paused"] == true)
            #expect(try await scan()?["next"] == [])
            #expect(try await client.get("/schedules/scan/resume", of: "/schedules/{name}/resume", method: "POST").json["paused"] == false)
            let started = try await client.get("/schedules/scan/start", of: "/schedules/{name}/start", method: "POST")
            #expect(started.status == 201 && started.json["askedBy"] == "schedule:scan")
            #expect(try await client.get("/schedules/scan/start", of: "/schedules/{name}/start", method: "POST").problem == "job-open")
            #expect(try await client.get("/schedules/none/start", of: "/schedules/{name}/start", method: "POST").problem == "not-found")
            try await client.validateAnswers()
        }
    }

    @Test func `while another process keeps the record locked, a job is refused for now, and what is there can be read`() async throws {
        let world = try APIWorld()
        _ = try world.jobs.get()
        try await world.serving { client in
            let lock = try SQLiteLock(world.state.appending("jobs.sqlite"))
            let refused = try await client.get("/jobs/metadata-scan", method: "POST")
            #expect(refused.status == 503 && refused.problem == "busy" && refused.fields["retry-after"] != nil, "\(refused.status)")
            #expect(try await client.get("/jobs").json["total"] == 1)
            lock.release()
            #expect(try await client.get("/jobs/metadata-scan", method: "POST").status == 201)
            try await client.validateAnswers()
        }
    }

    // MARK: Streams

    @Test func `a log is followed from where one left, to its end`() async throws {
        let world = try APIWorld()
        let jobs = try world.jobs.get()
        let running = try jobs.store.begin(.check, .none, by: .commandLine, process: 1) { _ in }
        let file = try LogFile(appendingTo: jobs.store.log(of: running.id))
        file.write("first")
        try await world.serving { client in
            let reader = try EventReader(client, "/jobs/\(running.id)/log")
            let first = await reader.next()
            #expect(first?.name == "lines" && first?.data["lines"] == ["first"] && first?.id == "6")
            file.write("second")
            let second = await reader.next()
            #expect(second?.data["lines"] == ["second"] && second?.id == "13")
            reader.end()
            file.write("third")
            try jobs.store.end(running.id, JobResult(state: .failed, exitCode: 3, reason: "damage"))
            let events = await (try EventReader(client, "/jobs/\(running.id)/log", after: second?.id)).rest()
            #expect(events.map(\.name) == ["lines", "end"])
            #expect(events.first?.data["lines"] == ["third"] && events.last?.data["state"] == "failed")
        }
    }

    @Test(arguments: ["-5", "99999999999999999999", "x", "1000000"])
    func `a place in a log that there is not begins it anew, or ends it`(place: String) async throws {
        let world = try APIWorld()
        _ = try world.jobs.get()
        try await world.serving { client in
            let events = await (try EventReader(client, "/jobs/1/log", after: place)).rest()
            #expect(events.last?.name == "end")
            #expect(events.count == (place == "1000000" ? 1 : 2))
        }
    }

    @Test func `events tell how jobs change, and what was missed after a loss of the connection`() async throws {
        let world = try APIWorld()
        let jobs = try world.jobs.get()
        try await world.serving { client in
            let reader = try EventReader(client, "/events")
            await reader.begun()
            let queued = try jobs.store.add(.scan, .none, by: .api, isUnique: true, timeLimit: nil)
            try await jobs.feed.turn()
            let event = await reader.next()
            #expect(event?.name == "job" && event?.data["id"] == .integer(queued.id) && event?.data["state"] == "queued")
            let revision = try #require(event?.id.flatMap { Int64($0) })
            #expect(event?.data["revision"] == .integer(revision))
            reader.end()
            _ = try jobs.store.cancelQueued(queued.id, reason: "not wanted")
            let other = try jobs.store.add(.check, .none, by: .api, isUnique: true, timeLimit: nil)
            try await jobs.feed.turn()
            let back = try EventReader(client, "/events", after: "\(revision)")
            let missed = [await back.next(), await back.next()]
            #expect(missed.map { $0?.data["id"] } == [.integer(queued.id), .integer(other.id)])
            #expect(missed.map { $0?.data["state"] } == ["cancelled", "queued"])
        }
    }

    @Test func `events tell what running jobs log, and what is posted`() async throws {
        let world = try APIWorld()
        let jobs = try world.jobs.get()
        try await world.serving { client in
            let reader = try EventReader(client, "/events")
            await reader.begun()
            let job = try jobs.store.begin(.scan, .none, by: .commandLine, process: 1) { _ in }
            try LogFile(appendingTo: jobs.store.log(of: job.id)).write("hello")
            try await jobs.feed.turn()
            let events = [await reader.next(), await reader.next()].compactMap { $0 }
            let log = try #require(events.first { $0.name == "log" })
            #expect(log.data["job"] == .integer(job.id) && log.data["lines"] == ["hello"] && log.data["offset"] == 6 && log.id == nil)
            await jobs.feed.post("media", ["arrived": [], "removed": ["m-0"]])
            #expect(await reader.next()?.name == "media")
        }
    }

    @Test func `the end of the service ends the streams`() async throws {
        let world = try APIWorld()
        let jobs = try world.jobs.get()
        var reader: EventReader?
        try await world.serving { client in
            reader = try EventReader(client, "/events")
            await reader?.begun()
            await jobs.feed.end()
        }
        #expect(await reader?.next() == nil)
    }

    // MARK: How it is

    @Test func `health names what is wrong`() async throws {
        let world = try APIWorld()
        try await world.serving { client in
            let answer = try await client.get("/health")
            let checks = try #require(answer.json["checks"]?.array).compactMap(\.object)
            #expect(checks.map { $0["name"] } == ["database", "storage", "disk", "scheduler", "verdaccio"])
            #expect(checks.first { $0["name"] == "verdaccio" }?["detail"] == "it is not asked")
            #expect(checks.first { $0["name"] == "storage" }?["status"] == "ok")
            try await client.validateAnswers()
        }
        try await world.serving(naming: world.root.appending("gone")) { client in
            let answer = try await client.get("/health")
            let storage = try #require(answer.json["checks"]?.array?.compactMap(\.object).first { $0["name"] == "storage" })
            #expect(storage["status"] == "degraded" && storage["detail"]?.string?.contains("gone") == true)
            try await client.validateAnswers()
        }
    }

    @Test func `a catalog that is damaged is a failure, and the answer says so`() async throws {
        let world = try APIWorld()
        _ = try world.jobs.get()
        let drop = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('DROP TABLE job')"
        #expect(try await run("/usr/bin/python3", ["-c", drop, world.state.appending("jobs.sqlite").string]).status == 0)
        try await world.serving { client in
            let answer = try await client.get("/health")
            #expect(answer.status == 503 && answer.json["status"] == "failed")
            let database = try #require(answer.json["checks"]?.array?.compactMap(\.object).first { $0["name"] == "database" })
            #expect(database["status"] == "failed" && database["detail"]?.string?.isEmpty == false)
            #expect(try await client.get("/jobs").problem == "catalog-unusable")
            try await client.validateAnswers()
        }
    }

    @Test func `metrics are in Prometheus' text format`() async throws {
        let world = try APIWorld()
        _ = try world.fill()
        try await world.serving { client in
            let answer = try await client.get("/metrics")
            #expect(answer.fields["content-type"]?.hasPrefix("text/plain") == true)
            let lines = String(decoding: answer.body, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
            #expect(lines.last == "")
            let value = /ferry_[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? -?[0-9.e+-]+/
            var typed: Set<Substring> = []
            for line in lines.dropLast() {
                let words = line.split(separator: " ")
                if line.hasPrefix("# HELP ") { continue }
                if line.hasPrefix("# TYPE ") {
                    // A family stands once, with all its values behind it.
                    #expect(typed.insert(words[2]).inserted && words[3] == "gauge")
                } else {
                    #expect(line.wholeMatch(of: value) != nil, "\(line)")
                    #expect(typed.contains(line.prefix { $0 != "{" && $0 != " " }), "\(line)")
                }
            }
            #expect(lines.contains(#"ferry_jobs{kind="metadata_scan",state="succeeded"} 1"#))
            #expect(
                lines.contains("ferry_packages 32") && lines.contains("ferry_bundles 3"), "\(String(decoding: answer.body, as: UTF8.self))")
            _ = try await client.get("/health")
            try await client.validateAnswers()
        }
    }
}

/// Another process that keeps a database locked, until it is released.
private final class SQLiteLock {
    private let process = Process()
    private let input = Pipe()

    init(_ path: FilePath) throws {
        let hold = """
            import sqlite3, sys
            connection = sqlite3.connect(sys.argv[1], isolation_level=None); connection.execute("BEGIN EXCLUSIVE"); print("held", flush=True); sys.stdin.read()
            """
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = ["-c", hold, path.string]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        _ = output.fileHandleForReading.availableData
    }

    deinit { release() }

    func release() {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }
}
