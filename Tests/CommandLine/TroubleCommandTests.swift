import FaultShim
import Foundation
import Glibc
import LoopMedia
import Testing

/// An import that meets trouble: what it says, what it returns, and what it leaves.
@Suite struct TroubleCommandTests {
    /// A destination to which `foo` was brought, and a medium that brings another version of it, and `bar`.
    private static let isolated = ["isolated", "offline-state"]

    /// Keeps the isolated side's storage and state as they are.
    private func keepIsolated(_ programs: Programs) throws {
        for name in Self.isolated {
            try FileManager.default.copyItem(atPath: "\(programs.root)/\(name)", toPath: "\(programs.root)/\(name).kept")
        }
    }

    /// Makes them again what they were when they were kept.
    private func bringBackIsolated(_ programs: Programs) throws {
        for name in Self.isolated {
            try programs.remove("\(programs.root)/\(name)")
            try FileManager.default.copyItem(atPath: "\(programs.root)/\(name).kept", toPath: "\(programs.root)/\(name)")
        }
    }

    private func prepared() throws -> Programs {
        let programs = try Programs()
        try programs.prepare()
        try programs.put("foo")
        try programs.carry()
        #expect(try programs.offline("import", programs.stick).status == 0)
        try programs.put("foo", "1.1.0")
        let entries = ["1.0.0", "1.1.0"].map { version in
            #""\#(version)":{"name":"foo","version":"\#(version)","dist":{"tarball":"http://localhost/foo/-/foo-\#(version).tgz"}}"#
        }
        let packument = #"{"name":"foo","versions":{\#(entries.joined(separator: ","))},"dist-tags":{"latest":"1.1.0"},"_attachments":{}}"#
        try programs.write(packument, to: "\(programs.connected)/foo/package.json")
        try programs.put("@scope/bar")
        try programs.remove(programs.stick)
        try programs.makeDirectory(programs.stick)
        try programs.carry()
        return programs
    }

    /// Every file below a directory with its bytes, without what imports keep.
    private func contents(_ directory: String, keeping isKept: (String) -> Bool = { !$0.hasPrefix(".ferry-backups") }) throws -> [String:
        Data]
    {
        let names = FileManager.default.enumerator(atPath: directory)?.compactMap { $0 as? String } ?? []
        var result: [String: Data] = [:]
        for name in names where isKept(name) { result[name] = FileManager.default.contents(atPath: "\(directory)/\(name)") ?? Data() }
        return result
    }

    /// What the ledger says, without anything that changes by being asked.
    private func history(_ programs: Programs) throws -> String { try programs.offline("history", "--json").output }

    /// Each version that a packument of the storage names is there.
    private func expectServable(_ storage: String, _ place: String) throws {
        for package in ["foo", "@scope/bar"] {
            guard let bytes = FileManager.default.contents(atPath: "\(storage)/\(package)/package.json") else { continue }
            let document = try #require(try JSONSerialization.jsonObject(with: bytes) as? [String: Any], "\(package), \(place)")
            for version in (document["versions"] as? [String: Any] ?? [:]).keys {
                let file = "\(storage)/\(package)/\(package.split(separator: "/").last ?? "")-\(version).tgz"
                let text = FileManager.default.contents(atPath: file).map { String(decoding: $0, as: UTF8.self) }
                #expect(text == "tarball of \(package) \(version)", "\(file), \(place)")
            }
        }
    }

