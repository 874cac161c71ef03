import Foundation
import RegistryHarness
import SystemPackage
import Testing

/// There and back with sticks, as people do it: both programs, a registry inside, and npm.
@Suite struct RoundTripTests {
    /// Both sides, and the registry inside.
    private struct Route {
        let programs: Programs
        let registry: RegistryProcess
        let destination: String

        func stick(_ name: String) throws -> String {
            let path = "\(programs.root)/sticks/\(name)"
            try programs.makeDirectory(path)
            return path
        }

        /// A version of a package with a real archive that needs others, in the connected storage; the newest is `latest`.
        func publish(_ name: String, _ versions: [(version: String, needs: [String: String])]) throws {
            let directory = "\(programs.connected)/\(name)"
            try programs.makeDirectory(directory)
            var entries: [String: Any] = [:]
            for (version, needs) in versions {
                let made = "\(programs.root)/made/\(name)-\(version)"
                try programs.makeDirectory("\(made)/package")
                let manifest: [String: Any] = ["name": name, "version": version, "dependencies": needs]
                try JSONSerialization.data(withJSONObject: manifest, options: .sortedKeys)
                    .write(to: URL(fileURLWithPath: "\(made)/package/package.json"))
                let file = "\(name)-\(version).tgz"
                if !FileManager.default.fileExists(atPath: "\(directory)/\(file)") {
                    let run = try programs.run("/usr/bin/tar", ["-C", made, "-czf", "\(directory)/\(file)", "package"])
                    try #require(run.status == 0)
                }
                entries[version] = manifest.merging(["dist": ["tarball": "http://localhost/\(name)/-/\(file)"]]) { $1 }
            }
            let document: [String: Any] = [
                "name": name, "versions": entries, "dist-tags": ["latest": versions.last?.version ?? ""], "_attachments": [String: Any](),
            ]
            try JSONSerialization.data(withJSONObject: document, options: .sortedKeys)
                .write(to: URL(fileURLWithPath: "\(directory)/package.json"))
        }

        /// Makes a bundle to what is published now, puts it on a stick, and returns what the program says of it.
        func carry(to stick: String, _ arguments: String...) throws -> [String: Any] {
            let made = try programs.online(["bundle", "--json"] + arguments)
            try #require(made.status == 0, "\(made.messages)")
            let object = try #require(try JSONSerialization.jsonObject(with: Data(made.output.utf8)) as? [String: Any])
            let exported = try programs.online("export", try #require(object["bundle"] as? String), "--to", stick)
            try #require(exported.status == 0, "\(exported.messages)")
            return object
        }

        func bundle(to stick: String) throws -> [String: Any] { try carry(to: stick, "--destination", destination, "--target", "new") }

        func bring(_ stick: String) throws -> Run {
            try programs.offline("import", stick, "--registry", registry.url, "--check", "all", storage: registry.storage.string)
        }

        /// The versions of what npm installs inside, by name.
        func install(_ name: String) throws -> [String: String] {
            let project = "\(programs.root)/projects/\(UUID().uuidString)"
            try programs.makeDirectory(project)
            let run = try programs.run(
                "/usr/bin/env",
                [
                    "npm", "install", name, "--registry", registry.url, "--prefix", project, "--cache", "\(project)/cache", "--no-audit",
                    "--no-fund", "--fetch-retries", "0",
                ])
            try #require(run.status == 0, "\(run.messages)")
            var versions: [String: String] = [:]
            for package in try programs.names(in: "\(project)/node_modules") where !package.hasPrefix(".") {
                let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(project)/node_modules/\(package)/package.json"))
                versions[package] = try (JSONSerialization.jsonObject(with: bytes) as? [String: Any])?["version"] as? String
            }
            return versions
        }
    }

