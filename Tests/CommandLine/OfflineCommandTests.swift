import Foundation
import Testing

/// What the isolated side's program says and returns, and that a refusal leaves the storage as it was.
@Suite struct OfflineCommandTests {
    private func carried() throws -> Programs {
        let programs = try Programs()
        try programs.prepare()
        try programs.put("foo")
        try programs.put("@scope/bar")
        try programs.carry()
        return programs
    }

    @Test func `verify changes nothing, import brings the packages, history tells of it`() throws {
        let programs = try carried()
        let verified = try programs.offline("verify", programs.stick)
        #expect(verified.status == 0 && verified.output.contains("sound, signed by"))
        #expect(try programs.names(in: programs.isolated) == [])
        let imported = try programs.offline("import", programs.stick)
        #expect(imported.status == 0 && imported.output.contains("2 added"))
        #expect(try programs.names(in: programs.isolated) == [".ferry-backups", "@scope", "foo"])
        #expect(try programs.offline("import", programs.stick).output.contains("nothing to do"))
        let history = try programs.offline("history", "--json")
        #expect(history.output.split(separator: "\n").count == 1 && history.output.contains("\"state\":\"applied\""))
    }

    @Test func `machines are told on lines how far the work is, and what came of it last`() throws {
        let programs = try carried()
        for arguments in [["import", programs.stick], ["check"], ["rollback", "1"]] {
            let run = try programs.offline(arguments + ["--json"])
            let lines = try run.output.split(separator: "\n").map { line in
                try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
            }
            #expect(run.status == 0 && lines.contains { $0["event"] as? String == "progress" && $0["total"] != nil }, "\(arguments)")
            if arguments != ["check"] { #expect(lines.last?["event"] as? String == "result", "\(arguments)") }
        }
    }

    @Test func `the version tells the commit, and what the program reads`() throws {
        let programs = try Programs()
        for run in [try programs.offline("--version"), try programs.online("--version")] {
            let lines = run.output.split(separator: "\n").map(String.init)
            #expect(run.status == 0 && lines.count == 4 && lines[0].wholeMatch(of: /ferry-(on|off)line \d+\.\d+\.\d+/) != nil, "\(lines)")
            #expect(lines[1].wholeMatch(of: /commit +([0-9a-f]{40}(, with changes)?|unknown)/) != nil, "\(lines)")
            #expect(lines[2].contains("of format 1") && lines[3].contains("up to form"), "\(lines)")
        }
    }

    @Test func `what a newer program wrote is refused with 13, by name, and with what to do`() throws {
        let programs = try carried()
        let bundles = "\(programs.stick)/ferry/bundles"
        let folder = try #require(try programs.names(in: bundles).first)
        let archive = "\(bundles)/\(folder)/\(try #require(try programs.names(in: "\(bundles)/\(folder)").first { $0.hasSuffix(".zst") }))"
        // FORMAT.md §6.2: the version stands 8 bytes behind the beginning of the trailer.
        let file = try #require(FileHandle(forUpdatingAtPath: archive))
        try file.seek(toOffset: try file.seekToEnd() - 104)
        try file.write(contentsOf: Data([2]))
        try file.close()
        let index = "\(programs.stick)/ferry/index.json"
        let text = try String(contentsOfFile: index, encoding: .utf8)
        for words in ["the index of the medium is of format version 2", "it is of format version 2"] {
            try programs.write(words.hasPrefix("it") ? text : text.replacing("\"formatVersion\":1", with: "\"formatVersion\":2"), to: index)
            for command in ["verify", "import"] {
                let run = try programs.offline(command, programs.stick)
                #expect(run.status == 13 && run.messages.contains("\(words), from a newer program; this one reads version 1"), "\(run)")
                #expect(run.messages.contains("hint: install a ferry-offline as new as the ferry-online that wrote it"), "\(run)")
            }
        }
        #expect(try programs.names(in: programs.isolated) == [])
    }

    @Test func `an older bundle says that it adds what is absent, and a gap says how far the bundle leads`() throws {
        let programs = try carried()
        let medium = "\(programs.root)/later"
        for name in ["baz", "qux"] {
            try programs.put(name)
            try programs.makeDirectory(medium)
            _ = try programs.carry(to: medium)
        }
        let ids = try programs.names(in: "\(medium)/ferry/bundles")
        let newest = try programs.offline("import", medium)
        #expect(newest.status == 0 && ids.count == 2 && !newest.messages.contains("an older one"), "\(newest)")
        let older = try programs.offline("import", programs.stick)
        #expect(older.status == 0, "\(older)")
        #expect(older.messages.contains("leads to state #1, and a bundle to #3 was imported before"), "\(older)")
        // From here on only the last of three increments arrives.
        for name in ["one", "two", "three"] {
            let last = try #require(try programs.online("snapshots").output.split(separator: "\n").last?.split(separator: " ").first)
            try programs.put(name)
            #expect(try programs.online("snapshot").status == 0)
            #expect(try programs.online("bundle", "--baseline", String(last)).status == 0)
        }
        let far = "\(programs.root)/far"
        try programs.makeDirectory(far)
        #expect(try programs.online("export", "--to", far).status == 0)
        let refused = try programs.offline("import", far)
        #expect(refused.status == 13, "\(refused)")
        #expect(refused.messages.contains("4 file(s) that the bundle builds upon (it leads to state #6, and #3 is here)"), "\(refused)")
    }

    @Test func `a ledger of a newer program is refused with 13, and stays`() throws {
        let programs = try carried()
        let ledger = "\(programs.root)/offline-state/ledger.sqlite"
        let sql =
            "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute(\"INSERT INTO grdb_migrations VALUES ('99')\"); c.commit()"
        #expect(try programs.run("/usr/bin/python3", ["-c", sql, ledger]).status == 0)
        let run = try programs.offline("history")
        #expect(run.status == 13 && run.messages.contains("ledger.sqlite\" has form 99, which a newer program gave it"), "\(run)")
        #expect(run.messages.contains("hint: install the newer ferry-offline again"), "\(run)")
    }

    @Test func `a dry run says what would come in, and changes nothing`() throws {
        let programs = try carried()
        let run = try programs.offline("import", programs.stick, "--dry-run", "--json")
        #expect(run.status == 0 && run.output.contains("\"newPackages\":2"))
        #expect(try programs.names(in: programs.isolated) == [])
    }

    @Test(arguments: ["missing", "file", "strangers", "parent"])
    func `a storage path that is not one is refused with 13`(kind: String) throws {
        let programs = try carried()
        let storage = "\(programs.root)/elsewhere"
        switch kind {
        case "missing": break
        case "file": try programs.write("no storage", to: storage)
        case "strangers":
            try programs.makeDirectory("\(storage)/docs")
            try programs.write("notes", to: "\(storage)/notes.txt")
        default: try programs.put("foo", in: "\(storage)/storage")
        }
        let before = try? programs.names(in: storage)
        let run = try programs.offline("import", programs.stick, storage: storage)
        #expect(run.status == 13 && run.messages.contains("elsewhere"))
        #expect((try? programs.names(in: storage)) == before)
    }

    @Test func `a storage behind a symbolic link is the storage`() throws {
        let programs = try carried()
        let link = "\(programs.root)/link"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: programs.isolated)
        #expect(try programs.offline("import", programs.stick, storage: link).status == 0)
        #expect(try programs.names(in: programs.isolated) == [".ferry-backups", "@scope", "foo"])
    }

