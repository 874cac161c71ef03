import Foundation
import Testing

/// What the connected side's program says and returns.
@Suite struct OnlineCommandTests {
    @Test func `where the catalog was lost the origin goes on, and so do its bundles`() throws {
        let programs = try Programs()
        try programs.prepare()
        try programs.put("foo")
        for _ in 1...3 { try programs.carry() }
        let before = try programs.online("keys", "show").output
        #expect(try programs.offline("import", programs.stick).status == 0)
        for name in try programs.names(in: "\(programs.root)/online-state") where name.hasPrefix("data.sqlite") {
            try programs.remove("\(programs.root)/online-state/\(name)")
        }
        let after = try programs.online("keys", "show")
        #expect(after.output == before && after.messages.contains("its last bundle had sequence 1"))
        #expect(try programs.online("keys", "show").messages.isEmpty)
        try programs.put("bar")
        let id = try programs.carry()
        #expect(try programs.online("bundles", "--json").output.contains(#""sequence":2"#))
        let imported = try programs.offline("import", programs.stick)
        #expect(imported.status == 0 && imported.output.contains("\(id)): applied"), "\(imported)")
        #expect(try programs.names(in: programs.isolated).contains("bar"))
    }

    @Test func `snapshot, diff and bundle tell people and machines what they did`() throws {
        let programs = try Programs()
        try programs.prepare()
        try programs.put("foo")
        let first = try programs.online("snapshot")
        #expect(first.status == 0 && first.messages.contains("1 packages, 2 files"))
        let id = first.output.trimmingCharacters(in: .newlines)
        try programs.put("bar")
        #expect(try programs.online("snapshot", "--json").output.contains("\"new\":true"))
        #expect(try programs.online("diff", id).output == "+ bar/bar-1.0.0.tgz\n+ bar/package.json\n")
        let bundle = try programs.online("bundle", "--baseline", id, "--json")
        #expect(bundle.status == 0 && bundle.output.contains("\"files\":2"))
        #expect(try programs.online("snapshots").output.split(separator: "\n").count == 2)
        #expect(try programs.online("bundles").output.split(separator: "\n").count == 1)
    }

    @Test(arguments: ["3", "0", "-4", "9000000000000"])
    func `a volume size that is none is wrong usage`(size: String) throws {
        let programs = try Programs()
        try programs.prepare()
        try programs.put("foo")
        try programs.carry()
        #expect(try programs.online("export", "--to", programs.stick, "--volume-size=\(size)").status == 64)
    }

    @Test func `a medium behind a symbolic link is the medium`() throws {
        let programs = try Programs()
        try programs.prepare()
        try programs.put("foo")
        let link = "\(programs.root)/link"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: programs.stick)
        try programs.carry(to: link)
        #expect(try programs.names(in: "\(programs.stick)/ferry/bundles").count == 1)
    }

    @Test func `an archive that is gone is said to be gone`() throws {
        let programs = try Programs()
        try programs.prepare()
        try programs.put("foo")
        let id = try programs.carry()
        try programs.remove("\(programs.root)/online-state/artifacts/\(id)")
        let run = try programs.online("export", id, "--to", programs.stick)
        #expect(run.status == 1 && run.messages.contains("is gone"))
    }

    @Test func `a key file that is none is named, and more keys than a bundle takes are refused before it is numbered`() throws {
        let programs = try Programs()
        try programs.prepare()
        try programs.put("foo")
        _ = try programs.online("snapshot")
        for _ in 0..<16 { _ = try programs.online("keys", "generate") }
        #expect(try programs.online("bundle").status == 64)
        for name in try programs.names(in: "\(programs.root)/online-state/keys").dropFirst(4) {
            try programs.remove("\(programs.root)/online-state/keys/\(name)")
        }
        #expect(try programs.online("bundle", "--json").output.contains("\"sequence\":1"))
        try programs.write("", to: "\(programs.root)/online-state/keys/AA.key")
        let run = try programs.online("bundle")
        #expect(run.status == 1 && run.messages.contains("AA.key"))
    }

    @Test func `an artifact that was never recorded is cleared by the next bundle`() throws {
        let programs = try Programs()
        try programs.prepare()
        try programs.put("foo")
        let id = try programs.carry()
        try programs.makeDirectory("\(programs.root)/online-state/artifacts/b-00000000000000000000")
        _ = try programs.online("bundle")
        let names = try programs.names(in: "\(programs.root)/online-state/artifacts")
        #expect(names.count == 2 && names.contains(id) && !names.contains("b-00000000000000000000"))
    }

    @Test(arguments: ["missing", "file"])
    func `a storage that is none is an error that names it`(kind: String) throws {
        let programs = try Programs()
        try programs.remove(programs.connected)
        if kind == "file" { try programs.write("no storage", to: programs.connected) }
        let run = try programs.online("snapshot")
        #expect(run.status == 1 && run.messages.contains(programs.connected))
    }

    @Test func `data that cannot be written out is an error`() throws {
        let programs = try Programs()
        try programs.put("foo")
        _ = try programs.online("snapshot")
        #expect(try programs.online("diff", "empty", into: "/dev/full").status == 1)
    }

    @Test func `wrong usage is 64`() throws {
        let programs = try Programs()
        #expect(try programs.online("bundle").status == 64)
        #expect(try programs.online("diff", "20260101T000000Z").status == 64)
        #expect(try programs.online("export").status == 64)
        #expect(try programs.online("bundle", "--destination", "somebody").status == 64)
    }
}

