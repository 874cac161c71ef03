import Foundation
import RegistryHarness
import SystemPackage
import Testing

/// What "doctor" of either program finds, and what it says to do.
@Suite struct DoctorCommandTests {
    /// What it says for machines.
    private struct Diagnosis: Decodable {
        struct Finding: Decodable {
            let level: String
            let topic: String
            let message: String
            let advice: String?
        }

        let level: String
        let findings: [Finding]

        init(_ run: Run) throws { self = try JSONDecoder().decode(Diagnosis.self, from: Data(run.output.utf8)) }

        /// Whether something of that level was found, about a topic, in such words.
        func has(_ level: String, _ topic: String, _ words: String) -> Bool {
            findings.contains {
                $0.level == level && $0.topic == topic && $0.message.contains(words) && ($0.advice == nil) == (level == "ok")
            }
        }
    }

    /// A connected side as it should be: settings that name Verdaccio's configuration, a registry that answers, and a key.
    private func withConnectedSide(_ body: (Programs, String) throws -> Void) async throws {
        let programs = try Programs()
        try await ScriptedUpstream.run { upstream in
            try await RegistryProcess.run(.standIn, RegistryProcess.Options(uplink: upstream.url)) { registry in
                try programs.makeDirectory("\(programs.root)/online-state")
                let settings = "\(programs.root)/online-state/ferry.yaml"
                let config = registry.storage.removingLastComponent().appending("config.yaml")
                try programs.write(
                    "verdaccio: {config: \(config), registry: \(registry.url)}\nspace: {critical: {free: off, free-percent: off}}",
                    to: settings)
                _ = try programs.online("keys", "generate")
                try body(programs, settings)
            }
        }
    }

    private func online(_ programs: Programs, _ variables: [String: String] = [:]) throws -> (Run, Diagnosis) {
        let run = try programs.online(["doctor", "--json"], variables.merging(["FERRY_STORAGE": ""]) { $1 })
        return (run, try Diagnosis(run))
    }

    @Test func `a connected side that is as it should be has no errors, and is not changed`() async throws {
        try await withConnectedSide { programs, _ in
            let before = try programs.names(in: "\(programs.root)/online-state")
            let (run, diagnosis) = try online(programs)
            #expect(run.status == 0, "\(run)")
            for (topic, words) in [
                ("settings", "is good"), ("verdaccio", "uplinks: up"), ("verdaccio", "it answers at"), ("storage", "can be written to"),
                ("state", "can be written to"), ("keys", "every bundle is signed by"), ("clock", "it says 20"),
            ] { #expect(diagnosis.has("ok", topic, words), "\(topic): \(words)") }
            #expect(diagnosis.has("warning", "schedule", "no server runs on this state"))
            #expect(try programs.names(in: "\(programs.root)/online-state") == before)
            let words = try programs.online(["doctor"], ["FERRY_STORAGE": ""])
            #expect(words.status == 0 && words.output.contains("→ systemctl start ferry-online") && words.messages.contains("warning"))
        }
    }

    /// What is wrong, what is done to make it so, and what is found.
    static let faults: [(name: String, topic: String, words: String)] = [
        ("setting", "settings", "there is no such key"), ("readable key", "keys", "others can read"),
        ("broken key", "keys", ".key\""), ("catalog", "state", "data.sqlite"), ("newer jobs", "state", "has form 99"),
        ("silent registry", "verdaccio", "it does not answer"), ("no configuration", "verdaccio", "there is no"),
        ("no storage", "storage", "is not there"), ("full disk", "disk", "free"),
    ]

    @Test(arguments: faults)
    func `what is wrong with a connected side is found, with what to do`(name: String, topic: String, words: String) async throws {
        try await withConnectedSide { programs, settings in
            let state = "\(programs.root)/online-state"
            let key = try #require(try programs.names(in: "\(state)/keys").first { $0.hasSuffix(".key") })
            var variables: [String: String] = [:]
            switch name {
            case "setting": try programs.write("storrage: /x", to: settings)
            case "readable key": try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: "\(state)/keys/\(key)")
            case "broken key": try programs.write("no key", to: "\(state)/keys/\(key)")
            case "catalog":
                _ = try programs.online("keys", "show")
                try programs.write(String(repeating: "no database ", count: 1000), to: "\(state)/data.sqlite")
            case "newer jobs":
                _ = try programs.online("jobs")
                let sql =
                    "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute(\"INSERT INTO grdb_migrations VALUES ('99')\"); c.commit()"
                #expect(try programs.run("/usr/bin/python3", ["-c", sql, "\(state)/jobs.sqlite"]).status == 0)
            case "silent registry": variables["FERRY_REGISTRY"] = "http://127.0.0.1:1"
            case "no configuration": variables["FERRY_VERDACCIO_CONFIG"] = "\(programs.root)/nowhere.yaml"
            case "no storage": variables["VERDACCIO_STORAGE_PATH"] = "\(programs.root)/nowhere"
            default:
                variables["FERRY_SPACE_WARNING_FREE"] = "1024 TiB"
                variables["FERRY_SPACE_CRITICAL_FREE"] = "1024 TiB"
            }
            let (run, diagnosis) = try online(programs, variables)
            #expect(run.status == 3 && diagnosis.level == "error" && diagnosis.has("error", topic, words), "\(run)")
        }
    }

