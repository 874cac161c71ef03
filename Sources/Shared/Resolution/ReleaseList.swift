import CanonicalJSON
package import PackageStore

/// The versions of a package with its dist-tags: what npm chooses from.
package struct ReleaseList: Sendable {
    /// In the order of the packument.
    package let releases: [Release]
    /// Tag to version.
    package let tags: [String: String]
    private let places: [String: Int]

    package init(_ releases: [Release], tags: [String: String]) {
        self.releases = releases
        self.tags = tags
        places = Dictionary(releases.enumerated().map { ($1.version.text, $0) }) { first, _ in first }
    }

    /// Reads a stored packument.
    package init(_ stored: StoredPackument) {
        let tags = stored.object["dist-tags"]?.object?.members ?? []
        self.init(
            stored.declared.map { Release($0) },
            tags: Dictionary(tags.compactMap { tag in tag.value.string.map { (tag.name, $0) } }) { _, last in last })
    }

    /// The version of that text.
    package subscript(version: String) -> Release? { places[version].map { releases[$0] } }

    /// What npm would install, by the rules of npm-pick-manifest 9; `nil` where nothing satisfies.
    ///
    /// - Parameter node: the Node it is installed with; `nil` where `engines` is not to count.
    package func pick(_ wanted: WantedVersion, node: SemanticVersion? = nil) -> Release? {
        switch wanted {
        case .tag(let tag): return tags[tag].flatMap { self[$0] }
        case .version(let version): return self[version.description]
        case .range(let range):
            func runs(_ release: Release) -> Bool { node.map(release.runs) ?? true }
            if let latest = tags["latest"], let release = self[latest], !release.isDeprecated, runs(release),
                range.text == "*" || range.contains(release.version.semantic)
            {
                return release
            }
            var best: (release: Release, rank: Int)?
            for release in releases where range.contains(release.version.semantic) {
                let rank = (runs(release) ? 2 : 0) + (release.isDeprecated ? 0 : 1)
                guard let known = best else {
                    best = (release, rank)
                    continue
                }
                if rank == known.rank ? release.version.semantic > known.release.version.semantic : rank > known.rank {
                    best = (release, rank)
                }
            }
            return best?.release
        }
    }
}
