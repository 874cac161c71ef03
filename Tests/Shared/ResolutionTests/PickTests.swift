import CanonicalJSON
import PackageStore
import Resolution
import Testing

/// The choice of a version beside npm's own `npm-pick-manifest`, and what is chosen for beside `npm-package-arg`.
struct PickTests {
    private static let wanted = [
        "", "*", "x", "latest", "next", "gone", "beta", "1", "^1.0.0", "~1.1.0", ">=1.1.0 <3", "^2", "1.2.0", "v1.2.0", "=1.2.0", "1.9.9",
        ">=2.0.0-0", "^1.3.0-beta.1", "<1", "^0.1", "1.x || 3.x", "1.2.0+build", ">3", "0.0.0 - 1.1", "^2.0.0-rc.0",
    ]

    private static func packument(_ random: inout SplitMix) -> JSONValue {
        let all = [
            "0.1.0", "0.1.5", "1.0.0", "1.1.0", "1.1.3", "1.2.0", "1.2.0-beta.1", "1.3.0-beta.1", "1.3.0-beta.2", "2.0.0-rc.1", "2.0.0",
            "2.1.0",
            "3.0.0", "3.1.0-alpha",
        ]
        let chosen = all.filter { _ in Int.random(in: 0..<100, using: &random) < 60 }.shuffled(using: &random)
        let versions = chosen.map { version -> (name: String, value: JSONValue) in
            var entry: JSONObject = JSONObject(uniqueMembers: [
                ("name", "foo"), ("version", .string(version)), ("dist", ["tarball": .string("http://localhost/foo/-/foo-\(version).tgz")]),
            ])
            let deprecations: [JSONValue?] = [nil, nil, nil, "bad", "", .bool(false), .bool(true)]
            entry["deprecated"] = deprecations[Int.random(in: deprecations.indices, using: &random)]
            let engines: [JSONValue?] = [
                nil, nil, ["node": ">=18"], ["node": ">= 20.0.0"], ["node": "^14 || ^16"], ["node": "*"], ["node": "current"], ["node": ""],
                [],
                ["node": ">=20.0.0-rc"], ["node": 18],
            ]
            entry["engines"] = engines[Int.random(in: engines.indices, using: &random)]
            return (version, .object(entry))
        }
        var tags: [(name: String, value: JSONValue)] = []
        if let latest = (chosen + ["9.9.9"]).randomElement(using: &random) { tags.append(("latest", .string(latest))) }
        if let next = chosen.randomElement(using: &random) { tags.append(("next", .string(next))) }
        tags.append(("gone", "7.7.7"))
        return [
            "name": "foo", "versions": .object(JSONObject(uniqueMembers: versions)), "dist-tags": .object(JSONObject(uniqueMembers: tags)),
        ]
    }

