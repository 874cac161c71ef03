import API
import ArgumentParser
import CanonicalJSON
import Catalog
import Destinations
import Documents
import Foundation
import HTTPService
import Jobs
import Logging
import MediaLayout
import Mounts
import Platform
import Provenance
import Registries
import Service
import ServiceLifecycle
import Settings
import Snapshots
import SystemPackage
import Terminal
import UnixSignals
import WebUI

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run the server: jobs, schedules and what follows on them, the API, and the page.",
        discussion: """
            Starts what is scheduled and what is asked for, one job at a time where they write, each as a process of its own; other commands \
            may work on the same state meanwhile. SIGTERM and Ctrl-C end it: running jobs are given time (serve.grace), then told to end, and \
            go on when it is started again. Killed, it loses nothing: its jobs end themselves, and the next server goes on with them.

            Exit codes: 0 ended · 1 failed, such as an address in use · 11 another server runs on this state · 64 wrong usage · \
            78 settings that cannot be used.
            """)

    @Option(help: ArgumentHelp("Where to listen (default: 127.0.0.1:4880).", valueName: "address")) var listen: String?
    @OptionGroup var registry: RegistryOptions
    @OptionGroup var storage: StorageOptions
    @OptionGroup var state: StateOptions

    func run() async throws {
        try await reporting {
            let settings = try state.settings(storage.flags + registry.flags + [OnlineSettings.Flag("serve.listen", "--listen", listen)])
            let directory = try state.directory()
            let lock = try ProcessLock(
                directory.appending("serve.lock"), holder: "ferry-online serve by process \(getpid()), since \(WallClock.system.now())")
            defer { withExtendedLifetime(lock) {} }
            raiseOpenFileLimit(to: 4 * ServiceLimits().connections)
            let store = try JobStore(state: directory)
            let service = settings.service
            let launcher = JobLauncher(
                program: try Self.program(), options: try options(directory),
                environment: jobVariables(settings),
                limits: JobLauncher.Limits(niceness: service.niceness, processors: service.processors, controlGroup: service.controlGroup),
                store: store)
            var rules = JobRunner.Rules()
            rules.width = service.width
            rules.grace = .seconds(service.grace)
            rules.resumptions = service.resumptions
            rules.chains = service.chains
            let runner = JobRunner(store: store, launcher: launcher, rules: rules, log: { Self.say($0) })
            let feed = try JobFeed(store: store, encode: { $0.json(now: WallClock.system.now()) })
            let scheduler = Scheduler(store: store, timetables: service.timetables)
            let manager = ServiceManager(environment)
            let loop = ServiceLoop(
                feed: feed, runner: runner, scheduler: scheduler, alive: { manager?.tell(.alive) },
                failure: { Self.say("warning: \($0)") })
            let jobs = JobContext(store: store, feed: feed, runner: runner, scheduler: scheduler, timeLimit: service.timeLimit)
            let verdaccio = try settings.verdaccio(environment)
            let media = try settings.media(state: directory, verdaccio)
            let reading = APIContext(
                state: directory, catalog: try state.catalog(), settings: settings, verdaccio: verdaccio, media: media)
            try reading.catalog.holdPackages()
            let pulse = Pulse(registry: settings.registry(verdaccio).value)
            let health = HealthContext(reading, jobs) { await pulse.complaint() }
            let correspondence = try state.correspondence()
            let (catalog, exports) = (reading.catalog, settings.mediaExport.value == .automatic)
            let watch = MediaWatch(
                survey: media, feed: feed, encode: { $0.json },
                read: { medium in
                    let told = try Self.read(medium, correspondence)
                    if exports { try Self.send(medium, catalog, jobs) }
                    return told
                }
            ) {
                Self.say($0)
            }
            let address = service.listen.value
            let logger = Logger(label: "ferry-online") { _ in ServiceLog() }
            let server = WebServer(
                FerryAPI.reading(reading) + FerryAPI.media(reading, jobs) + FerryAPI.destinations(reading, jobs) + FerryAPI.working(jobs)
                    + FerryAPI.health(health),
                as: FerryAPI.description(version: FerryOnline.version.line), beside: WebUI.site, host: address.host,
                port: address.port, allowing: RequestGuard(hosts: service.hosts.value + [address.host]), logger: logger,
                translate: FerryAPI.problem,
                onRunning: { port in
                    Self.say("serving \(directory) at http://\(ListenAddress(host: address.host, port: port))")
                    manager?.tell(.ready)
                })
            let group = ServiceGroup(
                services: [Worker(loop: loop, runner: runner, feed: feed, media: watch, manager: manager), server],
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger)
            do { try await group.run() } catch {
                await pulse.end()
                throw error
            }
            await pulse.end()
            Self.say("ended")
        }
    }

    /// A line with the time.
    fileprivate static func say(_ line: String) { Terminal.say("\(WallClock.system.now()) \(line)") }

    /// Reads what destinations say on a medium; what was read before is not told again.
    private static func read(_ medium: MountedMedium, _ correspondence: Correspondence) throws -> [JSONValue] {
        guard case .ready = medium.content else { return [] }
        return try correspondence.read(Medium(root: medium.mount.point).folder).compactMap { outcome in
            if case .known = outcome { return nil }
            Self.say("\(outcome)")
            return outcome.json
        }
    }

    /// Asks for the export of what is to travel to a medium of ours that was plugged in.
    private static func send(_ medium: MountedMedium, _ catalog: Catalog, _ jobs: JobContext) throws {
        guard case .ready(let entries) = medium.content, !medium.mount.isReadOnly else { return }
        let here = Set(entries.compactMap { Identifier($0.descriptor.bundle, .bundle) })
        for bundle in try outgoingBundles(catalog, besides: here, now: WallClock.system.now()) {
            let values: [String: JSONValue] = [
                "artifact": .string(bundle.id.text), "medium": .string(medium.mount.point.string), "mediumId": .string(medium.id.text),
            ]
            do {
                let job = try jobs.store.add(
                    .export, JobParameters(values, for: .export), by: .mount, isUnique: true, timeLimit: jobs.timeLimit)
                say("job \(job.id) puts bundle \(bundle.id) on medium \(medium.id)")
            } catch is JobStore.Refusal {}
        }
    }

    /// This program, wherever it was started from.
    private static func program() throws -> FilePath {
        guard let path = try DiskFileSystem().resolve("/proc/self/exe") else { throw ValidationError("/proc is not mounted") }
        return path
    }

    /// What jobs find in their environment: what flags have said here, too.
    private func jobVariables(_ settings: OnlineSettings) -> [String: String] {
        var variables = ProcessInfo.processInfo.environment.filter { !ServiceManager.variables.contains($0.key) }
        for flag in storage.flags + registry.flags {
            guard let value = flag.values.first, let entry = settings.entries.first(where: { $0.key == flag.key }) else { continue }
            variables[entry.variable] = value
        }
        return variables
    }

    /// What every job is given, so that it goes by the same settings.
    private func options(_ directory: FilePath) throws -> [String] {
        var options = ["--state=\(try DiskFileSystem().resolve(directory) ?? directory)"]
        if let config = state.config { options.append("--config=\(config)") }
        return options
    }
}