/// What scans and checks say where something is wrong.
@Suite struct InventoryCommandTests {
    @Test func `a catalog that is damaged is named, with what is lost without it`() throws {
        let programs = try Programs()
        try programs.put("foo")
        #expect(try programs.online("scan").status == 0)
        try programs.write("no database", to: "\(programs.root)/online-state/data.sqlite")
        for command in ["scan", "check", "packages", "stats", "snapshot", "bundles"] {
            let run = try programs.online(command)
            #expect(run.status == 1 && !run.messages.contains("SQLite error") && !run.messages.contains("PRAGMA"), "\(run.messages)")
            #expect(run.messages.contains("data.sqlite\" is damaged") && run.messages.contains("hint: the storage"), "\(run.messages)")
        }
    }

    @Test func `a storage that is not mounted changes nothing, and may be said to be empty`() throws {
        let programs = try Programs()
        try programs.put("foo")
        #expect(try programs.online("scan").status == 0)
        try programs.remove(programs.connected)
        try programs.makeDirectory(programs.connected)
        for command in ["scan", "check"] {
            let run = try programs.online(command)
            #expect(run.status == 1 && run.messages.contains("mounted?") && run.messages.contains("--allow-empty"), "\(run.messages)")
        }
        #expect(try programs.online("packages").output.hasPrefix("foo "))
        #expect(try programs.online("scan", "--allow-empty").status == 0)
        #expect(try programs.online("packages").output == "")
    }

    @Test func `a scan that could not read everything is not a success`() throws {
        let programs = try Programs()
        try programs.put("foo")
        try programs.put("bar")
        let place = "\(programs.connected)/foo"
        #expect(try programs.online("scan").status == 0)
        try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: place)
        defer { try? FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: place) }
        let isReadable = FileManager.default.isReadableFile(atPath: place)
        let run = try programs.online("scan", "--json")
        // An almighty user reads all the same.
        #expect(run.status == (isReadable ? 0 : 1) && run.output.contains("\"unreadable\"") == !isReadable)
        #expect(run.output.contains("\"packages\":2"))
    }

    @Test func `what strangers have written moves no cursor`() throws {
        let programs = try Programs()
        try programs.makeDirectory("\(programs.connected)/foo")
        let entry = #"{"name":"foo","version":"1.0.0","deprecated":"a\u001b[2Jb\nc","dist":{"tarball":"http://h/foo/-/foo-1.0.0.tgz"}}"#
        try programs.write(
            #"{"name":"foo","versions":{"1.0.0":\#(entry)},"dist-tags":{"latest":"1.0.0"},"_attachments":{}}"#,
            to: "\(programs.connected)/foo/package.json")
        try programs.write("no tarball", to: "\(programs.connected)/foo/foo-1.0.0.tgz")
        _ = try programs.online("scan")
        let run = try programs.online("packages", "--show", "foo")
        #expect(run.output.contains("deprecated: a\\u{1b}[2Jb c") && !run.output.contains("\u{1B}"), "\(run.output)")
        #expect(try programs.online("packages", "--show", "foo", "--json").output.contains(#"a\u001b[2Jb\nc"#))
    }
}

@Suite struct WantCommandTests {
    @Test func `what is wanted is kept, listed, and taken back by name`() throws {
        let programs = try Programs()
        #expect(try programs.online("want", "react@18", "@types/node", "react-dom").status == 0)
        #expect(try programs.online("want").output == "@types/node\nreact-dom\nreact@18\n")
        #expect(try programs.online("want", "--remove", "react", "@types/node").status == 0)
        #expect(try programs.online("want").output == "react-dom\n")
        #expect(try programs.online("want", "--remove", "vue").messages.contains("was not wanted"))
    }

    @Test func `a lockfile replaces what it wanted before, and a bad one changes nothing`() throws {
        let programs = try Programs()
        let file = "\(programs.root)/package-lock.json"
        func lock(_ entries: String...) throws {
            try programs.write(#"{"name":"p","lockfileVersion":3,"packages":{"":{},\#(entries.joined(separator: ","))}}"#, to: file)
        }
        try lock(#""node_modules/a":{"version":"1.0.0"}"#, #""node_modules/b":{"version":"2.0.0"}"#)
        #expect(try programs.online("want", "--lockfile", file).messages.contains("2 versions"))
        try lock(#""node_modules/a":{"version":"1.1.0"}"#, #""node_modules/g":{"version":"1.0.0","resolved":"git+ssh://git@host/g.git"}"#)
        let second = try programs.online("want", "--lockfile", file)
        #expect(second.status == 0)
        #expect(second.messages.contains("node_modules/g"))
        #expect(try programs.online("want").output == "\(file): 1 versions\n")
        try programs.write("<<<<<<< ours\n", to: file)
        let bad = try programs.online("want", "--lockfile", file)
        #expect(bad.status == 1)
        #expect(bad.messages.contains("package-lock.json"))
        #expect(try programs.online("want", "--json").output.contains(#""spec":"a@1.1.0""#))
        #expect(try programs.online("want", "--remove", "--lockfile", file).status == 0)
        #expect(try programs.online("want").output == "")
    }

    @Test(arguments: [["want", "git+ssh://git@host/x.git"], ["want", "a@not a version"], ["want", "--remove"], ["want", "../x"]])
    func `what is no package is refused`(arguments: [String]) throws {
        let programs = try Programs()
        let refusal: Run
        switch arguments.count {
        case 1: refusal = try programs.online(arguments[0])
        default: refusal = try programs.online(arguments[0], arguments[1])
        }
        #expect(refusal.status == 64)
        #expect(try programs.online("want").output == "")
    }
}
