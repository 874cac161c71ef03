import CanonicalJSON
import Integrity
import PackageStore
import Testing

/// A packument under construction: versions with the bytes of their tarballs.
private struct Sample {
    var tarballs: [String: String] = [:]
    var tags: [String: String] = [:]
    var deprecated: [String: String] = [:]
    var readme = "# p"
    var keepsDistfiles = false

    static let name = PackageName("p") ?? { preconditionFailure("p is a name") }()

    static func file(_ version: String) -> FileName {
        FileName("p-\(version).tgz") ?? { preconditionFailure("a tarball's name") }()
    }

    static func digest(_ content: String) -> SHA512Digest { SHA512.digest(of: Array(content.utf8)) }

    var packument: StoredPackument {
        get throws {
            var versions = JSONObject()
            for (version, content) in tarballs {
                var hash: [UInt8] = []
                Self.digest(content).append(to: &hash)
                var manifest: [(name: String, value: JSONValue)] = [
                    (name: "name", value: "p"), (name: "version", value: .string(version)),
                    (name: "eslintConfig", value: [:]),
                    (
                        name: "dist",
                        value: [
                            "integrity": .string("sha512-\(base64(hash))"), "shasum": "aa",
                            "tarball": .string("https://registry.example/p/-/p-\(version).tgz"),
                        ]
                    ),
                ]
                if let text = deprecated[version] { manifest.append((name: "deprecated", value: .string(text))) }
                versions[version] = .object(JSONObject(uniqueMembers: manifest))
            }
            var object = JSONObject()
            object["name"] = "p"
            object["versions"] = .object(versions)
            object["dist-tags"] = .object(JSONObject(uniqueMembers: tags.map { (name: $0.key, value: .string($0.value)) }))
            object["time"] = .object(JSONObject(uniqueMembers: tarballs.keys.map { (name: $0, value: "2026-01-01T00:00:00.000Z") }))
            object["readme"] = .string(readme)
            object["_rev"] = "7-abc"
            object["_uplinks"] = ["npmjs": ["fetched": 1]]
            if keepsDistfiles {
                object["_distfiles"] = .object(
                    JSONObject(uniqueMembers: tarballs.keys.map { (name: "p-\($0).tgz", value: ["url": "http://x/"]) }))
            }
            return try StoredPackument(parsing: JSONValue.object(object).canonicalBytes, of: Self.name)
        }
    }

    var proofs: [FileName: TarballProof] {
        Dictionary(
            uniqueKeysWithValues: tarballs.map {
                (Self.file($0.key), TarballProof(sha512: Self.digest($0.value), sha1: nil, size: Int64($0.value.utf8.count)))
            })
    }

    var form: TransferForm {
        get throws { try #require(TransferForm.make(of: Self.name, from: packument, tarballs: proofs).form) }
    }

    var digests: [FileName: SHA512Digest] { proofs.mapValues(\.sha512) }
}

private func base64(_ bytes: [UInt8]) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    var text = ""
    for start in stride(from: 0, to: bytes.count, by: 3) {
        let group = bytes[start..<min(start + 3, bytes.count)]
        let bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
        for place in 0..<4 { text.append(place <= group.count ? alphabet[Int(bits >> UInt32(18 - 6 * place) & 63)] : "=") }
    }
    return text
}

@Suite struct TransferFormTests {
    @Test func `only what is on disk travels, and latest is mended`() throws {
        let sample = Sample(tarballs: ["1.0.0": "a", "1.1.0": "b", "2.0.0": "c"], tags: ["latest": "2.0.0", "old": "1.0.0"])
        var proofs = sample.proofs
        proofs[Sample.file("2.0.0")] = nil
        let form = try #require(TransferForm.make(of: Sample.name, from: sample.packument, tarballs: proofs).form)
        #expect(form.carried.map(\.version.text) == ["1.0.0", "1.1.0"])
        #expect(form.object["dist-tags"] == ["latest": "1.1.0", "old": "1.0.0"])
        #expect(form.object["_distfiles"] == [:])
        #expect(form.object["versions"]?.object?["1.0.0"]?.object?["eslintConfig"] == nil)
        let tarball = form.object["versions"]?.object?["1.0.0"]?.object?["dist"]?.object?["tarball"]
        #expect(tarball == "http://localhost/p/-/p-1.0.0.tgz")
    }

    @Test func `damage and strangers are findings and do not travel`() throws {
        let sample = Sample(tarballs: ["1.0.0": "a", "1.1.0": "b"], tags: [:])
        var proofs = sample.proofs
        proofs[Sample.file("1.1.0")]?.sha512 = Sample.digest("flipped")
        proofs[Sample.file("9.0.0")] = TarballProof(sha512: Sample.digest("z"), sha1: nil, size: 1)
        let made = try TransferForm.make(of: Sample.name, from: sample.packument, tarballs: proofs)
        #expect(made.form?.carried.map(\.version.text) == ["1.0.0"])
        #expect(Set(made.findings.map(\.code)) == [.tarballMismatch, .tarballUndeclared])
    }

