import CanonicalJSON
import Foundation
import Jobs
import Resolution
import Scheduling
import Settings
import SystemPackage
import Testing

@Suite struct SettingsTests {
    private let path: FilePath = "/etc/ferry/ferry.yaml"

    private func settings(
        _ yaml: String, environment: [String: String] = [:], flags: [OnlineSettings.Flag] = []
    ) throws(SettingsError) -> OnlineSettings {
        try OnlineSettings(file: SettingsFile(Array(yaml.utf8), path: path), environment: { environment[$0] }, flags: flags, zone: .utc)
    }

    /// Everything that is wrong, each as its line and words.
    private func problems(_ yaml: String) -> [String] {
        do throws(SettingsError) {
            _ = try settings(yaml)
            return []
        } catch {
            return error.problems.map { problem in
                if case .file(_, let line) = problem.source { "\(line): \(problem.words)" } else { "\(problem)" }
            }
        }
    }

    @Test func `an empty file, and none, leave every default`() throws {
        let none = try OnlineSettings(file: nil, environment: { _ in nil }, zone: .utc)
        for yaml in ["", "# nothing\n", "---\n", "space:\nretention:\n  logs:\n"] {
            #expect(try settings(yaml).entries == none.entries)
        }
        #expect(none.entries.allSatisfy { $0.source == .builtIn } && none.file == nil)
        #expect(none.registry.value == "http://localhost:4873" && none.storage.value == nil && none.platforms.value == [.current])
        #expect(none.snapshots == OnlineSettings.RetentionLimits() && none.logs.age == 90 * 86_400)
    }

    @Test func `a value is what the file says, and relative paths are below it`() throws {
        let settings = try settings(
            """
            state: /var/lib/ferry
            storage: ../verdaccio/./storage
            verdaccio: {registry: "https://npm.lan/"}
            platforms: [linux-x64-musl, win32-x64]
            space:
              warning: {free-percent: 12.5, free: off, days-left: 14}
              critical: {free: off}
            retention:
              artifacts: {count: 20, age: 12 weeks, size: 1.5 TiB}
              logs: {age: unlimited}
            """)
        #expect(settings.storage == Setting(value: "/etc/verdaccio/storage", source: .file(path, line: 2)))
        #expect(settings.registry == Setting(value: "https://npm.lan/", source: .file(path, line: 3)))
        #expect(settings.platforms.value.map(\.description) == ["linux-x64-musl", "win32-x64"])
        #expect(settings.warning == OnlineSettings.SpaceLevel(freePercent: 12.5, freeBytes: nil, daysLeft: 14))
        #expect(settings.critical == OnlineSettings.SpaceLevel(freePercent: 3, freeBytes: nil, daysLeft: 7))
        #expect(settings.artifacts == OnlineSettings.RetentionLimits(count: 20, age: 84 * 86_400, size: 3 << 39))
        #expect(settings.logs == OnlineSettings.RetentionLimits(age: nil, size: 1 << 30))
    }

    @Test func `the environment wins over the file, and a flag over both`() throws {
        let yaml = "storage: /file\nplatforms: [linux-x64]\nspace: {warning: {days-left: 20}}\n"
        let environment = [
            "FERRY_STORAGE": "environment", "FERRY_PLATFORMS": "darwin-arm64, win32-x64", "FERRY_SPACE_WARNING_DAYS_LEFT": "off",
            "FERRY_ONLINE_STATE": "/state", "FERRY_STATE": "/not/this",
        ]
        let below = try settings(yaml, environment: environment)
        #expect(below.storage == Setting(value: "environment", source: .environment("FERRY_STORAGE")))
        #expect(below.platforms.value.map(\.description) == ["darwin-arm64", "win32-x64"])
        #expect(below.warning.daysLeft == nil && below.state.value == "/state")
        let flags = [OnlineSettings.Flag("storage", "--storage", "/flag"), OnlineSettings.Flag("platforms", "--platform", [])]
        let above = try settings(yaml, environment: environment, flags: flags)
        #expect(above.storage == Setting(value: "/flag", source: .flag("--storage")))
        #expect(above.platforms.source == .environment("FERRY_PLATFORMS"))
    }