    @Test(
        .enabled(if: FaultShim.library != nil, "no C compiler: no fault is injected"),
        arguments: [(ENOSPC, "No space left"), (EIO, "Input/output")])
    func `whichever write into the storage fails, it is said, each package is old or new, and the same command completes it`(
        error: Int32, words: String
    ) throws {
        let programs = try prepared()
        let before = try contents(programs.isolated)
        let known = try history(programs)
        try keepIsolated(programs)
        var call = 0
        var after: [String: Data]?
        while true {
            try bringBackIsolated(programs)
            let mark = "\(programs.root)/mark"
            try? programs.remove(mark)
            let run = try programs.offline(
                ["import", programs.stick], FaultShim.variables("write", at: call, below: programs.isolated, error: error, mark: mark))
            let isHit = FileManager.default.fileExists(atPath: mark)
            let place = "call \(call): \(run.messages)"
            try expectServable(programs.isolated, place)
            if isHit, run.status != 0 { #expect(run.status == 1 && run.messages.contains(words), "\(place)") }
            if run.status != 0, try history(programs) == known {
                let left = try contents(programs.isolated) { !$0.hasPrefix(".ferry-") }
                #expect(left == before, "\(place)")
            }
            let again = try programs.offline("import", programs.stick)
            #expect(again.status == 0, "\(place): \(again.messages)")
            let completed = try contents(programs.isolated)
            if let after { #expect(Set(completed.keys) == Set(after.keys), "\(place)") }
            after = completed
            #expect(try programs.offline("ledger", "verify").status == 0)
            if !isHit { break }
            // The steps differ little from one to the next; a second error tries the ones in between.
            call += error == ENOSPC ? 1 : 4
        }
        #expect(call > 40)
    }

    @Test(.enabled(if: FaultShim.library != nil, "no C compiler: no fault is injected"))
    func `a ledger that cannot be written stops the import, and nothing is lost`() throws {
        let programs = try prepared()
        var call = 0
        while true {
            let mark = "\(programs.root)/mark"
            try? programs.remove(mark)
            let run = try programs.offline(
                ["import", programs.stick],
                FaultShim.variables("write", at: call, below: "\(programs.root)/offline-state", error: ENOSPC, mark: mark))
            try expectServable(programs.isolated, "call \(call): \(run.messages)")
            guard FileManager.default.fileExists(atPath: mark) else { break }
            if run.status != 0 { #expect(run.status == 1 && !run.messages.isEmpty, "call \(call): \(run.messages)") }
            call += 3
        }
        #expect(call > 20)
        #expect(try programs.offline("import", programs.stick).status == 0 && programs.offline("ledger", "verify").status == 0)
        #expect(try programs.names(in: programs.isolated).filter { !$0.hasPrefix(".") } == ["@scope", "foo"])
    }

    @Test(.enabled(if: FaultShim.library != nil, "no C compiler: no fault is injected"))
    func `a medium that fails while it is read changes nothing`() throws {
        let programs = try prepared()
        let before = try contents(programs.isolated)
        let known = try history(programs)
        var call = 0
        while true {
            let mark = "\(programs.root)/mark"
            try? programs.remove(mark)
            let run = try programs.offline(
                ["import", programs.stick], FaultShim.variables("read", at: call, below: programs.stick, error: EIO, mark: mark))
            guard FileManager.default.fileExists(atPath: mark) else { break }
            #expect(run.status == 1 && run.messages.contains("Input/output error"), "call \(call): \(run.messages)")
            #expect(try contents(programs.isolated) == before && history(programs) == known, "call \(call)")
            call += 1
        }
        #expect(call > 5)
    }

    @Test(.enabled(if: LoopMedium.isAllowed, "mounting is not allowed here: media are not pulled"))
    func `a medium that is pulled out and is not there any more is said to be gone`() throws {
        let programs = try prepared()
        let stick = try LoopMedium(label: "STICK")
        try stick.mount()
        _ = try programs.online("export", "--to", stick.point)
        #expect(try programs.offline("verify", stick.point).status == 0)
        let before = try contents(programs.isolated)
        try stick.pull()
        let run = try programs.offline("import", stick.point)
        #expect(run.status == 10 && run.messages.contains("there is no bundle"))
        #expect(try contents(programs.isolated) == before)
    }

    @Test(arguments: ["nowhere", "file"])
    func `what is no storage is named, with how a storage is named`(name: String) throws {
        let programs = try prepared()
        let path = "\(programs.root)/\(name)"
        if name == "file" { try programs.write("", to: path) }
        let snapshot = try programs.online("snapshot", "--storage", path)
        #expect(snapshot.status == 1, "\(snapshot)")
        let run = try programs.offline("import", programs.stick, storage: path)
        #expect(run.status == 13, "\(run)")
        for messages in [snapshot.messages, run.messages] {
            #expect(messages.contains("\"\(path)\"") && messages.contains("name Verdaccio's storage: --storage"), "\(messages)")
        }
    }

    @Test(.enabled(if: LoopMedium.isAllowed, "mounting is not allowed here: a full disk is not tried"))
    func `a storage without room is refused with the numbers, 13`() throws {
        let programs = try prepared()
        let disk = try LoopMedium(label: "SMALL", at: "\(programs.root)/small")
        try disk.mount()
        let storage = "\(disk.point)/storage"
        try programs.makeDirectory(storage)
        let run = try programs.offline("import", programs.stick, storage: storage)
        #expect(run.status == 13 && run.messages.contains("has room for") && run.messages.contains("bytes, and"), "\(run)")
        #expect(run.messages.contains("more room there"))
        #expect(try programs.names(in: storage).isEmpty)
    }

    @Test(.enabled(if: FaultShim.library != nil))
    func `an import that a signal ends says what is true, returns 130, and the same command completes it`() throws {
        let programs = try prepared()
        try keepIsolated(programs)
        // The program goes on when its signal has been taken.
        let ending = "kill $PPID; while grep -q 'ShdPnd:.*[4-7c-f]...$' /proc/$PPID/status; do :; done"
        var endings = Set<String>()
        var call = 0
        while true {
            try bringBackIsolated(programs)
            let mark = "\(programs.root)/mark"
            try? programs.remove(mark)
            let shim = FaultShim.variables("write", at: call, below: programs.isolated, running: ending, mark: mark)
            let run = try programs.offline(["import", programs.stick], shim)
            let place = "call \(call): \(run)"
            try expectServable(programs.isolated, place)
            guard FileManager.default.fileExists(atPath: mark) else { break }
            #expect(run.messages.contains("stopping; once more to end at once"), "\(place)")
            if run.status != 0 {
                #expect(run.status == 130 && run.messages.contains("hint: the same command again"), "\(place)")
                #expect(try programs.names(in: "\(programs.isolated)/foo").filter { $0.hasSuffix(".lock") } == [], "\(place)")
                endings.insert(run.messages.contains("before anything was applied") ? "before" : "within")
            }
            #expect(try programs.offline("import", programs.stick).status == 0, "again, \(place)")
            try expectServable(programs.isolated, "again, \(place)")
            call += 3
        }
        #expect(endings == ["before", "within"])
    }

    /// What somebody else may do to a disk while an import runs.
    enum Filling: String, CaseIterable {
        case bytes = "cat /dev/zero > filler/0"
        case files = "n=0; while : > filler/$n; do n=$((n + 1)); done"
    }

    @Test(
        .enabled(if: LoopMedium.isAllowed && FaultShim.library != nil, "mounting is not allowed here: a full disk is not tried"),
        arguments: Filling.allCases)
    func `a disk that somebody else fills during an import is named, each package is old or new, and the same command completes it`(
        filling: Filling
    ) throws {
        let programs = try prepared()
        // The file system holds a little back from `cat`, which is enough for small files.
        let content = Data(repeating: 7, count: 16 << 20)
        try programs.put("large", content: content)
        try programs.remove(programs.stick)
        try programs.makeDirectory(programs.stick)
        try programs.carry()
        let disk = try LoopMedium(label: "FILLING", at: "\(programs.root)/disk", megabytes: 128, files: filling == .files ? 512 : nil)
        try disk.mount()
        let storage = "\(disk.point)/storage"
        for (from, to) in [(programs.isolated, storage), ("\(programs.root)/offline-state", "\(programs.root)/state.kept")] {
            try FileManager.default.copyItem(atPath: from, toPath: to)
        }
        try FileManager.default.copyItem(atPath: storage, toPath: "\(programs.root)/storage.kept")
        var call = 0
        var refusals = 0
        while true {
            for (from, to) in [("storage.kept", storage), ("state.kept", "\(programs.root)/offline-state")] {
                try programs.remove(to)
                try FileManager.default.copyItem(atPath: "\(programs.root)/\(from)", toPath: to)
            }
            try programs.makeDirectory("\(disk.point)/filler")
            let mark = "\(programs.root)/mark"
            try? programs.remove(mark)
            let shim = FaultShim.variables(
                "write", at: call, below: storage, running: "cd \(disk.point) && { \(filling.rawValue); } 2> /dev/null", mark: mark)
            let run = try programs.offline(["import", programs.stick], shim.merging(["FERRY_STORAGE": storage]) { $1 })
            let place = "call \(call): \(run.messages)"
            try expectServable(storage, place)
            if run.status != 0 {
                refusals += 1
                #expect(run.status == 1 && run.messages.contains("No space left") && run.messages.contains(disk.point), "\(place)")
            }
            try programs.remove("\(disk.point)/filler")
            let again = try programs.offline("import", programs.stick, storage: storage)
            #expect(again.status == 0, "\(place): \(again.messages)")
            try expectServable(storage, "again, \(place)")
            #expect(try programs.names(in: storage).filter { !$0.hasPrefix(".") } == ["@scope", "foo", "large"], "\(place)")
            #expect(FileManager.default.contents(atPath: "\(storage)/large/large-1.0.0.tgz") == content, "\(place)")
            guard FileManager.default.fileExists(atPath: mark) else { break }
            call += 8
        }
        #expect(call > 30 && refusals > 1, "\(refusals) of \(call)")
    }

    @Test(.enabled(if: LoopMedium.isAllowed && FaultShim.library != nil, "mounting is not allowed here: media are not pulled"))
    func `a medium that is pulled out during an import leaves the storage old or new, and nothing is written where it was`() throws {
        let programs = try prepared()
        let stick = try LoopMedium(label: "STICK")
        try stick.mount()
        _ = try programs.online("export", "--to", stick.point)
        try keepIsolated(programs)
        for (kind, below) in [("read", stick.point), ("write", programs.isolated)] {
            var call = 0
            while true {
                try bringBackIsolated(programs)
                let mark = "\(programs.root)/mark"
                try? programs.remove(mark)
                let run = try programs.offline(
                    ["import", stick.point],
                    FaultShim.variables(kind, at: call, below: below, running: "umount -l \(stick.point)", mark: mark))
                guard FileManager.default.fileExists(atPath: mark) else { break }
                let place = "\(kind) \(call): \(run.messages)"
                #expect(try programs.names(in: stick.point) == [], "\(place)")
                // What was opened before can still be read to its end.
                #expect([0, 1, 3, 10].contains(run.status) && (run.status == 0 || run.messages.contains(stick.point)), "\(place)")
                try expectServable(programs.isolated, place)
                try stick.mount()
                let again = try programs.offline("import", stick.point)
                #expect(again.status == 0, "\(place): \(again.messages)")
                #expect(try programs.names(in: programs.isolated).filter { !$0.hasPrefix(".") } == ["@scope", "foo"], "\(place)")
                call += kind == "read" ? 1 : 15
            }
            #expect(call > 5)
        }
    }

    @Test(.enabled(if: LoopMedium.isAllowed, "mounting is not allowed here: mounts are not tried"))
    func `a package's own storage on another file system is staged, applied and undone there`() throws {
        let programs = try prepared()
        let disk = try LoopMedium(label: "OTHER", at: "\(programs.isolated)/corp", megabytes: 160)
        try disk.mount()
        let config = "\(programs.root)/config.yaml"
        try programs.write("storage: \(programs.isolated)\npackages:\n  '@scope/*':\n    storage: corp\n  '**': {}\n", to: config)
        let imported = try programs.offline("import", programs.stick, "--verdaccio-config", config)
        #expect(imported.status == 0, "\(imported)")
        #expect(try programs.names(in: "\(disk.point)/@scope/bar") == ["bar-1.0.0.tgz", "package.json"])
        #expect(try programs.offline("rollback", "2", "--verdaccio-config", config).status == 0)
        #expect(try programs.names(in: disk.point).contains("@scope") == false || programs.names(in: "\(disk.point)/@scope").isEmpty)
        let full = "\(disk.point)/full"
        try programs.write(String(repeating: "x", count: 100 << 20), to: full)
        let refused = try programs.offline("import", programs.stick, "--verdaccio-config", config)
        #expect(refused.status == 13 && refused.messages.contains("isolated/corp"), "\(refused)")
    }

    @Test(.enabled(if: LoopMedium.isAllowed, "mounting is not allowed here: mounts are not tried"))
    func `a storage that is mounted read-only is refused as such, 13`() throws {
        let programs = try prepared()
        let disk = try LoopMedium(label: "CLOSED", at: "\(programs.root)/closed", megabytes: 160)
        try disk.mount()
        try programs.put("own", in: "\(disk.point)")
        try disk.unmount()
        try disk.mount("ro")
        let run = try programs.offline("import", programs.stick, storage: disk.point)
        #expect(run.status == 13 && run.messages.contains("read-only"), "\(run)")
        #expect(try programs.names(in: disk.point) == ["lost+found", "own"])
    }

    @Test(.enabled(if: geteuid() == 0, "only root can give files to others"))
    func `what is brought into a storage of somebody else is theirs, and somebody who is neither is refused, 13`() throws {
        let programs = try prepared()
        let storage = "\(programs.root)/theirs"
        try programs.makeDirectory(storage)
        chown(storage, 10001, 10002)
        let run = try programs.offline("import", programs.stick, storage: storage)
        #expect(run.status == 0, "\(run)")
        for name in ["foo", "foo/package.json", "foo/foo-1.0.0.tgz", "@scope", "@scope/bar", ".ferry-backups"] {
            var status = stat()
            #expect(lstat("\(storage)/\(name)", &status) == 0 && status.st_uid == 10001 && status.st_gid == 10002, "\(name)")
            #expect(status.st_mode & 0o777 == (name.contains(".tgz") || name.contains(".json") ? 0o644 : 0o755), "\(name)")
        }
    }

    @Test(.enabled(if: geteuid() == 0, "only root can be somebody else"))
    func `a storage of somebody else is not written to by who is not they, 13`() throws {
        let programs = try prepared()
        let storage = "\(programs.root)/theirs"
        try programs.put("own", in: storage)
        _ = try programs.run("/usr/bin/env", ["chown", "-R", "10001", storage])
        // Somebody who may read everything here, and owns the state.
        chmod(programs.root, 0o755)
        let state = "\(programs.root)/offline-state"
        _ = try programs.run("/usr/bin/env", ["chown", "-R", "65534", state])
        let before = try contents(storage)
        let build = Bundle.main.executableURL?.deletingLastPathComponent().path ?? "."
        let run = try programs.run(
            "/usr/bin/env", ["setpriv", "--reuid=65534", "--clear-groups", "\(build)/ferry-offline", "import", programs.stick],
            ["FERRY_STORAGE": storage, "FERRY_OFFLINE_STATE": state])
        #expect(run.status == 13 && run.messages.contains("belongs to user 10001"), "\(run)")
        #expect(try contents(storage) == before)
    }

    @Test(.enabled(if: FaultShim.library != nil, "no C compiler: the clock is not set wrong"), arguments: [-1_000_000_000, 1_000_000_000])
    func `a clock that is wrong by thirty years changes no order`(offset: Int) throws {
        let programs = try prepared()
        let run = try programs.offline(["import", programs.stick], FaultShim.clock(off: offset))
        #expect(run.status == 0, "\(run)")
        let years = try programs.offline("history").output.split(separator: "\n").map { $0.split(separator: " ")[1].prefix(3) }
        #expect(years.count == 2 && years[0] != years[1], "the clock was not wrong")
        try programs.put("more")
        try programs.carry()
        #expect(try programs.offline("import", programs.stick).output.contains("1 added"))
        #expect(try programs.offline("ledger", "verify").status == 0)
        #expect(try programs.offline(["rollback", "2", "--accept-losses"], FaultShim.clock(off: -offset)).status == 0)
        try expectServable(programs.isolated, "rolled back")
    }

    @Test(arguments: ["garbage", "cut", "empty-page"])
    func `a ledger that is damaged stops everything, and neither it nor the storage is touched`(kind: String) throws {
        let programs = try prepared()
        let ledger = "\(programs.root)/offline-state/ledger.sqlite"
        let sound = try #require(FileManager.default.contents(atPath: ledger))
        for suffix in ["-wal", "-shm"] { try? programs.remove(ledger + suffix) }
        let damaged: Data =
            switch kind {
            case "garbage": Data(String(repeating: "x", count: 100_000).utf8)
            case "cut": sound.prefix(sound.count / 2)
            default: sound.prefix(100) + Data(count: sound.count - 100)
            }
        try damaged.write(to: URL(fileURLWithPath: ledger))
        let before = try contents(programs.isolated) { _ in true }
        for command in [["import", programs.stick], ["rollback", "1"], ["check"], ["history"], ["quarantine"], ["generations"]] {
            let run = try programs.offline(command)
            #expect(run.status == 1 && run.messages.contains("ledger") && run.output.isEmpty, "\(command): \(run)")
        }
        #expect(try contents(programs.isolated) { _ in true } == before)
        #expect(FileManager.default.contents(atPath: ledger) == damaged)
    }
}
