import ArgumentParser
import BundleFormat
import CanonicalJSON
import Catalog
import Destinations
import Documents
import Export
import Glibc
import Jobs
import MediaLayout
import Mounts
import Platform
import Settings
import Snapshots
import Synchronization
import SystemPackage
import Terminal

/// The medium that is meant is not there; nothing was written.
struct AnotherMedium: Error, CustomStringConvertible {
    let id: String
    let place: FilePath?

    var description: String {
        "medium \(id) is not \(place.map { "mounted at \"\($0)\" any more" } ?? "plugged in")"
    }
}

struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Put a bundle on a medium and read it back from the device.",
        discussion: """
            Writes MEDIUM/ferry/bundles/<id> as a draft, syncs, reads every byte back, renames, and lists it in ferry/index.json last. A \
            medium that fills up or vanishes keeps what it held, and the same command goes on where it stopped. What came back on it is read \
            first, as "receive" does; what everybody has acknowledged that it was made for may go where room is short (--remove). A copy that is not whole, or \
            another cut of it, is written anew. On FAT32 the archive is cut by itself. "ferry-online media" lists what is plugged in.

            With --spread a bundle goes over as many media as it needs: what fits is written, and the next medium is asked for; where nobody is \
            there to be asked, the command ends with 5, and the next one for that bundle goes on with what is missing.

              ferry-online export --spread --eject
            """)

    @Argument(help: "The bundle's id; the newest by default.") var bundle: String?
    @Option(
        name: .customLong("to"),
        help: ArgumentHelp("Where the medium is mounted, or any directory; the one medium that is plugged in by default.", valueName: "dir")
    )
    var directory: String?
    @Option(help: ArgumentHelp("Write to the medium of that id, and to no other that is mounted there.", valueName: "id"))
    var medium: String?
    @Option(help: "Cut the archive into volumes of so many MiB, a multiple of 4.") var volumeSize: Int64?
    @Flag(help: "Spread the bundle over as many media as it needs.") var spread = false
    @Flag(help: "With --spread: begin with the first volume, whatever was written before.") var anew = false
    @Flag(
        help: ArgumentHelp(
            "Put the importer on the medium, too: the ferry-offline that lies beside this program.", discussion: "See --importer."))
    var withImporter = false
    @Option(help: ArgumentHelp("Put this build of ferry-offline on the medium.", valueName: "file")) var importer: String?
    @Option(
        help: ArgumentHelp(
            "What may go where room is short: acknowledged bundles, the oldest first, or none (acknowledged, never).",
            discussion: "Default: media.remove of the settings.", valueName: "what"))
    var remove: String?
    @Flag(help: "Unmount the medium when it is written, so that it can be pulled out.") var eject = false
    @OptionGroup var state: StateOptions

    func validate() throws {
        if let remove, MediaRemoval(rawValue: remove) == nil {
            throw ValidationError("--remove \(remove) is neither acknowledged nor never")
        }
        if anew, !spread { throw ValidationError("--anew goes with --spread") }
        guard let volumeSize else { return }
        guard (4...(16 << 20)).contains(volumeSize), volumeSize % 4 == 0 else {
            throw ValidationError("--volume-size \(volumeSize) is not a multiple of 4 from 4 to 16777216")
        }
    }

    func run() async throws {
        let records = try state.catalog().bundles()
        guard let record = bundle.map({ id in records.first { $0.id.text == id } }) ?? records.first else {
            throw ValidationError("there is no such bundle; \"ferry-online bundles\" lists them")
        }
        let (root, chosen) = try target()
        let parameters: [String: JSONValue?] = [
            "artifact": .string(record.id.text), "medium": .string(root.string), "mediumId": medium.map { .string($0) },
            "volumeSize": volumeSize.map { .integer($0) }, "spread": spread ? true : nil, "eject": eject ? true : nil,
        ]
        try await state.job(.export, parameters) {
            try refuseAnother(at: root, than: chosen)
            if let pruned = record.pruned {
                throw BundleBuilder.Refusal.pruned(record.id, pruned, again: try commandToRemake(record))
            }
            let directory = try state.directory().appending("artifacts").appending(record.id.text)
            let volumes = try Medium.volumes(at: directory)
            guard !volumes.isEmpty else { throw BundleBuilder.Refusal.noArtifact(record.id) }
            let archive = try ArchiveSource(volumes: volumes)
            return spread ? try await spread(record, archive, beside: directory, first: root) : try write(record, archive, to: root)
        }
    }

    private func write(_ record: BundleRecord, _ archive: ArchiveSource, to root: FilePath) throws -> JobReport {
        let lines = ExportLines()
        let medium = Medium(mountedAt: root)
        let removals = Removals()
        try receive(from: medium)
        let writer = try self.writer(medium, removals, lines)
        let entry = try writer.export(archive, volumeSize: volumeSize.map { $0 << 20 })
        lines.finish()
        let words =
            "bundle \(record.id) is on \"\(root)\": \(entry.volumes.count) volume(s), \(Terminal.bytes(entry.size)), read back and equal"
            + removals.words
        Terminal.say(words)
        try state.catalog().noteExport(
            ExportRecord(bundle: record.id, medium: medium.label ?? root.string, written: WallClock.system.now()))
        if state.json { try Terminal.output(entry.json.canonicalBytes + [0x0A]) }
        try equip(medium)
        try release(root)
        return JobReport(reason: words, json: removals.added(to: entry.json.sums))
    }

    /// Reads what came back on a medium, which says what may go from it; only what is signed by a confirmed key counts.
    private func receive(from medium: Medium) throws {
        for outcome in try state.correspondence().read(medium.folder) {
            if case .known = outcome { continue }
            Terminal.say("on \(medium): \(outcome)")
        }
    }

    /// Puts the importer on a medium where that is asked for.
    private func equip(_ medium: Medium) throws {
        guard withImporter || importer != nil else { return }
        let beside = try DiskFileSystem().resolve("/proc/self/exe")?.removingLastComponent().appending("ferry-offline")
        guard let program = importer.map({ FilePath($0) }) ?? beside else { return }
        let removals = Removals()
        try writer(medium, removals, nil).install(importer: program)
        Terminal.say("the importer is on \(medium), in ferry/tools")
    }

    /// What writes to a medium, and may remove from it what the settings and the option allow.
    private func writer(_ medium: Medium, _ removals: Removals, _ lines: ExportLines?) throws -> MediumWriter {
        let allowed = try remove.flatMap { MediaRemoval(rawValue: $0) } ?? state.settings().mediaRemoval.value
        return MediumWriter(
            medium: medium, spent: allowed == .acknowledged ? try state.spentBundles() : .none,
            progress: { lines?.update($0, $1, $2) },
            removal: { bundle, bytes in
                Terminal.say("removed bundle \(bundle), which was acknowledged, from \(medium) to make room: \(Terminal.bytes(bytes))")
                removals.note(bundle, bytes)
            })
    }

    /// The last word: whether the medium may be pulled out.
    private func release(_ root: FilePath) throws {
        guard eject else { return Terminal.say("before you pull it: ferry-online media eject \"\(root)\"") }
        try Ejection(of: root).run()
        Terminal.say("\"\(root)\" is unmounted: it is safe to pull the medium out")
    }
}

