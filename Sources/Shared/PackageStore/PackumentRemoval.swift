package import CanonicalJSON
import Integrity

/// Takes versions out of a packument, with all that it says of them.
///
/// A pure function: nothing is read or written.
package struct PackumentRemoval: Sendable {
    /// The packument without them; `nil` where no version is left.
    package private(set) var rest: JSONObject?
    /// A packument of them alone.
    package let taken: JSONObject
    /// The tags, but `latest`, that stood on them, with their versions, sorted.
    package let tags: [(name: String, version: String)]

    package init(of versions: Set<PackageVersion>, from packument: StoredPackument) {
        let names = Set(versions.map(\.text))
        let files = Set(packument.declared.filter { versions.contains($0.version) }.map(\.file.text))
        let object = packument.object
        taken = Self.part(of: object, versions: names.contains, files: files.contains)
        tags = (object["dist-tags"]?.object?.members ?? []).compactMap { name, value in
            value.string.flatMap { name != "latest" && names.contains($0) ? (name, $0) : nil }
        }.sorted { $0.0 < $1.0 }
        let left = (object["versions"]?.object?.members ?? []).filter { !names.contains($0.name) }
        guard !left.isEmpty else { return }
        var document = Self.part(of: object, versions: { !names.contains($0) }, files: { !files.contains($0) })
        document = Self.naming(latestIn: document)
        let content = SHA512.digest(of: JSONValue.object(document).canonicalBytes)
        document["_rev"] = .string(object.revision.next(content: content).text)
        rest = document
    }

    /// The document with a `latest`: the one it has, else the one Verdaccio would choose.
    static func naming(latestIn document: JSONObject) -> JSONObject {
        var tags = document["dist-tags"]?.object ?? JSONObject()
        let versions = (document["versions"]?.object?.members ?? []).compactMap { PackageVersion($0.name) }
        guard tags["latest"] == nil, let latest = PackageVersion.preferredLatest(of: versions) else { return document }
        tags["latest"] = .string(latest.text)
        var result = document
        result["dist-tags"] = .object(tags)
        return result
    }

    /// The document as far as it is about these versions and tarballs.
    private static func part(of object: JSONObject, versions: (String) -> Bool, files: (String) -> Bool) -> JSONObject {
        func kept(_ name: String, _ isKept: (String, JSONValue) -> Bool) -> JSONValue? {
            object[name]?.object.map { members in .object(JSONObject(uniqueMembers: members.members.filter { isKept($0.name, $0.value) })) }
        }
        var result = object
        result["versions"] = kept("versions") { name, _ in versions(name) }
        result["time"] = kept("time") { name, _ in name == "created" || name == "modified" || versions(name) }
        result["dist-tags"] = kept("dist-tags") { _, value in value.string.map(versions) ?? false }
        result["_attachments"] = kept("_attachments") { name, _ in files(name) }
        result["_distfiles"] = kept("_distfiles") { name, _ in files(name) }
        return result
    }
}

/// Puts versions that were taken out of a packument back into it; the inverse of `PackumentRemoval`, whatever was done in between.
///
/// What stands there is not changed. A tag comes back only where none of its name stands now, `latest` never moves.
package struct PackumentReturn: Sendable {
    /// The packument with them.
    package let document: JSONObject

    /// - Parameters:
    ///   - versions: those of `taken` that come back, none of which is in `packument`.
    ///   - packument: what is there; `nil` where the package is not.
    package init(of versions: Set<PackageVersion>, from taken: StoredPackument, into packument: StoredPackument?) {
        let others = Set(taken.declared.map(\.version)).subtracting(versions)
        let part = others.isEmpty ? taken.object : PackumentRemoval(of: others, from: taken).rest ?? taken.object
        guard let packument else {
            var document = part
            document["_uplinks"] = [:]
            document["_distfiles"] = [:]
            if document["_attachments"]?.object == nil { document["_attachments"] = [:] }
            self.document = PackumentRemoval.naming(latestIn: document)
            return
        }
        var document = packument.object
        for name in ["versions", "time", "dist-tags", "_attachments"] {
            var members = document[name]?.object?.dictionary ?? [:]
            members.merge(part[name]?.object?.dictionary ?? [:]) { mine, _ in mine }
            document[name] = .object(JSONObject(uniqueMembers: members.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }))
        }
        document = PackumentRemoval.naming(latestIn: document)
        let content = SHA512.digest(of: JSONValue.object(document).canonicalBytes)
        document["_rev"] = .string(packument.object.revision.next(content: content).text)
        self.document = document
    }
}