    @Test(arguments: ["", "{"])
    func `a trust store that cannot be read is a matter of trust, 12`(text: String) throws {
        let programs = try carried()
        try programs.write(text, to: "\(programs.root)/offline-state/trust.json")
        let run = try programs.offline("import", programs.stick)
        #expect(run.status == 12 && run.messages.contains("trust store"))
        #expect(try programs.names(in: programs.isolated) == [])
    }

    @Test func `as many trusted keys as are asked for must have signed, and machines are told of keys`() throws {
        let programs = try carried()
        func object(_ text: some StringProtocol) throws -> [String: Any] {
            try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        }
        let asked = try programs.offline("trust", "require", "2")
        #expect(asked.status == 0 && asked.messages.contains("1 of the keys of o-") && asked.messages.contains("bundles are refused"))
        let refused = try programs.offline("import", programs.stick)
        #expect(refused.status == 12)
        #expect(try programs.names(in: programs.isolated) == [])
        let made = try object(programs.online("keys", "generate", "--json").output)
        let shown = try object(programs.online("keys", "show", "--json").output)
        let origin = try #require(shown["origin"] as? String)
        let keys = try #require(shown["keys"] as? [[String: String]])
        #expect(keys.count == 2 && keys.contains { $0["publicKey"] == made["publicKey"] as? String })
        #expect(try programs.offline("trust", "add", #require(made["path"] as? String), "--origin", origin).status == 0)
        let listed = try programs.offline("trust", "list", "--json")
        let lines = try listed.output.split(separator: "\n").map { try object($0) }
        #expect(lines.map { $0["required"] as? Int } == [2, 2])
        #expect(lines.last?["fingerprint"] as? String == made["fingerprint"] as? String)
        #expect(!listed.messages.contains("refused"))
        // Signed by the first key alone it stays refused; signed by both it comes in.
        #expect(try programs.offline("import", programs.stick).status == 12)
        try FileManager.default.removeItem(atPath: "\(programs.stick)/ferry")
        #expect(try programs.online("bundle").status == 0)
        #expect(try programs.online("export", "--to", programs.stick).status == 0)
        #expect(try programs.offline("import", programs.stick).status == 0)
        #expect(try programs.offline("trust", "require", "17").status == 64)
    }

