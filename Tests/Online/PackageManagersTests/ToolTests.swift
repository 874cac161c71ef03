import Foundation
import Glibc
import PackageManagers
import PackageStore
import Platform
import Synchronization
import SystemPackage
import Testing

/// What the driver does with a tool of any behaviour: scripts in the place of npm and pnpm.
@Suite(.serialized) struct ToolTests {
    /// Says that it runs, and that its child does, and never ends of its own; the child does not heed SIGTERM.
    ///
    /// It waits by itself: a program in the foreground that misses the signal while it starts would keep the shell from its trap.
    private static func hanging(_ pipe: Pipe) -> String {
        """
        exec 9>'\(pipe.path)'
        sh -c 'trap "" TERM; echo child >&9; while :; do sleep 1000; done' &
        echo tool >&9
        wait
        """
    }

    @Test func `the end of its time ends a tool and what it started`() async throws {
        let world = try World()
        let pipe = try Pipe(world.root.appending("pipe"))
        let timeout = ManualTimeout()
        let driver = world.driver(try world.settings(script: Self.hanging(pipe)), wait: timeout.wait)
        async let installs = driver.install(try packages(["a"]))
        #expect(await pipe.lines(2).sorted() == ["child", "tool"])
        timeout.end()
        #expect(try await installs.map(\.outcome) == [.timedOut])
        #expect(await pipe.isLetGo())
        #expect(try world.leftovers() == [])
    }

    @Test func `a tool is told to end, and given time for it`() async throws {
        let world = try World()
        let pipe = try Pipe(world.root.appending("pipe"))
        let timeout = ManualTimeout()
        var settings = try world.settings(script: "trap 'echo told >&9; exit' TERM\n" + Self.hanging(pipe))
        settings.grace = .seconds(3600)
        async let installs = world.driver(settings, wait: timeout.wait).install(try packages(["a"]))
        #expect(await pipe.lines(2).sorted() == ["child", "tool"])
        timeout.end()
        #expect(await pipe.lines(1) == ["told"])
        #expect(try await installs.map(\.outcome) == [.timedOut])
        #expect(await pipe.isLetGo())
    }

    @Test func `a tool that does not heed SIGTERM is killed`() async throws {
        let world = try World()
        let pipe = try Pipe(world.root.appending("pipe"))
        let timeout = ManualTimeout()
        let settings = try world.settings(script: "trap '' TERM\n" + Self.hanging(pipe))
        async let installs = world.driver(settings, wait: timeout.wait).install(try packages(["a"]))
        #expect(await pipe.lines(2).sorted() == ["child", "tool"])
        timeout.end()
        #expect(try await installs.map(\.outcome) == [.timedOut])
        #expect(await pipe.isLetGo())
    }

    @Test func `cancellation ends what runs, starts nothing more, and leaves nothing behind`() async throws {
        let world = try World()
        let pipe = try Pipe(world.root.appending("pipe"))
        var settings = try world.settings(script: "echo x >> '\(world.root)/started'\n" + Self.hanging(pipe))
        settings.parallelism = 1
        let driver = world.driver(settings)
        let task = Task { try await driver.install(try packages(["a", "b", "c"])) }
        #expect(await pipe.lines(2).count == 2)
        task.cancel()
        #expect(try await task.value.map(\.outcome) == [.cancelled, .cancelled, .cancelled])
        #expect(await pipe.isLetGo())
        #expect(try world.text(world.root.appending("started")) == "x\n")
        #expect(try world.leftovers() == [])
    }

    @Test(arguments: ["sleep 1000 >/dev/null 2>&1", "sleep 1000", "yes", "trap '' TERM; yes"])
    func `what a tool leaves running ends with it`(rest: String) async throws {
        let world = try World()
        let pipe = try Pipe(world.root.appending("pipe"))
        let settings = try world.settings(script: "exec 9>'\(pipe.path)'\n(\(rest)) &\necho running >&9\nexit 0")
        #expect(try await world.install(settings, "a") == [.installed])
        #expect(await pipe.lines(1) == ["running"])
        #expect(await pipe.isLetGo())
    }

