package import Jobs
import Platform
import Subprocess
import Synchronization
package import SystemPackage

/// Starts the processes of jobs: `ferry-online` itself, with the command of the job.
///
/// A process of its own keeps a job from slowing or ending the server, can be limited and killed, and is what a person runs by hand.
package struct JobLauncher: Sendable {
    /// How processes are held back.
    package struct Limits: Sendable {
        /// Added to the niceness of the server.
        package var niceness: Int
        /// Processors that a job may use; `nil` for all.
        package var processors: Int?
        /// A directory of the cgroup file system that the processes join.
        package var controlGroup: FilePath?

        package init(niceness: Int = 0, processors: Int? = nil, controlGroup: FilePath? = nil) {
            self.niceness = niceness
            self.processors = processors
            self.controlGroup = controlGroup
        }
    }

    /// How a process ended.
    package enum Ending: Sendable, Hashable, CustomStringConvertible {
        case exited(Int32)
        case signalled(Int32)
        /// It was not begun; why not.
        case notStarted(String)

        package var description: String {
            switch self {
            case .exited(let code): "its process ended with \(code)"
            case .signalled(let signal): "its process was ended by signal \(signal)"
            case .notStarted(let words): "its process could not be started: \(words)"
            }
        }
    }

    private let program: FilePath
    private let options: [String]
    private let environment: [String: String]
    private let limits: Limits
    private let store: JobStore

    /// - Parameters:
    ///   - program: `ferry-online`.
    ///   - options: what every command is given, such as `--state`.
    ///   - environment: of the processes; the job is added.
    package init(
        program: FilePath, options: [String], environment: [String: String], limits: Limits = Limits(), store: JobStore
    ) {
        self.program = program
        self.options = options
        self.environment = environment
        self.limits = limits
        self.store = store
    }

    /// The words of a job's command line, behind the program.
    func arguments(for job: JobRecord) -> [String] {
        let arguments = job.parameters.arguments(for: job.kind)
        let operands = arguments.firstIndex(of: "--") ?? arguments.endIndex
        return job.kind.command + arguments[..<operands] + options + arguments[operands...]
    }

    /// Runs the process of a job to its end; cancellation kills it, with all that it started.
    ///
    /// - Parameter line: a letter written to it reaches the process; it is closed when the process has ended.
    func run(_ job: JobRecord, _ line: StopLine) async -> Ending {
        do {
            try DiskFileSystem().createDirectories(store.log(of: job.id).removingLastComponent())
            let log = try FileDescriptor.open(
                store.log(of: job.id), .writeOnly, options: [.append, .create, .noFollow, .closeOnExec],
                permissions: [.ownerReadWrite, .groupRead, .otherRead])
            defer { try? log.close() }
            return try await run(job, line, log)
        } catch { return .notStarted("\(error)") }
    }

    private func run(_ job: JobRecord, _ line: StopLine, _ log: FileDescriptor) async throws -> Ending {
        var variables = environment
        variables[JobProcess.variable] = "\(job.id)"
        var platform = PlatformOptions()
        platform.createSession = true
        platform.teardownSequence = [.send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .seconds(1))]
        let words = wrapping + [program.string] + arguments(for: job)
        let result = try await Subprocess.run(
            .path(FilePath(words[0])), arguments: Arguments(Array(words.dropFirst())),
            environment: .custom(Dictionary(uniqueKeysWithValues: variables.map { (Environment.Key(stringLiteral: $0.key), $0.value) })),
            platformOptions: platform, input: .fileDescriptor(line.reading, closeAfterSpawningProcess: true),
            output: .fileDescriptor(log, closeAfterSpawningProcess: false), error: .combinedWithOutput)
        switch result.terminationStatus {
        case .exited(let code): return .exited(code)
        case .signaled(let signal): return .signalled(signal)
        }
    }

    /// The programs that hold the process back, each of which becomes the next.
    private var wrapping: [String] {
        (limits.controlGroup.map { ["/bin/sh", "-c", "echo $$ > \"$0/cgroup.procs\" && exec \"$@\"", $0.string] } ?? [])
            + (limits.niceness == 0 ? [] : ["/usr/bin/nice", "-n", "\(limits.niceness)"])
            + (limits.processors.map { ["/usr/bin/taskset", "-c", "0-\($0 - 1)"] } ?? [])
    }
}

/// The line on which a process hears why it is to end, and that its server is gone.
final class StopLine: Sendable {
    let reading: FileDescriptor
    private let writing: FileDescriptor

    init() throws {
        let ends = try FileDescriptor.pipe()
        (reading, writing) = (ends.readEnd, ends.writeEnd)
        // No other process may keep the line open.
        try Self.closeOnExecution(reading)
        try Self.closeOnExecution(writing)
    }

    deinit { try? writing.close() }

    /// Says why; a process that is gone does not hear it.
    func say(_ stop: JobRun.Stop) { _ = try? writing.writeAll([JobProcess.letter(stop)]) }
}