    @Test func `a form read back is itself, and nothing else is a form`() throws {
        let form = try Sample(tarballs: ["1.0.0": "a"], tags: ["latest": "1.0.0"]).form
        #expect(try TransferForm(parsing: form.bytes(), of: Sample.name).bytes() == form.bytes())
        #expect(throws: DocumentError.self) { try TransferForm(parsing: form.bytes() + [0x20], of: Sample.name) }
        for (member, value) in [("_distfiles", ["p-1.0.0.tgz": ["url": "http://evil/"]]), ("extra", 1)] as [(String, JSONValue)] {
            var object = form.object
            object[member] = value
            #expect(throws: DocumentError.self) {
                try TransferForm(parsing: JSONValue.object(object).canonicalBytes, of: Sample.name)
            }
        }
    }

    @Test func `a reworded readme leaves the core as it was`() throws {
        var sample = Sample(tarballs: ["1.0.0": "a"], tags: [:])
        let before = try sample.form
        sample.readme = "# reworded"
        #expect(before.bytesAndCore().bytes == before.bytes())
        #expect(try sample.form.bytesAndCore().core == before.bytesAndCore().core)
        #expect(try sample.form.bytes() != before.bytes())
        sample.deprecated["1.0.0"] = "do not use"
        #expect(try sample.form.bytesAndCore().core != before.bytesAndCore().core)
    }
}

@Suite struct MergeTests {
    private func merge(
        _ incoming: Sample, into local: Sample?, base: Sample? = nil, staged: [String]? = nil, delivered: Sample? = nil,
        damaged: [String] = [], policy: PackumentMerge.Policy = PackumentMerge.Policy()
    ) throws -> PackumentMerge {
        var present: [FileName: SHA512Digest?] = (local?.digests ?? [:]).mapValues { .some($0) }
        for version in damaged { present[Sample.file(version)] = .some(Sample.digest("rotten")) }
        let tarballs = PackumentMerge.Tarballs(
            offered: incoming.digests, staged: Set((staged ?? Array(incoming.tarballs.keys)).map(Sample.file)), present: present,
            delivered: (delivered?.digests ?? [:]).mapValues { [$0] })
        return try PackumentMerge(incoming.form, into: local?.packument, base: base?.form.object, tarballs: tarballs, policy: policy)
    }

    private func tags(_ merge: PackumentMerge) -> JSONValue? { merge.document["dist-tags"] }

    private func versions(_ merge: PackumentMerge) -> Set<String> {
        Set((merge.document["versions"]?.object?.members ?? []).map(\.name))
    }

    @Test func `a new package comes in as it was sent`() throws {
        let incoming = Sample(tarballs: ["1.0.0": "a"], tags: ["latest": "1.0.0"])
        let merged = try merge(incoming, into: nil)
        #expect(try JSONValue.object(merged.document).canonicalBytes == incoming.form.bytes())
        #expect(merged.outcomes == [Sample.file("1.0.0"): .added])
    }

    @Test func `a local version and its tag are never lost`() throws {
        let base = Sample(tarballs: ["1.0.0": "a"], tags: ["latest": "1.0.0"])
        let local = Sample(tarballs: ["1.0.0": "a", "1.5.0": "ours"], tags: ["latest": "1.5.0", "ours": "1.5.0"])
        let incoming = Sample(tarballs: ["1.0.0": "a", "2.0.0": "c"], tags: ["latest": "2.0.0", "next": "2.0.0"])
        let merged = try merge(incoming, into: local, base: base, delivered: base)
        #expect(versions(merged) == ["1.0.0", "1.5.0", "2.0.0"])
        #expect(tags(merged) == ["latest": "1.5.0", "ours": "1.5.0", "next": "2.0.0"])
        #expect(merged.place == [Sample.file("2.0.0")])
    }

    @Test func `an unchanged tag follows the origin, backwards included`() throws {
        let base = Sample(tarballs: ["1.0.0": "a", "2.0.0": "b"], tags: ["latest": "2.0.0", "beta": "2.0.0"])
        let incoming = Sample(tarballs: ["1.0.0": "a", "2.0.0": "b"], tags: ["latest": "1.0.0"])
        let merged = try merge(incoming, into: base, base: base, staged: [], delivered: base)
        #expect(tags(merged) == ["latest": "1.0.0"])
    }

    @Test func `a tag moved here stays`() throws {
        let base = Sample(tarballs: ["1.0.0": "a", "2.0.0": "b"], tags: ["latest": "2.0.0"])
        let local = Sample(tarballs: base.tarballs, tags: ["latest": "1.0.0"])
        let incoming = Sample(tarballs: base.tarballs.merging(["3.0.0": "c"]) { $1 }, tags: ["latest": "3.0.0"])
        #expect(tags(try merge(incoming, into: local, base: base, delivered: base)) == ["latest": "1.0.0"])
    }