    @Test func `no bundle is 10, damage is 3, another destination's is 13`() throws {
        let programs = try carried()
        try programs.makeDirectory("\(programs.root)/empty")
        #expect(try programs.offline("import", "\(programs.root)/empty").status == 10)
        #expect(try programs.offline("import", "\(programs.root)/nothing").status == 10)
        try programs.write("not an archive", to: "\(programs.root)/x.tar.zst")
        #expect(try programs.offline("import", "\(programs.root)/x.tar.zst").status == 3)
        let made = try programs.online("bundle", "--destination", "d-00000000000000000000", "--json").output
        let id = try #require(made.split(separator: "\"").first { $0.hasPrefix("b-") })
        let foreign = "\(programs.root)/foreign"
        try programs.makeDirectory(foreign)
        #expect(try programs.online("export", String(id), "--to", foreign).status == 0)
        let run = try programs.offline("import", foreign)
        #expect(run.status == 13 && run.messages.contains("d-00000000000000000000"))
        #expect(try programs.names(in: programs.isolated) == [])
    }

    @Test func `a bundle whose files are gone does not keep the others of a medium from being read`() throws {
        let programs = try carried()
        let foreign = try programs.online("bundle", "--destination", "d-00000000000000000000", "--json").output
        let id = try #require(foreign.split(separator: "\"").first { $0.hasPrefix("b-") })
        _ = try programs.online("export", String(id), "--to", programs.stick)
        try programs.remove("\(programs.stick)/ferry/bundles/\(id)")
        #expect(try programs.offline("import", programs.stick).status == 0)
    }

    @Test func `a file or link where a package belongs is refused before anything is applied`() throws {
        let programs = try carried()
        try programs.put("other", in: programs.isolated)
        try FileManager.default.createSymbolicLink(
            atPath: "\(programs.isolated)/foo", withDestinationPath: "\(programs.isolated)/other")
        for command in ["verify", "import"] {
            let run = try programs.offline(command, programs.stick)
            #expect(run.status == 13 && run.messages.contains("isolated/foo"))
        }
        #expect(try programs.names(in: programs.isolated) == ["foo", "other"])
    }

