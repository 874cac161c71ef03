package import Jobs
package import Scheduling
package import SystemPackage

/// Where a server listens.
package struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
    /// A name or a number, without brackets.
    package let host: String
    /// 0 for any that is free.
    package let port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Reads `HOST:PORT`, `[HOST]:PORT` or a `PORT` of this machine alone; `nil` for anything else.
    package init?(_ text: String) {
        let colon = text.lastIndex(of: ":")
        let digits = colon.map { text[text.index(after: $0)...] } ?? text[...]
        var host = colon.map { text[..<$0] } ?? "127.0.0.1"
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(where: { ":[]".contains($0) }) {
            return nil
        }
        guard let port = Int(digits), (0...65_535).contains(port), !host.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        self.init(host: String(host), port: port)
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// What `ferry-online serve` goes by.
package struct ServiceSettings: Sendable {
    /// Something that is started again and again.
    package struct Timetable: Sendable, Equatable {
        package let schedule: Schedule
        package let request: JobRequest
        /// Seconds that a job of it may run.
        package let timeLimit: Int64?
    }

    /// What follows on a job.
    package struct Chain: Sendable, Equatable {
        package let name: String
        /// The kind of job that sets it off when it succeeds.
        package let trigger: JobKind
        package let steps: [JobRequest]

        package init(name: String, trigger: JobKind, steps: [JobRequest]) {
            self.name = name
            self.trigger = trigger
            self.steps = steps
        }
    }

    package let listen: Setting<ListenAddress>
    /// The names that requests may be addressed to, beside those of this machine.
    package let hosts: Setting<[String]>
    /// Seconds that running jobs are given when the server ends.
    package let grace: Int64
    /// Jobs at once.
    package let width: Int
    package let niceness: Int
    /// Processors that a job may use.
    package let processors: Int?
    /// The cgroup that jobs join.
    package let controlGroup: FilePath?
    /// Seconds that a job may run, unless a schedule says otherwise.
    package let timeLimit: Int64?
    /// How often in a row an interrupted job is begun again.
    package let resumptions: Int
    /// By name.
    package let timetables: [Timetable]
    /// By name.
    package let chains: [Chain]
}

extension ServiceSettings {
    /// What the name of a schedule or a chain looks like, as a regular expression of ECMA-262; at most 100 characters.
    package static let namePattern = "^[A-Za-z0-9][A-Za-z0-9_-]*$"

    /// What is scheduled unless the settings say otherwise.
    private static let builtIn: [(name: String, job: JobRequest, when: String, jitter: Int64)] = [
        ("delta-refresh", JobRequest(.deltaRefresh), "every 12 hours", 600),
        ("full-refresh", JobRequest(.fullRefresh), "0 1 * * SUN", 600),
        ("scan", JobRequest(.scan), "30 5 * * *", 0),
        ("broken-scan", JobRequest(.check, .repairing), "0 4 * * WED", 0),
        ("retention", JobRequest(.retention), "45 5 * * *", 0),
    ]

    private static let builtInChains: [(name: String, trigger: JobKind, steps: [JobRequest])] = [
        (
            "after-full-refresh", .fullRefresh,
            [JobRequest(.scan), JobRequest(.check), JobRequest(.snapshot), JobRequest(.diffBuild, .unlessEmpty)]
        )
    ]

    /// - Parameter zone: whose clocks schedules go by where nobody says.
    init(_ reader: inout SettingsReader, zone: ScheduleZone) {
        listen = reader.take("serve.listen", .address, default: ListenAddress(host: "127.0.0.1", port: 4880))
        hosts = reader.take("serve.hosts", .hosts, default: [])
        grace = reader.take("serve.grace", .age, default: 20).value
        width = reader.take("jobs.at-once", .count(in: 1...16), default: 2).value
        niceness = reader.take("jobs.nice", .count(in: 0...19), default: 10).value
        processors = reader.take("jobs.cpus", .count(in: 1...1024), unless: "all", default: nil).value
        controlGroup = reader.take("jobs.cgroup", .path, default: nil).value
        timeLimit = reader.take("jobs.time-limit", .age, unless: "none", default: nil).value
        resumptions = reader.take("jobs.resumptions", .count(in: 0...100), default: 3).value
        let zone = reader.take("time-zone", .zone, default: zone).value
        let limit = timeLimit
        timetables = reader.names(below: "schedules", Self.builtIn.map(\.name), matching: Self.namePattern).compactMap { name in
            Self.timetable(name, zone, limit, &reader)
        }
        chains = reader.names(below: "chains", Self.builtInChains.map(\.name), matching: Self.namePattern).compactMap { name in
            Self.chain(name, &reader)
        }
    }

    private static func timetable(
        _ name: String, _ zone: ScheduleZone, _ limit: Int64?, _ reader: inout SettingsReader
    ) -> Timetable? {
        let own = builtIn.first { $0.name == name }
        let key = "schedules.\(name)"
        let job = reader.take("\(key).job", .request, unless: "none", default: own?.job)
        let when = reader.take(
            "\(key).when", .recurrence(in: zone), unless: "never", default: own.flatMap { try? Recurrence($0.when, zone: zone) })
        let jitter = reader.take("\(key).jitter", .age, default: own?.jitter ?? 0).value
        let missed = reader.take("\(key).missed", .missed, default: .catchUp).value
        let timeLimit = reader.take("\(key).time-limit", .age, unless: "none", default: limit).value
        if own == nil {
            reader.demand("job", of: key, job, such: "delta_refresh")
            reader.demand("when", of: key, when, such: "every 12 hours")
        }
        guard let job = job.value, let when = when.value else { return nil }
        return Timetable(
            schedule: Schedule(name: name, recurrence: when, jitter: .seconds(jitter), missed: missed), request: job, timeLimit: timeLimit)
    }

    private static func chain(_ name: String, _ reader: inout SettingsReader) -> Chain? {
        let own = builtInChains.first { $0.name == name }
        let key = "chains.\(name)"
        let trigger = reader.take("\(key).after", .jobKind, unless: "never", default: own?.trigger)
        let steps = reader.take("\(key).steps", .requests, default: own?.steps ?? [])
        if own == nil { reader.demand("after", of: key, trigger, such: "full_cache_refresh") }
        if steps.value.contains(where: { $0.kind == .export }) {
            reader.complain(steps.source, "\(key).steps: an export needs a medium, which a chain does not have")
        }
        return trigger.value.map { Chain(name: name, trigger: $0, steps: steps.value) }
    }
}
