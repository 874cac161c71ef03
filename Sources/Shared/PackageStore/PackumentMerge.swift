package import CanonicalJSON
package import Integrity

/// What becomes of one version of an incoming transfer form.
///
/// The raw values are the words of the ledger.
package enum VersionOutcome: String, Sendable, Hashable, CaseIterable {
    /// It was not here, and now it is.
    case added
    /// It was here with the same bytes.
    case held
    /// It was here, but its bytes were damaged or gone; the incoming ones replace them.
    case healed
    /// A version of that number but with other bytes is here; ours stays.
    case conflict
    /// The package holds only local versions and is not mixed with a public one of the same name.
    case ownedLocally = "owned-locally"
    /// This destination was given it before, and somebody removed it here; it stays removed.
    case removed
    /// Its tarball is neither staged nor here, and nothing says why.
    case absent
    /// It is about to be placed.
    ///
    /// What an import that was interrupted leaves.
    case intended
    /// An import had brought it, and was undone.
    case undone
    /// It is about to be quarantined or deleted.
    ///
    /// What an import that was interrupted leaves.
    case leaving
    /// It has left its origin, and was put aside here.
    case quarantined
    /// It has left its origin, and was removed here.
    case deleted
    /// A later bundle took it away, and this older one does not bring it back.
    case withdrawn
    /// It was quarantined and let back; it is local from then on.
    case released
    /// An import had taken it away, and was undone.
    case returned
    /// It was here before anything was imported.
    case adopted

    /// Whether the destination did not take what it was offered.
    package var isRefusal: Bool { self == .conflict || self == .ownedLocally }
    /// Whether the destination holds it.
    package var isTaken: Bool { self == .added || self == .held || self == .healed }
    /// Whether an import took it away since it had left its origin.
    package var isGone: Bool { self == .quarantined || self == .deleted }
}

