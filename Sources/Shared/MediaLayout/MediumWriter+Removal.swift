import BundleFormat
import Platform
import SystemPackage

/// Bundles of one origin that are of no more use on a medium: what they carry has arrived.
package struct SpentBundles: Sendable, Equatable {
    let origin: String
    let bundles: Set<String>

    /// - Parameters:
    ///   - bundles: their ids.
    ///   - origin: whose bundles they are; what a medium lists as another's is left alone.
    package init(_ bundles: Set<String>, of origin: String) {
        self.bundles = bundles
        self.origin = origin
    }

    package static let none = SpentBundles([], of: "")
}

extension MediumWriter {
    /// Which bundles are meant.
    package enum Selection: Sendable, Equatable {
        /// All, with what killed exports left.
        case all
        case named([String])
        /// Those that the writer takes for spent.
        case spent
    }

    /// Removes bundles from the medium: off the index first, then their files; whole ones, and volumes of spread ones.
    ///
    /// - Parameter isDryRun: whether nothing is removed.
    /// - Returns: the ids of those that are there, each with its bytes.
    /// - Throws: `MediumTrouble`, `Refusal.notThere`, `ProcessLock.Held`, `FileSystemError`, `DocumentError`. Where it throws on the way, no
    ///   bundle is listed that is not whole.
    package func clean(_ selection: Selection, isDryRun: Bool = false) throws -> [(bundle: String, bytes: Int64)] {
        try writing(0) { watch in
            let there = try listed()
            let chosen: [(bundle: String, bytes: Int64)]
            switch selection {
            case .all: chosen = there
            case .named(let names):
                let unknown = names.filter { id in !there.contains { $0.bundle == id } }
                guard unknown.isEmpty else { throw Refusal.notThere(medium, unknown) }
                chosen = there.filter { names.contains($0.bundle) }
            case .spent: chosen = try spentHere().map { ($0.bundle, $0.size.bytes) }
            }
            guard !isDryRun else { return chosen }
            try remove(chosen.map(\.bundle), watch)
            if selection == .all { try removeUnlisted() }
            // One of them may have gone to make room for the list.
            if try medium.entries() != nil { try writePapers() }
            return chosen
        }
    }

    /// Room on a medium.
    struct Room {
        var bytes: Int64
        /// Files and directories; as many as one likes where the file system does not count them.
        var files: Int64

        func fits(_ needed: Room) -> Bool { bytes >= needed.bytes && files >= needed.files }

        static func + (left: Room, right: Room) -> Room {
            let (files, isTooMuch) = left.files.addingReportingOverflow(right.files)
            return Room(bytes: left.bytes + right.bytes, files: isTooMuch ? .max : files)
        }
    }

    private func free() throws -> Room {
        let space = try FileSystemSpace(holding: medium.root)
        return Room(bytes: space.freeBytes, files: space.freeFiles ?? .max)
    }

    /// What a copy of a bundle takes in all.
    func needed(_ bytes: Int64, volumes: Int, _ tail: BundleTail) -> Room {
        // Its directory, the volumes, the papers; what the list is replaced by, and the README that may go for that.
        Room(bytes: bytes, files: Int64(volumes + Self.papers(tail, volumes: []).count) + 3)
    }

    /// Removes spent bundles, the oldest first, until there is so much room; none where all of them are not enough.
    ///
    /// - Parameter bundle: one that is to be written, and stays.
    /// - Returns: whether any was removed.
    @discardableResult
    func makeRoom(_ needed: Room, sparing bundle: String?, _ watch: MediumWatch) throws -> Bool {
        guard try !free().fits(needed) else { return false }
        let spent = try spentHere().filter { $0.bundle != bundle }
        guard try spent.reduce(free(), { $0 + $1.size }).fits(needed) else { return false }
        for (bundle, size) in spent where try !free().fits(needed) {
            try remove([bundle], watch)
            removal(bundle, size.bytes)
        }
        return true
    }

