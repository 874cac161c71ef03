import Foundation
import Testing

/// What the isolated side's program does where something that is no file stands in the place of one: only its package stays behind.
@Suite struct ObstructionCommandTests {
    enum Obstacle: CaseIterable {
        case directory, filledDirectory, pipe, link

        /// Puts it in the place of what stands at a path.
        func take(_ path: String) throws {
            try? FileManager.default.removeItem(atPath: path)
            switch self {
            case .directory: try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            case .filledDirectory: try FileManager.default.createDirectory(atPath: "\(path)/inside", withIntermediateDirectories: true)
            case .pipe: #expect(mkfifo(path, 0o644) == 0)
            case .link: try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/etc/hostname")
            }
        }

        var words: String {
            switch self {
            case .directory, .filledDirectory: "is a directory, and a tarball belongs there"
            case .pipe: "is no regular file, and a tarball belongs there"
            case .link: "is a symbolic link, and a tarball belongs there"
            }
        }
    }

    /// A destination that was given `foo` and `bar`.
    private func imported() throws -> Programs {
        let programs = try Programs()
        try programs.prepare()
        for name in ["foo", "bar"] { try programs.put(name) }
        try programs.carry()
        #expect(try programs.offline("import", programs.stick).status == 0)
        return programs
    }

    @Test(arguments: Obstacle.allCases)
    func `in the place of a tarball that comes in, it refuses the package, and the rest comes in`(obstacle: Obstacle) throws {
        let programs = try imported()
        for name in ["foo", "bar"] { try programs.put(name, "2.0.0") }
        #expect(try programs.online("snapshot", "--allow-shrink").status == 0)
        try programs.carry()
        let path = "\(programs.isolated)/foo/foo-2.0.0.tgz"
        try obstacle.take(path)
        let packument = FileManager.default.contents(atPath: "\(programs.isolated)/foo/package.json")
        let imported = try programs.offline("import", programs.stick)
        #expect(imported.status == 0 && imported.output.contains("1 added"), "\(imported)")
        #expect(imported.messages.contains("refused: foo: \"\(path)\" \(obstacle.words); the package stays as it was"), "\(imported)")
        #expect(imported.messages.contains("2 files of it are missing"))
        #expect(FileManager.default.contents(atPath: "\(programs.isolated)/foo/package.json") == packument)
        #expect(FileManager.default.fileExists(atPath: "\(programs.isolated)/bar/bar-2.0.0.tgz"))
        try programs.remove(path)
        let again = try programs.offline("import", programs.stick)
        #expect(again.status == 0 && again.messages.contains("all of it is here"), "\(again)")
    }

    @Test(arguments: Obstacle.allCases)
    func `in the place of a tarball that is here, check and closure name it, an import refuses the package, a rollback leaves it`(
        obstacle: Obstacle
    ) throws {
        let programs = try imported()
        let path = "\(programs.isolated)/foo/foo-1.0.0.tgz"
        try obstacle.take(path)
        let other = "\(programs.isolated)/bar/bar-1.0.0.tgz"
        let bytes = try String(contentsOfFile: other, encoding: .utf8)
        try programs.write("damaged", to: other)
        let check = try programs.offline("check")
        #expect(check.status == 3 && check.output.contains("damaged: foo/foo-1.0.0.tgz: \"\(path)\" \(obstacle.words)"), "\(check)")
        #expect(check.output.contains("damaged: bar/bar-1.0.0.tgz"), "\(check)")
        let closure = try programs.offline("closure")
        #expect(closure.status == 4 && closure.output.contains("foo@1.0.0") && !closure.output.contains("bar@1.0.0"), "\(closure)")
        try programs.write(bytes, to: other)
        let healed = try programs.offline("import", programs.stick)
        #expect(healed.status == 0 && healed.output.contains("1 held"), "\(healed)")
        #expect(healed.messages.contains("refused: foo: \"\(path)\" \(obstacle.words)"), "\(healed)")
        let undone = try programs.offline("rollback", "1", "--accept-losses")
        #expect(undone.status == 0 && undone.messages.contains("\"\(path)\" \(obstacle.words)"), "\(undone)")
        #expect(try programs.names(in: programs.isolated).filter { !$0.hasPrefix(".") } == ["bar"], "\(undone)")
        #expect(undone.messages.contains("were put aside in"), "\(undone)")
    }

