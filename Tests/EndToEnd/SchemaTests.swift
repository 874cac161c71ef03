import BundleFormat
import CanonicalJSON
import Foundation
import Integrity
import MediaLayout
import PackageStore
import Platform
import Replies
import Replying
import Snapshots
import SystemPackage
import Testing
import Verification

/// The JSON Schemas beside FORMAT.md describe what is really written.
@Suite struct SchemaTests {
    private static let schemas = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
        .appending("media-layout/schemas")

    /// Validates a document with Python's jsonschema and returns its exit status: 0 for valid, 7 for not, anything else for trouble.
    private func validate(_ document: FilePath, against schema: String) throws -> Int32 {
        let program = """
            import json, sys, jsonschema
            schema = json.load(open(sys.argv[1])); document = json.load(open(sys.argv[2]))
            validator = jsonschema.Draft202012Validator(schema)
            errors = [e.message[:300] for e in validator.iter_errors(document)]
            print("\\n".join(errors), file=sys.stderr); sys.exit(7 if errors else 0)
            """
        return try run("/usr/bin/python3", ["-c", program, Self.schemas.appending(schema).string, document.string])
    }

    private func run(_ program: String, _ arguments: [String]) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }

    /// What goes back of a world, each with something in every list.
    private func replies(_ world: World) throws -> [(FilePath, String)] {
        let maker = try world.replyMaker()
        let folder = world.root.appending("back/ferry")
        try world.put("utils", ["1.0.0": "the company's own"], in: world.isolated)
        try world.put("utils", ["9.0.0": "a public namesake"])
        try world.snapshot()
        try world.run(world.bundle())
        try world.files.removeTree(world.isolated.appending("foo"))
        _ = try maker.receipt(for: world.origin, isAsked: true)
        _ = try maker.request(["react@18"], of: world.origin)
        try world.put("late", ["1.0.0": "late"])
        try world.snapshot()
        var gap = BundleGap(descriptor: try BundleTail(of: ArchiveSource(volumes: [world.bundle()])).descriptor)
        gap.add(try #require(StorePath("foo/package.json")), .ofNothing)
        _ = try maker.request(gap)
        try maker.lay(into: folder)
        let box = ReplyBox(root: folder)
        var documents: [(FilePath, String)] = []
        for place in ReplyBox.Folder.allCases {
            for reply in box.replies(in: place) {
                let isGap = String(decoding: reply.bytes, as: UTF8.self).contains("ferry.gap")
                let schema = [.cards: "destination", .receipts: "receipt", .requests: isGap ? "gap" : "request"][place] ?? ""
                documents.append((folder.appending(place.rawValue).appending(reply.fileName), "\(schema).schema.json"))
            }
        }
        #expect(documents.count == 4)
        return documents
    }

    @Test func `every document that is written is what its schema says`() throws {
        let world = try World()
        var noise = ""
        try world.put("foo", ["1.0.0": "one"])
        try world.put("@scope/bar", ["1.0.0": "bar"])
        for number in 0..<50 { try world.put("filler-\(number)", ["1.0.0": "\(number)"]) }
        try world.put("qux", ["1.0.0": "qux one"], isProxied: true)
        let first = try world.snapshot()
        try world.files.removeTree(world.online.appending("foo"))
        try world.put("baz", ["1.0.0-beta.1": "baz"])
        try world.refresh("qux", ["9.0.0": [:]])
        let second = try world.snapshot(allowsShrinking: true)
        let archive = try world.bundle(from: first.header.id)
        let entry = try MediumWriter(medium: world.medium).export(ArchiveSource(volumes: [archive]), volumeSize: nil)
        for number in 0..<81_920 { noise += SHA512.digest(of: Array("\(number)".utf8)).hex }
        try world.put("noise", ["1.0.0": noise])
        try world.snapshot()
        let long = try ArchiveSource(volumes: [world.bundle(from: second.header.id)])
        let part = try MediumWriter(medium: world.medium).exportPart(long, volumeSize: 4 << 20, wanted: [1])
        let unpacked = world.root.appending("unpacked")
        try world.files.createDirectories(unpacked)
        #expect(try run("/usr/bin/env", ["tar", "--zstd", "-xf", archive.string, "-C", unpacked.string]) == 0)
        let documents: [(FilePath, String)] =
            [
                (world.snapshots.manifest(of: first.header.id), "snapshot.schema.json"),
                (world.snapshots.manifest(of: second.header.id), "snapshot.schema.json"),
                (unpacked.appending("manifest.json"), "manifest.schema.json"),
                (world.medium.directory(of: entry.descriptor.bundle).appending("descriptor.json"), "descriptor.schema.json"),
                (world.medium.folder.appending("index.json"), "index.schema.json"),
                (world.medium.partDirectory(of: part.descriptor.bundle).appending("part.json"), "part.schema.json"),
            ] + (try replies(world))
        for (document, schema) in documents {
            #expect(try validate(document, against: schema) == 0, "\(document)")
            // The check can fail: a member nobody knows is refused.
            var text = try String(contentsOfFile: document.string, encoding: .utf8)
            text.insert(contentsOf: "\"extra\":1,", at: text.index(after: text.startIndex))
            let spoilt = world.root.appending("spoilt.json")
            try world.files.write(Array(text.utf8), to: spoilt)
            #expect(try validate(spoilt, against: schema) == 7, "\(document)")
        }
        #expect(try run("/bin/sh", ["-c", "cd '\(unpacked)' && sha512sum --quiet -c SHA512SUMS"]) == 0)
        #expect(
            try run("/bin/sh", ["-c", "cd '\(world.medium.directory(of: entry.descriptor.bundle))' && sha512sum --quiet -c SHA512SUMS"])
                == 0)
    }
}