/// Merges an incoming transfer form into what a storage holds: three-way, with the last form this destination was given as the base.
///
/// Local versions and tags are never lost or changed, a tag that points at a local version is never moved, and what was not changed
/// locally since the base follows the origin. A pure function: nothing is read or written.
package struct PackumentMerge: Sendable {
    /// What is known of the tarballs of the package.
    package struct Tarballs: Sendable {
        /// The digest the origin's target gives each tarball of the incoming form.
        package var offered: [FileName: SHA512Digest]
        /// The tarballs that came with the bundle.
        package var staged: Set<FileName>
        /// What lies in the package's directory: the digest where it was measured, `nil` where it was proved otherwise.
        package var present: [FileName: SHA512Digest?]
        /// What the ledger says this destination was given before, whatever the origin.
        package var delivered: [FileName: Set<SHA512Digest>]
        /// What of it was only meant to be given so far: by this import, or by one that was interrupted.
        package var intended: Set<FileName>
        /// What the ledger says was given and removed here.
        package var removed: Set<FileName>
        /// What a bundle has taken away, since it had left its origin.
        package var gone: Set<FileName>

        package init(
            offered: [FileName: SHA512Digest], staged: Set<FileName>, present: [FileName: SHA512Digest?],
            delivered: [FileName: Set<SHA512Digest>], intended: Set<FileName> = [], removed: Set<FileName> = [],
            gone: Set<FileName> = []
        ) {
            self.offered = offered
            self.staged = staged
            self.present = present
            self.delivered = delivered
            self.intended = intended
            self.removed = removed
            self.gone = gone
        }

        func holdsOffered(_ file: FileName) -> Bool {
            guard let found = present[file] else { return false }
            return found == nil || found == offered[file]
        }
    }

    /// What may be done beyond the careful default.
    package struct Policy: Sendable {
        /// Mix incoming versions into a package that holds only local ones.
        package var adoptsLocalPackages = false
        /// The bundle is older than the newest applied one: absent versions may be added, nothing else changes.
        package var addsOnly = false
        /// Bring back versions that were removed here.
        package var restoresRemoved = false

        package init() {}
    }

    /// The merged document, canonical when written; equal to the local one where nothing changes.
    package private(set) var document: JSONObject
    /// Whether the document differs from the local one.
    package private(set) var isChanged = false
    /// What became of each incoming version.
    package private(set) var outcomes: [FileName: VersionOutcome] = [:]
    /// Tarballs to place where none stands.
    package private(set) var place: [FileName] = []
    /// Tarballs to replace because their bytes are damaged.
    package private(set) var heal: [FileName] = []

    private let local: JSONObject
    private let base: JSONObject?
    private let incoming: TransferForm
    private let incomingVersions: [PackageVersion: DeclaredVersion]
    private let tarballs: Tarballs
    private let policy: Policy

    /// - Parameters:
    ///   - incoming: what the origin's target says of the package.
    ///   - local: what the storage says; `nil` where the package is not here.
    ///   - base: the last form of this origin that was applied here, if any, and if `local` goes back to it; without one, what is not
    ///     local follows the origin.
    package init(
        _ incoming: TransferForm, into local: StoredPackument?, base: JSONObject?, tarballs: Tarballs, policy: Policy
    ) {
        self.incoming = incoming
        incomingVersions = Dictionary(incoming.carried.map { ($0.version, $0) }, uniquingKeysWith: { first, _ in first })
        self.local = local?.object ?? JSONObject()
        self.base = base
        self.tarballs = tarballs
        self.policy = policy
        document = self.local
        let localVersions = Dictionary((local?.declared ?? []).map { ($0.version, $0) }, uniquingKeysWith: { first, _ in first })
        let isOwnedLocally =
            !localVersions.isEmpty && !policy.adoptsLocalPackages && localVersions.values.allSatisfy { isLocal($0) }
        if isOwnedLocally {
            for version in incoming.carried { outcomes[version.file] = .ownedLocally }
            return
        }
        for version in incoming.carried { decide(version, localVersions[version.version]) }
        merge(localVersions)
        isChanged = local == nil || document != self.local
        if isChanged, let local {
            let content = SHA512.digest(of: JSONValue.object(document).canonicalBytes)
            document["_rev"] = .string(local.object.revision.next(content: content).text)
        }
    }

    /// A version is local unless this destination was given its bytes, by an earlier bundle or by this one.
    private func isLocal(_ version: DeclaredVersion) -> Bool {
        if let offered = tarballs.offered[version.file], incomingVersions[version.version] != nil,
            let same = isSame(version, sha512: offered), same
        {
            return false
        }
        guard let given = tarballs.delivered[version.file] else { return true }
        if let declared = version.integrity?.sha512, !declared.isEmpty { return given.isDisjoint(with: declared) }
        guard let found = tarballs.present[version.file], let found else { return given.isEmpty }
        return !given.contains(found)
    }

    /// Whether a local entry declares these bytes; `nil` where it does not say enough.
    private func isSame(_ version: DeclaredVersion, sha512: SHA512Digest) -> Bool? {
        if let declared = version.integrity?.sha512, !declared.isEmpty { return declared.contains(sha512) }
        if let theirs = incomingVersions[version.version], let a = theirs.shasum, let b = version.shasum {
            return a == b
        }
        guard let place = tarballs.present[version.file] else {
            // It declares nothing and is gone: what was given under that name is what is meant.
            return tarballs.delivered[version.file]?.contains(sha512) == true ? true : nil
        }
        return place.map { $0 == sha512 }
    }

    private mutating func decide(_ version: DeclaredVersion, _ local: DeclaredVersion?) {
        let file = version.file
        let isPresent = tarballs.present[file] != nil
        if let local {
            let isTheSame = local.file == file && tarballs.offered[file].flatMap { isSame(local, sha512: $0) } == true
            guard isTheSame else {
                outcomes[file] = .conflict
                return
            }
            if tarballs.holdsOffered(file) {
                outcomes[file] = .held
            } else if tarballs.staged.contains(file) {
                outcomes[file] = .healed
            } else {
                outcomes[file] = .absent
            }
        } else if policy.addsOnly, !policy.restoresRemoved, tarballs.gone.contains(file) {
            outcomes[file] = .withdrawn
        } else if isRemovedHere(version) {
            outcomes[file] = .removed
        } else if isPresent {
            outcomes[file] = tarballs.holdsOffered(file) ? .added : .conflict
        } else {
            outcomes[file] = tarballs.staged.contains(file) ? .added : .absent
        }
        let isHealed = outcomes[file] == .healed
        if !isPresent, isHealed || outcomes[file] == .added { place.append(file) }
        if isPresent, isHealed { heal.append(file) }
    }

    /// A version that was given, stood in the packument this one goes back to, and stands there no more.
    private func isRemovedHere(_ version: DeclaredVersion) -> Bool {
        guard !policy.restoresRemoved, let offered = tarballs.offered[version.file] else { return false }
        if tarballs.removed.contains(version.file) { return true }
        // What its origin had let go, and offers again, was not removed by anybody here.
        if tarballs.gone.contains(version.file) { return false }
        guard tarballs.delivered[version.file]?.contains(offered) == true, !tarballs.intended.contains(version.file),
            !local.members.isEmpty
        else { return false }
        return base?["versions"]?.object?[version.version.text] != nil
    }

    private mutating func merge(_ localVersions: [PackageVersion: DeclaredVersion]) {
        let name = incoming.object["name"] ?? .null
        document["name"] = name
        document["_id"] = name
        document["versions"] = .object(mergedVersions(localVersions))
        document["time"] = .object(mergedTime())
        document["dist-tags"] = .object(mergedTags(localVersions))
        document["_attachments"] = .object(mergedAttachments())
        document["_uplinks"] = [:]
        document["_distfiles"] = [:]
        if document["users"]?.object == nil { document["users"] = [:] }
        if document["_rev"]?.string == nil { document["_rev"] = incoming.object["_rev"] }
        document["readme"] =
            policy.addsOnly ? local["readme"] ?? incoming.object["readme"] : followed("readme", local, base, incoming.object)
    }

    /// The rule of a three-way merge for one member: what was not changed here follows the origin.
    private func followed(_ name: String, _ local: JSONObject, _ base: JSONObject?, _ incoming: JSONObject) -> JSONValue? {
        let mine = local[name]
        return mine == nil || (base != nil && mine == base?[name]) ? incoming[name] : mine
    }

    private func takes(_ file: FileName) -> Bool { outcomes[file]?.isTaken ?? false }

    private func mergedVersions(_ localVersions: [PackageVersion: DeclaredVersion]) -> JSONObject {
        let distfiles = local["_distfiles"]?.object
        var versions: [String: JSONValue] = [:]
        for (name, value) in local["versions"]?.object?.members ?? [] {
            // What a proxy only knew of and never held is no version of this registry.
            if let entry = PackageVersion(name).flatMap({ localVersions[$0] }), tarballs.present[entry.file] == nil,
                distfiles?[entry.file.text] != nil
            {
                continue
            }
            versions[name] = value
        }
        let baseVersions = base?["versions"]?.object?.dictionary ?? [:]
        let theirVersions = incoming.object["versions"]?.object?.dictionary ?? [:]
        for version in incoming.carried where takes(version.file) {
            let name = version.version.text
            let theirs = theirVersions[name] ?? .object(version.manifest)
            guard let mine = versions[name]?.object else {
                versions[name] = theirs
                continue
            }
            if !policy.addsOnly { versions[name] = mergedManifest(mine, base: baseVersions[name]?.object, theirs: theirs.object) }
        }
        return JSONObject(uniqueMembers: versions.map { (name: $0.key, value: $0.value) })
    }

    private func mergedManifest(_ mine: JSONObject, base: JSONObject?, theirs: JSONObject?) -> JSONValue {
        guard let theirs else { return .object(mine) }
        guard let base else {
            // Never given before, yet here with the same bytes: the origin describes it; a local deprecation stays.
            var result = theirs
            if let deprecated = mine["deprecated"] { result["deprecated"] = deprecated }
            return .object(result)
        }
        var result = JSONObject()
        for name in Set((mine.members + base.members + theirs.members).map(\.name)) {
            result[name] = mine[name] == base[name] ? theirs[name] : mine[name]
        }
        return .object(result)
    }

    private func mergedTime() -> JSONObject {
        var time = local["time"]?.object?.dictionary ?? [:]
        let baseTime = base?["time"]?.object?.dictionary
        let taken = Set(incoming.carried.filter { takes($0.file) }.map(\.version.text))
        for (name, value) in incoming.object["time"]?.object?.members ?? [] {
            guard name == "created" || name == "modified" || taken.contains(name) else { continue }
            let isUnchanged = baseTime.map { time[name] == $0[name] } ?? false
            if time[name] == nil || (!policy.addsOnly && isUnchanged) { time[name] = value }
        }
        let versions = Set((document["versions"]?.object?.members ?? []).map(\.name))
        let kept = time.filter { $0.key == "created" || $0.key == "modified" || versions.contains($0.key) }
        return JSONObject(uniqueMembers: kept.map { (name: $0.key, value: $0.value) })
    }

    private func mergedTags(_ localVersions: [PackageVersion: DeclaredVersion]) -> JSONObject {
        let mine = local["dist-tags"]?.object?.dictionary ?? [:]
        let old = base?["dist-tags"]?.object?.dictionary ?? [:]
        let theirs = incoming.object["dist-tags"]?.object?.dictionary ?? [:]
        let versions = Set((document["versions"]?.object?.members ?? []).map(\.name))
        var tags: [String: JSONValue] = [:]
        for name in Set(mine.keys).union(old.keys).union(theirs.keys) {
            tags[name] = followedTag(mine: mine[name], old: old[name], theirs: theirs[name], localVersions)
        }
        let known = tags.filter { versions.contains($0.value.string ?? "") }
        var result = JSONObject(uniqueMembers: known.map { (name: $0.key, value: $0.value) })
        if result["latest"] == nil, let latest = PackageVersion.preferredLatest(of: versions.compactMap { PackageVersion($0) }) {
            result["latest"] = .string(latest.text)
        }
        return result
    }

    private func followedTag(
        mine: JSONValue?, old: JSONValue?, theirs: JSONValue?, _ localVersions: [PackageVersion: DeclaredVersion]
    ) -> JSONValue? {
        if policy.addsOnly, !localVersions.isEmpty { return mine }
        let target = mine?.string.flatMap { PackageVersion($0) }.flatMap { localVersions[$0] }
        if let target, isLocal(target) { return mine }
        // Without a base, a tag on a version the origin knows as well is the origin's to move.
        // The same where the base's tag could not be followed, since a version of that number is here that is not the origin's.
        let hasBase = base != nil && outcome(ofVersion: old)?.isRefusal != true
        let isUnchanged = mine == old || (!hasBase && (mine == nil || target != nil)) || (mine != nil && target == nil)
        guard isUnchanged else { return mine }
        guard let theirs else { return base == nil ? mine : nil }
        return outcome(ofVersion: theirs)?.isTaken == true ? theirs : mine
    }

    private func outcome(ofVersion value: JSONValue?) -> VersionOutcome? {
        value?.string.flatMap { PackageVersion($0) }.flatMap { incomingVersions[$0] }.flatMap { outcomes[$0.file] }
    }

    private func mergedAttachments() -> JSONObject {
        var attachments = local["_attachments"]?.object?.dictionary ?? [:]
        for version in incoming.carried where takes(version.file) {
            if policy.addsOnly, attachments[version.file.text] != nil { continue }
            attachments[version.file.text] = .object(TransferForm.attachment(of: version))
        }
        let files = Set(tarballs.present.keys).union(place)
        let kept = attachments.filter { entry in FileName(entry.key).map(files.contains) ?? true }
        return JSONObject(uniqueMembers: kept.map { (name: $0.key, value: $0.value) })
    }
}
