import Foundation
import Testing

/// `ferry-online prune` as a person runs it, and what other commands say of what it removed.
@Suite struct PruneCommandTests {
    /// Five snapshots, each with a full bundle, and an old log.
    private func programs(_ settings: String) throws -> Programs {
        let programs = try Programs()
        try programs.prepare()
        for number in 1...5 {
            try programs.put("foo-\(number)")
            _ = try programs.online("snapshot")
            _ = try programs.online("bundle")
        }
        let log = "\(programs.root)/online-state/logs/\(old)"
        try programs.makeDirectory("\(programs.root)/online-state/logs")
        try programs.write("old", to: log)
        try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSince1970: 1_577_836_800)], ofItemAtPath: log)
        try programs.write(settings, to: "\(programs.root)/online-state/ferry.yaml")
        return programs
    }

    private let old = "0.log"
    private let strict = "retention: {snapshots: {count: 1}, artifacts: {count: 1}}\n"

    @Test func `a dry run prints what a run prints, and removes nothing`() throws {
        let programs = try programs(strict)
        let state = "\(programs.root)/online-state"
        let dry = try programs.online("prune", "--dry-run")
        #expect(dry.status == 0 && dry.messages.contains("would be free"))
        #expect(try programs.names(in: "\(state)/artifacts").count == 5 && programs.names(in: "\(state)/logs").contains(old))
        let real = try programs.online("prune")
        #expect(real.status == 0 && real.output == dry.output && real.messages.contains("are to be freed"))
        #expect(real.messages.contains("kept: snapshot"))
        let lines = real.output.split(separator: "\n").map { $0.split(separator: " ")[0] }
        #expect(lines == ["log", "bundle", "bundle", "bundle", "bundle", "snapshot", "snapshot"])
        #expect(try programs.names(in: "\(state)/artifacts").count == 1)
        #expect(try programs.online("snapshots").output.split(separator: "\n").count == 3)
        // What it did is in the log of its job: the twelfth, after five snapshots, five bundles and the dry run.
        #expect(try !programs.names(in: "\(state)/logs").contains(old))
        let log = try String(contentsOfFile: "\(state)/logs/12.log", encoding: .utf8)
        #expect(lines.allSatisfy { log.contains("Z \($0)  ") } && log.contains("Z succeeded: "))
        #expect(try programs.online("prune").messages.contains("there is nothing to remove"))
    }

    @Test func `by default old logs go and nothing else`() throws {
        let programs = try programs("")
        let run = try programs.online("prune", "--json")
        #expect(run.status == 0 && run.output.contains(#""kind":"log""#) && run.output.contains(#""forms":[]"#))
        #expect(!run.output.contains(#""kind":"bundle""#) && !run.output.contains(#""kind":"snapshot""#))
        #expect(try programs.names(in: "\(programs.root)/online-state/artifacts").count == 5)
    }

    @Test func `a pruned bundle is listed so, and its export says how to make it again`() throws {
        let programs = try programs(strict)
        #expect(try programs.online("prune").status == 0)
        let bundles = try programs.online("bundles").output.split(separator: "\n")
        #expect(bundles.map { $0.contains("  pruned 20") } == [false, true, true, true, true])
        #expect(try programs.online("bundles", "--json").output.split(separator: "\n").map { $0.contains(#""pruned":null"#) }[0])
        let id = String(bundles[1].prefix { $0 != " " })
        let refusal = try programs.online("export", id, "--to", programs.stick)
        #expect(refusal.status == 1 && refusal.messages.contains("was pruned at 20"))
        let command = try #require(refusal.messages.split(separator: "\"").first { $0.hasPrefix("ferry-online bundle") })
        let again = try programs.online(command.split(separator: " ").dropFirst().map(String.init), [:])
        #expect(again.status == 0)
        #expect(try programs.online("export", "--to", programs.stick).status == 0)
        // The oldest one's snapshot is gone, too.
        let oldest = try programs.online("export", String(bundles[4].prefix { $0 != " " }), "--to", programs.stick)
        #expect(oldest.status == 1 && oldest.messages.contains("ferry-online snapshot"))
    }

    @Test func `a prune is refused while another command writes`() throws {
        let programs = try programs(strict)
        let lock = try #require(FileHandle(forUpdatingAtPath: "\(programs.root)/online-state/lock"))
        #expect(flock(lock.fileDescriptor, LOCK_EX | LOCK_NB) == 0)
        let run = try programs.online("prune")
        #expect(run.status == 11)
        #expect(try programs.names(in: "\(programs.root)/online-state/artifacts").count == 5)
    }
}