    @Test func `a damaged ledger is an error that says so`() throws {
        let programs = try carried()
        _ = try programs.offline("import", programs.stick)
        try programs.write(String(repeating: "x", count: 100_000), to: "\(programs.root)/offline-state/ledger.sqlite")
        let run = try programs.offline("history")
        #expect(run.status == 1 && !run.messages.isEmpty && run.output.isEmpty)
    }

    @Test func `wrong usage is 64`() throws {
        let programs = try Programs()
        #expect(try programs.offline("import", "a", "b").status == 64)
        #expect(try programs.offline("import", programs.stick).status == 64)
        #expect(try programs.offline("import", "--no-such-option").status == 64)
    }
}

/// What the isolated side's program says of the way back.
@Suite struct RollbackCommandTests {
    private func imported() throws -> Programs {
        let programs = try Programs()
        try programs.prepare()
        try programs.put("foo")
        try programs.carry()
        _ = try programs.offline("import", programs.stick)
        return programs
    }

    @Test func `a dry run shows what would go, the rollback takes it, and the medium is imported again`() throws {
        let programs = try imported()
        let shown = try programs.offline("rollback", "1", "--dry-run")
        #expect(shown.status == 0 && shown.output.contains("foo: the whole package goes: 1.0.0"))
        #expect(shown.output.contains("nothing was changed"))
        #expect(try programs.names(in: programs.isolated) == [".ferry-backups", "foo"])
        #expect(try programs.offline("rollback", "1").output.contains("import 1"))
        #expect(try programs.names(in: programs.isolated) == [".ferry-backups"])
        let history = try programs.offline("history", "--json").output
        #expect(history.contains("\"kind\":\"rollback\"") && history.contains("\"state\":\"rolled-back\""))
        #expect(try programs.offline("import", programs.stick).output.contains("1 added"))
    }

    @Test func `what cannot be undone is refused with 13, and says why`() throws {
        let programs = try imported()
        let none = try programs.offline("rollback", "7")
        #expect(none.status == 13 && none.messages.contains("there is no import 7"))
        #expect(try programs.offline("generations", "prune", "--keep", "0", "--dry-run").output.contains("can be rolled back"))
        #expect(try programs.offline("generations").output.split(separator: "\n").count == 1)
        #expect(try programs.offline("generations", "prune", "--keep", "0").status == 0)
        #expect(try programs.offline("generations").output.isEmpty)
        let gone = try programs.offline("rollback", "1")
        #expect(gone.status == 13 && gone.messages.contains("nothing is kept"))
        #expect(try programs.names(in: programs.isolated) == [".ferry-backups", "foo"])
        #expect(try programs.offline("generations", "prune").status == 64)
        #expect(try programs.offline("rollback").status == 64)
    }

    @Test func `limits of init let old generations go after each import`() throws {
        let programs = try imported()
        #expect(try programs.offline("init", "--keep-generations", "1").status == 0)
        try programs.put("bar")
        try programs.carry()
        #expect(try programs.offline("import", programs.stick).status == 0)
        let left = try programs.offline("generations", "--json").output.split(separator: "\n")
        #expect(left.count == 1 && left[0].contains("\"import\":2"))
    }
}

