import HTTPService
import MediaLayout
import Mounts

/// Looks at the media for everybody who asks: one look at a time, which all share who ask meanwhile.
///
/// A device that hangs holds up that look and a thread of its own, and nothing else; who asks is told so after a while.
actor MediaDesk {
    private let survey: MediaSurvey
    private let mounts: @Sendable () throws -> MountTable
    private let patience: Duration
    private let thread = BlockingWork(threads: 1)
    private var look: Task<[MountedMedium], any Error>?

    init(survey: MediaSurvey, mounts: @escaping @Sendable () throws -> MountTable, patience: Duration) {
        self.survey = survey
        self.mounts = mounts
        self.patience = patience
    }

    /// What is plugged in.
    ///
    /// - Throws: `Problem` where a device does not answer; `FileSystemError` where nobody knows what is mounted.
    func media() async throws -> [MountedMedium] {
        let look = self.look ?? begin()
        let (answers, answer) = AsyncStream<Result<[MountedMedium], any Error>?>.makeStream()
        let waiting = [
            Task<Void, any Error> { _ = answer.yield(await look.result) },
            Task { [patience] () async throws -> Void in
                try await Task.sleep(for: patience)
                _ = answer.yield(nil)
            },
        ]
        defer { for task in waiting { task.cancel() } }
        for await result in answers {
            guard let result else { break }
            return try result.get()
        }
        throw Problem(.busy, "a medium does not answer; pull it out, or wait", headers: [("Retry-After", "10")])
    }

    private func begin() -> Task<[MountedMedium], any Error> {
        let task = Task { [survey, mounts, thread] in
            defer { look = nil }
            return try await thread.run { survey.media(in: try mounts()) }
        }
        look = task
        return task
    }
}
