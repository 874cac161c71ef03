import CanonicalJSON
import Integrity
import PackageStore
import Platform
import Testing

/// What upstream says and Verdaccio does not pick up.
@Suite struct UpstreamOverlayTests {
    /// A packument under construction, as it is stored or as upstream has it.
    private struct Draft {
        var versions = ["1.0.0", "1.1.0", "2.0.0"]
        var local: Set<String> = []
        var tags = ["latest": "2.0.0"]
        var deprecated: [String: JSONValue] = [:]
        var times: [String: String] = [:]

        static let name = PackageName("p") ?? { preconditionFailure("p is a name") }()

        var object: JSONObject {
            let entries = versions.map { version in
                var entry: JSONObject = JSONObject(uniqueMembers: [
                    ("name", "p"), ("version", .string(version)), ("dist", ["tarball": .string("https://r.example/p/-/p-\(version).tgz")]),
                ])
                entry["deprecated"] = deprecated[version]
                return (name: version, value: JSONValue.object(entry))
            }
            let files = versions.filter { !local.contains($0) }.map { (name: "p-\($0).tgz", value: ["url": "x"] as JSONValue) }
            return JSONObject(uniqueMembers: [
                ("name", "p"), ("versions", .object(JSONObject(uniqueMembers: entries))),
                ("dist-tags", .object(JSONObject(uniqueMembers: tags.map { ($0.key, .string($0.value)) }))),
                ("time", .object(JSONObject(uniqueMembers: times.map { ($0.key, .string($0.value)) }))),
                ("_distfiles", .object(JSONObject(uniqueMembers: files))),
            ])
        }

        var packument: StoredPackument {
            get throws { try StoredPackument(parsing: JSONValue.object(object).canonicalBytes, of: Self.name) }
        }
    }

    private func overlay(_ stored: Draft, _ upstream: Draft) throws -> UpstreamOverlay {
        try UpstreamOverlay(of: stored.packument, upstream: upstream.object)
    }

    private func tags(_ stored: StoredPackument) -> [String: JSONValue] { stored.object["dist-tags"]?.object?.dictionary ?? [:] }

