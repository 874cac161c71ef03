import ArgumentParser
import BundleFormat
import Glibc
import MediaLayout
import Mounts
import PackageStore
import Platform
import Snapshots
import SystemPackage
import Terminal

/// There is no bundle where one was looked for.
struct NoBundle: Error, CustomStringConvertible {
    /// `nil` where the media that are plugged in were looked at.
    let path: String?

    var description: String { path.map { "there is no bundle at \"\($0)\"" } ?? "no medium with a bundle is plugged in" }
}

/// Volumes of a bundle have not come yet.
///
/// Those that have are kept.
struct MoreToCome: Error, CustomStringConvertible {
    let label: String
    let bundle: String
    let count: Int
    let missing: [Int]

    var description: String {
        "of the \(count) volumes of \(label) (\(bundle)) \(missing.count == 1 ? "one is" : "\(missing.count) are") missing: \(missing.ranges)"
    }
}

/// A bundle that was found, under the name it goes by.
struct FoundBundle {
    let id: String?
    let name: String
    /// Where it was found.
    let place: String
    /// Whether the index says that it is for somebody else.
    let isForeign: Bool
    /// Opens the archive; a bundle whose files are gone does not keep others from being read.
    let open: () throws -> ArchiveSource
}

/// Looks for bundles: at the places that are named, else on every medium that is plugged in.
struct BundleSearch {
    let paths: [String]
    let destination: Identifier
    let survey: MediaSurvey
    let spool: VolumeSpool
    /// Told of volumes that are copied: bytes done, bytes in all.
    let progress: (Int64, Int64) -> Void

    init(
        _ paths: [String], _ state: StateOptions, _ layout: StorageLayout, destination: Identifier,
        progress: @escaping (Int64, Int64) -> Void = { _, _ in }
    ) throws {
        self.paths = paths
        self.destination = destination
        self.progress = progress
        let directory = try state.directory()
        survey = MediaSurvey(roots: mediaRoots(), reserved: [layout.root, directory])
        spool = VolumeSpool(root: directory.appending("spool"))
    }

    /// What was found.
    struct Findings {
        var bundles: [FoundBundle] = []
        /// Of which volumes are missing.
        var incomplete: [MoreToCome] = []
        /// The media that were plugged in.
        var media: Set<Identifier> = []
    }

    /// Looks now, and keeps the volumes of bundles that are not all there.
    ///
    /// - Throws: `NoBundle` where there is nothing at a place that was named, or on no medium.
    func run() throws -> Findings {
        var findings = Findings()
        var media: [Medium] = []
        for path in paths {
            guard let resolved = try DiskFileSystem().resolve(FilePath(path)) else { throw NoBundle(path: path) }
            if let medium = try Self.medium(at: resolved) {
                media.append(medium)
                continue
            }
            let volumes = try Medium.volumes(at: resolved)
            guard !volumes.isEmpty else { throw NoBundle(path: path) }
            findings.bundles.append(
                FoundBundle(id: nil, name: resolved.lastComponent?.string ?? path, place: path, isForeign: false) {
                    try ArchiveSource(volumes: volumes)
                })
        }
        if paths.isEmpty {
            let plugged = survey.media(in: try MountTable())
            findings.media = Set(plugged.map(\.id))
            media = Self.filled(plugged)
            for medium in media { Terminal.say("found \(medium)") }
        }
        for medium in media {
            let entries = try medium.entries() ?? []
            if !paths.isEmpty, entries.isEmpty, try medium.parts().isEmpty { throw NoBundle(path: medium.root.string) }
            findings.bundles += entries.map { found($0, on: medium) }
        }
        try addSpread(over: media, to: &findings)
        if findings.bundles.isEmpty, findings.incomplete.isEmpty { throw NoBundle(path: paths.first) }
        return findings
    }

    /// Those of the media that carry something.
    private static func filled(_ media: [MountedMedium]) -> [Medium] {
        media.compactMap { medium in
            switch medium.content {
            case .ready(let entries): return entries.isEmpty && medium.parts.isEmpty ? nil : medium.medium
            case .uninitialised: return nil
            case .unusable(let words):
                Terminal.say("warning: \(medium.medium) cannot be read: \(words)")
                return nil
            }
        }
    }

