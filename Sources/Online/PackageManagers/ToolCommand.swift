import Glibc
import PackageStore
import Platform
import SystemPackage

/// What is run for a package: program, arguments and environment.
///
/// No shell reads any of it.
struct ToolCommand: Sendable {
    let program: FilePath
    /// The arguments before those of the tool: the wrappers' own, and the tool itself where there are wrappers.
    let wrapping: [String]
    let environment: [String: String]
    private let settings: PackageManagerDriver.Settings
    private let cache: FilePath
    private let userSettings: FilePath
    private let globalSettings: FilePath

    /// Finds the programs.
    ///
    /// - Throws: `PackageManagerError.notFound`; `FileSystemError`.
    init(_ settings: PackageManagerDriver.Settings, _ run: RunDirectory) throws {
        let path = settings.variable("PATH") ?? "/usr/local/bin:/usr/bin:/bin"
        let tool = try Self.tool(settings, path)
        var chain: [String] = []
        if settings.niceness != 0 {
            chain += [try Self.find("nice", path).string, "-n", String(settings.niceness)]
        }
        if let count = settings.processorLimit {
            chain += [try Self.find("taskset", path).string, "-c", try Self.processors(count)]
        }
        chain.append(tool.string)
        program = FilePath(chain[0])
        wrapping = Array(chain.dropFirst())
        var environment = [
            "PATH": path, "HOME": run.home.string, "TMPDIR": run.temporary.string, "LANG": settings.variable("LANG") ?? "C.UTF-8",
            // No question, no colour, no progress bar, and for pnpm no look for a newer pnpm.
            "CI": "true", "NO_COLOR": "1",
        ]
        // A tool that was named by its path finds the node beside it first.
        if settings.executable != nil { environment["PATH"] = "\(tool.removingLastComponent()):\(path)" }
        environment["NODE_EXTRA_CA_CERTS"] = settings.variable("NODE_EXTRA_CA_CERTS")
        self.environment = environment
        self.settings = settings
        cache = run.cache
        userSettings = run.userSettings
        globalSettings = run.globalSettings
    }

    /// The arguments that bring the newest version of a package into a directory.
    func arguments(for package: PackageName, in project: FilePath) -> [String] {
        let common = ["--registry=\(settings.registry)", "--ignore-scripts"]
        // After `--`, a name that begins with a hyphen is no option.
        let operands = ["--", "\(package)@latest"]
        switch settings.tool {
        case .npm:
            return wrapping + ["install"] + common + [
                "--prefix=\(project)", "--cache=\(cache.appending("npm"))", "--userconfig=\(userSettings)",
                "--globalconfig=\(globalSettings)", "--no-audit", "--no-fund", "--no-update-notifier", "--no-progress", "--no-color",
                "--no-save", "--no-package-lock", "--logs-max=0",
            ] + operands
        case .pnpm:
            // What `pnpm add` does not know as an option of its own is given as `--config.`; an unknown setting is ignored there.
            return wrapping + ["add"] + common + [
                "--dir=\(project)", "--store-dir=\(cache.appending("pnpm-store"))", "--ignore-workspace", "--reporter=append-only",
                "--config.cache-dir=\(cache.appending("pnpm-cache"))", "--config.state-dir=\(cache.appending("pnpm-state"))",
                "--config.userconfig=\(userSettings)", "--config.globalconfig=\(globalSettings)", "--config.update-notifier=false",
                // The newest version is asked for, however young, and scripts that are not run are no failure.
                "--config.minimum-release-age=0", "--config.strict-dep-builds=false",
                "--config.manage-package-manager-versions=false", "--config.lockfile=false",
            ] + operands
        }
    }

    private static func tool(_ settings: PackageManagerDriver.Settings, _ path: String) throws -> FilePath {
        guard let executable = settings.executable else { return try find(settings.tool.rawValue, path) }
        // The tool starts in another directory than this process. A link stays one: its directory is what counts.
        let folder = executable.removingLastComponent()
        guard let name = executable.lastComponent, let absolute = try DiskFileSystem().resolve(folder.isEmpty ? "." : folder),
            isProgram(absolute.appending(name))
        else { throw PackageManagerError.notFound(program: executable.string, lookedIn: "that place only") }
        return absolute.appending(name)
    }

    private static func find(_ name: String, _ path: String) throws -> FilePath {
        for folder in path.split(separator: ":") where folder.hasPrefix("/") {
            let candidate = FilePath(String(folder)).appending(name)
            if isProgram(candidate) { return candidate }
        }
        throw PackageManagerError.notFound(program: name, lookedIn: "the PATH, \"\(path)\"")
    }

    private static func isProgram(_ path: FilePath) -> Bool {
        var status = stat()
        return path.withPlatformString { stat($0, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && access($0, X_OK) == 0 }
    }

    /// The first processors this process may use, as `taskset` takes them: `0,1,4`.
    private static func processors(_ count: Int) throws -> String {
        let status = try DiskFileSystem().contents(of: "/proc/self/status", limit: 1 << 20) ?? []
        let line = String(decoding: status, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("Cpus_allowed_list:") } ?? ""
        return selection(of: count, from: line.drop { !$0.isNumber })
    }

    /// The first `count` of a list such as `0-3,8`.
    static func selection(of count: Int, from list: Substring) -> String {
        let all = list.split(separator: ",").flatMap { range in
            let ends = range.split(separator: "-").compactMap { Int($0) }
            return ends.count == 2 && ends[0] <= ends[1] ? Array(ends[0]...ends[1]) : ends
        }
        return all.prefix(max(1, count)).map(String.init).joined(separator: ",")
    }
}
