package import CanonicalJSON
import Integrity

/// Cuts a packument to the tarballs that are there, so that a registry without uplinks serves just what it has.
///
/// What a proxy only knew of makes installs fail, and what it remembers of origins makes a registry call out that should not (VERDACCIO §3.2,
/// §3.3). A pure function: nothing is read or written.
package struct PackumentCut: Sendable {
    /// The packument without them; `nil` where no version is left.
    package private(set) var document: JSONObject?
    /// The names of the versions that go.
    package let dropped: [String]
    /// How many addresses to fetch tarballs from go.
    package let origins: Int
    /// Whether the document differs from the one that is there.
    package let isChanged: Bool

    /// - Parameter present: the tarballs of the package that are there.
    package init(_ packument: StoredPackument, present: Set<FileName>) {
        let object = packument.object
        let kept = packument.declared.filter { present.contains($0.file) }
        let names = Set(kept.map(\.version.text))
        dropped = (object["versions"]?.object?.members ?? []).map(\.name).filter { !names.contains($0) }
        origins = object["_distfiles"]?.object?.members.count ?? 0
        let tags = object["dist-tags"]?.object?.members ?? []
        let isTagLost = tags.contains { !names.contains($0.value.string ?? "") } || !tags.contains { $0.name == "latest" }
        isChanged = !dropped.isEmpty || origins > 0 || isTagLost || object["_attachments"]?.object == nil
        guard !kept.isEmpty else { return }
        guard isChanged else {
            document = object
            return
        }
        func only(_ name: String, _ isKept: (String, JSONValue) -> Bool) -> JSONValue {
            .object(JSONObject(uniqueMembers: (object[name]?.object?.members ?? []).filter { isKept($0.name, $0.value) }))
        }
        var result = object
        result["versions"] = only("versions") { name, _ in names.contains(name) }
        result["time"] = only("time") { name, _ in name == "created" || name == "modified" || names.contains(name) }
        result["dist-tags"] = only("dist-tags") { _, value in names.contains(value.string ?? "") }
        let known = object["_attachments"]?.object?.dictionary ?? [:]
        result["_attachments"] = .object(
            JSONObject(
                uniqueMembers: Set(kept.map(\.file)).sorted().map { file in
                    let version = kept.first { $0.file == file }
                    return (file.text, known[file.text] ?? .object(version.map(TransferForm.attachment) ?? JSONObject()))
                }))
        result["_uplinks"] = [:]
        result["_distfiles"] = [:]
        if result["_id"]?.string == nil { result["_id"] = result["name"] }
        result = PackumentRemoval.naming(latestIn: result)
        result["_rev"] = .string(object.revision.next(content: SHA512.digest(of: JSONValue.object(result).canonicalBytes)).text)
        document = result
    }
}
