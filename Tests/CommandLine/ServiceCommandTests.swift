import Foundation
import RegistryHarness
import SystemPackage
import Testing

/// An import ends only when the registry serves what it brought.
@Suite struct ServiceCommandTests {
    private func carried() throws -> Programs {
        let programs = try Programs()
        try programs.prepare()
        for name in ["foo", "@scope/bar", "baz"] { try programs.put(name) }
        try programs.carry()
        return programs
    }

    @Test(arguments: ["all", "sample", "2"])
    func `what came in is fetched from the registry and compared`(extent: String) async throws {
        let programs = try carried()
        try await RegistryProcess.run(.standIn) { registry in
            let run = try programs.offline(
                "import", programs.stick, "--registry", registry.url, "--check", extent, storage: registry.storage.string)
            let count = extent == "2" ? 2 : 3
            #expect(run.status == 0 && run.messages.contains("\(count) packuments and \(count) tarballs compared"), "\(run.messages)")
        }
    }

    @Test func `where the registry does not serve it, the import is undone and ends with 14`() async throws {
        let programs = try carried()
        try await RegistryProcess.run(.standIn) { registry in
            // It serves another storage than the one that was named.
            let run = try programs.offline("import", programs.stick, "--registry", registry.url)
            #expect(run.status == 14 && run.messages.contains("the answer is 404"), "\(run.messages)")
        }
        #expect(try programs.names(in: programs.isolated).filter { $0 != ".ferry-backups" && $0 != "@scope" } == [])
        #expect(try programs.names(in: "\(programs.isolated)/@scope") == [])
        let history = try programs.offline("history", "--json").output
        #expect(history.contains("\"state\":\"rolled-back\"") && history.contains("\"kind\":\"rollback\""))
        #expect(try programs.offline("import", programs.stick).output.contains("3 added"))
    }

    @Test func `a tarball that is served with other bytes undoes the import`() async throws {
        let programs = try carried()
        try await RegistryProcess.run(.standIn) { registry in
            let storage = registry.storage.string
            let spoil = "command:printf other > \(storage)/baz/baz-1.0.0.tgz"
            let run = try programs.offline(
                "import", programs.stick, "--registry", registry.url, "--restart", spoil, "--check", "all", storage: storage)
            #expect(run.status == 14 && run.messages.contains("baz/baz-1.0.0.tgz"), "\(run.messages)")
            // Its packument declares no digest, so what lies there now is not known to be the import's.
            #expect(try programs.names(in: storage).filter { !$0.hasPrefix(".ferry") } == ["@scope", "baz"])
        }
    }

    @Test func `a registry that does not answer, and that nothing starts, is refused with 13 before anything is changed`() async throws {
        let programs = try carried()
        let url = try await RegistryProcess.run(.standIn) { $0.url }
        let run = try programs.offline("import", programs.stick, "--registry", url)
        #expect(run.status == 13 && run.messages.contains("does not answer"))
        #expect(try programs.names(in: programs.isolated) == [])
    }

    @Test func `what is said at init is done at each import`() async throws {
        let programs = try carried()
        let mark = "\(programs.root)/restarted"
        #expect(try programs.offline("init", "--restart", "command:echo again >> \(mark)", "--check", "none").status == 0)
        #expect(try programs.offline("import", programs.stick).status == 0)
        #expect(try String(contentsOfFile: mark, encoding: .utf8) == "again\n")
        try programs.put("more")
        try programs.carry()
        let failing = try programs.offline("import", programs.stick, "--restart", "command:echo no such service >&2; exit 5")
        #expect(failing.status == 14 && failing.messages.contains("no such service"))
        #expect(!(try programs.names(in: programs.isolated)).contains("more"))
    }

    @Test(arguments: [["--registry", "https://localhost"], ["--restart", "docker"], ["--check", "some"], ["--check", "all"]])
    func `wrong words are wrong usage, 64`(words: [String]) throws {
        let programs = try Programs()
        try programs.prepare()
        #expect(try programs.offline(["import", programs.stick] + words).status == 64)
    }
}