/// How the isolated side's program takes over a storage.
@Suite struct AdoptionCommandTests {
    @Test func `a filled storage is adopted once it is said to be, and then no more`() throws {
        let programs = try Programs()
        try programs.put("foo", in: programs.isolated)
        let packument = "\(programs.isolated)/foo/package.json"
        let text = try String(contentsOfFile: packument, encoding: .utf8)
        let origins = text.replacing(#""_attachments""#, with: #""_distfiles":{"foo-2.0.0.tgz":{"url":"http://x/"}},"_attachments""#)
        try programs.write(origins, to: packument)
        let shown = try programs.offline("init", "--dry-run")
        #expect(shown.status == 0 && shown.output.isEmpty && shown.messages.contains("foo: 1 addresses to fetch from go"))
        let asked = try programs.offline("init")
        #expect(asked.status == 64 && asked.messages.contains("--yes"))
        #expect(try String(contentsOfFile: packument, encoding: .utf8) == origins)
        let adopted = try programs.offline("init", "--yes")
        #expect(adopted.status == 0 && adopted.messages.contains("adopted as entry 1: 1 packages, 1 tarballs"), "\(adopted)")
        #expect(!(try String(contentsOfFile: packument, encoding: .utf8)).contains("http://x/"))
        #expect(try programs.offline("history", "foo").output.contains("foo@1.0.0 adopted"))
        #expect(try programs.offline("ledger", "verify").status == 0 && programs.offline("report", "1").output.contains("Adoption 1"))
        #expect(try !programs.offline("init").messages.contains("adopt"))
        #expect(try programs.offline("rollback", "1").status == 0)
        #expect(try String(contentsOfFile: packument, encoding: .utf8) == origins)
    }
}

/// What the isolated side's program does with what has left its origin.
@Suite struct QuarantineCommandTests {
    /// A destination that was given `foo` and `bar`, and a medium whose bundle says that `bar` is gone.
    private func prepared() throws -> Programs {
        let programs = try Programs()
        try programs.prepare()
        for name in ["foo", "bar"] { try programs.put(name) }
        try programs.carry()
        _ = try programs.offline("import", programs.stick)
        let baseline = try #require(try programs.online("snapshot").output.split { $0 == " " || $0 == "\n" }.first)
        try programs.remove("\(programs.connected)/bar")
        #expect(try programs.online("snapshot", "--allow-shrink").status == 0)
        let made = try programs.online("bundle", "--baseline", String(baseline), "--json").output
        let id = try #require(made.split(separator: "\"").first { $0.hasPrefix("b-") })
        #expect(try programs.online("export", String(id), "--to", programs.stick).status == 0)
        return programs
    }

    @Test func `what init says is done, listed and released`() throws {
        let programs = try prepared()
        #expect(try programs.offline("init", "--removed", "quarantine").status == 0)
        let planned = try programs.offline("import", programs.stick, "--dry-run")
        #expect(planned.status == 0 && planned.messages.contains("1 tarballs would be taken away"), "\(planned)")
        let imported = try programs.offline("import", programs.stick)
        #expect(imported.status == 0 && imported.output.contains("1 quarantined"), "\(imported)")
        #expect(try programs.names(in: programs.isolated) == [".ferry-backups", ".ferry-quarantine", "foo"])
        #expect(try programs.offline("quarantine").output.contains("bar@1.0.0"))
        #expect(try programs.offline("show", "2").output.contains("bar: quarantined 1.0.0"))
        #expect(try programs.offline("report", "2", "--html").output.contains("put in quarantine"))
        let released = try programs.offline("quarantine", "release", "bar@1.0.0")
        #expect(released.status == 0 && released.output == "bar: 1.0.0 released\n")
        #expect(try programs.names(in: programs.isolated) == [".ferry-backups", "bar", "foo"])
        #expect(try programs.offline("history", "--json").output.contains("\"kind\":\"release\""))
        #expect(try programs.offline("ledger", "verify").status == 0)
        let again = try programs.offline("quarantine", "release", "bar")
        #expect(again.status == 13 && again.messages.contains("bar is not in quarantine"))
    }

    @Test func `an import says otherwise than init, and a rollback brings back what was deleted`() throws {
        let programs = try prepared()
        #expect(try programs.offline("import", programs.stick, "--removed", "delete").output.contains("1 deleted"))
        #expect(try programs.names(in: programs.isolated) == [".ferry-backups", "foo"])
        let back = try programs.offline("rollback", "2")
        #expect(back.status == 0 && back.output.contains("1 tarballs come back"), "\(back)")
        #expect(try programs.names(in: programs.isolated) == [".ferry-backups", "bar", "foo"])
        #expect(try programs.offline("import", programs.stick, "--removed", "burn").status == 64)
        #expect(try programs.offline("quarantine", "release").status == 64)
    }
}

/// What the isolated side's program tells of the past.
@Suite struct HistoryCommandTests {
    private func imported() throws -> Programs {
        let programs = try Programs()
        try programs.prepare()
        try programs.put("foo")
        try programs.put("@scope/bar", "2.0.0")
        try programs.carry()
        _ = try programs.offline("import", programs.stick)
        return programs
    }

