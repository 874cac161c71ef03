import CanonicalJSON
import Checkup
import Foundation
import Platform
import SystemPackage
import Testing

@Suite struct DiagnosisTests {
    private let now = Timestamp(nanoseconds: 1_795_000_000_000_000_000)

    @Test func `what is worst decides, and only what does not work is an error`() {
        var diagnosis = Diagnosis()
        #expect(diagnosis.level == .ok && diagnosis.exitCode == 0)
        diagnosis.praise("clock", "it goes")
        #expect(diagnosis.summary == "1 things were looked at; all is as it should be")
        diagnosis.warn("keys", "there is none", "make one")
        #expect(diagnosis.level == .warning && diagnosis.exitCode == 0 && diagnosis.summary == "1 warning")
        diagnosis.complain("disk", "it is full", "make room")
        diagnosis.complain("disk", "it is full, too", "make room")
        #expect(diagnosis.level == .error && diagnosis.exitCode == 3 && diagnosis.summary == "2 errors, 1 warning")
        #expect(
            diagnosis.lines.prefix(3) == ["ok       clock  it goes", "warning  keys   there is none", "                → make one"])
        let json = diagnosis.json.object
        #expect(json?["level"] == "error" && json?["findings"]?.array?.count == 4)
        #expect(json?["findings"]?.array?.first?.object?["advice"] == .null)
    }

    @Test func `a directory is there, is one, and can be written to`() throws {
        let root = FilePath(FileManager.default.temporaryDirectory.path).appending("ferry-checkup-\(UUID().uuidString)")
        let files = DiskFileSystem()
        defer { try? files.removeTree(root) }
        try files.createDirectories(root)
        try files.write([1], to: root.appending("file"))
        var diagnosis = Diagnosis()
        let answers = ["", "file", "nowhere"].map {
            diagnosis.look(atDirectory: root.appending($0), "storage", "the storage", ifMissing: "do")
        }
        #expect(answers == [true, false, false])
        #expect(diagnosis.symptoms.map(\.level) == [.ok, .error, .error] && diagnosis.symptoms.map(\.advice) == [nil, "do", "do"])
    }

    @Test(arguments: [(50, 50, Symptom.Level.ok), (9, 50, .warning), (50, 9, .warning), (0, 50, .error), (50, 0, .error)])
    func `a disk has room for bytes and for files`(bytes: Int64, inodes: Int64, level: Symptom.Level) {
        var diagnosis = Diagnosis()
        diagnosis.look(atDiskOf: "/", holding: "the storage") { _ in
            FileSystemSpace(freeBytes: bytes << 30, totalBytes: 100 << 30, freeFiles: inodes * 100, totalFiles: 10_000)
        }
        #expect(diagnosis.level == level, "\(diagnosis.lines)")
    }

    @Test func `a clock is neither before this program nor before what was recorded`() {
        func level(_ now: Timestamp, _ recorded: Timestamp?) -> Symptom.Level {
            var diagnosis = Diagnosis()
            diagnosis.look(atClock: now, recorded: recorded)
            return diagnosis.level
        }
        #expect(level(Timestamp(nanoseconds: 0), nil) == .error)
        #expect(level(now, nil) == .ok && level(now, now) == .ok)
        #expect(level(now, Timestamp(nanoseconds: now.nanoseconds + 299_000_000_000)) == .ok)
        #expect(level(now, Timestamp(nanoseconds: now.nanoseconds + 301_000_000_000)) == .warning)
    }
}
