import CanonicalJSON
import Foundation
import Jobs
import Platform
import RegistryHarness
import Service
import Settings
import Synchronization
import SystemPackage
import Testing

/// A server's jobs as processes: the real program, or one that a test writes.
@Suite struct JobRunnerTests {
    private final class Place: Sendable {
        let root = FilePath(FileManager.default.temporaryDirectory.path).appending("ferry-service-\(UUID().uuidString)")
        let store: JobStore
        /// The boot clock, in seconds.
        let seconds = Mutex<Int64>(0)

        init() throws {
            let files = DiskFileSystem()
            for name in ["state", "storage/foo"] { try files.createDirectories(root.appending(name)) }
            store = try JobStore(state: root.appending("state"))
            let packument = #"{"name":"foo","versions":{},"dist-tags":{},"_attachments":{},"_distfiles":{},"_uplinks":{"up":{}}}"#
            try files.write(Array(packument.utf8), to: root.appending("storage/foo/package.json"))
        }

        deinit { try? DiskFileSystem().removeTree(root) }

        func runner(
            _ script: String? = nil, registry: String = "http://127.0.0.1:9", limits: JobLauncher.Limits = JobLauncher.Limits(),
            _ change: (inout JobRunner.Rules) -> Void = { _ in }
        ) throws -> JobRunner {
            var rules = JobRunner.Rules()
            change(&rules)
            var program = FilePath(Bundle.main.executableURL?.deletingLastPathComponent().path ?? ".").appending("ferry-online")
            if let script {
                program = root.appending("program")
                try DiskFileSystem().write(Array("#!/bin/sh\n\(script)\n".utf8), to: program)
                try DiskFileSystem().setAttributes(of: program, owner: getuid(), group: getgid(), mode: 0o755)
            }
            let variables = [
                "FERRY_ONLINE_STATE": root.appending("state").string, "FERRY_STORAGE": root.appending("storage").string,
                "FERRY_REGISTRY": registry, "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "",
            ]
            return JobRunner(
                store: store, launcher: JobLauncher(program: program, options: [], environment: variables, limits: limits, store: store),
                rules: rules,
                seconds: { [place = self] in place.seconds.withLock { $0 } })
        }

        func job(_ id: Int64) throws -> JobRecord { try #require(try store.job(id)) }

        func log(_ id: Int64) throws -> String {
            String(decoding: try DiskFileSystem().contents(of: store.log(of: id), limit: 1 << 20) ?? [], as: UTF8.self)
        }
    }

    /// Lets a runner go on until something is so.
    private func turn(_ runner: JobRunner, until isSo: () async throws -> Bool) async throws {
        while try await !isSo() {
            try await runner.turn()
            await Task.yield()
        }
    }

    /// A proxy that is there, and never answers for a package.
    private func withSilence(_ body: (String, ScriptedUpstream) async throws -> Void) async throws {
        try await ScriptedUpstream.run { upstream in
            upstream.set("/-/ping", .bytes(Array("{}".utf8)))
            upstream.set("/-/package/foo/dist-tags", .silence)
            try await body(upstream.url, upstream)
        }
    }

    // MARK: The real program

    @Test func `a job is done by its command, and what it came to is recorded with a log`() async throws {
        let place = try Place()
        let runner = try place.runner()
        let job = try place.store.add(.scan, .none, by: .api)
        try await turn(runner) { try place.job(job.id).state.isEnded }
        let ended = try place.job(job.id)
        #expect(ended.state == .succeeded && ended.exitCode == 0 && ended.reason == "1 packages: 1 new, 0 changed, 0 gone")
        #expect(ended.report?.object?["packages"] == 1 && ended.progress?.phase == "scanning")
        #expect(try place.log(job.id).contains("metadata_scan {}, asked for by api"))
        #expect(try place.log(job.id).contains("succeeded: 1 packages"))
    }

    @Test func `what fails says why`() async throws {
        let place = try Place()
        let runner = try place.runner()
        // Nobody listens at that port.
        let job = try place.store.add(.fullRefresh, .none, by: .api)
        try await turn(runner) { try place.job(job.id).state.isEnded }
        #expect(try place.job(job.id).state == .failed && place.job(job.id).exitCode == 1)
        #expect(try place.job(job.id).reason?.contains("http://127.0.0.1:9") == true)
    }