    @Test(arguments: [
        ("schedules: {nightly: {job: metadata_scan}}", "1: schedules.nightly.when: must be said, such as every 12 hours"),
        ("schedules:\n  nightly: {when: '@daily'}", "2: schedules.nightly.job: must be said, such as delta_refresh"),
        ("chains: {x: {steps: [snapshot]}}", "1: chains.x.after: must be said, such as full_cache_refresh"),
        (
            "chains:\n  x:\n    after: metadata_scan\n    steps:\n    - snapshot\n    - export artifact=b-1 medium=/m",
            "5: chains.x.steps: an export needs a medium, which a chain does not have"
        ),
        (
            "chains:\n  x:\n    after: metadata_scan\n    steps:\n    - snapshot\n    - broken_scan repair=1",
            "6: chains.x.steps: repair: must be true or false"
        ),
        ("schedules: {scan: {missed: never}}", "1: schedules.scan.missed: must be catch-up or skip"),
        ("jobs: {nice: 20}", "1: jobs.nice: 20 is out of range; from 0 to 19 is allowed"),
        (
            "serve: {listen: 'a:b:c'}",
            "1: serve.listen: \"a:b:c\" is not an address to listen at, such as 127.0.0.1:4880 or [::1]:4880"
        ),
        ("storag: /s", "1: storag: there is no such key; did you mean \"storage\"?"),
        (
            "a: 1",
            "1: a: there is no such key; there are state, storage, verdaccio, platforms, space, retention, media, serve, jobs, time-zone, schedules, "
                + "chains"
        ),
        ("registry: http://x", "1: registry: there is no such key; did you mean \"verdaccio.registry\"?"),
        (
            "\nspace:\n  warning:\n    free_percent: 3",
            "4: space.warning.free_percent: there is no such key; did you mean \"free-percent\"?"
        ),
        ("retention: {log: {age: 1 day}}", "1: retention.log: there is no such key; did you mean \"logs\"?"),
        ("space: 10 GiB", "1: space: must be a section with keys of its own"),
        ("space:\n- warning", "1: space: must be a section with keys of its own"),
        ("storage: [a]", "1: storage: must be a single value"), ("storage: {a: b}", "1: storage: must be a single value"),
        ("storage:", "1: storage: has no value; leave it out for its default"),
        ("platforms: linux-x64", "1: platforms: must be a list"), ("platforms: [[a]]", "1: platforms: must be a list"),
        ("platforms: []", "1: platforms: names no platform"),
        (
            "platforms:\n- linux-x64\n- linux",
            "3: platforms: \"linux\" is not a platform: write OS-CPU, such as linux-x64, or linux-x64-musl"
        ),
        ("verdaccio: {registry: localhost}", "1: verdaccio.registry: \"localhost\" is not an address, such as http://localhost:4873"),
        ("[a]", "1: keys with values were expected"), ("text", "1: keys with values were expected"),
        ("storage: /a\n---\nstorage: /b", "3: one document was expected, and there are 2"),
        ("storage: /a\nspace: {}\nstorage: /b", "1: the key \"storage\" stands twice"),
        ("space:\n  warning: {free: 1 GiB, free: 2 GiB}", "2: the key \"free\" stands twice"),
    ])
    func `what cannot be used is refused with its line`(yaml: String, problem: String) {
        #expect(problems(yaml) == [problem])
    }

    @Test(arguments: [
        ("count", "0", "0 is out of range; from 1 to 1000000 is allowed"), ("count", "-3", "-3 is out of range"),
        ("count", "1.5", "not a whole number"), ("count", "many", "not a whole number"), ("count", "0x10", "not a whole number"),
        ("count", "99999999999999999999", "not a whole number"), ("count", "off", "not a whole number"),
        ("age", "90", "\"90\" has no unit, such as 90 days; there are seconds, minutes, hours, days, weeks"),
        ("age", "90 dais", "unknown unit \"dais\""), ("age", "3 months", "unknown unit \"months\""), ("age", "-1 days", "out of range"),
        ("age", "days", "not a length of time"), ("age", "101000 days", "out of range"), ("age", "1e3 days", "unknown unit \"e3 days\""),
        ("size", "10 GB", "\"10 GB\" has an unknown unit \"GB\"; there are B, KiB, MiB, GiB, TiB"), ("size", "10", "has no unit"),
        ("size", ".5 GiB", "not a size"), ("size", "1.2.3 GiB", "not a size"), ("size", "nan GiB", "not a size"),
        ("size", "2000000 TiB", "out of range"), ("size", "-1 GiB", "out of range"), ("size", "''", "not a size"),
    ])
    func `a value out of range, without a unit or with a strange one is refused`(key: String, value: String, words: String) throws {
        let found = problems("retention:\n  snapshots:\n    \(key): \(value)\n")
        try #require(found.count == 1)
        #expect(found[0].hasPrefix("3: retention.snapshots.\(key): ") && found[0].contains(words), "\(found)")
    }