    @Test func `history tells when a version came in and from which bundle, and filters by date`() throws {
        let programs = try imported()
        let told = try programs.offline("history", "@scope/bar@2.0.0")
        #expect(told.status == 0 && told.output.contains("@scope/bar@2.0.0 added") && told.output.contains("from diff-"))
        #expect(try programs.offline("history", "@scope/bar@2.0.1").output.isEmpty)
        #expect(try programs.offline("history", "--until", "2020-01-01").output.isEmpty)
        #expect(try programs.offline("history", "--since", "2020-01-01").output.split(separator: "\n").count == 1)
        for words in [["--since", "yesterday"], ["not/a/name"], ["foo@latest"]] {
            #expect(try programs.offline(["history"] + words).status == 64)
        }
    }

    @Test func `an entry is shown for people, machines and spreadsheets`() throws {
        let programs = try imported()
        let shown = try programs.offline("show", "1")
        #expect(shown.output.contains("foo: added 1.0.0") && shown.output.contains("medium:") && shown.output.contains("host:"))
        #expect(try programs.offline("show", "1", "--json").output.contains("\"canBeUndone\":true"))
        let lines = try programs.offline("show", "1", "--csv").output.split(separator: "\r\n")
        #expect(lines.count == 3 && lines[1].hasPrefix("'@scope/bar,2.0.0,bar-2.0.0.tgz,added,yes,"))
        #expect(try programs.offline("history", "--csv").output.split(separator: "\r\n").count == 2)
        let none = try programs.offline("show", "9")
        #expect(none.status == 1 && none.messages.contains("no entry 9"))
    }

    @Test func `a report is written in one file, and the ledger is verified`() throws {
        let programs = try imported()
        let file = "\(programs.root)/report.html"
        #expect(try programs.offline("report", "1", "--html", "--language", "ru", "--output", file).status == 0)
        #expect(try String(contentsOfFile: file, encoding: .utf8).contains("Импорт 1"))
        #expect(try programs.offline("report", "1", "--language", "fr").status == 64)
        let verified = try programs.offline("ledger", "verify")
        #expect(verified.status == 0 && verified.output.contains("1 entries, as they were written"))
    }
}

/// What the isolated side's program says of what is here.
@Suite struct InspectionCommandTests {
    @Test func `damage is 3, and names the import that brought it`() throws {
        let programs = try Programs()
        try programs.prepare()
        try programs.put("foo")
        try programs.carry()
        _ = try programs.offline("import", programs.stick)
        #expect(try programs.offline("check").status == 0)
        try programs.write("damaged", to: "\(programs.isolated)/foo/foo-1.0.0.tgz")
        let run = try programs.offline("check")
        #expect(run.status == 3 && run.output.contains("foo/foo-1.0.0.tgz") && run.output.contains("import 1"))
        #expect(try programs.offline("import", programs.stick).status == 0)
        #expect(try programs.offline("check", "--quick").status == 0)
    }