    @Test func `a key whose passphrase is not given, and a registry that is no proxy, are found`() async throws {
        try await withConnectedSide { programs, _ in
            _ = try programs.online(["keys", "generate"], ["FERRY_KEY_PASSPHRASE": "secret"])
            let (run, diagnosis) = try online(programs)
            #expect(
                run.status == 3 && diagnosis.findings.contains { $0.topic == "keys" && $0.advice == "give it in FERRY_KEY_PASSPHRASE" },
                "\(run)")
            #expect(try online(programs, ["FERRY_KEY_PASSPHRASE": "secret"]).0.status == 0)
            let alone = "\(programs.root)/alone.yaml"
            try programs.write("storage: \(programs.connected)", to: alone)
            let (_, other) = try online(programs, ["FERRY_VERDACCIO_CONFIG": alone, "FERRY_KEY_PASSPHRASE": "secret"])
            #expect(other.has("error", "verdaccio", "names no uplink"))
        }
    }

    private func offline(_ programs: Programs, _ words: String..., storage: String? = nil) throws -> (Run, Diagnosis) {
        let run = try programs.offline(["doctor", "--json"] + words, storage.map { ["FERRY_STORAGE": $0] } ?? [:])
        return (run, try Diagnosis(run))
    }

    @Test func `an isolated side that is as it should be has no errors`() async throws {
        let programs = try Programs()
        try programs.prepare()
        try programs.put("foo")
        try programs.carry()
        try await RegistryProcess.run(.standIn) { registry in
            _ = try programs.offline("init", "--registry", registry.url)
            _ = try programs.offline("import", programs.stick, storage: registry.storage.string)
            let config = registry.storage.removingLastComponent().appending("config.yaml")
            let (run, diagnosis) = try offline(programs, "--verdaccio-config", config.string)
            #expect(run.status == 0 && diagnosis.level != "error", "\(run)")
            for (topic, words) in [
                ("state", "can be written to"), ("ledger", "this is destination d-"), ("ledger", "1 entries are as they were written"),
                ("trust", "is trusted for o-"), ("storage", "can be written to"), ("verdaccio", "names no uplink"),
                ("verdaccio", "it answers"),
                ("restart", "none"), ("clock", "it says 20"),
            ] { #expect(diagnosis.has("ok", topic, words), "\(topic): \(words)") }
        }
    }

    @Test func `what is wrong with an isolated side is found, with what to do`() throws {
        let programs = try Programs()
        let (nothing, first) = try offline(programs)
        #expect(nothing.status == 3 && first.has("error", "state", "is not there"), "\(nothing)")
        _ = try programs.offline("init", "--registry", "http://127.0.0.1:1", "--restart", "command:true")
        let (untrusted, second) = try offline(programs, storage: "\(programs.root)/nowhere")
        #expect(untrusted.status == 3 && second.has("error", "trust", "no key is trusted, so every bundle is refused"), "\(untrusted)")
        #expect(second.has("error", "storage", "there is no storage at") && second.has("error", "verdaccio", "it does not answer"))
        let proxy = "\(programs.root)/proxy.yaml"
        try programs.write(
            "storage: \(programs.isolated)\nuplinks: {up: {url: 'http://up.example/'}}\npackages: {'**': {proxy: up}}", to: proxy)
        #expect(try offline(programs, "--verdaccio-config", proxy).1.has("error", "verdaccio", "installs wait for the network"))
        _ = try programs.offline("init", "--allow-unsigned-bundles")
        #expect(try offline(programs).1.has("warning", "trust", "unsigned bundles are accepted"))
        let (missing, third) = try offline(programs, "--restart", "docker:registry")
        #expect(missing.status == 3 && (third.has("error", "restart", "docker") || third.has("ok", "restart", "docker")), "\(missing)")
    }

    @Test func `a ledger that was changed, or an import that did not end, is found`() throws {
        let programs = try Programs()
        try programs.prepare()
        try programs.put("foo")
        try programs.carry()
        _ = try programs.offline("import", programs.stick)
        func change(_ sql: String) throws {
            let program = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute(sys.argv[2]); c.commit()"
            let ledger = "\(programs.root)/offline-state/ledger.sqlite"
            #expect(try programs.run("/usr/bin/python3", ["-c", program, ledger, sql]).status == 0)
        }
        try change("UPDATE import SET operator = 'somebody'")
        let (changed, first) = try offline(programs)
        #expect(changed.status == 3 && first.has("error", "ledger", "it was changed after it was written"), "\(changed)")
        try change("UPDATE import SET state = 'applying'")
        #expect(try offline(programs).1.has("warning", "ledger", "entry 1 did not end"))
    }
}