    @Test(arguments: Obstacle.allCases)
    func `in the place of a packument, check and closure name it, and adoption leaves the package as it is`(obstacle: Obstacle) throws {
        let programs = try Programs()
        for name in ["bar", "foo", "void"] { try programs.put(name, in: programs.isolated) }
        try programs.remove("\(programs.isolated)/void/void-1.0.0.tgz")
        try obstacle.take("\(programs.isolated)/foo/package.json")
        let adopted = try programs.offline("init", "--yes")
        #expect(adopted.status == 0 && adopted.messages.contains("adopted as entry 1: 3 packages, 2 tarballs"), "\(adopted)")
        let words = "foo/package.json: the packument is damaged: its package.json is not a regular file"
        #expect(adopted.messages.contains("\(words); it stays as it is"), "\(adopted)")
        #expect(try programs.names(in: programs.isolated).filter { !$0.hasPrefix(".") } == ["bar", "foo"])
        try programs.put("bar", "2.0.0", in: programs.isolated)
        try programs.remove("\(programs.isolated)/bar/bar-2.0.0.tgz")
        let check = try programs.offline("check")
        #expect(check.status == 3 && check.output.contains("packument-damaged: \(words)"), "\(check)")
        #expect(check.output.contains("missing: bar/bar-2.0.0.tgz"), "\(check)")
        try programs.put("bar", in: programs.isolated)
        let closure = try programs.offline("closure")
        #expect(closure.status == 4 && closure.output.contains("foo (") && closure.messages.contains(" 1 can be installed"), "\(closure)")
        let asked = try programs.offline("closure", "foo", "bar")
        #expect(asked.status == 4 && asked.output.contains("the packument is damaged") && asked.messages.contains(" 1 can be installed"))
    }

    @Test func `in the place of a tarball, adoption lets its version go, says so, and takes nothing else away`() throws {
        let programs = try Programs()
        for name in ["bar", "foo"] { try programs.put(name, in: programs.isolated) }
        try Obstacle.filledDirectory.take("\(programs.isolated)/foo/foo-1.0.0.tgz")
        let adopted = try programs.offline("init", "--yes")
        #expect(adopted.status == 0 && adopted.messages.contains("foo/foo-1.0.0.tgz\" is a directory, and a tarball belongs"), "\(adopted)")
        #expect(try programs.names(in: programs.isolated).filter { !$0.hasPrefix(".") } == ["bar"])
        let found = try programs.run("/usr/bin/find", [programs.isolated, "-name", "inside"]).output
        #expect(found.contains("foo-1.0.0.tgz/inside"), "\(found)")
    }

    @Test func `it keeps back what it stands in the place of when versions are released, and damage of the quarantine is named`() throws {
        let programs = try Programs()
        try programs.prepare()
        for name in ["foo", "bar", "baz", "other"] { try programs.put(name) }
        try programs.carry()
        #expect(try programs.offline("import", programs.stick).status == 0)
        for name in ["foo", "bar", "baz"] { try programs.remove("\(programs.connected)/\(name)") }
        let first = try #require(try programs.online("snapshots").output.split(separator: "\n").last?.split(separator: " ").first)
        #expect(try programs.online("snapshot", "--allow-shrink").status == 0)
        let made = try programs.online("bundle", "--baseline", String(first), "--json").output
        let id = try #require(made.split(separator: "\"").first { $0.hasPrefix("b-") })
        #expect(try programs.online("export", String(id), "--to", programs.stick).status == 0)
        #expect(try programs.offline("import", programs.stick, "--removed", "quarantine").output.contains("3 quarantined"))
        try programs.put("foo", "7.0.0", in: programs.isolated)
        let path = "\(programs.isolated)/foo/foo-1.0.0.tgz"
        try Obstacle.directory.take(path)
        let area = try #require(try programs.names(in: "\(programs.isolated)/.ferry-quarantine").first)
        let packument = "\(programs.isolated)/.ferry-quarantine/\(area)/baz/package.json"
        try Obstacle.directory.take(packument)
        let listed = try programs.offline("quarantine")
        #expect(listed.status == 0 && listed.output.contains("foo@1.0.0") && listed.output.contains("bar@1.0.0"), "\(listed)")
        #expect(listed.messages.contains("warning: \"\(packument)\" is not what was put in quarantine"), "\(listed)")
        let released = try programs.offline("quarantine", "release", "foo", "baz", "bar")
        #expect(released.status == 13 && released.output == "bar: 1.0.0 released\n", "\(released)")
        #expect(released.messages.contains("\"\(path)\" is a directory, and a tarball belongs there; move it away first"), "\(released)")
        #expect(released.messages.contains("\"\(packument)\" is not what was put in quarantine"), "\(released)")
        try programs.remove(path)
        #expect(try programs.offline("quarantine", "release", "foo").output == "foo: 1.0.0 released\n")
    }

    @Test func `a gap names what stands in the place of the tarball that is missing`() throws {
        let programs = try imported()
        let first = try #require(try programs.online("snapshots").output.split(separator: "\n").last?.split(separator: " ").first)
        try programs.put("bar", "2.0.0")
        try programs.write("{}", to: "\(programs.connected)/foo/.ignored")
        #expect(try programs.online("snapshot", "--allow-shrink").status == 0)
        let made = try programs.online("bundle", "--baseline", String(first), "--json").output
        let id = try #require(made.split(separator: "\"").first { $0.hasPrefix("b-") })
        let medium = "\(programs.root)/second"
        try programs.makeDirectory(medium)
        #expect(try programs.online("export", String(id), "--to", medium).status == 0)
        let path = "\(programs.isolated)/foo/foo-1.0.0.tgz"
        try Obstacle.directory.take(path)
        let refused = try programs.offline("import", medium)
        #expect(refused.status == 13)
        #expect(refused.messages.contains("\"\(path)\" is a directory, and a tarball belongs there: move that away"), "\(refused)")
    }
}