/// What an export removed from a medium to make room.
private final class Removals: Sendable {
    private let removed = Mutex<[(bundle: String, bytes: Int64)]>([])

    func note(_ bundle: String, _ bytes: Int64) { removed.withLock { $0.append((bundle, bytes)) } }

    /// The end of a sentence; empty where nothing was removed.
    var words: String {
        let removed = removed.withLock { $0 }
        guard !removed.isEmpty else { return "" }
        return "; \(removed.count) acknowledged bundle(s) of \(Terminal.bytes(removed.reduce(0) { $0 + $1.bytes })) went to make room: "
            + removed.map(\.bundle).joined(separator: ", ")
    }

    /// A report with them, where there are any.
    func added(to json: JSONValue) -> JSONValue {
        let removed = removed.withLock { $0 }
        guard !removed.isEmpty, var object = json.object else { return json }
        object["removed"] = .array(
            removed.map { ["bundle": .string($0.bundle), "sizeBytes": .integer($0.bytes)] })
        return .object(object)
    }
}

/// How far an export is: two lines, since writing and reading back are not equally fast.
private struct ExportLines: Sendable {
    private let writing = ProgressLine("writing", unit: .bytes)
    private let readingBack = ProgressLine("reading back", unit: .bytes)

    @Sendable func update(_ phase: MediumWriter.Phase, _ done: Int64, _ total: Int64) {
        switch phase {
        case .writing: writing.update(done, of: total, details: "then it is read back")
        case .readingBack: readingBack.update(done, of: total)
        }
    }

    func finish() {
        writing.finish()
        readingBack.finish()
    }
}

// MARK: Over several media

