import ArchiveSamples
import Foundation
import Testing

/// What scan, packages, stats, check and repair say and return.
@Suite struct CheckCommandTests {
    private func world() throws -> Programs {
        let programs = try Programs()
        try programs.prepare()
        for name in ["foo", "bar"] {
            try programs.put(name)
            let archive = Gzip.stored(TarImage(package: name).bytes)
            try Data(archive).write(to: URL(fileURLWithPath: "\(programs.connected)/\(name)/\(name)-1.0.0.tgz"))
        }
        return programs
    }

    @Test func `a scan tells what is in storage, and packages finds it`() throws {
        let programs = try world()
        let scan = try programs.online("scan")
        #expect(scan.status == 0 && scan.output.contains("packages: 2") && scan.output.contains("2 new"))
        #expect(try programs.online("scan").output.contains("0 read, 0 new, 0 changed"))
        #expect(try programs.online("scan", "--json").output.contains("\"packages\":2"))
        #expect(try programs.online("packages", "fo").output.hasPrefix("foo  1.0.0  1 of 1 versions"))
        #expect(try programs.online("packages", "--sort", "bytes", "--json").output.contains("\"total\":2"))
        #expect(try programs.online("packages", "--show", "foo").output.contains("1.0.0"))
        #expect(try programs.online("stats").output.split(separator: "\n").count == 1)
    }

    @Test(arguments: [
        ["packages", "--limit", "0"], ["packages", "--sort", "colour"], ["packages", "--offset=-1"], ["packages", "--show", "../etc"],
        ["packages", "--show", "nowhere"], ["stats", "--days", "0"], ["check", "--parallelism", "0"], ["repair", "--idle-timeout", "0"],
        ["repair", "Not/A/Name"], ["stats"],
    ])
    func `what is asked for and cannot be is wrong usage`(arguments: [String]) throws {
        let run = try world().online(arguments)
        #expect(run.status == 64 && !run.messages.isEmpty && run.output.isEmpty)
    }

    @Test func `a check names what is damaged, and snapshot, diff and bundle leave it out`() throws {
        let programs = try world()
        _ = try programs.online("snapshot")
        let clean = try programs.online("check")
        #expect(clean.status == 0 && clean.output.isEmpty && clean.messages.contains("2 tarballs checked"))
        try programs.write("not what was published", to: "\(programs.connected)/foo/foo-1.0.0.tgz")
        let check = try programs.online("check")
        #expect(check.status == 3 && check.output.hasPrefix("not-gzip  foo/foo-1.0.0.tgz  "))
        #expect(check.messages.contains("1 tarballs checked") && check.messages.contains("1 damaged"))
        let json = try programs.online("check", "--everything", "--json")
        #expect(json.status == 3 && json.output.contains("\"kind\":\"not-gzip\"") && json.output.contains("\"checked\":2"))
        _ = try programs.online("snapshot", "--allow-shrink")
        let diff = try programs.online("diff", "empty")
        #expect(diff.output.contains("! foo/foo-1.0.0.tgz  tarball-"))
        #expect(try programs.online("packages", "--show", "foo").output.contains("DAMAGED"))
        // Three checks and two snapshots: a job each, with a log.
        #expect(try programs.names(in: "\(programs.root)/online-state/logs").count == 5)
    }

    @Test func `without a registry a repair does not begin, and nothing is lost`() throws {
        let programs = try world()
        #expect(try programs.online("repair").messages.contains("nothing is listed as damaged"))
        try programs.write("not what was published", to: "\(programs.connected)/foo/foo-1.0.0.tgz")
        _ = try programs.online("check")
        #expect(try programs.online("repair", "--dry-run").output.hasPrefix("not-gzip  foo/foo-1.0.0.tgz"))
        let repair = try programs.online("repair", "--registry", "http://127.0.0.1:9")
        #expect(repair.status == 1 && repair.messages.contains("does not answer") && repair.messages.contains("nothing was changed"))
        #expect(try programs.names(in: "\(programs.connected)/foo").contains("foo-1.0.0.tgz"))
    }
}