    /// Waits until a medium with volumes is plugged in beside those that were there; one that was pulled out may come again.
    func waitForAnother(than media: Set<Identifier>) throws {
        var known = media
        try MountTable.follow { table in
            let media = survey.media(in: table)
            defer { known.formIntersection(media.map(\.id)) }
            return !media.contains { !known.contains($0.id) && !$0.parts.isEmpty }
        }
    }

    private func found(_ entry: MediumEntry, on medium: Medium) -> FoundBundle {
        FoundBundle(
            id: entry.descriptor.bundle, name: "\(entry.descriptor.label) (\(entry.descriptor.bundle))", place: medium.root.string,
            isForeign: isForeign(entry.descriptor)
        ) { try medium.archive(of: entry) }
    }

    private func isForeign(_ summary: MediumEntry.Summary) -> Bool {
        summary.destination != "any" && summary.destination != destination.text
    }

    /// The medium at a path, which may be its `ferry/`; `nil` where there is none.
    private static func medium(at path: FilePath) throws -> Medium? {
        for root in [path, path.removingLastComponent()] where root == path || path.lastComponent?.string == "ferry" {
            let medium = Medium(mountedAt: root)
            if try medium.entries() != nil || !medium.parts().isEmpty { return medium }
        }
        return nil
    }

    /// Bundles that are spread: read where they lie if all of their volumes are there, else from what is kept of them, with what is there.
    private func addSpread(over media: [Medium], to findings: inout Findings) throws {
        var gatherings: [VolumeGathering] = []
        var parts: [(part: MediumPart, medium: Medium)] = []
        for medium in media {
            for part in try medium.parts()
            where !isForeign(part.descriptor) && !findings.bundles.contains(where: { $0.id == part.descriptor.bundle }) {
                parts.append((part, medium))
                if let index = gatherings.firstIndex(where: { $0.descriptor == part.descriptor && $0.cut == part.cut }) {
                    gatherings[index].add(part, on: medium)
                } else {
                    gatherings.append(VolumeGathering(part, on: medium))
                }
            }
        }
        for gathering in gatherings where gathering.missing.isEmpty {
            findings.bundles.append(found(gathering.descriptor, at: media[0].root.string) { try gathering.archive() })
            parts.removeAll { $0.part.descriptor.bundle == gathering.descriptor.bundle }
        }
        var kept = spool.parts().filter { part in !findings.bundles.contains { $0.id == part.descriptor.bundle } }
        for (part, medium) in parts {
            Terminal.say(
                "\(medium) carries of \(part.descriptor.label) (\(part.descriptor.bundle)) the volumes \(part.numbers.ranges) of \(part.cut.count)"
            )
            let taken = try spool.take(part, from: medium, progress: progress)
            kept.removeAll { $0.descriptor.bundle == taken.descriptor.bundle }
            kept.append(taken)
        }
        for part in kept {
            let missing = (1...part.cut.count).filter { !part.numbers.contains($0) }
            if missing.isEmpty {
                findings.bundles.append(
                    found(part.descriptor, at: media.first?.root.string ?? "the volumes that were kept") { try spool.archive(of: part) })
            } else {
                findings.incomplete.append(
                    MoreToCome(
                        label: part.descriptor.label, bundle: part.descriptor.bundle, count: part.cut.count, missing: missing))
            }
        }
    }

    private func found(_ summary: MediumEntry.Summary, at place: String, _ open: @escaping () throws -> ArchiveSource?) -> FoundBundle {
        FoundBundle(id: summary.bundle, name: "\(summary.label) (\(summary.bundle))", place: place, isForeign: false) {
            guard let source = try open() else { throw NoBundle(path: place) }
            return source
        }
    }
}

/// Below which everything that is mounted is a medium.
func mediaRoots() -> [FilePath] {
    environment("FERRY_MEDIA_ROOTS").map { $0.split(separator: ":").map { FilePath(String($0)) } } ?? MediaSurvey.usualRoots
}

/// Whether a person sits before the program, who can be asked to plug something in.
func isAttended() -> Bool { isatty(0) == 1 && isatty(2) == 1 }
