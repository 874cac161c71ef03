package import CanonicalJSON

/// The deterministic bytes in which a packument travels (FORMAT.md §3).
package struct TransferForm: Sendable {
    /// The `_rev` of every form.
    package static let revision = PackumentRevision("1-0000000000000000")

    /// The document, canonical when written.
    package let object: JSONObject
    /// The versions it carries with the tarball of each, sorted by version.
    package let carried: [DeclaredVersion]

    /// The canonical bytes.
    package func bytes() -> [UInt8] { JSONValue.object(object).canonicalBytes }

    /// The canonical bytes, and those of the form without its readme: two forms of equal core differ in the readme at most.
    package func bytesAndCore() -> (bytes: [UInt8], core: [UInt8]) {
        // Members on both sides of "readme" are written once; every form has some.
        let before = JSONValue.object(JSONObject(uniqueMembers: object.members.filter { $0.name < "readme" })).canonicalBytes.dropLast()
        let after = JSONValue.object(JSONObject(uniqueMembers: object.members.filter { $0.name > "readme" })).canonicalBytes.dropFirst()
        let comma = [UInt8(ascii: ",")]
        var readme: [UInt8] = Array(",\"readme\":".utf8)
        (object["readme"] ?? .null).appendCanonical(to: &readme)
        return (before + readme + comma + after, before + comma + after)
    }

    /// Makes the form of a stored packument with what upstream says otherwise, given what was measured of the tarballs that are there.
    ///
    /// Versions whose tarball is absent are left out silently; tarballs that nothing declares, whose bytes are not the ones that were
    /// published, or whose version was withdrawn, are left out with a finding. `form` is `nil` where no version is left; `withdrawn` is
    /// what no version that is left names.
    package static func make(
        of package: PackageName, from stored: StoredPackument, tarballs: [FileName: TarballProof],
        overlay: UpstreamOverlay = UpstreamOverlay()
    ) -> (form: TransferForm?, withdrawn: Set<FileName>, findings: [Finding]) {
        let effective = overlay.applied(to: stored)
        var findings = stored.findings
        var carried: [DeclaredVersion] = []
        var named: Set<FileName> = []
        var claimed: Set<FileName> = []
        for version in effective.declared.sorted(by: { $0.version < $1.version }) {
            guard let proof = tarballs[version.file] else { continue }
            let subject = StorePath(package, version.file).description
            named.insert(version.file)
            let isMatching = version.matches(proof)
            guard isMatching == false || claimed.insert(version.file).inserted else {
                findings.append(Finding(.tarballShared, subject, "version \(version.version) names a tarball that another version names"))
                continue
            }
            switch isMatching {
            case true: carried.append(version)
            case nil:
                findings.append(Finding(.tarballUnproven, subject, "the packument declares no digest to compare with"))
                carried.append(version)
            case false:
                findings.append(Finding(.tarballMismatch, subject, "the bytes are not those of \(package)@\(version.version) as published"))
            }
        }
        let kept = Set(effective.declared.map(\.version))
        let gone = stored.declared.filter { !kept.contains($0.version) && tarballs[$0.file] != nil && !named.contains($0.file) }
        for version in gone.sorted(by: { $0.version < $1.version }) where named.insert(version.file).inserted {
            let subject = StorePath(package, version.file).description
            findings.append(Finding(.versionWithdrawn, subject, "upstream has withdrawn \(package)@\(version.version)"))
        }
        let withdrawn = Set(gone.map(\.file))
        for file in tarballs.keys.sorted() where !named.contains(file) {
            findings.append(Finding(.tarballUndeclared, StorePath(package, file).description, "no version of the packument names it"))
        }
        guard !carried.isEmpty else { return (nil, withdrawn, findings) }
        return (TransferForm(package: package, source: effective.object, carried: carried), withdrawn, findings)
    }

    /// Reads a form that came from outside, and refuses bytes that are not exactly one of this package.
    ///
    /// The test is that making the form of it again gives the same bytes, so every rule of FORMAT.md §3 holds.
    package init(parsing bytes: [UInt8], of package: PackageName) throws(DocumentError) {
        try self.init(proven: bytes, of: package)
        guard self.bytes() == bytes else { throw DocumentError("packument of \(package)", "it is not in transfer form") }
    }

    /// Reads a form that `init(parsing:of:)` has accepted before; it is not compared again.
    package init(proven bytes: [UInt8], of package: PackageName) throws(DocumentError) {
        let document = "packument of \(package)"
        let stored: StoredPackument
        do throws(PackumentError) {
            stored = try StoredPackument(parsing: bytes, of: package)
        } catch {
            throw DocumentError(document, error.description)
        }
        if let finding = stored.findings.first { throw DocumentError(document, finding.description) }
        let carried = stored.declared.sorted { $0.version < $1.version }
        guard !carried.isEmpty else { throw DocumentError(document, "it carries no version") }
        guard Set(carried.map(\.file)).count == carried.count else {
            throw DocumentError(document, "two versions name the same tarball")
        }
        self.init(package: package, source: stored.object, carried: carried)
    }

    private init(package: PackageName, source: JSONObject, carried: [DeclaredVersion]) {
        let versions = carried.map { version in
            (name: version.version.text, value: JSONValue.object(Self.manifest(of: version, package: package)))
        }
        object = JSONObject(uniqueMembers: [
            (name: "name", value: .string(package.text)),
            (name: "_id", value: .string(package.text)),
            (name: "_rev", value: .string(Self.revision.text)),
            (name: "versions", value: .object(JSONObject(uniqueMembers: versions))),
            (name: "time", value: .object(Self.time(source["time"]?.object, carried: carried))),
            (name: "dist-tags", value: .object(Self.tags(source["dist-tags"]?.object, carried: carried))),
            (name: "_attachments", value: .object(Self.attachments(carried))),
            (name: "users", value: [:]),
            (name: "_uplinks", value: [:]),
            (name: "_distfiles", value: [:]),
            (name: "readme", value: .string(source["readme"]?.string ?? "")),
        ])
        self.carried = carried
    }

    private static func manifest(of version: DeclaredVersion, package: PackageName) -> JSONObject {
        var dist: [(name: String, value: JSONValue)] = [
            (name: "tarball", value: .string(tarballURL(of: StorePath(package, version.file))))
        ]
        for member in version.manifest["dist"]?.object?.members ?? [] where distMembers.contains(member.name) {
            dist.append(member)
        }
        var members = version.manifest.members.filter { versionMembers.contains($0.name) }
        members.append((name: "dist", value: .object(JSONObject(uniqueMembers: dist))))
        return JSONObject(uniqueMembers: members)
    }

    /// The address a form gives a tarball: absolute for Verdaccio 6, constant so that a change of mirror changes nothing.
    package static func tarballURL(of path: StorePath) -> String {
        "http://localhost/\(path.package)/-/\(path.file)"
    }

    private static func time(_ time: JSONObject?, carried: [DeclaredVersion]) -> JSONObject {
        guard let entries = time?.dictionary else { return JSONObject() }
        var result = JSONObject()
        if let created = entries["created"]?.string { result["created"] = .string(created) }
        var members = result.members
        var newest: String?
        for version in carried {
            guard let moment = entries[version.version.text]?.string else { continue }
            members.append((name: version.version.text, value: .string(moment)))
            if newest.map({ $0 < moment }) ?? true { newest = moment }
        }
        if let newest { members.append((name: "modified", value: .string(newest))) }
        return JSONObject(uniqueMembers: members)
    }

    private static func tags(_ tags: JSONObject?, carried: [DeclaredVersion]) -> JSONObject {
        let versions = Set(carried.map(\.version.text))
        var members = (tags?.members ?? []).filter { versions.contains($0.value.string ?? "") }
        if !members.contains(where: { $0.name == "latest" }),
            let latest = PackageVersion.preferredLatest(of: carried.map(\.version))
        {
            members.append((name: "latest", value: .string(latest.text)))
        }
        return JSONObject(uniqueMembers: members)
    }

    static func attachments(_ carried: [DeclaredVersion]) -> JSONObject {
        JSONObject(
            uniqueMembers: carried.map { version in
                (name: version.file.text, value: .object(attachment(of: version)))
            })
    }

    /// What Verdaccio keeps of a tarball it holds; unpublishing needs it.
    static func attachment(of version: DeclaredVersion) -> JSONObject {
        var entry = JSONObject()
        if let shasum = version.manifest["dist"]?.object?["shasum"]?.string { entry["shasum"] = .string(shasum) }
        entry["version"] = .string(version.version.text)
        return entry
    }

    private static let versionMembers: Set<String> = [
        "name", "version", "description", "keywords", "homepage", "bugs", "license", "licenses", "author", "contributors",
        "maintainers", "funding", "repository", "main", "module", "type", "types", "typings", "exports", "imports", "browser", "bin",
        "man", "directories", "files", "scripts", "config", "dependencies", "devDependencies", "optionalDependencies",
        "peerDependencies", "peerDependenciesMeta", "bundleDependencies", "bundledDependencies", "acceptDependencies", "overrides",
        "engines", "os", "cpu", "libc", "engineStrict", "preferGlobal", "private", "publishConfig", "workspaces", "sideEffects",
        "gypfile", "gitHead", "deprecated", "hasInstallScript", "_hasShrinkwrap", "_id", "_nodeVersion", "_npmVersion", "_npmUser",
    ]

    private static let distMembers: Set<String> = [
        "integrity", "shasum", "fileCount", "unpackedSize", "signatures", "npm-signature", "attestations",
    ]
}