    /// A route whose destination has introduced itself.
    private func travel(_ program: RegistryProgram = .standIn, _ body: (Route) throws -> Void) async throws {
        let programs = try Programs()
        try programs.prepare()
        try await RegistryProcess.run(program) { registry in
            let named = try programs.offline("init", "--name", "Plant 7")
            let destination = named.output.trimmingCharacters(in: .newlines)
            let fingerprint = try #require(named.messages.components(separatedBy: "fingerprint of its key ").last)
                .trimmingCharacters(in: .whitespacesAndNewlines)
            let route = Route(programs: programs, registry: registry, destination: destination)
            let stick = try route.stick("card")
            #expect(try programs.offline("receipt", "--to", stick, storage: registry.storage.string).status == 0)
            let read = try programs.online("receive", stick)
            #expect(read.status == 0 && read.output.contains("new destination \"Plant 7\""), "\(read)")
            #expect(read.output.contains(fingerprint))
            let wrong = try programs.online("destinations", "confirm", destination, "--fingerprint", "0000 1111")
            #expect(wrong.status == 1 && wrong.messages.contains("not the one that was given"))
            #expect(try programs.online("destinations", "confirm", destination, "--fingerprint", fingerprint).status == 0)
            try body(route)
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `what a lost stick carried comes with the next one`(program: RegistryProgram) async throws {
        try await travel(program) { route in
            try route.publish("lib", [("1.0.0", [:])])
            try route.publish("app", [("1.0.0", ["lib": "^1.0.0"])])
            let first = try route.stick("first")
            _ = try route.bundle(to: first)
            #expect(try route.bring(first).status == 0)
            #expect(try route.install("app") == ["app": "1.0.0", "lib": "1.0.0"])
            let back = try route.programs.online("receive", first)
            #expect(back.status == 0 && back.output.contains("has state #1"), "\(back)")
            #expect(try route.programs.online("receive", first).output.contains("read before"))

            try route.publish("lib", [("1.0.0", [:]), ("1.1.0", [:])])
            let lost = try route.bundle(to: try route.stick("lost"))
            #expect(lost["baseline"] is String)

            try route.publish("app", [("1.0.0", ["lib": "^1.0.0"]), ("1.2.0", ["lib": "^1.1.0"])])
            let third = try route.stick("third")
            _ = try route.bundle(to: third)
            #expect(try route.bring(third).status == 0)
            #expect(try route.install("app") == ["app": "1.2.0", "lib": "1.1.0"])
            #expect(try route.programs.online("destinations").output.contains("2 bundle(s) beyond that: #2 #3"))
            #expect(try route.programs.online("receive", third).output.contains("has state #3"))
            #expect(try !route.programs.online("destinations").output.contains("beyond that"))
            // The first receipt again: it says less than is known.
            let replay = try route.programs.online("receive", first)
            #expect(replay.status == 3 && replay.output.contains("the last receipt had"), "\(replay)")
            #expect(try route.programs.online("destinations").output.contains("has state #3"))
        }
    }

    @Test(arguments: RegistryProgram.all)
    func `a bundle that came before its time says what it lacks, and gets just that`(program: RegistryProgram) async throws {
        try await travel(program) { route in
            try route.publish("big", [("1.0.0", [:])])
            try route.publish("lib", [("1.0.0", [:])])
            try route.publish("app", [("1.0.0", ["lib": "^1.0.0"])])
            let first = try route.stick("first")
            _ = try route.bundle(to: first)
            _ = try route.bring(first)
            _ = try route.programs.online("receive", first)

            try route.publish("lib", [("1.0.0", [:]), ("1.1.0", [:])])
            try route.publish("new", [("1.0.0", [:])])
            let late = try route.stick("late")
            _ = try route.bundle(to: late)
            try route.publish("app", [("1.0.0", ["lib": "^1.0.0"]), ("1.1.0", ["lib": "^1.1.0", "new": "*"])])
            let early = try route.stick("early")
            _ = try route.carry(to: early, "--destination", route.destination, "--target", "new", "--baseline", "last-bundle")
            let refused = try route.bring(early)
            #expect(refused.status == 13 && refused.messages.contains("lib/lib-1.1.0.tgz"), "\(refused.messages)")
            #expect(try route.install("app") == ["app": "1.0.0", "lib": "1.0.0"])

            let read = try route.programs.online("receive", early)
            let request = try #require(read.output.firstMatch(of: /r-[0-9a-z]{20}/)).output
            #expect(read.output.contains("4 files that bundle"), "\(read.output)")
            let filler = try route.carry(to: early, "--request", String(request))
            let counts = try #require(filler["counts"] as? [String: Any])
            #expect(counts["files"] as? Int == 4 && counts["packages"] as? Int == 2, "\(filler)")
            let both = try route.bring(early)
            #expect(both.status == 0, "\(both.messages)")
            #expect(try route.install("app") == ["app": "1.1.0", "lib": "1.1.0", "new": "1.0.0"])
            let closed = try route.programs.online("receive", early)
            #expect(closed.output.contains("has state #3"), "\(closed.output)")
            #expect(try route.programs.online("requests").output.contains("fulfilled"))

            // The one that was late changes nothing any more.
            #expect(try route.bring(late).status == 0)
            #expect(try route.install("app") == ["app": "1.1.0", "lib": "1.1.0", "new": "1.0.0"])
            #expect(try route.programs.online("receive", late).output.contains("has state #3"))
        }
    }

    @Test func `what is gone inside is missing in the receipt, and carried again`() async throws {
        try await travel { route in
            try route.publish("lib", [("1.0.0", [:])])
            try route.publish("app", [("1.0.0", ["lib": "^1.0.0"])])
            let stick = try route.stick("stick")
            _ = try route.bundle(to: stick)
            _ = try route.bring(stick)
            try route.programs.remove("\(route.registry.storage)/lib/lib-1.0.0.tgz")
            let receipt = try route.programs.offline("receipt", "--to", stick, storage: route.registry.storage.string)
            #expect(receipt.messages.contains("1 files of it are missing"), "\(receipt.messages)")
            #expect(try route.programs.online("receive", stick).output.contains("1 files of it are missing"))
            let made = try route.bundle(to: stick)
            #expect((made["counts"] as? [String: Any])?["files"] as? Int == 2, "\(made)")
            #expect(try route.bring(stick).status == 0)
            #expect(try route.install("app") == ["app": "1.0.0", "lib": "1.0.0"])
            #expect(try !route.programs.online("receive", stick).output.contains("missing"))
        }
    }

    @Test func `what is asked for comes once it is approved, and the receipt closes the request`() async throws {
        try await travel { route in
            try route.publish("app", [("1.0.0", [:])])
            let stick = try route.stick("stick")
            _ = try route.bundle(to: stick)
            _ = try route.bring(stick)
            let asked = try route.programs.offline(
                "request", "extra@^1", "app", "--to", stick, storage: route.registry.storage.string)
            #expect(asked.status == 0 && asked.output.hasSuffix("extra@^1\n"), "\(asked)")
            let request = try #require(asked.output.firstMatch(of: /r-[0-9a-z]{20}/)).output
            #expect(try route.programs.online("receive", stick).output.contains("1 package(s), new"))
            #expect(try route.programs.online("want").output.isEmpty)
            #expect(try route.programs.online("requests", "approve", String(request)).status == 0)
            #expect(try route.programs.online("want", "--json").output.contains("extra@^1"))
            // What a refresh would bring.
            try route.publish("extra", [("1.4.0", [:])])
            _ = try route.bundle(to: stick)
            #expect(try route.bring(stick).status == 0)
            #expect(try route.install("extra") == ["extra": "1.4.0"])
            #expect(try route.programs.online("receive", stick).status == 0)
            #expect(try route.programs.online("requests").output.contains("fulfilled"))
            #expect(try route.programs.online("want").output.isEmpty)
            #expect(try route.programs.offline("request", "--list", storage: route.registry.storage.string).output.isEmpty)
            #expect(try route.programs.names(in: "\(stick)/ferry/requests").isEmpty)
        }
    }

    @Test func `forged, foreign and unconfirmed documents are refused by name, and change nothing`() async throws {
        try await travel { route in
            try route.publish("app", [("1.0.0", [:])])
            let stick = try route.stick("stick")
            _ = try route.bundle(to: stick)
            _ = try route.bring(stick)
            let receipts = "\(stick)/ferry/receipts"
            let name = try #require(try route.programs.names(in: receipts).first { $0.hasSuffix(".json") })
            let text = try String(contentsOfFile: "\(receipts)/\(name)", encoding: .utf8)
            try route.programs.write(text.replacing("\"counter\":1", with: "\"counter\":9"), to: "\(receipts)/\(name)")
            let forged = try route.programs.online("receive", stick)
            #expect(
                forged.status == 3 && forged.output.contains("\(name)\": ") && forged.output.contains("is not signed by key"), "\(forged)")
            #expect(try route.programs.online("destinations").output.contains("no receipt yet"))
            try route.programs.write(text, to: "\(receipts)/\(name)")
            try route.programs.remove("\(receipts)/\(name).minisig")
            #expect(try route.programs.online("receive", stick).output.contains("has no signature beside it"))
            // Another origin reads the same stick: it knows nobody.
            let other = try route.programs.online(
                ["receive", stick], ["FERRY_ONLINE_STATE": "\(route.programs.root)/other-state"])
            #expect(other.status == 3 && other.output.contains("is not confirmed"), "\(other)")
        }
    }
}
