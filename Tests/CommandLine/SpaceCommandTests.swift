import Testing

/// `ferry-online space` as a person runs it, and what other commands say of full disks.
@Suite struct SpaceCommandTests {
    @Test func `space tells what takes the room, and keeps it`() throws {
        let programs = try Programs()
        try programs.put("foo")
        let run = try programs.online("space")
        #expect(run.status == 0)
        let lines = run.output.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
        #expect(lines.contains { $0.hasPrefix("storage ") && $0.hasSuffix("2 files") } && lines.contains { $0.hasPrefix("snapshots ") })
        #expect(lines.contains { $0.hasPrefix("disk of storage and state: ") && $0.contains("not known yet: measured since ") })
        let json = try programs.online("space", "--json")
        #expect(json.status == 0 && json.output.contains(#""kept":true"#) && json.output.contains(#""name":"storage""#))
        #expect(json.messages == "" || json.messages.contains("fills up"))
    }

    @Test func `a level that is passed is warned of by space, refresh, scan, snapshot and bundle, and fails none`() throws {
        let programs = try Programs()
        try programs.prepare()
        try programs.put("foo")
        // More than any disk has free.
        try programs.write("space: {warning: {free: 1000000 TiB}}\n", to: "\(programs.root)/online-state/ferry.yaml")
        for command in ["space", "scan", "snapshot", "bundle"] {
            let run = try programs.online(command)
            #expect(run.status == 0, "\(command)")
            let warning = "warning: the disk that holds storage and state fills up: "
            #expect(run.messages.split(separator: "\n").count { $0.hasPrefix(warning) } == 1, "\(command)")
        }
        let refresh = try programs.online("refresh", "full", "--registry", "http://127.0.0.1:1")
        #expect(refresh.status == 1 && refresh.messages.contains("fills up"))
        try programs.write("space: {critical: {free: 1000000 TiB}, warning: {free: off}}\n", to: "\(programs.root)/online-state/ferry.yaml")
        #expect(try programs.online("space").messages.contains("critical: the disk"))
        #expect(try programs.online("space", "--json").output.contains(#""level":"critical""#))
    }

    @Test func `a storage that is not there is an error that names it`() throws {
        let programs = try Programs()
        try programs.remove(programs.connected)
        let run = try programs.online("space")
        #expect(run.status == 1 && run.messages.contains(programs.connected))
    }
}
