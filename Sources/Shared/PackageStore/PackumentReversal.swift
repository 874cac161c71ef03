package import CanonicalJSON
package import Integrity

/// Takes back what an import wrote into a packument: the inverse of a three-way merge, with what was written as its base.
///
/// What somebody changed since stays as it is. A version goes only if the import brought it and the bytes are still those; a tag goes back
/// only while it is where the import put it. What the import did not come to write is not there to be taken back. A pure function.
package struct PackumentReversal: Sendable {
    /// A packument that the import replaced by another.
    package struct Write: Sendable {
        package let before: JSONObject
        package let after: JSONObject

        package init(before: JSONObject, after: JSONObject) {
            self.before = before
            self.after = after
        }
    }

    /// Something that was done here since the import and goes with a version that it brought.
    package enum Loss: Sendable, Hashable, Comparable, CustomStringConvertible {
        /// A tag was put on the version.
        case tag(String, PackageVersion)
        /// The entry of the version was changed, such as by a deprecation.
        case edit(PackageVersion)

        package var description: String {
            switch self {
            case .tag(let name, let version): "the tag \"\(name)\" was put on \(version) since"
            case .edit(let version): "\(version) was changed or deprecated here since"
            }
        }
    }

    /// The document without what the import wrote; `nil` where no version is left.
    package private(set) var document: JSONObject?
    /// Whether it differs from the one that is here.
    package private(set) var isChanged = false
    /// The versions that go.
    package private(set) var removed: [DeclaredVersion] = []
    package private(set) var losses: [Loss] = []

    private let current: JSONObject
    private let writes: [Write]
    private let returning: Set<FileName>

    /// - Parameters:
    ///   - current: what the storage says now.
    ///   - writes: what the import replaced, in its order; empty for a package that was new.
    ///   - imported: the packument as the import left it, if known: what was changed since is told by it.
    ///   - owned: the tarballs that the import brought, and that nothing else has brought since.
    ///   - measured: the digests of tarballs here whose version declares none.
    ///   - returning: tarballs that the import took away; their versions come back, unless something else stands there now.
    package init(
        of current: StoredPackument, writes: [Write], imported: JSONObject?, owned: [FileName: SHA512Digest],
        measured: [FileName: SHA512Digest] = [:], returning: Set<FileName> = []
    ) {
        self.current = current.object
        self.writes = writes
        self.returning = returning
        removed = current.declared.filter { version in
            guard let digest = owned[version.file] else { return false }
            let declared = version.integrity?.sha512 ?? []
            return declared.isEmpty ? measured[version.file] == digest : declared.contains(digest)
        }
        let names = Set(removed.map(\.version.text))
        losses = Self.losses(of: current.object, imported: imported, removed: removed)
        var result = current.object
        for write in writes.reversed() { result = Self.undoing(write, in: result, returning: returning) }
        var versions = result["versions"]?.object ?? JSONObject()
        versions = JSONObject(uniqueMembers: versions.members.filter { !names.contains($0.name) })
        guard !versions.members.isEmpty else { return }
        result["versions"] = .object(versions)
        let left = Set(versions.members.map(\.name))
        result["dist-tags"] = .object(Self.tags(result["dist-tags"]?.object, among: left, writes.first?.before))
        if let time = result["time"]?.object {
            let kept = time.members.filter { $0.name == "created" || $0.name == "modified" || left.contains($0.name) }
            result["time"] = .object(JSONObject(uniqueMembers: kept))
        }
        if let attachments = result["_attachments"]?.object {
            let gone = Set(removed.map(\.file.text))
            result["_attachments"] = .object(JSONObject(uniqueMembers: attachments.members.filter { !gone.contains($0.name) }))
        }
        isChanged = result != current.object
        if isChanged {
            result["_rev"] = .string(current.object.revision.next(content: SHA512.digest(of: JSONValue.object(result).canonicalBytes)).text)
        }
        document = result
    }

    /// The document with every member that is as it was written put back to what it was before.
    private static func undoing(_ write: Write, in document: JSONObject, returning: Set<FileName>) -> JSONObject {
        var result = document
        for name in ["readme", "users"] {
            if result[name] == write.after[name] { result[name] = write.before[name] ?? result[name] }
        }
        for name in ["dist-tags", "time", "_attachments"] {
            let merged = undone(document[name]?.object, write.before[name]?.object, write.after[name]?.object)
            if document[name] != nil || !merged.members.isEmpty { result[name] = .object(merged) }
        }
        let before = write.before["versions"]?.object?.dictionary ?? [:]
        let after = write.after["versions"]?.object?.dictionary ?? [:]
        var versions = (document["versions"]?.object?.members ?? []).map { name, value in
            guard let mine = value.object, let old = before[name]?.object, let new = after[name]?.object else { return (name, value) }
            return (name, JSONValue.object(undone(mine, old, new)))
        }
        let here = Set(versions.map(\.0))
        for (name, value) in write.before["versions"]?.object?.members ?? [] where after[name] == nil && !here.contains(name) {
            guard case .success(let version) = DeclaredVersion.read(name, value), returning.contains(version.file) else { continue }
            versions.append((name, value))
        }
        result["versions"] = .object(JSONObject(uniqueMembers: versions.map { (name: $0.0, value: $0.1) }))
        return result
    }

    private static func undone(_ mine: JSONObject?, _ before: JSONObject?, _ after: JSONObject?) -> JSONObject {
        let mine = mine?.dictionary ?? [:]
        let before = before?.dictionary ?? [:]
        let after = after?.dictionary ?? [:]
        var result = mine
        for name in Set(before.keys).union(after.keys) where mine[name] == after[name] { result[name] = before[name] }
        return JSONObject(uniqueMembers: result.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) })
    }

    /// The tags whose version is left; `latest` as it was before, where its version is left, else the one Verdaccio would choose.
    private static func tags(_ tags: JSONObject?, among versions: Set<String>, _ before: JSONObject?) -> JSONObject {
        var result = JSONObject(uniqueMembers: (tags?.members ?? []).filter { versions.contains($0.value.string ?? "") })
        guard result["latest"] == nil else { return result }
        let old = before?["dist-tags"]?.object?["latest"]?.string
        let latest = old.flatMap { versions.contains($0) ? $0 : nil }
        let chosen = latest ?? PackageVersion.preferredLatest(of: versions.compactMap { PackageVersion($0) })?.text
        result["latest"] = chosen.map { .string($0) }
        return result
    }

    private static func losses(of current: JSONObject, imported: JSONObject?, removed: [DeclaredVersion]) -> [Loss] {
        guard let imported else { return [] }
        let versions = Dictionary(removed.map { ($0.version.text, $0) }, uniquingKeysWith: { first, _ in first })
        let tags = imported["dist-tags"]?.object?.dictionary ?? [:]
        var losses: [Loss] = []
        for (name, value) in current["dist-tags"]?.object?.members ?? [] {
            guard let version = value.string.flatMap({ versions[$0] }), tags[name] != value else { continue }
            losses.append(.tag(name, version.version))
        }
        let entries = imported["versions"]?.object?.dictionary ?? [:]
        for version in removed {
            guard let written = entries[version.version.text]?.object, written != version.manifest else { continue }
            losses.append(.edit(version.version))
        }
        return losses.sorted()
    }
}
