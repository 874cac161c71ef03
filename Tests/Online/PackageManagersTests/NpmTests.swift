import Foundation
import PackageManagers
import PackageStore
import Platform
import RegistryHarness
import SystemPackage
import Testing

/// The real npm, through a proxying registry.
@Suite(.serialized) struct NpmTests {
    private func run(
        _ packages: [RealPackage], _ body: (World, RegistryProcess, PackageManagerDriver.Settings, ScriptedUpstream) async throws -> Void
    ) async throws {
        try await ScriptedUpstream.run { upstream in
            for package in packages { try package.publish(on: upstream) }
            try await RegistryProcess.run(.standIn, .init(uplink: upstream.url)) { registry in
                let world = try World()
                let settings = PackageManagerDriver.Settings(tool: .npm, registry: registry.url + "/", workDirectory: world.work)
                try await body(world, registry, settings, upstream)
            }
        }
    }

    @Test func `a package and what it depends on end up in the storage, in every run`() async throws {
        let both = [RealPackage(name: "a", dependencies: ["@s/b": "^1.0.0"]), RealPackage(name: "@s/b")]
        try await run(both) { world, registry, settings, _ in
            #expect(try await world.install(settings, "a") == [.installed])
            #expect(try await registry.eventually { try registry.file("a/a-1.0.0.tgz") != nil && registry.file("@s/b/b-1.0.0.tgz") != nil })
            #expect(try world.leftovers() == [])
            // A cache that outlived its run would answer for the registry.
            try registry.remove("@s/b/b-1.0.0.tgz")
            #expect(try await world.install(settings, "a") == [.installed])
            #expect(try await registry.eventually { try registry.file("@s/b/b-1.0.0.tgz") != nil })
        }
    }

    @Test func `a failure bears npm's own code and stops nothing`() async throws {
        let all = [RealPackage(name: "a"), RealPackage(name: "b", dependencies: ["a": "^9.0.0"]), RealPackage(name: "c")]
        try await run(all) { world, _, settings, upstream in
            upstream.set("/c/-/c-1.0.0.tgz", .page)
            let outcomes = try await world.install(settings, "missing", "b", "c", "a")
            let failures = outcomes.map { if case .failed(let failure) = $0 { failure } else { nil as PackageInstall.Failure? } }
            #expect(failures.map { $0?.code } == ["E404", "ETARGET", "EINTEGRITY", nil])
            #expect(failures[0]?.ending == .exited(1))
            #expect(failures[0]?.lastLines.contains { $0.contains("missing") } == true)
            #expect(outcomes[3] == .installed)
        }
    }

    @Test func `install scripts are not run`() async throws {
        let world = try World()
        let trace = world.root.appending("trace")
        let scripts = ["preinstall", "install", "postinstall", "prepare"].map { ($0, "touch '\(trace)'") }
        try await run([RealPackage(name: "a", scripts: Dictionary(uniqueKeysWithValues: scripts))]) { world, _, settings, _ in
            let outcomes = try await world.install(settings, "a")
            #expect(outcomes == [.installed])
        }
        #expect(try world.text(trace) == nil)
    }

    @Test func `no npmrc of the user or of a directory above is read`() async throws {
        try await run([RealPackage(name: "@s/a")]) { world, _, settings, _ in
            let home = world.root.appending("home")
            try world.files.createDirectories(home)
            let elsewhere = "@s:registry=http://127.0.0.1:1/\nfetch-retries=0\n"
            for folder in [home, world.work, world.root] { try world.files.write(Array(elsewhere.utf8), to: folder.appending(".npmrc")) }
            for folder in [world.work, world.root] { try world.files.write(Array("{}".utf8), to: folder.appending("package.json")) }
            var settings = settings
            let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
            settings.variable = { name in
                switch name {
                case "PATH": path
                case "HOME": home.string
                case "npm_config_userconfig", "NPM_CONFIG_USERCONFIG", "npm_config_globalconfig": home.appending(".npmrc").string
                default: nil
                }
            }
            #expect(try await world.install(settings, "@s/a") == [.installed])
            #expect(try world.leftovers() == [".npmrc", "package.json"])
        }
    }
}
