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
}
