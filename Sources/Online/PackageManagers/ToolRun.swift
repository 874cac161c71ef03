import Glibc
import PackageStore
import Subprocess
import SystemPackage

/// One process of a package manager with all that it starts.
struct ToolRun: Sendable {
    let command: ToolCommand
    let grace: Duration
    let timeout: Duration
    let wait: @Sendable (Duration) async throws -> Void

    private enum Event: Sendable {
        case ended(PackageInstall.Failure.Ending, message: String?)
        case timeIsOver
        case cancelled
    }

    /// Runs the tool to its end, to the end of its time, or to the task's cancellation.
    ///
    /// When this returns, every process of the tool's group is gone or has been killed. Only one that left the group for a session of
    /// its own is out of reach.
    func install(_ package: PackageName, in project: FilePath, _ output: ToolOutput) async -> PackageInstall.Outcome {
        let arguments = command.arguments(for: package, in: project)
        return await withTaskGroup(of: Event.self) { group in
            group.addTask { await run(arguments, in: project, output) }
            group.addTask {
                do { try await wait(timeout) } catch { return .cancelled }
                return .timeIsOver
            }
            let first = await group.next()
            group.cancelAll()
            await group.waitForAll()
            switch first {
            case .timeIsOver: return .timedOut
            case .cancelled, nil: return .cancelled
            case .ended(.exited(0), _): return .installed
            case .ended(let ending, let message):
                guard !Task.isCancelled else { return .cancelled }
                return .failed(.init(ending: ending, code: output.code, lastLines: output.lastLines + (message.map { [$0] } ?? [])))
            }
        }
    }

    private func run(_ arguments: [String], in project: FilePath, _ output: ToolOutput) async -> Event {
        guard !Task.isCancelled else { return .cancelled }
        var options = PlatformOptions()
        // A session of its own: a group to signal, and no terminal to ask questions on.
        options.createSession = true
        let environment = command.environment.map { (Environment.Key(stringLiteral: $0.key), $0.value) }
        options.teardownSequence = [.send(signal: .terminate, toProcessGroup: true, allowedDurationToNextStep: grace)]
        var leader: pid_t?
        // When it has ended, its number stays the group's as long as one process is in it, and is not given again before all others were.
        defer { leader.map { _ = kill(-$0, SIGKILL) } }
        do {
            let result = try await Subprocess.run(
                .path(command.program), arguments: Arguments(arguments),
                environment: .custom(Dictionary(uniqueKeysWithValues: environment)), workingDirectory: project, platformOptions: options,
                input: .none, output: .sequence, error: .combinedWithOutput
            ) { execution in
                let process = execution.processIdentifier.value
                leader = process
                // Cancellation must not end the reading: a tool that is told to end would die of the closed pipe at its next word.
                try await Task {
                    for try await buffer in execution.standardOutput {
                        buffer.withUnsafeBytes { output.append($0) }
                        // What the tool left behind may write for ever into the pipe it inherited.
                        if Self.hasEnded(process) { kill(-process, SIGKILL) }
                    }
                }.value
            }
            output.finish()
            switch result.terminationStatus {
            case .exited(let code): return .ended(.exited(code), message: nil)
            case .signaled(let signal): return .ended(.signaled(signal), message: nil)
            }
        } catch {
            output.finish()
            return .ended(.notStarted, message: "\(error)")
        }
    }

    /// Whether a child has ended; it stays to be waited for, so that its number is not given again.
    private static func hasEnded(_ child: pid_t) -> Bool {
        var info = siginfo_t()
        return waitid(P_PID, id_t(child), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_signo == SIGCHLD
    }
}