    /// The spent bundles that the medium carries, the oldest first; before them what is left of those whose removal was cut short.
    func spentHere() throws -> [(bundle: String, size: Room)] {
        let listed = try listed()
        let foreign = try Set(
            ((medium.entries() ?? []).map(\.descriptor) + medium.parts().map(\.descriptor)).filter { $0.origin != spent.origin }.map(
                \.bundle))
        var left: Set<String> = []
        for folder in [bundles, medium.partsFolder] where try isFolder(folder) { left.formUnion(try files.names(in: folder) ?? []) }
        left.subtract(listed.map(\.bundle))
        func room(_ bundle: String) throws -> Room {
            try size(of: medium.directory(of: bundle)) + size(of: medium.partDirectory(of: bundle))
        }
        let rests = try left.intersection(spent.bundles).sorted().map { ($0, try room($0)) }
        return try rests
            + listed.filter { spent.bundles.contains($0.bundle) && !foreign.contains($0.bundle) }.map { bundle, bytes in
                (bundle, Room(bytes: bytes, files: try room(bundle).files))
            }
    }

    /// What the medium lists, in the order of its sequences, each bundle once.
    private func listed() throws -> [(bundle: String, bytes: Int64)] {
        let entries = (try medium.entries() ?? []).map { ($0.descriptor, $0.size) }
        let parts = try medium.parts().map { ($0.descriptor, $0.size) }
        var bytes: [String: Int64] = [:]
        for (descriptor, size) in entries + parts { bytes[descriptor.bundle, default: 0] += size }
        let sorted = (entries + parts).map(\.0).sorted { ($0.origin, $0.sequence, $0.created) < ($1.origin, $1.sequence, $1.created) }
        return sorted.compactMap { descriptor in bytes.removeValue(forKey: descriptor.bundle).map { (descriptor.bundle, $0) } }
    }

    /// Takes bundles off the index, durably, and then off the medium.
    private func remove(_ bundles: [String], _ watch: MediumWatch) throws {
        try watch.require()
        if var entries = try medium.entries(), entries.contains(where: { bundles.contains($0.descriptor.bundle) }) {
            entries.removeAll { bundles.contains($0.descriptor.bundle) }
            try replaceIndex(entries)
        }
        for bundle in bundles {
            let part = medium.partDirectory(of: bundle)
            // The list first: what it does not name is not taken for whole.
            if try isFolder(medium.partsFolder), try isFolder(part), try files.remove(part.appending("part.json")) {
                try files.syncDirectory(part)
            }
            for path in [medium.directory(of: bundle), part] where try isFolder(path.removingLastComponent()) {
                try watch.require()
                try files.removeTree(path)
            }
        }
    }

    /// Replaces the list, on a medium without room for its draft, too: the medium's README, which every export writes anew, goes for it.
    private func replaceIndex(_ entries: [MediumEntry]) throws {
        let bytes = MediumIndex.bytes(entries)
        do throws(FileSystemError) { try files.replace(indexPath, with: bytes) } catch {
            guard [.noSpace, .diskQuotaExceeded].contains(error.errno), try files.remove(medium.folder.appending("README.txt")) else {
                throw error
            }
            try files.replace(indexPath, with: bytes)
        }
    }

    private func removeUnlisted() throws {
        for folder in [bundles, medium.partsFolder] where try isFolder(folder) {
            for name in try files.names(in: folder) ?? [] where name.hasPrefix("b-") || name.hasPrefix(".b-") {
                try files.removeTree(folder.appending(name))
            }
        }
    }

    /// Not a link, which would lead out of the medium.
    private func isFolder(_ path: FilePath) throws(FileSystemError) -> Bool { try files.status(of: path)?.kind == .directory }

    /// What a path and what lies below it take.
    private func size(of path: FilePath) throws(FileSystemError) -> Room {
        guard let status = try files.status(of: path) else { return Room(bytes: 0, files: 0) }
        guard status.kind == .directory else { return Room(bytes: status.kind == .file ? status.identity.size : 0, files: 1) }
        var sum = Room(bytes: 0, files: 1)
        for name in try files.names(in: path) ?? [] { sum = sum + (try size(of: path.appending(name))) }
        return sum
    }
}