    @Test(.enabled(if: ReferenceNPM.isOfToday, ReferenceNPM.isOld), arguments: [nil, "16.20.0", "18.19.1", "20.0.0-nightly", "22.1.0"])
    func `what npm would pick is picked`(node: String?) throws {
        var random = SplitMix(seed: 42)
        let packuments = (0..<200).map { _ in Self.packument(&random) }
        let body = """
            return input.packuments.map(packument => input.wanted.map(wanted => {
                try { return pick(packument, wanted, { nodeVersion: input.node }).version } catch (error) { return error.code ?? 'error' }
            }))
            """
        let answer = try ReferenceNPM.run(
            body,
            [
                "packuments": .array(packuments), "wanted": .array(Self.wanted.map(JSONValue.string)),
                "node": node.map(JSONValue.string) ?? .null,
            ])
        #expect(answer.array?.count == packuments.count)
        for (packument, expected) in zip(packuments, answer.array ?? []) {
            let name = try #require(PackageName("foo"))
            let list = ReleaseList(try StoredPackument(parsing: packument.canonicalBytes, of: name))
            for (text, expected) in zip(Self.wanted, expected.array ?? []) {
                let wanted = try #require(WantedVersion(text))
                let picked = list.pick(wanted, node: node.flatMap { SemanticVersion($0) })
                let isNone = ["ETARGET", "ENOVERSIONS"].contains(expected.string)
                #expect(
                    picked?.version.text == (isNone ? nil : expected.string),
                    "\(text) of \(String(decoding: packument.canonicalBytes, as: UTF8.self))")
            }
        }
    }

    @Test func `dependencies are of a registry where npm says so`() throws {
        let wild = [
            ("a", "npm:b@^1"), ("a", "npm:@s/b@1.2.3"), ("a", "npm:b"), ("a", "npm:@s/b"), ("a", "NPM:b@2"), ("a", "user/repo"),
            ("a", "github:user/repo"), ("a", "git+ssh://git@github.com/u/r.git#semver:^1"), ("a", "git@github.com:u/r.git"), ("a", "../b"),
            ("a", "file:../b"), ("a", "/abs"), ("a", "~/b"), ("a", "https://example.com/b.tgz"), ("a", "http://x/y"), ("a", "b.tgz"),
            ("a", "workspace:*"), ("a", "link:../x"), ("a", "catalog:"), ("a", "next"), ("a", "not a tag"), ("a", "latest || 1"),
            ("a", " ^1.2.3 "),
            ("a", ""), ("a", "gist:123"), ("a", "npm:npm:b@1"), ("@s/a", "^1"), ("a", ">=1 <2 || ^3.0.0-beta"), ("a", "1.2.3beta"),
            ("a", "https://github.com/u/r.git"), ("a", "git://host/x"), ("a", ".5"), ("a", "~1.2"), ("a", "next%20"), ("a", "C:/x"),
            ("a", "npm:b@user/repo"), ("a", "npm:b@file:x"), ("a", "portal:../x"), ("a", "patch:b@1"), ("a", "npm:b@"), ("a", "b.tar.gz"),
        ]
        let cases = wild + (try ReferenceNPM.dependenciesOnThisMachine())
        let body = """
            return input.map(([name, spec]) => {
                try {
                    let found = npa.resolve(name, spec, '/')
                    if (found.type === 'alias') found = found.subSpec
                    return found.registry ? [found.type, found.name, found.fetchSpec] : [found.type]
                } catch (error) { return ['error'] }
            })
            """
        let answer = try ReferenceNPM.run(body, .array(cases.map { [.string($0.0), .string($0.1)] }))
        #expect(answer.array?.count == cases.count)
        for ((name, spec), expected) in zip(cases, answer.array ?? []) {
            let words = expected.array?.map { $0.string ?? "" } ?? []
            switch RegistryDependency.read(name: name, spec: spec) {
            case .success(let dependency):
                let kind =
                    switch dependency.wanted {
                    case .version: "version"
                    case .range: "range"
                    case .tag: "tag"
                    }
                #expect([kind, dependency.package.text] == words.prefix(2), "\(name)@\(spec)")
            case .failure(.elsewhere(let place, _)):
                let kinds: [RegistryDependency.Problem.Place: [String]] = [
                    .git: ["git", "directory"], .url: ["remote"], .file: ["file", "directory"], .protocolOfAnotherTool: ["error"],
                ]
                #expect(kinds[place]?.contains(words.first ?? "") == true, "\(name)@\(spec): \(place), npm: \(words)")
            case .failure(.invalid):
                #expect(words == ["error"] || PackageName(name) == nil, "\(name)@\(spec): npm: \(words)")
            }
        }
    }

    @Test(.enabled(if: ReferenceNPM.isOfToday, ReferenceNPM.isOld)) func `platforms are matched as npm matches them`() throws {
        let platforms = ["linux-x64", "linux-x64-musl", "linux-arm64", "darwin-arm64", "win32-x64", "freebsd-x64"].compactMap {
            TargetPlatform($0)
        }
        let lists: [JSONValue?] = [
            nil, [], ["linux"], ["!linux"], ["darwin", "linux"], ["any"], ["!win32", "!darwin"], ["!win32", "linux"], "linux", "!linux", "",
        ]
        let processors: [JSONValue?] = [nil, ["x64"], ["!x64"], ["arm64", "x64"], "any"]
        let libraries: [JSONValue?] = [nil, ["glibc"], ["musl"], ["!musl"], "glibc", []]
        var manifests: [JSONObject] = []
        for os in lists {
            for cpu in processors {
                for libc in libraries {
                    var manifest = JSONObject()
                    (manifest["os"], manifest["cpu"], manifest["libc"]) = (os, cpu, libc)
                    manifests.append(manifest)
                }
            }
        }
        let body = """
            return input.manifests.map(manifest => input.platforms.map(([os, cpu, libc]) => {
                // Off Linux the real check fails whatever is asked; a foreign machine is stood in for by a library of its own.
                try { checkPlatform(manifest, false, { os, cpu, libc: libc ?? 'none' }); return '1' } catch { return '0' }
            }).join(''))
            """
        let answer = try ReferenceNPM.run(
            body,
            [
                "manifests": .array(manifests.map(JSONValue.object)),
                "platforms": .array(platforms.map { [.string($0.os), .string($0.cpu), $0.libc.map(JSONValue.string) ?? .null] }),
            ])
        for (manifest, expected) in zip(manifests, answer.array ?? []) {
            let restriction = PlatformRestriction(of: manifest)
            for (platform, expected) in zip(platforms, expected.string ?? "") {
                // Without a library of its own, no entry fits, a negated one neither.
                if platform.libc == nil, manifest["libc"] != nil { continue }
                #expect(restriction.allows(platform) == (expected == "1"), "\(platform): \(manifest)")
            }
        }
        #expect(answer.array?.count == manifests.count)
    }
}
