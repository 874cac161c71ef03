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
    private let read: @Sendable (MountedMedium) throws -> [JSONValue]
    private let log: @Sendable (String) -> Void
    private var known: [MountedMedium]?
    private let queue = DispatchQueue(label: "media")

    /// - Parameters:
    ///   - encode: what is told of a medium.
    ///   - read: reads what came back on a medium, and returns what is to be told of it.
    ///   - log: told in words what came and went, and what went wrong.
    package init(
        survey: MediaSurvey, feed: JobFeed, encode: @escaping @Sendable (MountedMedium) -> JSONValue,
        read: @escaping @Sendable (MountedMedium) throws -> [JSONValue] = { _ in [] },
        log: @escaping @Sendable (String) -> Void
    ) {
        self.survey = survey
        self.feed = feed
        self.encode = encode
        self.read = read
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

    /// Reads what came back on the media that are new, and posts `replies` where there was something to read.
    private func receive(from media: [MountedMedium]) async {
        for medium in media {
            let result = await withCheckedContinuation { done in
                queue.async { [read] in done.resume(returning: Result { try read(medium) }) }
            }
            switch result {
            case .success(let told) where !told.isEmpty:
                await feed.post("replies", ["medium": .string(medium.id.text), "items": .array(told)])
            case .success: break
            case .failure(let error): log("warning: what came back on medium \(medium.id) cannot be read: \(error)")
            }
        }
    }

    /// Posts a `media` event where something came or went; the first look is for what is there anyway.
    package func look(at table: MountTable) async {
        let media = await media(in: table)
        defer { known = media }
        await receive(from: media.filter { medium in known?.contains { $0.id == medium.id } != true })
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