/// The loop and the jobs, for as long as the server is to run.
private struct Worker: ServiceLifecycle.Service {
    let loop: ServiceLoop
    let runner: JobRunner
    let feed: JobFeed
    let media: MediaWatch
    let manager: ServiceManager?

    func run() async throws {
        await withTaskGroup { group in
            group.addTask { await loop.run() }
            group.addTask { await media.run() }
            try? await gracefulShutdown()
            manager?.tell(.stopping)
            await runner.end { try await Task.sleep(for: $0) }
            group.cancelAll()
        }
        await feed.end()
    }
}

/// Whether Verdaccio answers, asked at most every few seconds.
private actor Pulse {
    private let url: String
    private let fetcher = HTTPFetcher(connections: 1, idle: .seconds(3), decompresses: false)
    private var asked: Int64?
    private var answer: String?

    /// Seconds for which an answer counts.
    private static let freshness: Int64 = 10

    init(registry: String) {
        url = "\(registry)/-/ping"
    }

    /// Why it does not answer; `nil` where it does.
    func complaint() async -> String? {
        let now = Timestamp.ofBoot().seconds
        if let asked, now - asked < Self.freshness { return answer }
        asked = now
        do throws(HTTPFetcher.Failure) {
            let status = try await fetcher.get(url, headers: [], limit: 1 << 16).status
            answer = status < 500 ? nil : "\(url) answers \(status)"
        } catch { answer = "\(url): \(error)" }
        return answer
    }

    func end() async { await fetcher.shutdown() }
}

/// Errors of the server, as lines for people.
private struct ServiceLog: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.error

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let details = (event.metadata ?? [:]).map { "\($0.key)=\($0.value)" }.sorted().joined(separator: " ")
        Serve.say("\(event.level): \(event.message)\(details.isEmpty ? "" : " \(details)")")
    }
}
