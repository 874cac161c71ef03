import BundleFormat
import Foundation
import ImportLedger
import ImportPipeline
import Integrity
import MediaLayout
import PackageStore
import Platform
import Snapshots
import SystemPackage
import Testing
import Verification

/// Every released format stays readable for ever: each folder of `media-layout/examples` is a medium of its version.
@Suite struct ExampleTests {
    private static let folder = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
        .appending("media-layout/examples")

    /// The versions that are tested, with what the importer must make of them.
    static let versions: [(name: String, files: Int)] = [("v1", 5)]

    @Test func `every example on disk is tested`() throws {
        #expect(try DiskFileSystem().names(in: Self.folder)?.filter { $0 != "README.md" } == Self.versions.map(\.name))
    }

    @Test(arguments: versions)
    func `an example medium is imported`(name: String, files: Int) throws {
        let disk = DiskFileSystem()
        let root = FilePath(FileManager.default.temporaryDirectory.path).appending("ferry-example-\(UUID().uuidString)")
        defer { try? disk.removeTree(root) }
        try disk.createDirectories(root.appending("storage"))
        try disk.createDirectories(root.appending("state"))
        let example = Self.folder.appending(name)
        let medium = Medium(root: example.appending("medium"))
        let entry = try #require(try medium.entries()?.first)
        let source = try medium.archive(of: entry)
        let descriptor = try BundleTail(of: source).descriptor
        var trust = TrustStore()
        let key = try #require(try disk.contents(of: example.appending("origin.pub"), limit: 4096))
        trust.add(try MinisignPublicKey(text: String(decoding: key, as: UTF8.self)), origin: descriptor.origin)
        let pipeline = ImportPipeline(
            layout: StorageLayout(root: root.appending("storage")), state: root.appending("state"),
            ledger: try Ledger(opening: root.appending("state/ledger.sqlite")), trust: trust,
            destination: Identifier(.destination, random: randomBytes(20)), options: ImportPipeline.Options())
        let report = try pipeline.run(source, operatorName: "tester", sourceName: name)
        #expect(report.result == .applied && report.descriptor.counts.files == files)
        let lines = try String(contentsOfFile: example.appending("snapshot.txt").string, encoding: .utf8).split(separator: "\n")
        for line in lines {
            let path = root.appending("storage").appending(String(line.dropFirst(130)))
            let bytes = try #require(try disk.contents(of: path, limit: 1 << 20))
            #expect(SHA512.digest(of: bytes).hex == line.prefix(128), "\(path)")
        }
    }
}