    @Test func `jobs that write run one after the other, and say what they wait for`() async throws {
        let place = try Place()
        let runner = try place.runner { $0.width = 4 }
        let lock = try ProcessLock(place.root.appending("state/lock"), holder: "a person")
        let first = try place.store.add(.scan, .none, by: .api)
        let second = try place.store.add(.snapshot, .none, by: .api)
        try await turn(runner) { try place.job(first.id).waiting == "a person" }
        #expect(try place.job(first.id).state == .queued && place.job(second.id).state == .queued)
        #expect(await runner.running == 1)
        // Cancelled while it waits: its process goes at once, and the next one comes.
        #expect(try await runner.cancel(first.id) == .told)
        try await turn(runner) { try place.job(second.id).waiting == "a person" }
        #expect(try place.job(first.id).state == .cancelled)
        #expect(try await runner.cancel(second.id) == .told)
        try await turn(runner) { try place.job(second.id).state.isEnded }
        await #expect(throws: JobStore.Refusal.ended(second.id, .cancelled)) { try await runner.cancel(second.id) }
        await #expect(throws: JobStore.Refusal.noSuchJob(77)) { try await runner.cancel(77) }
        withExtendedLifetime(lock) {}
    }

    @Test func `a running job is cancelled, or ended for its time, and says so`() async throws {
        try await withSilence { url, _ in
            let place = try Place()
            let runner = try place.runner(registry: url)
            let first = try place.store.add(.fullRefresh, .none, by: .api)
            try await turn(runner) { try place.job(first.id).state == .running }
            #expect(try await runner.cancel(first.id) == .told)
            try await turn(runner) { try place.job(first.id).state.isEnded }
            #expect(try place.job(first.id).state == .cancelled && place.job(first.id).exitCode == 130)

            let second = try place.store.add(.fullRefresh, .none, by: .api, timeLimit: 60)
            try await turn(runner) { try place.job(second.id).state == .running }
            try await runner.turn()
            place.seconds.withLock { $0 += 60 }
            try await turn(runner) { try place.job(second.id).state.isEnded }
            #expect(try place.job(second.id).state == .failed && place.job(second.id).reason?.hasPrefix("it took longer than 60 s") == true)
        }
    }

    @Test func `a killed process leaves an interrupted job, which is begun again`() async throws {
        try await withSilence { url, upstream in
            let place = try Place()
            let runner = try place.runner(registry: url) { $0.resumptions = 2 }
            var job = try place.store.add(.fullRefresh, .none, by: .schedule("nightly"))
            for round in 0...2 {
                try await turn(runner) { try place.job(job.id).state == .running }
                kill(try #require(try place.job(job.id).process), SIGKILL)
                try await turn(runner) { try place.job(job.id).state.isEnded }
                #expect(try place.job(job.id).state == .interrupted && place.job(job.id).reason?.contains("signal 9") == true)
                try await runner.turn()
                let next = try place.store.jobs(JobStore.Query()).jobs.first { $0.asker == .resumption(job.id) }
                guard round < 2 else {
                    #expect(next == nil)
                    break
                }
                job = try #require(next)
            }
            #expect(try place.store.jobs(JobStore.Query()).total == 3)
        }
    }

    @Test func `a server that ends gives jobs time, then interrupts them, and the next one goes on`() async throws {
        try await withSilence { url, upstream in
            let place = try Place()
            let runner = try place.runner(registry: url)
            let job = try place.store.add(.fullRefresh, .none, by: .api)
            let waiting = try place.store.add(.scan, .none, by: .api)
            try await turn(runner) { try place.job(job.id).state == .running }
            let graces = Mutex<[Duration]>([])
            await runner.end { duration in
                graces.withLock { $0.append(duration) }
                // The grace passes at once; what comes after it does not.
                if graces.withLock({ $0.count }) > 1 { try await Task.sleep(for: .seconds(3600)) }
            }
            let first = graces.withLock { $0.first }
            #expect(first == .seconds(10))
            #expect(try place.job(job.id).state == .interrupted && place.job(job.id).reason?.hasPrefix("the server was stopped") == true)
            #expect(try place.job(waiting.id).state == .queued)
            upstream.set("/-/package/foo/dist-tags", .status(404))
            let next = try place.runner(registry: url)
            try await turn(next) { try place.job(waiting.id).state.isEnded && place.store.jobs(in: .running).isEmpty }
            #expect(try place.store.jobs(JobStore.Query()).jobs.contains { $0.asker == .resumption(job.id) })
        }
    }

    @Test func `a chain goes on step by step, and stops at what fails`() async throws {
        let place = try Place()
        let runner = try place.runner {
            $0.chains = [
                ServiceSettings.Chain(
                    name: "then", trigger: .scan,
                    steps: [JobRequest(.check), JobRequest(.snapshot), JobRequest(.diffBuild), JobRequest(.retention)])
            ]
        }
        let root = try place.store.add(.scan, .none, by: .api)
        // There is no key to sign with, so the bundle fails, and nothing follows on it.
        try await turn(runner) { try place.store.jobs(JobStore.Query()).jobs.first?.state == .failed }
        for _ in 1...3 { try await runner.turn() }
        let jobs = try place.store.jobs(JobStore.Query()).jobs.reversed()
        #expect(jobs.map(\.kind) == [.scan, .check, .snapshot, .diffBuild])
        #expect(jobs.map(\.state) == [.succeeded, .succeeded, .succeeded, .failed])
        #expect(jobs.dropFirst().allSatisfy { $0.chain?.root == root.id && $0.asker == .chain("then") })
    }

    @Test func `a dry run sets off no chain`() async throws {
        let place = try Place()
        let runner = try place.runner { $0.chains = [ServiceSettings.Chain(name: "x", trigger: .retention, steps: [JobRequest(.scan)])] }
        let job = try place.store.add(.retention, try JobParameters(["dryRun": true], for: .retention), by: .api)
        try await turn(runner) { try place.job(job.id).state.isEnded && place.store.unhandled().isEmpty }
        #expect(try place.store.jobs(JobStore.Query()).total == 1)
    }

    // MARK: Limits

    /// A cgroup of a test's own; `nil` where none may be made.
    private static func makeControlGroup() -> FilePath? {
        for root in ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"] as [FilePath] {
            let group = root.appending("ferry-test-\(UUID().uuidString)")
            let files = DiskFileSystem()
            guard (try? files.status(of: root.appending("cgroup.procs"))) != nil, (try? files.createDirectory(group)) == true else {
                continue
            }
            return group
        }
        return nil
    }

