import CanonicalJSON
import Inspection
import PackageStore
import Resolution
import Testing

/// What npm could install from what is here, and what keeps it from the rest.
@Suite struct ClosureTests {
    /// A storage as text: a package's versions with their manifests; those without a tarball begin with `-`.
    private func closure(_ packages: [String: [String: JSONValue]], tags: [String: String] = [:], on platform: String = "linux-x64") throws
        -> Closure
    {
        var closure = Closure(platform: try #require(TargetPlatform(platform)))
        for (name, versions) in packages {
            let package = try #require(PackageName(name))
            var entries = JSONObject()
            var tarballs: Set<FileName> = []
            for (version, manifest) in versions {
                let isThere = !version.hasPrefix("-")
                let number = isThere ? version : String(version.dropFirst())
                let file = "\(package.base)-\(number).tgz"
                if isThere { tarballs.insert(try #require(FileName(file))) }
                var entry = manifest.object ?? JSONObject()
                entry["version"] = .string(number)
                entry["dist"] = ["tarball": .string("http://localhost/\(name)/-/\(file)")]
                entries[number] = .object(entry)
            }
            let document = JSONObject(uniqueMembers: [
                (name: "name", value: .string(name)), (name: "versions", value: .object(entries)),
                (name: "dist-tags", value: .object(JSONObject(uniqueMembers: tags.map { (name: $0.key, value: .string($0.value)) }))),
            ])
            closure.add(package, try StoredPackument(reading: document, of: package), tarballs: tarballs)
        }
        closure.solve()
        return closure
    }

    private func failing(_ closure: Closure) -> [String] { closure.obstacles.keys.sorted().map(\.description) }

    @Test func `what wants another Node is told apart from what cannot be installed`() throws {
        let closure = try closure([
            "old": ["1.0.0": ["engines": ["node": ">=8"], "dependencies": ["new": "1"]]], "new": ["1.0.0": ["engines": ["node": ">=20"]]],
        ])
        let (old, version) = (try #require(PackageName("old")), try #require(PackageVersion("1.0.0")))
        let node = try #require(SemanticVersion("18.20.0"))
        #expect(failing(closure) == [])
        let installed = closure.installed(with: [Closure.Node(old, version)])
        #expect(installed.filter { !closure.runs($0, on: node) }.map(\.description) == ["new@1.0.0"])
    }

    @Test func `what needs only what is here can be installed, in circles, too`() throws {
        let closure = try closure([
            "a": ["1.0.0": ["dependencies": ["b": "^1.0.0"]]], "b": ["1.0.0": ["peerDependencies": ["a": "*"]], "1.1.0": [:]],
            "@s/c": ["1.0.0": ["dependencies": ["x": "npm:b@1.0.0"]]],
        ])
        #expect(failing(closure) == [])
    }

    @Test func `what is lacking stops all that needs it, and is named at the end of the chain`() throws {
        let closure = try closure([
            "app": ["1.0.0": ["dependencies": ["lib": "1"]]], "lib": ["1.0.0": ["dependencies": ["leaf": "^2.0.0"]]],
            "leaf": ["1.0.0": [:], "1.5.0": [:]], "other": ["1.0.0": [:]],
        ])
        #expect(failing(closure) == ["app@1.0.0", "lib@1.0.0"])
        let app = try #require(closure.nodes.first { $0.package.text == "app" })
        let causes = closure.causes(of: app)
        #expect(causes.map(\.node.description) == ["lib@1.0.0"])
        #expect("\(causes[0].obstacle)" == "it needs leaf@^2.0.0, and of that package only 1.0.0, 1.5.0 is here")
    }

    @Test func `npm takes the version it likes best, and no other where that one cannot be installed`() throws {
        let closure = try closure([
            "app": ["1.0.0": ["dependencies": ["lib": "1"]], "2.0.0": ["dependencies": ["lib": "1.0.0"]]],
            "lib": ["1.0.0": [:], "1.1.0": ["dependencies": ["absent": "1"]]],
        ])
        #expect(failing(closure) == ["app@1.0.0", "lib@1.1.0"])
    }

    @Test func `a version without its tarball stops what would take it`() throws {
        #expect(
            try failing(closure(["app": ["1.0.0": ["dependencies": ["lib": "1"]]], "lib": ["-1.2.0": [:], "1.1.0": [:]]])) == [
                "app@1.0.0", "lib@1.2.0",
            ])
    }

    @Test func `what is optional may be absent, unfit or broken`() throws {
        let closure = try closure([
            "app": ["1.0.0": ["optionalDependencies": ["absent": "1", "broken": "1", "win": "1", "git": "github:a/b"]]],
            "broken": ["1.0.0": ["dependencies": ["absent": "1"]]], "win": ["1.0.0": ["os": ["win32"]]],
        ])
        #expect(failing(closure) == ["broken@1.0.0", "win@1.0.0"])
    }

    @Test(arguments: [("linux-x64", ["app@1.0.0", "mac@1.0.0"]), ("darwin-arm64", [])])
    func `what is for another platform stops what needs it there`(platform: String, expected: [String]) throws {
        let packages: [String: [String: JSONValue]] = [
            "app": ["1.0.0": ["dependencies": ["mac": "1"]]], "mac": ["1.0.0": ["os": ["darwin"], "cpu": ["!x64"]]],
        ]
        #expect(try failing(closure(packages, on: platform)) == expected)
    }

    @Test func `a dependency that no registry has is named as such`() throws {
        let closure = try closure(["app": ["1.0.0": ["dependencies": ["x": "git+https://example.org/x.git"]]]])
        let app = try #require(closure.nodes.first)
        #expect("\(closure.causes(of: app)[0].obstacle)".contains("git repository"))
    }

    @Test func `what runs a script when it is installed is listed, as far as it would be installed`() throws {
        let closure = try closure([
            "app": ["1.0.0": ["dependencies": ["native": "1", "plain": "1"]]],
            "native": ["1.0.0": ["scripts": ["install": "node-gyp rebuild"]]],
            "plain": ["1.0.0": ["scripts": ["test": "tap"]]], "flagged": ["1.0.0": ["hasInstallScript": true]],
        ])
        let app = try #require(closure.nodes.first { $0.package.text == "app" })
        #expect(closure.scripted(with: [app]).map(\.description) == ["native@1.0.0"])
        #expect(closure.scripted(with: closure.nodes).count == 2)
    }
}
