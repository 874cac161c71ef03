import ArgumentParser
import CanonicalJSON
import Databases
import Dispatch
import Glibc
import Jobs
import Platform
import Terminal

/// What a command's work came to.
struct JobReport: Sendable {
    /// In a sentence.
    var reason: String
    var exitCode: Int32 = 0
    /// Whether an exit code that is not 0 means that the work was not done.
    var isFailure = false
    /// Sums for machines.
    var json: JSONValue?
    /// The packages whose files were changed.
    var touched: [String] = []
}

extension StateOptions {
    /// Does a command's work as a job: recorded, with a log, one at a time where it writes.
    ///
    /// - Parameters:
    ///   - parameters: those that differ from the defaults.
    ///   - needingRoom: whether a disk that is too full to work on is refused; otherwise the work is done there, too, if need be unrecorded.
    func job(
        _ kind: JobKind, _ parameters: [String: JSONValue?], needingRoom: Bool = true, _ body: () async throws -> JobReport
    ) async throws {
        try await reporting {
            let parameters = try accepted(parameters, for: kind)
            let store: JobStore
            do { store = try JobStore(state: directory(needingRoom: needingRoom)) } catch DatabaseFileError.noSpace where !needingRoom {
                let lock = try lock(kind, needingRoom: false)
                defer { withExtendedLifetime(lock) {} }
                return try throwing(await body())
            }
            let server = try Server.ofThisProcess()
            let lock = kind.isExclusive ? try await lock(kind, needingRoom: needingRoom, waitingAs: server?.job, in: store) : nil
            defer { withExtendedLifetime(lock) {} }
            if server == nil { try store.markInterrupted() }
            let run = try JobRun(store, kind, parameters, queued: server?.job)
            server?.follow(run)
            Terminal.admit(run.audience(isAlone: server != nil))
            defer { Terminal.admit(nil) }
            try await Interruption.ending(with: { run.endAtOnce() }) { try await work(run, body) }
        }
    }

    private func accepted(_ parameters: [String: JSONValue?], for kind: JobKind) throws -> JobParameters {
        do throws(JobParameterError) { return try JobParameters(parameters.compactMapValues { $0 }, for: kind) } catch {
            throw ValidationError("\(error)")
        }
    }

    private func work(_ run: JobRun, _ body: () async throws -> JobReport) async throws {
        let report: JobReport
        do { report = try await body() } catch {
            let code = commandExitCode(of: error)
            for hint in hints(for: error) { run.write("hint: \(hint)") }
            try run.end(
                JobResult(state: .failed, exitCode: code, reason: "\(error)"), isCut: error is CancellationError || Interruption.isAsked)
            throw error
        }
        let result = JobResult(
            state: report.isFailure ? .failed : .succeeded, exitCode: report.exitCode, reason: report.reason, report: report.json,
            touched: report.touched)
        try run.end(result, isCut: report.exitCode == 130)
        try throwing(report)
    }

    private func throwing(_ report: JobReport) throws {
        if report.exitCode != 0 { throw ExitCode(report.exitCode) }
    }

    private func lock(_ kind: JobKind, needingRoom: Bool) throws -> ProcessLock {
        try lock("ferry-online \(kind.command.joined(separator: " "))", needingRoom: needingRoom)
    }

    /// The writer's place; a job of the server waits for it, and says for whom.
    private func lock(_ kind: JobKind, needingRoom: Bool, waitingAs job: Int64?, in store: JobStore) async throws -> ProcessLock {
        while true {
            do { return try lock(kind, needingRoom: needingRoom) } catch let held as ProcessLock.Held {
                guard let job else { throw held }
                try store.wait(job, for: held.holder)
                try await Task.sleep(for: .milliseconds(200))
            }
        }
    }
}

extension JobRun {
    /// Ends the job and the program, wherever the work is.
    fileprivate func endAtOnce() -> Never {
        try? end(JobResult(state: .cancelled, exitCode: 130, reason: ""), isCut: true)
        _exit(130)
    }
}

/// The server that started this process, and which job it is to do.
///
/// It is heard on standard input, which nobody else holds: a letter says why the job is to end, and the end of it that the server is gone.
private struct Server {
    let job: Int64
    private let input: any DispatchSourceRead

    /// - Throws: `ValidationError` where the environment names a job that is none.
    static func ofThisProcess() throws -> Server? {
        guard let text = environment(JobProcess.variable) else { return nil }
        guard let job = Int64(text), job > 0 else {
            throw ValidationError("\(JobProcess.variable): \"\(text)\" is not the number of a job")
        }
        let input = DispatchSource.makeReadSource(fileDescriptor: 0, queue: .global())
        // Until the job has begun there is nothing to end but the process.
        input.setEventHandler { _exit(130) }
        input.resume()
        return Server(job: job, input: input)
    }

    /// Ends a job when the server says so.
    func follow(_ run: JobRun) {
        let input = input
        input.setEventHandler {
            var letter: UInt8 = 0
            let count = read(0, &letter, 1)
            if count < 0, errno == EINTR { return }
            input.cancel()
            run.stop(count == 1 ? JobProcess.stop(letter) : .orphaned)
            Interruption.ask()
        }
    }
}