    @Test func `however much a tool prints, little is kept`() async throws {
        let world = try World()
        let script = """
            head -c 40000000 /dev/zero | tr '\\0' x
            echo
            i=0; while [ $i -lt 30 ]; do echo "line $i" >&2; i=$((i+1)); done
            printf 'no end'
            exit 7
            """
        let before = try peak(world)
        let outcome = try await world.install(try world.settings(script: script), "a")[0]
        #expect(try peak(world) - before < 20_000)
        guard case .failed(let failure) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(failure.ending == .exited(7))
        #expect(failure.code == nil)
        #expect(failure.lastLines == (11..<30).map { "line \($0)" } + ["no end"])
        #expect(world.lines.count == 32)
        #expect(world.lines[0] == String(repeating: "x", count: 4096))
    }

    /// The most memory this process ever had, in KiB.
    private func peak(_ world: World) throws -> Int {
        let line = try #require(try world.text("/proc/self/status")?.split(separator: "\n").first { $0.hasPrefix("VmHWM") })
        return try #require(Int(line.filter(\.isNumber)))
    }

    @Test(arguments: [
        (
            "echo 'npm error code ETARGET'; echo 'npm error code E500'; exit 1", PackageInstall.Failure.Ending.exited(1),
            "ETARGET" as String?
        ),
        ("echo 'npm ERR! code EINTEGRITY' >&2; exit 3", .exited(3), "EINTEGRITY"),
        ("echo ' ERR_PNPM_FETCH_404  GET http://127.0.0.1:1/a: Not Found - 404'; exit 1", .exited(1), "ERR_PNPM_FETCH_404"),
        ("echo '[ERR_PNPM_NO_MATCHING_VERSION] No matching version found'; exit 1", .exited(1), "ERR_PNPM_NO_MATCHING_VERSION"),
        ("kill -9 $$", .signaled(9), nil),
    ])
    func `a failure says how the tool ended and what it called it`(
        script: String, ending: PackageInstall.Failure.Ending, code: String?
    ) async throws {
        let world = try World()
        let outcomes = try await world.install(try world.settings(script: script), "a")
        #expect(outcomes == [.failed(.init(ending: ending, code: code, lastLines: world.lines))])
    }

