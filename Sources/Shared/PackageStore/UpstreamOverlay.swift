package import CanonicalJSON
package import Integrity
package import Platform

/// What upstream says now of a package and Verdaccio does not pick up: as a proxy it never changes a version it knows, never lowers a tag,
/// never drops a version that was withdrawn.
///
/// It is a difference to one stored packument, and is laid over that one or a later one: a local version, a tag on one, and a tag that
/// has moved on since stay as they are stored.
package struct UpstreamOverlay: Sendable, Equatable {
    /// Where upstream has a tag, and where it was stored when that was learnt.
    package struct TagMove: Sendable, Hashable {
        package let was: String
        package let now: String

        package init(was: String, now: String) {
            self.was = was
            self.now = now
        }
    }

    /// The messages of deprecated versions by version; `nil` where upstream has taken its deprecation back.
    package private(set) var deprecations: [String: String?] = [:]
    /// The tags that upstream has elsewhere.
    package private(set) var tags: [String: TagMove] = [:]
    /// The versions that upstream no longer has.
    package private(set) var withdrawn: Set<String> = []

    /// No overlay above this many encoded bytes is made or read.
    package static let sizeLimit = 16 << 20

    /// Nothing to change.
    package init() {}

    /// Finds what of a stored packument upstream says otherwise.
    ///
    /// - Parameters:
    ///   - stored: the whole document; one that was read as far as it is about some tarballs would hide the rest.
    ///   - upstream: the full or the abbreviated document. Where a package has several uplinks, what they say together: a version is
    ///     withdrawn that is not in here.
    ///   - known: when upstream had changed it last, as far as was known before it was stored: an older answer's time is stored as well.
    /// - Throws: `UpstreamError` for an answer that nothing is to be concluded from.
    package init(of stored: StoredPackument, upstream: JSONObject, after known: Timestamp? = nil) throws(UpstreamError) {
        let name = upstream["name"]?.string
        guard let name, .string(name) == stored.object["name"] else { throw .foreign(name ?? "") }
        let theirs = upstream["versions"]?.object?.dictionary ?? [:]
        // What npm says of a package that was unpublished as a whole; no versions without it are no answer.
        guard !theirs.isEmpty || upstream["time"]?.object?["unpublished"]?.object != nil else { throw .noVersions }
        // An answer from a replica that lags behind; where either does not say when it was changed, it is not known to be one.
        let changed = Self.moment(upstream["time"]?.object?["modified"]) ?? Self.moment(upstream["modified"])
        if let changed, let latest = [Self.modified(stored), known].compactMap({ $0 }).max(), changed < latest {
            throw .older(upstream: changed, stored: latest)
        }
        let proxied = stored.proxied
        for version in proxied.values {
            guard let their = theirs[version.version.text] else {
                withdrawn.insert(version.version.text)
                continue
            }
            let now = DeclaredVersion.deprecation(in: their.object)
            // Swift takes composed and decomposed letters for one; JSON does not.
            guard now.map({ .string($0) }) ?? JSONValue.null != version.deprecation.map({ .string($0) }) ?? .null else { continue }
            deprecations.updateValue(now, forKey: version.version.text)
        }
        let theirTags = upstream["dist-tags"]?.object?.dictionary ?? [:]
        let local = Set(stored.declared.map(\.version.text)).subtracting(proxied.keys)
        for (tag, value) in stored.object["dist-tags"]?.object?.members ?? [] {
            guard let was = value.string, !local.contains(was), let now = theirTags[tag]?.string, .string(now) != value else { continue }
            tags[tag] = TagMove(was: was, now: now)
        }
        guard encoded.count <= Self.sizeLimit else { throw .tooLarge }
    }

    /// When upstream had changed what is stored; where a local publication has overwritten that, when its newest version came.
    private static func modified(_ stored: StoredPackument) -> Timestamp? {
        let times = stored.object["time"]?.object?.dictionary ?? [:]
        guard let modified = moment(times["modified"]) else { return nil }
        let proxied = stored.proxied
        let isLocal = stored.declared.contains { version in
            proxied[version.version.text] == nil && moment(times[version.version.text]).map { $0 >= modified } ?? false
        }
        return isLocal ? proxied.keys.compactMap { moment(times[$0]) }.max() : modified
    }

    private static func moment(_ value: JSONValue?) -> Timestamp? { value?.string.flatMap { Timestamp($0) } }

    /// Whether nothing is to be changed.
    package var isEmpty: Bool { deprecations.isEmpty && tags.isEmpty && withdrawn.isEmpty }

    /// The packument with upstream's deprecations and tags, without the versions it has withdrawn and the tags on them.
    ///
    /// It may be without a `latest` then. What has become local or has moved on since is as it is stored.
    package func applied(to stored: StoredPackument) -> StoredPackument {
        guard !isEmpty else { return stored }
        let proxied = stored.proxied
        let local = Set(stored.declared.map(\.version.text)).subtracting(proxied.keys)
        let gone = withdrawn.subtracting(local)
        let declared: [DeclaredVersion] = stored.declared.compactMap { version in
            let name = version.version.text
            if gone.contains(name) { return nil }
            guard proxied[name] != nil, let message = deprecations[name] else { return version }
            var manifest = version.manifest
            manifest["deprecated"] = message.map { .string($0) }
            return DeclaredVersion(version: version.version, file: version.file, manifest: manifest)
        }
        let changed = Dictionary(declared.map { ($0.version.text, $0.manifest) }, uniquingKeysWith: { first, _ in first })
        var object = stored.object
        let versions = (object["versions"]?.object?.members ?? []).filter { !gone.contains($0.name) }
        object["versions"] = .object(
            JSONObject(uniqueMembers: versions.map { ($0.name, changed[$0.name].map { .object($0) } ?? $0.value) }))
        let moved = (object["dist-tags"]?.object?.members ?? []).map { tag in
            guard let move = tags[tag.name], tag.value == .string(move.was), !local.contains(move.was) else { return tag }
            return (name: tag.name, value: .string(move.now))
        }
        object["dist-tags"] = .object(JSONObject(uniqueMembers: moved.filter { !gone.contains($0.value.string ?? "") }))
        return StoredPackument(object: object, declared: declared, findings: stored.findings)
    }

    package static func == (left: UpstreamOverlay, right: UpstreamOverlay) -> Bool { left.encoded == right.encoded }
}

