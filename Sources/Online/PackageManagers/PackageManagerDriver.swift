import Glibc
package import PackageStore
import Platform
package import SystemPackage

/// Fills a proxying registry's cache by installing packages through it with the real npm or pnpm: `NAME@latest` with all that it
/// depends on, each in a directory of its own.
///
/// No package runs code here: scripts are ignored, and a name is one argument that no shell reads. The tool reads no npmrc of the user
/// or the machine, and of the environment gets `PATH`, `LANG` and `NODE_EXTRA_CA_CERTS` alone. Proxies are not passed on: the registry is
/// the only host that is spoken to, and is spoken to directly.
package struct PackageManagerDriver: Sendable {
    package enum Tool: String, Sendable, CaseIterable { case npm, pnpm }

    package struct Settings: Sendable {
        package var tool: Tool
        /// The registry's address.
        package var registry: String
        /// Where temporary directories and caches are made; made itself where there is none, and used by one run at a time.
        package var workDirectory: FilePath
        /// The tool; `nil` to look for it on the `PATH`.
        package var executable: FilePath?
        /// How many installs run at once.
        package var parallelism = 2
        /// How much nicer than this process the tools are to others, 0…19.
        package var niceness = 10
        /// How many processors all of them together may use; `nil` for as many as this process.
        package var processorLimit: Int?
        /// How long one install may take.
        package var timeout: Duration = .seconds(600)
        /// How long a tool that was told to end may take before it is killed.
        package var grace: Duration = .seconds(5)
        /// This process's environment.
        package var variable: @Sendable (String) -> String? = { getenv($0).map { String(cString: $0) } }

        package init(tool: Tool, registry: String, workDirectory: FilePath) {
            self.tool = tool
            self.registry = registry
            self.workDirectory = workDirectory
        }
    }

    private let settings: Settings
    private let log: @Sendable (PackageName, String) -> Void
    private let progress: @Sendable (PackageInstall, _ done: Int, _ total: Int) -> Void
    private let wait: @Sendable (Duration) async throws -> Void

    /// - Parameters:
    ///   - log: gets every line a tool prints on either stream, cut to 4 KiB; called for several packages at once.
    ///   - progress: gets every package as it is done, one after another.
    ///   - wait: returns when a time is over, and throws when the task is cancelled.
    package init(
        _ settings: Settings, log: @escaping @Sendable (PackageName, String) -> Void = { _, _ in },
        progress: @escaping @Sendable (PackageInstall, _ done: Int, _ total: Int) -> Void = { _, _, _ in },
        wait: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) {
        precondition(settings.parallelism > 0 && (0...19).contains(settings.niceness) && settings.processorLimit ?? 1 > 0)
        self.settings = settings
        self.log = log
        self.progress = progress
        self.wait = wait
    }

    /// Installs each package and says what became of it, in the given order; no failure stops the others.
    ///
    /// The cache is new with every call, so each tarball goes through the registry, and grows until its end: hand over many packages in
    /// several calls. A cancelled task does not throw: what was not done is `cancelled`. When this returns or throws, no process of the
    /// run is left, and no file that could be removed.
    ///
    /// - Throws: `PackageManagerError`, `ProcessLock.Held` while another run uses the work directory, `FileSystemError`; nothing was started.
    package func install(_ packages: [PackageName]) async throws -> [PackageInstall] {
        try DiskFileSystem().createDirectories(settings.workDirectory)
        let lock = try ProcessLock(directory: settings.workDirectory, holder: "another run of a package manager uses it")
        defer { withExtendedLifetime(lock) {} }
        let directory = try RunDirectory(below: settings.workDirectory)
        defer { directory.remove() }
        let run = ToolRun(command: try ToolCommand(settings, directory), grace: settings.grace, timeout: settings.timeout, wait: wait)
        return await withTaskGroup(of: (number: Int, install: PackageInstall).self) { group in
            var installs: [PackageInstall?] = Array(repeating: nil, count: packages.count)
            var begun = 0
            for done in 0..<packages.count {
                while begun < packages.count, begun - done < settings.parallelism {
                    group.addTask { [begun] in (begun, await install(packages[begun], number: begun, in: directory, run)) }
                    begun += 1
                }
                guard let next = await group.next() else { break }
                installs[next.number] = next.install
                progress(next.install, done + 1, packages.count)
            }
            return installs.compactMap(\.self)
        }
    }

    private func install(_ package: PackageName, number: Int, in directory: RunDirectory, _ run: ToolRun) async -> PackageInstall {
        guard !Task.isCancelled else { return PackageInstall(package: package, outcome: .cancelled) }
        do {
            let project = try directory.makeProject(number)
            defer { directory.remove(project) }
            let output = ToolOutput { log(package, $0) }
            return PackageInstall(package: package, outcome: await run.install(package, in: project, output))
        } catch {
            let failure = PackageInstall.Failure(ending: .notStarted, code: nil, lastLines: ["\(error)"])
            return PackageInstall(package: package, outcome: .failed(failure))
        }
    }
}
