import CanonicalJSON
import Glibc
import Integrity
import Platform
import Replies
import Snapshots
import SystemPackage
import Testing

/// What goes back is laid so that a stick which is pulled at any moment carries whole documents.
@Suite struct ReplyBoxTests {
    private func receipt(_ world: World, counter: Int64) throws -> SignedReply {
        let receipt = Receipt(
            destination: world.destination, origin: world.origin, counter: counter, created: WallClock.system.now(), applied: nil,
            imports: [], missing: [], refused: [])
        return try SignedReply(receipt, by: world.key)
    }

    @Test func `cut off at any step, the old receipt or the new one is there, with its signature`() throws {
        let world = try World()
        let receipts = try (1...2).map { try receipt(world, counter: Int64($0)) }
        var steps = 0
        var isOver = false
        var seen: Set<[String]> = []
        while !isOver {
            let folder = world.root.appending("cut-\(steps)/ferry")
            try ReplyBox(root: folder).put(receipts[0], in: .receipts)
            let crashing = ReplyBox(root: folder, files: CrashingFileSystem(stepsUntilCrash: steps))
            isOver = (try? crashing.put(receipts[1], in: .receipts) { $0.hasPrefix("d-") }) != nil
            let found = ReplyBox(root: folder).replies(in: .receipts)
            for reply in found { _ = try reply.open(Receipt.self, signedBy: world.key.publicKey) }
            seen.insert(found.map(\.fileName))
            #expect(!found.isEmpty, "step \(steps)")
            steps += 1
        }
        #expect(seen == [[receipts[0].fileName], receipts.map(\.fileName), [receipts[1].fileName]])
    }

    @Test func `what is no document is named or passed over, and leads nowhere else`() throws {
        let world = try World()
        let folder = world.root.appending("stick/ferry")
        let inside = folder.appending("receipts")
        try world.files.createDirectories(inside)
        try world.files.createDirectories(world.root.appending("elsewhere"))
        try world.files.write(Array("{}".utf8), to: world.root.appending("elsewhere/a.json"))
        for (link, target) in [("receipts/link.json", "elsewhere/a.json"), ("requests", "elsewhere")] {
            try #require(symlink(world.root.appending(target).string, folder.appending(link).string) == 0)
        }
        try world.files.createDirectories(inside.appending("directory.json"))
        try #require(mkfifo(inside.appending("pipe.json").string, 0o600) == 0)
        try world.files.write([UInt8](repeating: 0x20, count: (64 << 20) + 1), to: inside.appending("huge.json"))
        try world.files.write(Array("[".utf8), to: inside.appending("real.json"))
        try world.files.write(Array("{}".utf8), to: inside.appending(".draft.json"))
        var troubles: [String] = []
        let box = ReplyBox(root: folder)
        let found = ReplyBox.Folder.allCases.flatMap {
            box.replies(in: $0) { path, _ in troubles.append(path.lastComponent?.string ?? "") }
        }
        #expect(found.map(\.fileName) == ["real.json"])
        #expect(troubles == ["huge.json", "requests"])
        #expect(throws: ReplyBox.Obstructed.self) { try box.put(receipt(world, counter: 1), in: .requests) }
        #expect(try world.files.names(in: world.root.appending("elsewhere")) == ["a.json"])
    }
}
