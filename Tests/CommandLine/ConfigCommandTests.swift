import Testing

/// `ferry-online config` as a person runs it, and settings as other commands meet them.
@Suite struct ConfigCommandTests {
    private func programs(_ yaml: String) throws -> Programs {
        let programs = try Programs()
        try programs.makeDirectory("\(programs.root)/online-state")
        try programs.write(yaml, to: "\(programs.root)/online-state/ferry.yaml")
        return programs
    }

    @Test func `the example is good as it is printed`() throws {
        let programs = try Programs()
        let example = try programs.online("config", "example")
        #expect(example.status == 0 && example.messages == "")
        let file = "\(programs.root)/example.yaml"
        try programs.write(example.output, to: file)
        let checked = try programs.online("config", "check", file)
        #expect(checked.status == 0 && checked.messages.contains("example.yaml\" is good"))
    }

    @Test func `what is wrong is said with its line, by check and by every command, and nothing is done`() throws {
        let programs = try programs("storage: /s\nretention:\n  logs: {age: 3 moons}\nspaces: {}\n")
        for arguments in [["config", "check"], ["config", "show"], ["snapshot"], ["bundles"], ["scan"], ["refresh", "full"]] {
            let run = try programs.online(arguments)
            #expect(run.status == 78 && run.output == "", "\(arguments)")
            #expect(run.messages.contains("ferry.yaml\", line 3: retention.logs.age: \"3 moons\" has an unknown unit"))
            #expect(run.messages.contains("ferry.yaml\", line 4: spaces: there is no such key; did you mean \"space\"?"))
        }
        #expect(try programs.names(in: "\(programs.root)/online-state") == ["ferry.yaml"])
        let json = try programs.online("config", "check", "--json")
        #expect(json.status == 78 && json.output.contains(#""line":3"#) && json.output.contains(#""line":4"#))
        try programs.write("", to: "\(programs.root)/empty.yaml")
        #expect(try programs.online("config", "show", "--platform", "linux", "--config", "\(programs.root)/empty.yaml").status == 64)
    }

    @Test func `show tells of each value where it comes from`() throws {
        let programs = try programs("storage: /s\nverdaccio:\n  registry: http://npm.lan\n")
        let show = try programs.online("config", "show", "--platform", "win32-x64")
        #expect(show.status == 0)
        let lines = show.output.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
        #expect(lines.contains("storage \(programs.connected) environment variable FERRY_STORAGE"))
        #expect(lines.contains("verdaccio.registry http://npm.lan \"\(programs.root)/online-state/ferry.yaml\", line 3"))
        #expect(lines.contains("platforms win32-x64 flag --platform") && lines.contains("retention.logs.age 90 days default"))
        let json = try programs.online("config", "show", "--json")
        let free = #""key":"space.warning.free","source":{"kind":"default"},"value":"10 GiB","variable":"FERRY_SPACE_WARNING_FREE""#
        #expect(json.output.contains(free))
    }

    @Test func `commands take what the file says: state, storage and verdaccio's own configuration`() throws {
        let programs = try Programs()
        try programs.put("foo", in: "\(programs.root)/verdaccio/corp")
        try programs.write("storage: ./verdaccio\npackages: {foo: {storage: corp}}\n", to: "\(programs.root)/config.yaml")
        let file = "\(programs.root)/ferry.yaml"
        try programs.write("state: other-state\nverdaccio: {config: config.yaml}\n", to: file)
        let variables = ["FERRY_STORAGE": "", "FERRY_ONLINE_STATE": "", "FERRY_CONFIG": file]
        let snapshot = try programs.online(["snapshot"], variables)
        #expect(snapshot.status == 0 && snapshot.messages.contains("1 packages, 2 files"))
        #expect(try programs.names(in: "\(programs.root)/other-state").contains("snapshots"))
        let refresh = try programs.online(["refresh", "full", "--registry", "http://127.0.0.1:1"], variables)
        #expect(refresh.status == 1 && refresh.messages.contains("http://127.0.0.1:1"))
        #expect(try programs.online(["snapshot"], ["FERRY_CONFIG": "/no/such/file"]).status == 78)
        #expect(try programs.online(["snapshot", "--config", "/no/such/file"]).status == 64)
    }
}
