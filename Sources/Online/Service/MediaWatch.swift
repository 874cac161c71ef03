package import CanonicalJSON
import Dispatch
package import MediaLayout
package import Mounts
import Snapshots

/// Tells listeners which media are plugged in and pulled out.
package actor MediaWatch {
    private let survey: MediaSurvey
    private let feed: JobFeed
    private let encode: @Sendable (MountedMedium) -> JSONValue
    private let log: @Sendable (String) -> Void
    private var known: [MountedMedium]?
    private let queue = DispatchQueue(label: "media")

    /// - Parameters:
    ///   - encode: what is told of a medium.
    ///   - log: told in words what came and went, and what went wrong.
    package init(
        survey: MediaSurvey, feed: JobFeed, encode: @escaping @Sendable (MountedMedium) -> JSONValue,
        log: @escaping @Sendable (String) -> Void
    ) {
        self.survey = survey
        self.feed = feed
        self.encode = encode
        self.log = log
    }

    /// Goes on until the task is cancelled.
    package func run() async {
        do {
            for try await table in try MountTable.watch() { await look(at: table) }
            if !Task.isCancelled {
                log("warning: the kernel tells no more of mounts; media that are plugged in from now on are not announced")
            }
        } catch { log("warning: media that are plugged in are not announced: \(error)") }
    }

    /// What is plugged in, looked for on a thread that may wait for a device.
    private func media(in table: MountTable) async -> [MountedMedium] {
        await withCheckedContinuation { done in
            queue.async { [survey] in done.resume(returning: survey.media(in: table)) }
        }
    }

    /// Posts a `media` event where something came or went; the first look is for what is there anyway.
    package func look(at table: MountTable) async {
        let media = await media(in: table)
        defer { known = media }
        guard let known else { return }
        let arrived = media.filter { medium in !known.contains { $0.id == medium.id } }
        let removed = known.filter { medium in !media.contains { $0.id == medium.id } }
        guard !arrived.isEmpty || !removed.isEmpty else { return }
        for medium in arrived { log("medium \(medium.id) at \(medium.mount.point): \(medium.label ?? medium.mount.source)") }
        for medium in removed { log("medium \(medium.id) at \(medium.mount.point) is gone") }
        await feed.post(
            "media", ["arrived": .array(arrived.map(encode)), "removed": .array(removed.map { .string($0.id.text) })])
    }
}