    @Test func `jobs join the cgroup that is named, with what they start`() async throws {
        guard let group = Self.makeControlGroup() else { return print("no cgroup may be made here: jobs.cgroup is not tried") }
        let place = try Place()
        defer { rmdir(group.string) }
        let limits = JobLauncher.Limits(niceness: 5, processors: 1, controlGroup: group)
        let runner = try place.runner(
            "sh -c 'cat /proc/self/cgroup; nice; grep Cpus_allowed_list /proc/self/status'; exit 3", limits: limits)
        let job = try place.store.add(.scan, .none, by: .api)
        try await turn(runner) { try place.job(job.id).state.isEnded }
        #expect(try place.job(job.id).exitCode == 3)
        let log = try place.log(job.id)
        #expect(
            log.contains("0::/\(group.lastComponent?.string ?? "")\n") && log.contains("\n5\n") && log.hasSuffix("list:\t0\n"), "\(log)")
    }

    @Test func `a cgroup that is not there fails the job, and is named`() async throws {
        let place = try Place()
        let runner = try place.runner("exit 0", limits: JobLauncher.Limits(controlGroup: "/sys/fs/cgroup/no/such"))
        let job = try place.store.add(.scan, .none, by: .api)
        try await turn(runner) { try place.job(job.id).state.isEnded }
        #expect(try place.job(job.id).state == .failed && place.log(job.id).contains("/sys/fs/cgroup/no/such/cgroup.procs"))
    }

    // MARK: Programs that do not behave

    @Test func `a process that ends before its job began leaves a failed one`() async throws {
        let place = try Place()
        let runner = try place.runner("echo 'no such library' >&2; exit 127")
        let job = try place.store.add(.scan, .none, by: .api)
        try await turn(runner) { try place.job(job.id).state.isEnded }
        #expect(try place.job(job.id).state == .failed && place.job(job.id).exitCode == 127)
        #expect(try place.log(job.id) == "no such library\n")
    }

    @Test func `a process that does not listen is killed, with what it started`() async throws {
        let place = try Place()
        let runner = try place.runner("trap '' TERM INT; tail -f /dev/null & echo $! > \(place.root)/child; wait")
        let job = try place.store.add(.scan, .none, by: .api)
        var child: Int32?
        try await turn(runner) {
            let text = try DiskFileSystem().contents(of: place.root.appending("child"), limit: 100) ?? []
            child = Int32(String(decoding: text, as: UTF8.self).split(separator: "\n").first ?? "")
            return child != nil
        }
        #expect(try await runner.cancel(job.id) == .told)
        try await runner.turn()
        #expect(try !place.job(job.id).state.isEnded)
        place.seconds.withLock { $0 += 10 }
        try await turn(runner) { try place.job(job.id).state.isEnded }
        #expect(try place.job(job.id).state == .cancelled && place.job(job.id).reason?.contains("signal 9") == true)
        let process = try #require(child)
        while !Self.isGone(process) { await Task.yield() }
    }

    /// Whether a process has ended; whoever is to wait for it may not have done so.
    private static func isGone(_ process: Int32) -> Bool {
        guard let status = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) else { return true }
        return status.contains(") Z ")
    }

    @Test func `a program that is not there fails its job`() async throws {
        let place = try Place()
        let launcher = JobLauncher(program: "/nowhere/ferry-online", options: [], environment: [:], store: place.store)
        let runner = JobRunner(store: place.store, launcher: launcher, rules: JobRunner.Rules())
        let job = try place.store.add(.scan, .none, by: .api)
        try await turn(runner) { try place.job(job.id).state.isEnded }
        #expect(try place.job(job.id).state == .failed && place.job(job.id).reason?.contains("could not be started") == true)
    }
}
