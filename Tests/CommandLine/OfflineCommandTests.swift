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
        #expect(try programs.names(in: programs.isolated) == ["@scope", "foo"])
        #expect(try programs.offline("import", programs.stick).output.contains("nothing to do"))
        let history = try programs.offline("history", "--json")
        #expect(history.output.split(separator: "\n").count == 1 && history.output.contains("\"state\":\"applied\""))
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
        #expect(try programs.names(in: programs.isolated) == ["@scope", "foo"])
    }

    @Test(arguments: ["", "{"])
    func `a trust store that cannot be read is a matter of trust, 12`(text: String) throws {
        let programs = try carried()
        try programs.write(text, to: "\(programs.root)/offline-state/trust.json")
        let run = try programs.offline("import", programs.stick)
        #expect(run.status == 12 && run.messages.contains("trust store"))
        #expect(try programs.names(in: programs.isolated) == [])
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
        #expect(try programs.offline("import").status == 64)
        #expect(try programs.offline("import", programs.stick).status == 64)
        #expect(try programs.offline("import", "--no-such-option").status == 64)
    }
}
