import RegistryHarness
import SystemPackage
import Testing

/// `ferry-online refresh` as a person runs it.
@Suite struct RefreshCommandTests {
    @Test func `without a registry nothing is done, and it is said how to name one`() throws {
        let programs = try Programs()
        let refusal = try programs.online("refresh", "full", "--registry", "http://127.0.0.1:1")
        #expect(refusal.status == 1)
        #expect(refusal.messages.contains("http://127.0.0.1:1"))
        #expect(refusal.messages.contains("--registry"))
    }

    @Test(arguments: [
        ["--platform", "linux"], ["--policy", "all"], ["--node", "twenty"], ["--parallelism", "0"], ["--driver", "pnpm"],
    ])
    func `what is no option is refused`(arguments: [String]) throws {
        let programs = try Programs()
        #expect(try programs.online("refresh", "full", arguments[0], arguments[1]).status == 64)
    }

    @Test func `a delta needs a time that is one`() throws {
        #expect(try Programs().online("refresh", "delta", "--minutes", "0").status == 64)
    }

    @Test func `a refresh ends with 4 where something could not be had, and with 0 once it could`() async throws {
        let programs = try Programs()
        try await ScriptedUpstream.run { upstream in
            let (good, bad) = (SamplePackage("good", "1.0.0"), SamplePackage("bad", "1.0.0"))
            upstream.set(good)
            upstream.set(bad)
            upstream.set("/bad/-/bad-1.0.0.tgz", .page)
            var settings = RegistryProcess.Options(uplink: upstream.url)
            settings.uplinkSettings = "maxage: 0s"
            try await RegistryProcess.run(.standIn, settings) { registry in
                let options = ["--registry", registry.url, "--storage", registry.storage.string, "--upstream", upstream.url]
                func refresh(_ more: String...) throws -> Run { try programs.online(["refresh", "full"] + options + more) }
                #expect(try programs.online("want", "good", "bad").status == 0)

                let plan = try refresh("--dry-run")
                #expect(plan.status == 0)
                #expect(plan.output.contains("tarballs: 2 needed, 0 present, 2 to fetch"))

                let first = try refresh()
                #expect(first.status == 4)
                #expect(first.output.contains("+ good 1.0.0"))
                #expect(first.messages.contains("bad/bad-1.0.0.tgz"))
                #expect(first.messages.contains("incomplete: 1 tarball-mismatch"))

                upstream.set(bad)
                let second = try refresh("--json")
                #expect(second.status == 0)
                #expect(second.output.contains(#""ending":"complete""#))
                #expect(second.output.contains(#""newVersions":[{"package":"bad","versions":["1.0.0"]}]"#))
                #expect(try registry.names(in: "bad") == ["bad-1.0.0.tgz", "package.json"])
            }
        }
    }
}