    @Test func `a tool that cannot be started is a failure of its package`() async throws {
        let world = try World()
        let settings = try world.settings(script: "")
        try world.files.write(Array("#!/no/such/shell\n".utf8), to: try #require(settings.executable))
        var direct = settings
        direct.niceness = 0
        guard case .failed(let failure) = try await world.install(direct, "a")[0] else {
            Issue.record("it started")
            return
        }
        #expect(failure.ending == .notStarted)
        #expect(failure.lastLines.count == 1)
    }

    @Test(arguments: [1, 2, 3])
    func `no more installs run at once than allowed, and as many`(limit: Int) async throws {
        let world = try World()
        let pipe = try Pipe(world.root.appending("pipe"))
        let gate = world.root.appending("gate")
        try #require(gate.withPlatformString { mkfifo($0, 0o600) } == 0)
        // Open for both, so that neither side waits for the other.
        let opener = gate.withPlatformString { open($0, O_RDWR | O_CLOEXEC) }
        defer { close(opener) }
        var settings = try world.settings(script: "echo begin > '\(pipe.path)'; read line < '\(gate)'; exit 0")
        settings.parallelism = limit
        let running = Mutex((now: 0, most: 0))
        let names = (1...7).map { "p\($0)" }
        let driver = world.driver(settings) { _ in
            running.withLock {
                $0.now += 1
                $0.most = max($0.most, $0.now)
            }
            defer { running.withLock { $0.now -= 1 } }
            try await Task.sleep(for: .seconds(86_400))
        }
        async let installs = driver.install(try packages(names))
        // All of them hold the pipe's end open only while they speak, so the test does it, too.
        let holder = pipe.path.withPlatformString { open($0, O_WRONLY | O_CLOEXEC) }
        defer { close(holder) }
        #expect(await pipe.lines(limit).count == limit)
        for number in 0..<names.count {
            write(opener, "\n", 1)
            if number + limit < names.count { #expect(await pipe.lines(1) == ["begin"]) }
        }
        #expect(try await installs.map(\.outcome) == names.map { _ in .installed })
        #expect(running.withLock { $0.most } == limit)
    }

    @Test func `progress counts every package once`() async throws {
        let world = try World()
        let seen = Mutex<[String]>([])
        let settings = try world.settings(script: #"case "$*" in *bad@latest) exit 1;; esac"#)
        let driver = PackageManagerDriver(
            settings,
            progress: { install, done, total in
                let isInstalled = install.outcome == .installed
                seen.withLock { $0.append("\(done)/\(total) \(install.package) \(isInstalled)") }
            })
        let installs = try await driver.install(try packages(["a", "bad", "c"]))
        #expect(installs.map(\.package.text) == ["a", "bad", "c"])
        #expect(seen.withLock { $0.map { $0.prefix(3) } } == ["1/3", "2/3", "3/3"])
        #expect(seen.withLock { Set($0.map { String($0.dropFirst(4)) }) } == ["a true", "bad false", "c true"])
    }

    // MARK: The work directory

    @Test func `the rest of a killed run is removed at the next start, and nothing else`() async throws {
        let world = try World()
        let run = world.work.appending("ferry-installs")
        try world.files.write([1], to: world.work.appending("mine"))
        _ = try await world.install(try world.settings(script: "cp -a '\(run)' '\(world.work)/copy'"), "a")
        try world.files.rename(world.work.appending("copy"), to: run)
        try world.files.write([1], to: run.appending("cache/stale"))
        _ = try await world.install(try world.settings(script: "ls '\(run)/cache'"), "a")
        #expect(world.lines == [])
        #expect(try world.leftovers() == ["mine"])
    }

    @Test func `a directory that no run made is refused and stays`() async throws {
        let world = try World()
        let run = world.work.appending("ferry-installs")
        let settings = try world.settings(script: "")
        _ = try world.files.createDirectory(run)
        try world.files.write([1], to: run.appending("mine"))
        let refusal = PackageManagerError.inTheWay(try world.files.resolve(run) ?? run)
        await #expect(throws: refusal) { try await world.install(settings, "a") }
        #expect(try world.files.names(in: run) == ["mine"])
        // Neither is what a link leads to, whatever it holds.
        try world.files.rename(run, to: world.root.appending("elsewhere"))
        try world.files.write([], to: world.root.appending("elsewhere/.ferry-installs"))
        try #require(symlink(world.root.appending("elsewhere").string, run.string) == 0)
        await #expect(throws: PackageManagerError.self) { try await world.install(settings, "a") }
        #expect(try world.files.names(in: world.root.appending("elsewhere")) == [".ferry-installs", "mine"])
    }

    @Test func `a work directory serves one run at a time`() async throws {
        let world = try World()
        let pipe = try Pipe(world.root.appending("pipe"))
        let timeout = ManualTimeout()
        let settings = try world.settings(script: Self.hanging(pipe))
        async let installs = world.driver(settings, wait: timeout.wait).install(try packages(["a"]))
        #expect(await pipe.lines(2).count == 2)
        await #expect(throws: ProcessLock.Held.self) { try await world.install(settings, "b") }
        timeout.end()
        #expect(try await installs.map(\.outcome) == [.timedOut])
    }

    // MARK: The command

    /// Runs a tool that tells its arguments and environment, and returns its lines with the run's directory as `RUN`.
    private func told(
        _ tool: PackageManagerDriver.Tool, _ name: String, _ change: (inout PackageManagerDriver.Settings) -> Void = { _ in }
    ) async throws -> [String] {
        let world = try World()
        var settings = try world.settings(tool, script: #"printf '%s\n' "$@"; env | sort; pwd; cat; wc -c < "$HOME/../user-npmrc""#)
        settings.niceness = 0
        settings.registry = "http://127.0.0.1:4873/"
        settings.variable = { name in
            ["PATH": "/usr/bin:/bin", "LANG": "de_DE.UTF-8", "HOME": "/root", "NODE_EXTRA_CA_CERTS": "/ca.pem", "NODE_OPTIONS": "-r x"][
                name]
        }
        change(&settings)
        #expect(try await world.install(settings, name) == [.installed])
        let root = try #require(try world.files.resolve(world.root)).string
        return world.lines.map { $0.replacing("\(root)/work/ferry-installs", with: "RUN").replacing(root, with: "ROOT") }
    }

    private static let environment = [
        "CI=true", "HOME=RUN/home", "LANG=de_DE.UTF-8", "NODE_EXTRA_CA_CERTS=/ca.pem", "NO_COLOR=1", "PATH=ROOT:/usr/bin:/bin",
        "PWD=RUN/projects/0", "TMPDIR=RUN/tmp", "RUN/projects/0", "0",
    ]

    @Test func `npm gets these arguments, this environment and no input`() async throws {
        #expect(
            try await told(.npm, "@s/it's(a)!~*test") == [
                "install", "--registry=http://127.0.0.1:4873/", "--ignore-scripts", "--prefix=RUN/projects/0", "--cache=RUN/cache/npm",
                "--userconfig=RUN/user-npmrc", "--globalconfig=RUN/global-npmrc", "--no-audit", "--no-fund", "--no-update-notifier",
                "--no-progress", "--no-color", "--no-save", "--no-package-lock", "--logs-max=0", "--", "@s/it's(a)!~*test@latest",
            ] + Self.environment)
    }

    @Test func `pnpm gets these arguments, this environment and no input`() async throws {
        #expect(
            try await told(.pnpm, "--global") == [
                "add", "--registry=http://127.0.0.1:4873/", "--ignore-scripts", "--dir=RUN/projects/0", "--store-dir=RUN/cache/pnpm-store",
                "--ignore-workspace", "--reporter=append-only", "--config.cache-dir=RUN/cache/pnpm-cache",
                "--config.state-dir=RUN/cache/pnpm-state", "--config.userconfig=RUN/user-npmrc", "--config.globalconfig=RUN/global-npmrc",
                "--config.update-notifier=false", "--config.minimum-release-age=0", "--config.strict-dep-builds=false",
                "--config.manage-package-manager-versions=false", "--config.lockfile=false", "--", "--global@latest",
            ] + Self.environment)
    }

    @Test func `a tool is nicer than this process, on as many processors as allowed`() async throws {
        let world = try World()
        var settings = try world.settings(script: "nice; grep Cpus_allowed_list /proc/self/status | tr -d -c 0-9,-")
        settings.niceness = 7
        settings.processorLimit = 1
        #expect(try await world.install(settings, "a") == [.installed])
        #expect(world.lines.first == String(min(19, getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0) + 7)))
        #expect(Int(world.lines.last ?? "") != nil)
    }

    @Test func `a tool that is not there is named, with the places where it was looked for`() async throws {
        let world = try World()
        var settings = PackageManagerDriver.Settings(tool: .pnpm, registry: "http://127.0.0.1:1/", workDirectory: world.work)
        settings.variable = { $0 == "PATH" ? "relative:\(world.root)" : nil }
        await #expect(throws: PackageManagerError.notFound(program: "pnpm", lookedIn: "the PATH, \"relative:\(world.root)\"")) {
            try await world.install(settings, "a")
        }
        settings.executable = world.root.appending("absent")
        let error = await #expect(throws: PackageManagerError.self) { try await world.install(settings, "a") }
        #expect(error.map { "\($0)" } == "cannot find the program \"\(world.root)/absent\": looked in that place only")
        #expect(try world.leftovers() == [])
    }
}