    @Test func `what cannot be installed is 4, of everything, of a package, of a lockfile`() throws {
        let programs = try Programs()
        for name in ["foo", "bar"] { try programs.put(name, in: programs.isolated) }
        #expect(try programs.offline("closure").status == 0)
        let absent = try programs.offline("closure", "foo@2", "bar@1")
        #expect(absent.status == 4 && absent.output.contains("foo@2") && absent.output.contains("1.0.0"))
        let lockfile = "\(programs.root)/package-lock.json"
        let packages = ["foo", "bar", "baz"].map { "\"node_modules/\($0)\":{\"version\":\"1.0.0\"}" }.joined(separator: ",")
        try programs.write("{\"name\":\"app\",\"lockfileVersion\":3,\"packages\":{\"\":{},\(packages)}}", to: lockfile)
        let locked = try programs.offline("closure", "--lockfile", lockfile, "--platform", "linux-x64", "--platform", "win32-x64")
        #expect(locked.status == 4 && locked.output.split(separator: "\n").count == 2 && locked.output.contains("baz@1.0.0 (win32-x64)"))
        let optional = packages.replacing("\"node_modules/baz\":{", with: "\"node_modules/baz\":{\"optional\":true,")
        try programs.write("{\"name\":\"app\",\"lockfileVersion\":3,\"packages\":{\"\":{},\(optional)}}", to: lockfile)
        let without = try programs.offline("closure", "--lockfile", lockfile)
        #expect(without.status == 0 && without.messages.contains("1 are for other platforms or optional"), "\(without)")
        for words in [["--platform", "linux"], ["--node", "new"], ["foo@@"], ["--lockfile", "\(programs.root)/none"]] {
            #expect(try programs.offline(["closure"] + words).status == 64, "\(words)")
        }
    }

    @Test(arguments: ["byte order mark", "directory", "pipe", "link"])
    func `a package whose packument cannot be read is refused, said to be missing, and does not keep the import from being undone`(
        what: String
    ) throws {
        let programs = try Programs()
        try programs.prepare()
        try programs.put("foo")
        try programs.put("@scope/bar")
        try programs.carry()
        try programs.put("foo", "0.9.0", in: programs.isolated)
        let path = "\(programs.isolated)/foo/package.json"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        try FileManager.default.removeItem(atPath: path)
        switch what {
        case "directory": try programs.makeDirectory(path)
        case "pipe": #expect(mkfifo(path, 0o644) == 0)
        case "link": try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/etc/hostname")
        default: try programs.write("\u{FEFF}" + text, to: path)
        }
        func kind() throws -> FileAttributeType? { try FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType }
        let before = try kind()
        let imported = try programs.offline("import", programs.stick)
        #expect(imported.status == 0 && imported.messages.contains("refused: foo: the packument is damaged"), "\(imported)")
        #expect(!imported.messages.contains("all of it is here") && imported.messages.contains("2 files of it are missing"), "\(imported)")
        let undone = try programs.offline("rollback", "1")
        #expect(undone.status == 0, "\(undone)")
        #expect(try programs.names(in: programs.isolated).filter { !$0.hasPrefix(".") && $0 != "@scope" } == ["foo"])
        #expect(try kind() == before)
        if what == "byte order mark" { #expect(FileManager.default.contents(atPath: path) == Data("\u{FEFF}\(text)".utf8)) }
    }

    @Test(arguments: [("yes\n", Int32(0)), ("n\n", 130), ("", 130)])
    func `whoever sits before a terminal is asked before packuments are cut, and only yes cuts them`(answer: String, status: Int32) throws {
        let programs = try Programs()
        try programs.put("foo", in: programs.isolated)
        try programs.put("gone", in: programs.isolated)
        try programs.remove("\(programs.isolated)/gone/gone-1.0.0.tgz")
        let said = "\(programs.root)/said"
        let keys = Pipe()
        let process = try programs.startAttended("ferry-offline init", [:], typing: keys, said: said)
        try keys.fileHandleForWriting.write(contentsOf: Data(answer.utf8))
        try keys.fileHandleForWriting.close()
        process.waitUntilExit()
        let text = try String(contentsOfFile: said, encoding: .utf8)
        #expect(process.terminationStatus == status && text.contains("go on? [y/N]"), "\(text)")
        let names = try programs.names(in: programs.isolated)
        #expect(names == (status == 0 ? [".ferry-backups", "foo"] : ["foo", "gone"]), "\(text)")
        #expect(text.contains("adopted as entry 1") == (status == 0), "\(text)")
    }
}