    private func deprecated(_ stored: StoredPackument) -> [String: JSONValue] {
        var result: [String: JSONValue] = [:]
        for version in stored.declared { result[version.version.text] = version.manifest["deprecated"] }
        // The document and the versions read from it say the same.
        for (name, entry) in stored.object["versions"]?.object?.members ?? [] { #expect(entry.object?["deprecated"] == result[name]) }
        return result
    }

    @Test func `where upstream says what is stored there is nothing to change`() throws {
        let draft = Draft(deprecated: ["1.0.0": "old"])
        let overlay = try overlay(draft, draft)
        #expect(overlay.isEmpty && overlay == UpstreamOverlay())
        #expect(try overlay.applied(to: draft.packument).object == draft.object)
    }

    @Test func `a version is withdrawn that upstream no longer has, and its tags go with it`() throws {
        let stored = Draft(tags: ["latest": "2.0.0", "stable": "1.1.0"])
        let overlay = try overlay(stored, Draft(versions: ["1.0.0", "1.1.0"], tags: ["stable": "1.1.0"]))
        #expect(overlay.withdrawn == ["2.0.0"] && overlay.tags == [:] && overlay.deprecations == [:])
        let applied = try overlay.applied(to: stored.packument)
        #expect(applied.declared.map(\.version.text) == ["1.0.0", "1.1.0"])
        #expect(applied.object["versions"]?.object?.members.map(\.name).sorted() == ["1.0.0", "1.1.0"])
        #expect(tags(applied) == ["stable": "1.1.0"])
    }

    @Test func `a deprecation is set, reworded and taken back`() throws {
        let stored = Draft(deprecated: ["1.1.0": "soon", "2.0.0": "by mistake"])
        let overlay = try overlay(stored, Draft(deprecated: ["1.0.0": "too old", "1.1.0": "now"]))
        #expect(overlay.deprecations == ["1.0.0": "too old", "1.1.0": "now", "2.0.0": nil])
        #expect(try deprecated(overlay.applied(to: stored.packument)) == ["1.0.0": "too old", "1.1.0": "now"])
    }

    @Test(arguments: [.string(""), .bool(false), .null, 0] as [JSONValue])
    func `what JavaScript takes for false is no deprecation`(value: JSONValue) throws {
        let plain = Draft()
        let falsy = Draft(deprecated: ["1.0.0": value])
        #expect(try overlay(plain, falsy).isEmpty && overlay(falsy, plain).isEmpty)
        #expect(try overlay(Draft(deprecated: ["1.0.0": "old"]), falsy).deprecations == ["1.0.0": nil])
        #expect(try overlay(plain, Draft(deprecated: ["1.0.0": true])).deprecations == ["1.0.0": "true"])
    }

    @Test func `messages that differ in composition only are two`() throws {
        let stored = Draft(deprecated: ["1.0.0": "caf\u{E9}"])
        let composed = try overlay(Draft(), stored)
        let overlay = try overlay(stored, Draft(deprecated: ["1.0.0": "cafe\u{301}"]))
        #expect(overlay.deprecations.count == 1 && overlay != composed && overlay.digest != composed.digest)
    }

    @Test func `a tag moves to where upstream has it, and one that upstream does not have stays`() throws {
        let stored = Draft(tags: ["latest": "2.0.0", "mine": "1.0.0"])
        let overlay = try overlay(stored, Draft(tags: ["latest": "1.1.0", "next": "2.0.0"]))
        #expect(overlay.tags == ["latest": UpstreamOverlay.TagMove(was: "2.0.0", now: "1.1.0")])
        #expect(try tags(overlay.applied(to: stored.packument)) == ["latest": "1.1.0", "mine": "1.0.0"])
    }

    @Test func `a tag that has moved on since stays where it is`() throws {
        let overlay = try overlay(Draft(), Draft(tags: ["latest": "1.1.0"]))
        let later = Draft(versions: ["1.0.0", "1.1.0", "2.0.0", "2.1.0"], tags: ["latest": "2.1.0"])
        #expect(try tags(overlay.applied(to: later.packument)) == ["latest": "2.1.0"])
    }

    @Test func `a local version is neither withdrawn nor changed, nor a tag on it moved`() throws {
        let stored = Draft(local: ["2.0.0"], deprecated: ["2.0.0": "mine"])
        #expect(try overlay(stored, Draft(tags: ["latest": "1.1.0"])).isEmpty)
        #expect(try overlay(stored, Draft(versions: ["1.0.0", "1.1.0"], tags: ["latest": "1.1.0"])).isEmpty)
    }

    @Test func `what has become local since is as it is stored`() throws {
        let withdrawal = try overlay(Draft(), Draft(versions: ["1.0.0", "1.1.0"], tags: ["latest": "1.1.0"]))
        let change = try overlay(Draft(), Draft(tags: ["latest": "1.1.0"], deprecated: ["2.0.0": "bad"]))
        let later = Draft(local: ["2.0.0"])
        for overlay in [withdrawal, change] { #expect(try overlay.applied(to: later.packument).object == later.object) }
    }

    @Test func `upstream's answer may be abbreviated, and may be of a package that was unpublished`() throws {
        let abbreviated: JSONValue = [
            "name": "p", "modified": "2026-01-02T00:00:00.000Z", "dist-tags": ["latest": "1.0.0"], "versions": ["1.0.0": [:]],
        ]
        let stored = try Draft(times: ["modified": "2026-01-02T00:00:00.000Z"]).packument
        #expect(try UpstreamOverlay(of: stored, upstream: abbreviated.object ?? JSONObject()).withdrawn == ["1.1.0", "2.0.0"])
        let unpublished: JSONValue = [
            "_id": "p", "name": "p",
            "time": ["modified": "2026-01-03T00:00:00.000Z", "unpublished": ["time": "2026-01-03T00:00:00.000Z"]],
        ]
        #expect(try UpstreamOverlay(of: stored, upstream: unpublished.object ?? JSONObject()).withdrawn == ["1.0.0", "1.1.0", "2.0.0"])
    }

    @Test func `an answer that says nothing of the package withdraws nothing`() throws {
        let stored = try Draft().packument
        let empty: JSONValue = ["name": "p", "versions": [:]]
        #expect(throws: UpstreamError.noVersions) { try UpstreamOverlay(of: stored, upstream: empty.object ?? JSONObject()) }
        let other: JSONValue = ["name": "q", "versions": ["1.0.0": [:]]]
        #expect(throws: UpstreamError.foreign("q")) { try UpstreamOverlay(of: stored, upstream: other.object ?? JSONObject()) }
        #expect(throws: UpstreamError.foreign("")) { try UpstreamOverlay(of: stored, upstream: JSONObject()) }
    }

    /// Whether an answer is refused because it is older.
    private func isOlder(_ upstream: JSONObject, _ stored: StoredPackument, after known: Timestamp? = nil) throws -> Bool {
        do {
            _ = try UpstreamOverlay(of: stored, upstream: upstream, after: known)
            return false
        } catch UpstreamError.older {
            return true
        }
    }

    @Test func `no overlay is made from an answer that is older than what is stored, or was before`() throws {
        let (old, new) = ("2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00.000Z")
        let stored = try Draft(times: ["modified": new]).packument
        var answer = Draft(versions: ["1.0.0"], times: ["modified": old]).object
        #expect(try isOlder(answer, stored))
        answer["time"] = nil
        #expect(try !isOlder(answer, stored))
        answer["modified"] = .string(old)
        #expect(try isOlder(answer, stored))
        answer["modified"] = .string(new)
        #expect(try !isOlder(answer, stored))
        #expect(try !isOlder(answer, Draft().packument))
        let later = Timestamp("2026-01-02T00:00:00.001Z")
        #expect(try isOlder(answer, stored, after: later))
        #expect(try isOlder(answer, Draft().packument, after: later))
        #expect(try !isOlder(answer, stored, after: Timestamp(new)))
    }

    @Test func `a local publication does not make upstream's answer an older one`() throws {
        let published = "2026-06-01T00:00:00.000Z"
        let times = ["modified": published, "2.0.0": published, "1.1.0": "2026-01-02T00:00:00.000Z"]
        let stored = try Draft(local: ["2.0.0"], times: times).packument
        #expect(try !isOlder(Draft(times: ["modified": "2026-01-02T00:00:00.000Z"]).object, stored))
        #expect(try isOlder(Draft(times: ["modified": "2026-01-01T00:00:00.000Z"]).object, stored))
    }

    @Test func `an overlay is read as it was written, and nothing else is`() throws {
        let stored = Draft(tags: ["latest": "2.0.0", "caf\u{E9}": "1.0.0"], deprecated: ["1.1.0": "soon"])
        let upstream = Draft(
            versions: ["1.0.0", "1.1.0"], tags: ["latest": "1.1.0", "caf\u{E9}": "1.1.0"], deprecated: ["1.0.0": "\"old\"\n"])
        let overlay = try overlay(stored, upstream)
        #expect(try UpstreamOverlay(decoding: overlay.encoded) == overlay)
        #expect(try UpstreamOverlay(decoding: UpstreamOverlay().encoded).isEmpty)
        let text = String(decoding: overlay.encoded, as: UTF8.self)
        let spoilt = [
            "", "{}", "\(text) ", text.replacing("\"withdrawn\"", with: "\"extra\":1,\"withdrawn\""),
            text.replacing("[\"2.0.0\"]", with: "[\"two\"]"), text.replacing("[\"2.0.0\"]", with: "[\"2.0.0\",\"2.0.0\"]"),
            text.replacing("\"was\":", with: "\"were\":"), text.replacing("\"1.1.0\":null", with: "\"1.1.0\":\"\""),
            text.replacing("\"1.1.0\":null", with: "\"x\":null"),
        ]
        for other in spoilt {
            #expect(other != text)
            #expect(throws: DocumentError.self, "\(other)") { try UpstreamOverlay(decoding: Array(other.utf8)) }
        }
        let large = [UInt8](repeating: 0x20, count: UpstreamOverlay.sizeLimit + 1)
        #expect(throws: DocumentError.self) { try UpstreamOverlay(decoding: large) }
    }

    /// The form of a packument with what upstream says otherwise, where these versions are held.
    private func form(
        _ stored: Draft, _ upstream: Draft, holding versions: [String] = ["1.0.0", "1.1.0", "2.0.0"]
    ) throws -> (object: JSONObject, withdrawn: Set<String>, findings: [Finding]) {
        let proofs = try versions.map { version in
            (try #require(FileName("p-\(version).tgz")), TarballProof(sha512: .ofNothing, sha1: nil, size: 0))
        }
        let made = try TransferForm.make(
            of: Draft.name, from: stored.packument, tarballs: Dictionary(uniqueKeysWithValues: proofs), overlay: overlay(stored, upstream))
        // Drafts declare no digests.
        let findings = made.findings.filter { $0.code != .tarballUnproven }
        return (made.form?.object ?? JSONObject(), Set(made.withdrawn.map(\.text)), findings)
    }

    @Test func `a form says what upstream says now`() throws {
        let stored = Draft(tags: ["latest": "2.0.0", "old": "1.0.0"], deprecated: ["1.1.0": "by mistake"])
        let form = try form(stored, Draft(tags: ["latest": "1.1.0"], deprecated: ["1.0.0": "too old"]))
        #expect(form.object["dist-tags"] == ["latest": "1.1.0", "old": "1.0.0"])
        let versions = form.object["versions"]?.object?.dictionary ?? [:]
        #expect(versions.mapValues { $0.object?["deprecated"] } == ["1.0.0": "too old", "1.1.0": nil, "2.0.0": nil])
        #expect(form.withdrawn == [] && form.findings == [])
    }

    @Test func `a form leaves out what was withdrawn, and says so of what stands`() throws {
        let stored = Draft(versions: ["1.0.0", "1.1.0", "2.0.0", "3.0.0"], tags: ["latest": "3.0.0", "next": "3.0.0"])
        let form = try form(stored, Draft(versions: ["1.0.0", "1.1.0"], tags: [:]))
        #expect(form.object["versions"]?.object?.members.map(\.name).sorted() == ["1.0.0", "1.1.0"])
        #expect(form.object["dist-tags"] == ["latest": "1.1.0"])
        #expect(form.withdrawn == ["p-2.0.0.tgz"])
        #expect(form.findings.map(\.code) == [.versionWithdrawn] && form.findings.first?.subject == "p/p-2.0.0.tgz")
        let nothing = try self.form(Draft(), Draft(versions: ["4.0.0"]))
        #expect(nothing.object == JSONObject() && nothing.withdrawn.count == 3 && nothing.findings.count == 3)
    }

    @Test func `a tag that upstream has on a version that is not held gives way to the highest stable one`() throws {
        let form = try form(Draft(), Draft(tags: ["latest": "1.1.0"]), holding: ["1.0.0", "2.0.0"])
        #expect(form.object["dist-tags"] == ["latest": "2.0.0"])
    }

    @Test func `what no reader would take is not made`() throws {
        let message = String(repeating: "x", count: UpstreamOverlay.sizeLimit)
        #expect(throws: UpstreamError.tooLarge) { try overlay(Draft(), Draft(deprecated: ["1.0.0": .string(message)])) }
    }
}
