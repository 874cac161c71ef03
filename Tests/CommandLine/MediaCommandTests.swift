import Foundation
import LoopMedia
import Testing

/// `ferry-online media` and `export` as a person runs them, with file systems that are really mounted.
@Suite(.enabled(if: LoopMedium.isAllowed, "mounting is not allowed here: media are not tried")) struct MediaCommandTests {
    private func programs() throws -> Programs {
        let programs = try Programs()
        try programs.prepare()
        try programs.put("foo")
        _ = try programs.online("snapshot")
        _ = try programs.online("bundle")
        return programs
    }

    private func run(_ programs: Programs, _ arguments: String...) throws -> Run {
        try programs.online(arguments, ["FERRY_MEDIA_ROOTS": "\(programs.root)/media"])
    }

    /// The line of a medium: its id, and all of it.
    private func line(_ programs: Programs, at point: String) throws -> (id: String, text: String)? {
        let lines = try run(programs, "media").output.split(separator: "\n")
        return lines.first { $0.contains(" \(point) ") }.map { (String($0.prefix { $0 != " " }), String($0)) }
    }

    @Test func `a stick is listed when it is plugged in, prepared, written to, and gone when it is pulled out`() throws {
        let programs = try programs()
        let stick = try LoopMedium(label: "NPM STICK", at: "\(programs.root)/media/stick")
        #expect(try line(programs, at: stick.point) == nil)
        try stick.mount()
        let fresh = try #require(try line(programs, at: stick.point))
        #expect(fresh.text.contains("NPM STICK  ext4  ") && fresh.text.hasSuffix("not one of ours yet"))
        #expect(try run(programs, "media", "init", stick.point).status == 0)
        #expect(try line(programs, at: stick.point)?.text.hasSuffix("0 bundle(s)") == true)
        #expect(try run(programs, "export", "--medium", fresh.id).status == 0)
        #expect(try line(programs, at: stick.point)?.text.hasSuffix("1 bundle(s)") == true)
        #expect(try programs.offline("verify", stick.point).status == 0)
        let json = try run(programs, "media", "list", "--json").output
        #expect(json.contains(#""label":"NPM STICK""#) && json.contains(#""state":"ready""#))
        try stick.unmount()
        #expect(try line(programs, at: stick.point) == nil)
        let late = try run(programs, "export", "--medium", fresh.id)
        #expect(late.status == 1 && late.messages.contains("\(fresh.id) is not plugged in"))
    }

    @Test func `another stick at the same place is not written to`() throws {
        let programs = try programs()
        let meant = try LoopMedium(label: "MEANT", at: "\(programs.root)/media/stick")
        let other = try LoopMedium(label: "OTHER", at: meant.point)
        try meant.mount()
        let id = try #require(try line(programs, at: meant.point)).id
        try meant.unmount()
        // Neither the directory that is left nor what is mounted there next.
        let empty = try run(programs, "export", "--medium", id, "--to", meant.point)
        #expect(empty.status == 1 && empty.messages.contains("is not mounted at"))
        #expect(try programs.names(in: meant.point).isEmpty)
        try other.mount()
        #expect(try run(programs, "export", "--medium", id, "--to", meant.point).status == 1)
        #expect(try programs.names(in: meant.point) == ["lost+found"])
    }

    @Test func `a stick that is read-only is named, and stays as it is`() throws {
        let programs = try programs()
        let stick = try LoopMedium(label: "CLOSED", at: "\(programs.root)/media/stick")
        try stick.mount("ro")
        #expect(try line(programs, at: stick.point)?.text.contains("read-only") == true)
        let refused = try run(programs, "export", "--to", stick.point)
        #expect(refused.status == 1 && refused.messages.contains("the medium \"CLOSED\" at \"\(stick.point)\" cannot be written to"))
    }

    @Test func `what holds the storage or the state is no medium`() throws {
        let programs = try programs()
        let disk = try LoopMedium(label: "DATA", at: "\(programs.root)/media/data")
        try disk.mount()
        #expect(try line(programs, at: disk.point) != nil)
        for variable in ["FERRY_STORAGE", "FERRY_ONLINE_STATE"] {
            let inside = "\(disk.point)/\(variable)"
            try programs.makeDirectory(inside)
            let listed = try programs.online(["media"], ["FERRY_MEDIA_ROOTS": "\(programs.root)/media", variable: inside])
            #expect(listed.status == 0 && !listed.output.contains(disk.point), "\(variable)")
        }
    }

    @Test func `an import without a path takes the media that are plugged in`() throws {
        let programs = try programs()
        let (stick, empty) = (
            try LoopMedium(label: "FULL", at: "\(programs.root)/media/full"),
            try LoopMedium(label: "EMPTY", at: "\(programs.root)/media/empty")
        )
        let variables = ["FERRY_MEDIA_ROOTS": "\(programs.root)/media"]
        let none = try programs.offline(["import"], variables)
        #expect(none.status == 10 && none.messages.contains("no medium with a bundle is plugged in"))
        try empty.mount()
        try stick.mount()
        #expect(try programs.offline(["import"], variables).status == 10)
        #expect(try programs.online("export", "--to", stick.point).status == 0)
        #expect(try programs.offline(["verify"], variables).output.contains("sound"))
        #expect(try programs.names(in: programs.isolated).isEmpty)
        let imported = try programs.offline(["import"], variables)
        #expect(imported.status == 0 && imported.output.contains("applied"), "\(imported)")
        #expect(try programs.names(in: programs.isolated).contains("foo"))
    }

    @Test func `a stick lists its bundles with their sizes, and those that are named are removed, or all`() throws {
        let programs = try programs()
        let stick = try LoopMedium(label: "OLD", at: "\(programs.root)/media/old")
        try stick.mount()
        var bundles: [String] = []
        for name in ["foo", "bar", "baz"] {
            try programs.put(name)
            bundles.append(try programs.carry(to: stick.point))
        }
        let listed = try run(programs, "media").output.split(separator: "\n")
        for (number, bundle) in bundles.enumerated() {
            #expect(
                listed.contains { $0.hasPrefix("    \(bundle)  diff-") && $0.contains("#\(number + 1)  for any  ") && $0.hasSuffix("B") })
        }
        #expect(try run(programs, "media", "clean", stick.point).status == 64)
        let unknown = try run(programs, "media", "clean", stick.point, bundles[0], "b-00000000000000000000")
        #expect(unknown.status == 1 && unknown.messages.contains("\"OLD\" at \"\(stick.point)\" does not carry b-00000000000000000000"))
        #expect(try run(programs, "media", "clean", stick.point, bundles[0], "--dry-run").output.hasPrefix(bundles[0]))
        #expect(try programs.names(in: "\(stick.point)/ferry/bundles") == bundles.sorted())
        #expect(try run(programs, "media", "clean", stick.point, bundles[0]).output.hasPrefix("\(bundles[0])  "))
        #expect(try programs.names(in: "\(stick.point)/ferry/bundles") == bundles.dropFirst().sorted())
        #expect(try programs.offline("verify", stick.point).status == 0)
        try programs.makeDirectory("\(stick.point)/ferry/bundles/.b-11111111111111111111.draft")
        #expect(try run(programs, "media", "clean", stick.point, "--all").status == 0)
        #expect(try programs.names(in: "\(stick.point)/ferry/bundles").isEmpty)
        #expect(try line(programs, at: stick.point)?.text.hasSuffix("0 bundle(s)") == true)
        // A directory that is no medium of ours is not made one.
        try programs.makeDirectory("\(programs.root)/other")
        #expect(try run(programs, "media", "clean", "\(programs.root)/other", "--all").status == 1)
        #expect(try programs.names(in: "\(programs.root)/other").isEmpty)
    }

    @Test func `what has arrived goes from a stick that is full, or by command, and what has not stays`() throws {
        let programs = try programs()
        let named = try programs.offline("init", "--name", "Plant 7")
        let destination = named.output.trimmingCharacters(in: .newlines)
        let fingerprint = try #require(named.messages.components(separatedBy: "fingerprint of its key ").last)
        let stick = try LoopMedium(label: "FULL", at: "\(programs.root)/media/full", megabytes: 13)
        try stick.mount()
        func carry(_ name: String, _ bytes: Int, _ options: String...) throws -> (bundle: String, run: Run) {
            let noise = try #require(FileHandle(forReadingAtPath: "/dev/urandom")).read(upToCount: bytes)
            try programs.put(name, content: noise)
            _ = try programs.online("snapshot")
            let made = try programs.online("bundle", "--destination", destination).output
            let id = try #require(made.split { $0 == " " || $0 == "/" }.last { $0.hasPrefix("b-") }).trimmingCharacters(in: .newlines)
            return (id, try programs.online(["export", id, "--to", stick.point] + options))
        }
        func onStick() throws -> [String] { try programs.names(in: "\(stick.point)/ferry/bundles") }
        let first = try carry("big", 6 << 20)
        #expect(first.run.status == 0, "\(first.run)")
        #expect(try programs.offline("import", stick.point).status == 0)
        let nobody = try run(programs, "media", "clean", stick.point, "--acknowledged")
        #expect(nobody.status == 0 && nobody.output.isEmpty && nobody.messages.contains("0 bundle(s)"), "\(nobody)")
        // An export reads what came back, and believes no key that nobody has confirmed.
        let kept = try carry("more", 3 << 20)
        #expect(kept.run.status == 1 && kept.run.messages.contains("new destination \"Plant 7\""), "\(kept.run)")
        #expect(kept.run.messages.contains("the key of \(destination) is not confirmed"), "\(kept.run)")
        _ = try programs.online("destinations", "confirm", destination, "--fingerprint", fingerprint)
        let never = try programs.online("export", kept.bundle, "--to", stick.point, "--remove", "never")
        #expect(never.status == 1 && never.messages.contains("--acknowledged") && never.messages.contains("has state #"), "\(never)")
        #expect(try onStick() == [first.bundle])
        #expect(try run(programs, "media", "clean", stick.point, "--acknowledged", "--dry-run").output.hasPrefix(first.bundle))
        let made = try programs.online("export", kept.bundle, "--to", stick.point)
        #expect(!made.messages.contains("receipt"), "it was read before: \(made)")
        #expect(made.status == 0 && made.messages.contains("removed bundle \(first.bundle), which was acknowledged"), "\(made)")
        #expect(try onStick() == [kept.bundle])
        let jobs = try programs.online("jobs", "--json").output
        #expect(jobs.contains("acknowledged bundle(s) of") && jobs.contains("went to make room: \(first.bundle)"), "\(jobs)")
        // Nobody has acknowledged what stands there now.
        let third = try carry("third", 5 << 20)
        #expect(third.run.status == 1)
        #expect(try run(programs, "media", "clean", stick.point, "--acknowledged").output.isEmpty)
        #expect(try programs.offline("import", stick.point).status == 0)
        // The receipt that lies there lets it go at once.
        let again = try programs.online("export", third.bundle, "--to", stick.point)
        #expect(again.status == 0 && again.messages.contains("removed bundle \(kept.bundle)"), "\(again)")
        #expect(try programs.offline("import", stick.point).status == 0)
        #expect(try programs.online("receive", stick.point).status == 0)
        #expect(
            try run(programs, "media", "clean", stick.point, "--acknowledged", "--json").output.contains(#"[{"bundle":"\#(third.bundle)""#))
        #expect(try onStick().isEmpty)
        #expect(try run(programs, "media", "clean", stick.point, "--acknowledged", "--all").status == 64)
        #expect(try programs.online("export", "--to", stick.point, "--remove", "all").status == 64)
    }

    @Test(.enabled(if: LoopMedium.isExFATAllowed, "exFAT cannot be mounted here: no medium without owners, modes and links is tried"))
    func `an exFAT stick as it is sold carries bundles there and receipts back, and is cleared and ejected`() throws {
        let programs = try programs()
        let stick = try LoopMedium(label: "SOLD", at: "\(programs.root)/media/sold", megabytes: 32, kind: .exFAT)
        try stick.mount()
        try programs.put("large", content: try #require(FileHandle(forReadingAtPath: "/dev/urandom")).read(upToCount: 9 << 20))
        #expect(try line(programs, at: stick.point)?.text.hasSuffix("not one of ours yet") == true)
        let bundle = try programs.carry(to: stick.point)
        #expect(try line(programs, at: stick.point)?.text.hasSuffix("1 bundle(s)") == true)
        let again = try run(programs, "export", bundle, "--importer", "/bin/true", "--to", stick.point)
        #expect(again.status == 0 && again.messages.contains("the importer is on "), "\(again)")
        let cut = try run(programs, "export", bundle, "--volume-size", "4", "--to", stick.point)
        #expect(cut.status == 0 && cut.messages.contains("3 volume(s)"), "\(cut)")
        // Everything is proven by what the device gives back after it was plugged in again.
        try stick.unmount()
        try stick.mount()
        #expect(try programs.run("/bin/sh", ["\(stick.point)/ferry/tools/verify.sh"]).status == 0)
        let imported = try programs.offline("import", stick.point)
        #expect(imported.status == 0 && imported.output.contains("applied"), "\(imported)")
        #expect(try programs.names(in: "\(stick.point)/ferry/receipts").count == 2)
        #expect(try programs.online("receive", stick.point).output.contains("new destination"))
        let spread = try run(programs, "export", bundle, "--spread", "--volume-size", "4", "--to", stick.point)
        #expect(spread.status == 0 && spread.messages.contains("the volumes 1–3 of 3"), "\(spread)")
        #expect(try run(programs, "media", "clean", stick.point, bundle).status == 0)
        #expect(try programs.names(in: "\(stick.point)/ferry/bundles").isEmpty && programs.names(in: "\(stick.point)/ferry/parts").isEmpty)
        #expect(try run(programs, "media", "eject", stick.point).status == 0)
        #expect(try programs.names(in: stick.point).isEmpty)
    }

    @Test func `a stick is ejected when nobody uses it, and who does is named`() throws {
        let programs = try programs()
        let stick = try LoopMedium(label: "USED", at: "\(programs.root)/media/used")
        try stick.mount()
        let user = Process()
        user.executableURL = URL(fileURLWithPath: "/bin/sleep")
        user.arguments = ["1000"]
        user.currentDirectoryURL = URL(fileURLWithPath: stick.point)
        try user.run()
        defer { kill(user.processIdentifier, SIGKILL) }
        let exported = try run(programs, "export", "--eject")
        #expect(
            exported.status == 1 && exported.messages.contains("\"\(stick.point)\" is in use by \(user.processIdentifier) (sleep)"),
            "\(exported)")
        #expect(exported.messages.contains("read back and equal") && !exported.messages.contains("safe to pull"))
        kill(user.processIdentifier, SIGKILL)
        user.waitUntilExit()
        let ejected = try run(programs, "media", "eject", stick.point)
        #expect(ejected.status == 0 && ejected.messages.hasSuffix("is unmounted: it is safe to pull the medium out\n"))
        let again = try run(programs, "media", "eject", stick.point)
        #expect(again.status == 1 && again.messages.contains("is not a mount point"))
    }

    @Test func `two sticks with one label are told apart, and one that is mounted twice is one`() throws {
        let programs = try programs()
        let sticks = try ["a", "b"].map { try LoopMedium(label: "STICK", at: "\(programs.root)/media/\($0)") }
        for stick in sticks { try stick.mount() }
        let lines = try sticks.map { try #require(try line(programs, at: $0.point)) }
        #expect(lines[0].id != lines[1].id && lines.allSatisfy { $0.text.contains("STICK") })
        let unclear = try run(programs, "export")
        #expect(unclear.status == 64 && sticks.allSatisfy { unclear.messages.contains("--to \($0.point)") })
        #expect(try run(programs, "export", "--medium", lines[1].id).status == 0)
        #expect(try programs.names(in: sticks[0].point) == ["lost+found"] && programs.names(in: sticks[1].point).contains("ferry"))
        let twice = "\(programs.root)/media/twice"
        try programs.makeDirectory(twice)
        #expect(try programs.run("/bin/mount", ["--bind", sticks[1].point, twice]).status == 0)
        defer { _ = try? programs.run("/bin/umount", [twice]) }
        #expect(try run(programs, "media").output.split(separator: "\n").filter { $0.hasPrefix("m-") }.count == 2)
        let imported = try programs.offline(["import"], ["FERRY_MEDIA_ROOTS": "\(programs.root)/media"])
        #expect(imported.status == 0 && imported.output.split(separator: "\n").count == 1)
    }

    @Test(arguments: [
        "index is a pipe", "index is a device", "index is huge", "index is deep", "index is a link", "ferry is a link", "ferry is a file",
    ])
    func `a stick with a hostile tree is said to be unusable, keeps nobody waiting, and keeps nothing from others`(kind: String) throws {
        let programs = try programs()
        let variables = ["FERRY_MEDIA_ROOTS": "\(programs.root)/media"]
        let (good, bad) = (
            try LoopMedium(label: "GOOD", at: "\(programs.root)/media/good"),
            try LoopMedium(label: "BAD", at: "\(programs.root)/media/bad", megabytes: 32)
        )
        try good.mount()
        try bad.mount()
        _ = try programs.online("export", "--to", good.point)
        let (ferry, index) = ("\(bad.point)/ferry", "\(bad.point)/ferry/index.json")
        if kind.hasPrefix("index") { try programs.makeDirectory("\(ferry)/bundles") }
        switch kind {
        case "index is a pipe": #expect(mkfifo(index, 0o600) == 0)
        case "index is a device": #expect(try programs.run("/bin/mknod", [index, "c", "1", "5"]).status == 0)
        case "index is huge": #expect(try programs.run("/usr/bin/truncate", ["-s", "1T", index]).status == 0)
        case "index is deep": try programs.write(String(repeating: "[", count: 10_000_000), to: index)
        case "index is a link":
            try FileManager.default.createSymbolicLink(atPath: index, withDestinationPath: "\(good.point)/ferry/index.json")
        case "ferry is a link": try FileManager.default.createSymbolicLink(atPath: ferry, withDestinationPath: "\(good.point)/ferry")
        default: try programs.write("no folder", to: ferry)
        }
        #expect(try line(programs, at: bad.point)?.text.contains("cannot be used: ") == true)
        let named = try programs.offline(["verify", bad.point], variables)
        #expect([1, 3, 10].contains(named.status), "\(named)")
        let imported = try programs.offline(["import"], variables)
        #expect(imported.status == 0 && imported.output.contains("applied") && imported.messages.contains("cannot be read"), "\(imported)")
        let refused = try programs.online("export", "--to", bad.point)
        #expect(kind == "index is huge" || refused.status != 0)
    }

    @Test(arguments: ["volume is a pipe", "volume is a device", "bundle is a link", "part is a pipe", "part is a link"])
    func `files of a bundle that are none are named, and keep nobody waiting`(kind: String) throws {
        let programs = try programs()
        let stick = try LoopMedium(label: "BAD", at: "\(programs.root)/media/bad")
        try stick.mount()
        let bundle = try programs.carry(to: stick.point)
        let folder = "\(stick.point)/ferry/bundles/\(bundle)"
        let archive = "\(folder)/\(try #require(try programs.names(in: folder).first { $0.hasPrefix("diff-") }))"
        let part = "\(stick.point)/ferry/parts/\(bundle)/part.json"
        if kind.hasPrefix("part") { try programs.makeDirectory("\(stick.point)/ferry/parts/\(bundle)") }
        switch kind {
        case "volume is a pipe":
            try programs.remove(archive)
            #expect(mkfifo(archive, 0o600) == 0)
        case "volume is a device":
            try programs.remove(archive)
            #expect(try programs.run("/bin/mknod", [archive, "c", "1", "5"]).status == 0)
        case "bundle is a link":
            try FileManager.default.moveItem(atPath: folder, toPath: "\(programs.root)/elsewhere")
            try FileManager.default.createSymbolicLink(atPath: folder, withDestinationPath: "\(programs.root)/elsewhere")
        case "part is a pipe": #expect(mkfifo(part, 0o600) == 0)
        default: try FileManager.default.createSymbolicLink(atPath: part, withDestinationPath: "/dev/zero")
        }
        let run = try programs.offline("import", stick.point)
        #expect([1, 3].contains(run.status) && run.messages.contains("ferry-offline: error: "), "\(run)")
        #expect(try programs.names(in: programs.isolated).isEmpty)
        // The stick is made good again by an export.
        if !kind.hasPrefix("part") {
            #expect(try programs.online("export", bundle, "--to", stick.point).status == 0)
            #expect(try programs.offline("import", stick.point).status == 0)
        }
    }

    @Test func `a watch announces what is plugged in, or imports it, and ends when it is asked to`() async throws {
        let programs = try programs()
        let stick = try LoopMedium(label: "ARRIVING", at: "\(programs.root)/media/arriving")
        try stick.mount()
        _ = try programs.carry(to: stick.point)
        try stick.unmount()
        let variables = [
            "FERRY_MEDIA_ROOTS": "\(programs.root)/media", "FERRY_STORAGE": programs.isolated,
            "FERRY_OFFLINE_STATE": "\(programs.root)/offline-state",
        ]
        for (policy, words) in [
            ("announce", "import it with: ferry-offline import \"\(stick.point)\""), ("import", "found the medium \"ARRIVING\""),
        ] {
            let said = "\(programs.root)/watch-\(policy)"
            let watch = try programs.start(["watch", "--policy", policy], variables, messages: said, program: "ferry-offline")
            func text() throws -> String { try String(contentsOfFile: said, encoding: .utf8) }
            func arrives(_ condition: () throws -> Bool) async throws {
                let start = ContinuousClock.now
                while try !condition() {
                    let words = try text()
                    try #require(watch.isRunning && ContinuousClock.now - start < .seconds(60), "\(words)")
                    await Task.yield()
                }
            }
            defer { if watch.isRunning { kill(watch.processIdentifier, SIGKILL) } }
            try await arrives { try text().contains("waiting for media") }
            try stick.mount()
            try await arrives { try text().contains(words) }
            #expect(try text().contains("the medium \"ARRIVING\" at \"\(stick.point)\" carries 1 bundle(s)"))
            if policy == "import" {
                try await arrives { try programs.names(in: programs.isolated).contains("foo") }
            } else {
                #expect(try programs.names(in: programs.isolated).isEmpty)
            }
            watch.terminate()
            watch.waitUntilExit()
            #expect(watch.terminationStatus == 0 && watch.terminationReason == .exit)
            try stick.unmount()
        }
        #expect(try programs.offline("check").status == 0)
    }
}