extension ExportCommand {
    /// Writes what fits to one medium after the other, and notes after each what it got.
    private func spread(_ record: BundleRecord, _ archive: ArchiveSource, beside directory: FilePath, first: FilePath) async throws
        -> JobReport
    {
        var root = first
        if anew { try SpreadRecord.forget(beside: directory) }
        var used: Set<String> = []
        let removals = Removals()
        while true {
            let medium = Medium(mountedAt: root)
            var note = try self.note(beside: directory, archive, medium)
            let cut = try VolumeCut(record.label, length: archive.length, volumeSize: note.volumeSize)
            let place = String(try FileSystemSpace(holding: root).identifier, radix: 16)
            let lines = ExportLines()
            try receive(from: medium)
            let writer = try self.writer(medium, removals, lines)
            let wanted = (1...cut.count).filter { !note.written.contains($0) }
            let part = try writer.exportPart(archive, volumeSize: note.volumeSize, wanted: wanted)
            lines.finish()
            note.note(part.numbers, on: place, label: medium.label)
            try note.keep(beside: directory)
            used.insert(place)
            let missing = (1...cut.count).filter { !note.written.contains($0) }
            let words =
                "of bundle \(record.id) \(medium) carries the volumes \(part.numbers.ranges) of \(cut.count), "
                + "\(Terminal.bytes(part.size)), read back and equal"
            Terminal.say(words)
            try equip(medium)
            try release(root)
            guard !missing.isEmpty else {
                try SpreadRecord.forget(beside: directory)
                let over = note.shares.map { $0.label ?? $0.fileSystem }.joined(separator: ", ")
                try state.catalog().noteExport(ExportRecord(bundle: record.id, medium: over, written: WallClock.system.now()))
                let words = "bundle \(record.id) is whole, over \(note.shares.count) media: \(over)\(removals.words)"
                Terminal.say(words)
                return report(words, part, missing, removals)
            }
            let more = "\(missing.count) of \(cut.count) volumes are to come: \(missing.ranges)"
            guard directoryIsOpen else {
                Terminal.say("\(more); plug in the next medium and repeat the command")
                return report("\(words)\(removals.words); \(more)", part, missing, removals)
            }
            Terminal.say("\(more); insert the next medium. Ctrl-C ends: the same command goes on from here")
            root = try await nextMedium(than: used)
        }
    }

    /// Whether the next medium may be wherever it is mounted, and somebody is there to plug it in.
    private var directoryIsOpen: Bool { isatty(0) == 1 && isatty(2) == 1 && medium == nil }

    /// What was written so far; nothing, with a size of volumes, where this is the first medium.
    private func note(beside directory: FilePath, _ archive: ArchiveSource, _ medium: Medium) throws -> SpreadRecord {
        let asked = volumeSize.map { $0 << 20 }
        if let known = try SpreadRecord(beside: directory), asked == nil || asked == known.volumeSize { return known }
        return SpreadRecord(volumeSize: asked ?? VolumeCut.spreading(archive.length, largestVolume: medium.largestVolume))
    }

    private func report(_ words: String, _ part: MediumPart, _ missing: [Int], _ removals: Removals) -> JobReport {
        let json: JSONValue = [
            "bundle": .string(part.descriptor.bundle), "volumes": .array(part.numbers.map { .integer($0) }),
            "missing": .array(missing.map { .integer($0) }), "sizeBytes": .integer(part.size),
        ]
        if state.json { try? Terminal.output(json.canonicalBytes + [0x0A]) }
        return JobReport(reason: words, exitCode: missing.isEmpty ? 0 : 5, json: removals.added(to: json))
    }

    /// Waits for a medium that got nothing of the bundle yet.
    private func nextMedium(than used: Set<String>) async throws -> FilePath {
        let survey = try state.settings().media(state: state.directory())
        for try await table in try MountTable.watch() {
            let found = survey.media(in: table).first { medium in
                !medium.mount.isReadOnly && !used.contains(String(medium.space.identifier, radix: 16))
            }
            if let found { return found.mount.point }
        }
        throw CancellationError()
    }
}

extension ExportCommand {
    /// Where to write: what was named, else the one medium that is plugged in.
    ///
    /// - Returns: with the id of the medium that is meant, where it is one.
    private func target() throws -> (root: FilePath, medium: String?) {
        if let directory {
            let path = FilePath(directory)
            return (try DiskFileSystem().resolve(path) ?? path, medium)
        }
        let media = try state.settings().media(state: state.directory()).media(in: MountTable())
        if let medium {
            guard let found = media.first(where: { $0.id.text == medium }) else { throw AnotherMedium(id: medium, place: nil) }
            return (found.mount.point, medium)
        }
        guard let found = media.first, media.count == 1 else {
            let words = media.map { "  --to \($0.mount.point)  \($0.label ?? $0.mount.source)" }
            throw ValidationError(
                media.isEmpty
                    ? "no medium is plugged in; name where to write with --to DIR"
                    : "name one of the media that are plugged in:\n\(words.joined(separator: "\n"))")
        }
        Terminal.say("to \(found.mount.point), \(found.label ?? found.mount.source), the one medium that is plugged in")
        return (found.mount.point, found.id.text)
    }

    /// Throws where another medium is mounted than the one that is meant.
    private func refuseAnother(at root: FilePath, than medium: String?) throws {
        guard let medium else { return }
        let found = try state.settings().media(state: state.directory()).medium(holding: root, in: MountTable())
        guard found?.id.text == medium, found?.mount.point == root else { throw AnotherMedium(id: medium, place: root) }
    }

    /// The command that makes a bundle of the same content; `nil` where a snapshot that it needs is gone.
    private func commandToRemake(_ record: BundleRecord) throws -> String? {
        let snapshots = try state.snapshots()
        for id in [record.baseline, record.target] {
            if let id, try snapshots.open(id) == nil { return nil }
        }
        return "ferry-online bundle --baseline \(record.baseline?.text ?? "empty") --target \(record.target) "
            + "--destination \(record.destination)"
    }
}