/// Why an upstream's answer makes no overlay.
package enum UpstreamError: Error, Equatable, CustomStringConvertible {
    /// It speaks of another package, or of none.
    case foreign(String)
    /// It has no versions, and does not say that the package was unpublished.
    case noVersions
    /// It was made before what is stored.
    case older(upstream: Timestamp, stored: Timestamp)
    /// It differs in more than an overlay may hold.
    case tooLarge

    package var description: String {
        switch self {
        case .foreign(let name): "upstream's answer is about \"\(name.prefix(214))\""
        case .noVersions: "upstream's answer has no versions"
        case .older(let upstream, let stored): "upstream's answer of \(upstream) is older than what is stored, of \(stored)"
        case .tooLarge: "upstream's answer differs in more than \(UpstreamOverlay.sizeLimit) bytes"
        }
    }
}

extension UpstreamOverlay {
    private static let document = "upstream overlay"

    /// Canonical JSON; equal overlays have equal bytes.
    package var encoded: [UInt8] {
        let messages = deprecations.map { (name: $0.key, value: $0.value.map { JSONValue.string($0) } ?? .null) }
        let moves = tags.map { tag in
            (name: tag.key, value: ["was": .string(tag.value.was), "now": .string(tag.value.now)] as JSONValue)
        }
        let value: JSONValue = [
            "deprecations": .object(JSONObject(uniqueMembers: messages)), "tags": .object(JSONObject(uniqueMembers: moves)),
            "withdrawn": .array(withdrawn.sorted().map { .string($0) }),
        ]
        return value.canonicalBytes
    }

    /// What overlays are told apart by.
    package var digest: SHA512Digest { SHA512.digest(of: encoded) }

    /// Reads `encoded`, and refuses bytes that are not exactly one.
    package init(decoding bytes: [UInt8]) throws(DocumentError) {
        guard bytes.count <= Self.sizeLimit else { throw DocumentError(Self.document, "it has more than \(Self.sizeLimit) bytes") }
        var object = try StrictObject(parsing: bytes, document: Self.document)
        for (version, message) in try object.take("deprecations", \.object).members {
            guard PackageVersion(version) != nil, message == .null || message.string?.isEmpty == false else {
                throw DocumentError(Self.document, "the deprecation of \"\(version.prefix(256))\" is not one")
            }
            deprecations.updateValue(message.string, forKey: version)
        }
        for (tag, value) in try object.take("tags", \.object).members {
            var move = try StrictObject(value, document: Self.document)
            tags[tag] = TagMove(was: try move.string("was"), now: try move.string("now"))
            try move.finish()
        }
        for value in try object.take("withdrawn", \.array) {
            guard let version = value.string.flatMap({ PackageVersion($0) }) else {
                throw DocumentError(Self.document, "what is withdrawn is not a version")
            }
            withdrawn.insert(version.text)
        }
        try object.finish()
        guard encoded == bytes else { throw DocumentError(Self.document, "it is not canonical") }
    }
}

extension StoredPackument {
    /// The versions that came from an uplink, by their texts; all others are local.
    ///
    /// Verdaccio keeps in `_distfiles` where the tarball of such a version is.
    package var proxied: [String: DeclaredVersion] {
        let files = object["_distfiles"]?.object?.dictionary ?? [:]
        guard !files.isEmpty else { return [:] }
        let known = declared.filter { files[$0.file.text] != nil }
        return Dictionary(known.map { ($0.version.text, $0) }, uniquingKeysWith: { first, _ in first })
    }
}
