import CanonicalJSON
import Foundation
import Jobs
import MediaLayout
import Mounts
import Platform
import Service
import Synchronization
import SystemPackage
import Testing

@Suite struct MediaWatchTests {
    private final class Place: Sendable {
        let root = FilePath(FileManager.default.temporaryDirectory.path).appending("ferry-media-\(UUID().uuidString)")
        let feed: JobFeed
        let watch: MediaWatch
        let said: Said

        init() throws {
            for name in ["state", "media/one", "media/two", "elsewhere"] { try DiskFileSystem().createDirectories(root.appending(name)) }
            feed = try JobFeed(store: JobStore(state: root.appending("state"))) { _ in .null }
            let said = Said()
            self.said = said
            watch = MediaWatch(
                survey: MediaSurvey(roots: [root.appending("media")], mountNumber: { _ in nil }), feed: feed,
                encode: { .string($0.mount.point.string) }
            ) {
                said.add($0)
            }
        }

        deinit { try? DiskFileSystem().removeTree(root) }

        /// What is mounted, by names below the root.
        func table(_ names: String...) -> MountTable {
            let lines = names.enumerated().map { "\($0 + 100) 1 0:\($0 + 100) / \(root)/\($1) rw - tmpfs \($1) rw\n" }
            return MountTable(parsing: Array(lines.joined().utf8))
        }
    }

    private final class Said: Sendable {
        private let lines = Mutex<[String]>([])

        func add(_ line: String) { lines.withLock { $0.append(line) } }
        var all: [String] { lines.withLock { $0 } }
    }

    private func next(_ place: Place, _ listener: Int) async throws -> JSONObject? {
        let events = try await place.feed.next(for: listener)
        #expect(events?.count == 1 && events?.first?.name == "media")
        return try events?.first.flatMap { try JSONParser.parse($0.data, mode: .strict).object }
    }

    @Test func `what is plugged in and pulled out is told, and what was there from the beginning is not`() async throws {
        let place = try Place()
        let listener = await place.feed.listen(after: nil)
        await place.watch.look(at: place.table("media/one"))
        await place.watch.look(at: place.table("media/one", "elsewhere"))
        await place.watch.look(at: place.table("media/one", "elsewhere", "media/two"))
        let arrived = try #require(try await next(place, listener))
        #expect(arrived["arrived"] == [.string("\(place.root)/media/two")] && arrived["removed"] == [])
        await place.watch.look(at: place.table())
        let removed = try #require(try await next(place, listener))
        #expect(removed["arrived"] == [] && removed["removed"]?.array?.count == 2)
        #expect(place.said.all.count == 3 && place.said.all.last?.hasSuffix("is gone") == true)
    }

    @Test func `what takes another's place is another medium`() async throws {
        let place = try Place()
        let listener = await place.feed.listen(after: nil)
        await place.watch.look(at: place.table("media/one", "elsewhere"))
        // The same mount point, of another file system.
        await place.watch.look(at: place.table("elsewhere", "media/one"))
        let event = try #require(try await next(place, listener))
        #expect(event["arrived"]?.array?.count == 1 && event["removed"]?.array?.count == 1)
    }
}