    @Test func `everything wrong is said at once, by line`() throws {
        let yaml = """
            retention: {logs: {age: 9 lightyears}}
            stat: /x
            space:
              critical: {free-percent: 120, days-left: 40}
            """
        #expect(
            problems(yaml).map { $0.prefix { $0 != ":" } } == ["1", "2", "4", "4"]
                && problems(yaml).contains("4: space.critical.days-left: must not be above space.warning.days-left"))
        let error = #expect(throws: SettingsError.self) {
            try settings(
                yaml, environment: ["FERRY_RETENTION_LOGS_COUNT": "none"],
                flags: [OnlineSettings.Flag("platforms", "--platform", "linux")])
        }
        let all = try #require(error)
        #expect(all.problems.count == 6)
        #expect(all.problems.map(\.source).suffix(2) == [.environment("FERRY_RETENTION_LOGS_COUNT"), .flag("--platform")])
        #expect(all.description.split(separator: "\n").count == 7 && !all.isWrongUsage)
    }

    @Test func `what is written is read back as the same value`() throws {
        let settings = try settings(
            """
            space: {warning: {free-percent: 7.25, free: 1536 KiB}, critical: {free: 1 B}}
            retention: {logs: {age: 36 hours, size: 1.5 GiB}, artifacts: {age: 1 second, size: 1023 B}, snapshots: {age: 14 days}}
            """)
        let written = settings.entries.filter { $0.source != .builtIn }
        #expect(
            written.map { $0.values ?? [] }
                == [["7.25"], ["1536 KiB"], ["1 byte"], ["2 weeks"], ["1 second"], ["1023 B"], ["36 hours"], ["1536 MiB"]])
        let environment = Dictionary(
            uniqueKeysWithValues: settings.entries.map { entry in
                (
                    entry.variable,
                    entry.values?.joined(separator: entry.key.hasSuffix(".steps") ? ";" : entry.key == "media.roots" ? ":" : ",")
                )
            })
        let again = try OnlineSettings(file: nil, environment: { environment[$0] ?? nil })
        #expect(again.entries.map(\.values) == settings.entries.map(\.values))
        #expect((again.warning, again.critical) == (settings.warning, settings.critical))
        #expect((again.snapshots, again.artifacts, again.logs) == (settings.snapshots, settings.artifacts, settings.logs))
    }

    // MARK: The example

    @Test func `schedules and chains are those that are built in, changed and added to`() throws {
        let settings = try settings(
            """
            time-zone: Europe/Berlin
            jobs: {time-limit: 2 hours}
            schedules:
              full-refresh: {when: never}
              retention: {when: 5 5 * * * UTC}
              hourly: {job: delta_refresh minutes=120, when: every hour, jitter: 30 seconds, missed: skip, time-limit: 50 minutes}
            chains:
              after-full-refresh: {after: never}
              then: {after: delta_refresh, steps: [snapshot]}
            """)
        let timetables = settings.service.timetables
        #expect(timetables.map(\.schedule.name) == ["broken-scan", "delta-refresh", "hourly", "retention", "scan"])
        #expect(timetables.map(\.schedule.recurrence.description)[3...] == ["5 5 * * * UTC", "30 5 * * * Europe/Berlin"])
        #expect(timetables.map(\.timeLimit) == [7200, 7200, 3000, 7200, 7200])
        let hourly = timetables[2]
        #expect(hourly.request == JobRequest(.deltaRefresh, try JobParameters(["minutes": 120], for: .deltaRefresh)))
        #expect(hourly.schedule.jitter == .seconds(30) && hourly.schedule.missed == .skip)
        #expect(settings.service.chains.map(\.name) == ["then"] && settings.service.chains[0].steps == [JobRequest(.snapshot)])
    }

    @Test func `schedules go by the machine's clock where nobody says otherwise`() throws {
        let moscow = try ScheduleZone("Europe/Moscow")
        let scan = try OnlineSettings(file: nil, environment: { _ in nil }, zone: moscow).service.timetables.last
        #expect(scan?.schedule.recurrence.description == "30 5 * * * Europe/Moscow")
    }

    @Test(
        arguments: [
            ("127.0.0.1:0", "127.0.0.1:0"), ("[::1]:4880", "[::1]:4880"), ("ferry.example:80", "ferry.example:80"),
            ("8080", "127.0.0.1:8080"),
            ("::1:80", nil), ("a:b", nil), ("a:65536", nil), ("a:-1", nil), ("[::1]", nil), ("[::1]4880", nil), (":80", nil), ("", nil),
        ] as [(String, String?)])
    func `an address to listen at has a host and a port`(text: String, address: String?) {
        #expect(ListenAddress(text)?.description == address)
    }

    @Test func `the example can be used, sets what it shows to the defaults, and holds every key`() throws {
        let example = try settings(OnlineSettings.example)
        let defaults = try settings("")
        #expect(example.entries.map(\.values) == defaults.entries.map(\.values))
        let lines = OnlineSettings.example.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            let indentation = line.prefix { $0 == " " }
            let rest = line.dropFirst(indentation.count)
            return rest.hasPrefix("#") && !rest.hasPrefix("# ") && rest.count > 1 ? indentation + rest.dropFirst() : line
        }
        let full = try settings(lines.joined(separator: "\n"))
        #expect(full.entries.filter { $0.source == .builtIn }.map(\.key) == [])
    }

    // MARK: Verdaccio's configuration

    /// Runs a body with a directory that holds Verdaccio's configuration.
    private func withVerdaccio(_ yaml: String, _ body: (FilePath) throws -> Void) throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("ferry-settings-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        try yaml.write(to: directory.appendingPathComponent("config.yaml"), atomically: true, encoding: .utf8)
        try body(FilePath(directory.path).appending("config.yaml"))
    }

    /// Which storage is meant where it is named in these two places.
    private func storage(
        _ config: FilePath, file: String = "", _ environment: [String: String] = [:], flags: [OnlineSettings.Flag] = []
    ) throws -> String? {
        let settings = try settings(file, environment: environment, flags: flags)
        #expect(settings.verdaccioConfig.value == config)
        return try settings.storage(settings.verdaccio { environment[$0] }).value?.string
    }

    @Test func `verdaccio's storage counts as much as the place that names its configuration`() throws {
        try withVerdaccio("storage: /verdaccio\nlisten: 0.0.0.0:5000\n") { config in
            let flag = OnlineSettings.Flag("verdaccio.config", "--verdaccio-config", config.string)
            let inFile = "verdaccio: {config: \(config)}\n"
            let storages = [
                try storage(config, file: inFile),
                try storage(config, file: inFile + "storage: /file\n"),
                try storage(config, file: inFile, ["FERRY_STORAGE": "/environment"]),
                try storage(config, file: "storage: /file\n", ["FERRY_VERDACCIO_CONFIG": config.string]),
                try storage(config, file: "storage: /file\n", ["FERRY_STORAGE": "/environment"], flags: [flag]),
                try storage(config, flags: [flag, OnlineSettings.Flag("storage", "--storage", "/flag")]),
                try storage(config, file: inFile, ["VERDACCIO_STORAGE_PATH": "/override"]),
            ]
            #expect(storages == ["/verdaccio", "/file", "/environment", "/verdaccio", "/verdaccio", "/flag", "/override"])
        }
    }

    @Test func `verdaccio's address is where it listens, unless it is said`() throws {
        try withVerdaccio("storage: /verdaccio\nlisten: 0.0.0.0:5000\n") { config in
            let named = try settings("verdaccio: {config: \(config)}\n")
            let verdaccio = try named.verdaccio { _ in nil }
            #expect(named.registry(verdaccio) == Setting(value: "http://127.0.0.1:5000", source: .verdaccio(config)))
            let said = try settings("verdaccio: {config: \(config), registry: http://npm.lan}\n")
            #expect(said.registry(verdaccio).value == "http://npm.lan")
            let shown = named.entries(verdaccio).filter { $0.source == .verdaccio(config) }
            #expect(shown.map(\.key) == ["storage", "verdaccio.registry"])
            #expect(shown.map(\.values) == [["/verdaccio"], ["http://127.0.0.1:5000"]])
        }
    }

    @Test func `a configuration of verdaccio that cannot be read is refused with the line that names it`() throws {
        let missing = try settings("\nverdaccio:\n  config: no/such.yaml\n")
        let error = #expect(throws: SettingsError.self) { try missing.verdaccio { _ in nil } }
        #expect(error?.problems.map(\.source) == [.file(path, line: 3)])
        #expect(error?.description.contains("/etc/ferry/no/such.yaml") == true)
    }

    // MARK: The file

    @Test func `the file is the one that is named, else the state's, else the machine's`() throws {
        try withVerdaccio("storage: /config\n") { named in
            let directory = named.removingLastComponent()
            let (state, machine) = (directory.appending("state"), directory.appending("machine.yaml"))
            func find(flag: String? = nil, _ environment: [String: String] = [:]) throws -> FilePath? {
                try SettingsFile.find(flag: flag, environment: { environment[$0] }, state: state, machine: machine)?.path
            }
            #expect(try find() == nil)
            try "storage: /machine\n".write(toFile: machine.string, atomically: true, encoding: .utf8)
            #expect(try find() == machine)
            try FileManager.default.createDirectory(atPath: state.string, withIntermediateDirectories: true)
            try "storage: /state\n".write(toFile: state.appending("ferry.yaml").string, atomically: true, encoding: .utf8)
            #expect(try find() == state.appending("ferry.yaml"))
            #expect(try find(["FERRY_CONFIG": named.string]) == named)
            #expect(try find(flag: machine.string, ["FERRY_CONFIG": named.string]) == machine)
            #expect(throws: SettingsError.self) { try find(flag: "/no/such/file") }
            #expect(throws: SettingsError.self) { try find(["FERRY_CONFIG": "/no/such/file"]) }
        }
    }
}