    @Test func `a package of local versions only is not mixed with a public one`() throws {
        let local = Sample(tarballs: ["1.0.0": "the company's own"], tags: ["latest": "1.0.0"])
        let incoming = Sample(tarballs: ["9.0.0": "evil"], tags: ["latest": "9.0.0"])
        let merged = try merge(incoming, into: local)
        #expect(merged.outcomes == [Sample.file("9.0.0"): .ownedLocally])
        #expect(!merged.isChanged && merged.place.isEmpty)
        var policy = PackumentMerge.Policy()
        policy.adoptsLocalPackages = true
        let mixed = try merge(incoming, into: local, policy: policy)
        #expect(versions(mixed) == ["1.0.0", "9.0.0"])
        #expect(tags(mixed) == ["latest": "1.0.0"])
    }

    @Test func `the same version with other bytes is a conflict and ours stays`() throws {
        let base = Sample(tarballs: ["1.0.0": "a"], tags: ["latest": "1.0.0"])
        let local = Sample(tarballs: ["1.0.0": "a", "2.0.0": "ours"], tags: ["latest": "2.0.0"])
        let incoming = Sample(tarballs: ["1.0.0": "a", "2.0.0": "theirs"], tags: ["latest": "2.0.0"])
        let merged = try merge(incoming, into: local, base: base, delivered: base)
        #expect(merged.outcomes[Sample.file("2.0.0")] == .conflict)
        #expect(!merged.place.contains(Sample.file("2.0.0")) && merged.heal.isEmpty)
        #expect(try merged.document["versions"]?.object?["2.0.0"] == local.packument.object["versions"]?.object?["2.0.0"])
    }

    @Test func `bit rot is healed`() throws {
        let base = Sample(tarballs: ["1.0.0": "a"], tags: ["latest": "1.0.0"])
        let merged = try merge(base, into: base, base: base, delivered: base, damaged: ["1.0.0"])
        #expect(merged.heal == [Sample.file("1.0.0")])
        #expect(merged.outcomes == [Sample.file("1.0.0"): .healed])
    }

    @Test func `a deprecation follows the origin, a local one stays`() throws {
        let base = Sample(tarballs: ["1.0.0": "a", "1.1.0": "b"], tags: ["latest": "1.1.0"])
        var local = base
        local.deprecated["1.0.0"] = "locally"
        var incoming = base
        incoming.deprecated["1.1.0"] = "upstream"
        // What lies here was written from the base's form.
        let stored = try StoredPackument(parsing: JSONValue.object(local.form.object).canonicalBytes, of: Sample.name)
        let merged = try PackumentMerge(
            incoming.form, into: stored, base: base.form.object,
            tarballs: PackumentMerge.Tarballs(
                offered: incoming.digests, staged: [], present: local.digests.mapValues { .some($0) },
                delivered: base.digests.mapValues { [$0] }), policy: PackumentMerge.Policy())
        let versions = merged.document["versions"]?.object
        #expect(versions?["1.0.0"]?.object?["deprecated"] == "locally")
        #expect(versions?["1.1.0"]?.object?["deprecated"] == "upstream")
    }

    @Test func `an older bundle only adds`() throws {
        let here = Sample(tarballs: ["1.0.0": "a", "2.0.0": "b"], tags: ["latest": "2.0.0"])
        let older = Sample(tarballs: ["0.9.0": "z", "1.0.0": "a"], tags: ["latest": "1.0.0", "old": "0.9.0"])
        var policy = PackumentMerge.Policy()
        policy.addsOnly = true
        let merged = try merge(older, into: here, base: here, delivered: here, policy: policy)
        #expect(versions(merged) == ["0.9.0", "1.0.0", "2.0.0"])
        #expect(tags(merged) == ["latest": "2.0.0"])
    }

    @Test func `what a proxy only knew of is dropped`() throws {
        var local = Sample(tarballs: ["1.0.0": "a", "3.0.0": "known, never held"], tags: ["latest": "3.0.0"])
        local.keepsDistfiles = true
        let incoming = Sample(tarballs: ["1.0.0": "a", "2.0.0": "b"], tags: ["latest": "2.0.0"])
        var present = local.digests.mapValues { Optional.some($0) }
        present[Sample.file("3.0.0")] = nil
        let merged = try PackumentMerge(
            incoming.form, into: local.packument, base: nil,
            tarballs: PackumentMerge.Tarballs(
                offered: incoming.digests, staged: [Sample.file("2.0.0")], present: present, delivered: [:]),
            policy: PackumentMerge.Policy())
        #expect(versions(merged) == ["1.0.0", "2.0.0"])
        #expect(tags(merged) == ["latest": "2.0.0"])
        #expect(merged.document["_distfiles"] == [:])
    }

    @Test func `a version whose tarball is nowhere is not listed`() throws {
        let incoming = Sample(tarballs: ["1.0.0": "a", "2.0.0": "b"], tags: ["latest": "2.0.0"])
        let merged = try merge(incoming, into: nil, staged: ["1.0.0"])
        #expect(versions(merged) == ["1.0.0"])
        #expect(tags(merged) == ["latest": "1.0.0"])
        #expect(merged.outcomes[Sample.file("2.0.0")] == .absent)
    }
}
