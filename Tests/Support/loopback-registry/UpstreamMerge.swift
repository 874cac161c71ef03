import CanonicalJSON
import PackageStore

/// Takes over what an uplink says of a package: only ever adds.
///
/// A version that is stored stays as it is, one that upstream withdrew stays, tags only move up.
func merge(upstream: JSONObject, from uplink: String, at base: String, into stored: inout JSONObject) {
    let known = stored["versions"]?.object?.dictionary ?? [:]
    var versions = stored["versions"]?.object?.members ?? []
    var files = stored["_distfiles"]?.object?.members ?? []
    var listed = Set(files.map(\.name))
    for (version, value) in upstream["versions"]?.object?.members ?? [] where known[version] == nil {
        guard var entry = value.object else { continue }
        entry["readme"] = nil
        if entry["contributors"]?.array == nil { entry["contributors"] = [] }
        versions.append((version, .object(entry)))
        guard let url = entry["dist"]?.object?["tarball"]?.string, let file = url.split(separator: "/").last.map(String.init),
            listed.insert(file).inserted
        else { continue }
        var record = JSONObject(uniqueMembers: [("url", .string(url))])
        record["sha"] = entry["dist"]?.object?["shasum"]
        if url.hasPrefix(base) { record["registry"] = .string(uplink) }
        files.append((file, .object(record)))
    }
    stored["versions"] = .object(JSONObject(uniqueMembers: versions))
    stored["_distfiles"] = .object(JSONObject(uniqueMembers: files))

    for (tag, value) in upstream["dist-tags"]?.object?.members ?? [] {
        guard let wanted = value.string.flatMap(PackageVersion.init) else { continue }
        let current = stored["dist-tags", tag]?.string.flatMap(PackageVersion.init)
        if current.map({ $0 <= wanted }) ?? true { stored["dist-tags", tag] = value }
    }
    if let times = upstream["time"]?.object {
        let told = times.dictionary
        let old = (stored["time"]?.object?.members ?? []).filter { told[$0.name] == nil }
        stored["time"] = .object(JSONObject(uniqueMembers: times.members + old))
    }
    if let readme = upstream["readme"]?.string { stored["readme"] = .string(readme) }
}

/// What a client is told of a packument: the private members left out, tarballs at this server's address.
func served(_ stored: JSONObject, at base: String) throws(RegistryFailure) -> JSONObject {
    let shown: Set = ["_rev", "name", "versions", "dist-tags", "readme", "time", "_id", "users"]
    var packument = JSONObject(uniqueMembers: stored.members.filter { shown.contains($0.name) })
    packument["_attachments"] = [:]
    if packument["dist-tags", "latest"] == nil,
        let highest = packument["versions"]?.object?.members.compactMap({ PackageVersion($0.name) }).max()
    {
        packument["dist-tags", "latest"] = .string(highest.text)
    }
    let name = packument["name"]?.string ?? "undefined"
    var versions: [(name: String, value: JSONValue)] = []
    for (version, value) in packument["versions"]?.object?.members ?? [] {
        guard var entry = value.object, let url = entry["dist"]?.object?["tarball"]?.string else { throw .unknown() }
        let file = url.split(separator: "/").last ?? ""
        entry["dist", "tarball"] = .string("\(base)/\(name)/-/\(file)")
        versions.append((version, .object(entry)))
    }
    packument["versions"] = .object(JSONObject(uniqueMembers: versions))
    return packument
}
