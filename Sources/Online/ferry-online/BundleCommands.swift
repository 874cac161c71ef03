import ArgumentParser
import BundleFormat
import CanonicalJSON
import Catalog
import Destinations
import Documents
import Export
import Integrity
import Jobs
import Keys
import MediaLayout
import Mounts
import PackageStore
import Platform
import Provenance
import Snapshots
import SystemPackage
import Terminal

struct Bundle: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a bundle: what leads from one snapshot to another.",
        discussion: """
            For a destination that has sent its card, the bundle starts from what its last receipt says that it has, and carries again \
            what that says is missing. For any other it is full, which is always safe, unless --baseline says otherwise; the importer \
            checks that the rest is there. Signs with the keys below STATE/keys, unless --unsigned is given. A key's passphrase is taken \
            from FERRY_KEY_PASSPHRASE.

              ferry-online bundle --destination d-… --target new                          (what that registry lacks)
              ferry-online bundle --baseline last-bundle --target new --unless-empty      (what changed since the last time)
              ferry-online bundle --request r-…                                           (what a bundle lacked to fit)
            """)

    @Option(
        help: ArgumentHelp(
            "The snapshot the destination already has; \"empty\" for a full bundle; \"last-bundle\" for what its last bundle led to; \"next\" "
                + "for what is known of it, else as \"last-bundle\".", valueName: "snapshot"))
    var baseline: String?
    @Option(help: "The snapshot to carry: an id, \"newest\", or \"new\" for one that is taken now.") var target = "newest"
    @Option(help: "Whom it is for: a destination's id, or \"any\".") var destination = "any"
    @Option(help: ArgumentHelp("Answer a request for a filler; destination, baseline and target follow from it.", valueName: "id"))
    var request: String?
    @Flag(help: "Make an unsigned bundle.") var unsigned = false
    @Flag(help: "Accept a snapshot that was taken while the storage kept changing.") var allowUnsettled = false
    @Flag(help: "With --target new: accept a snapshot that lost more than 5 % of the last one's files.") var allowShrink = false
    @Flag(help: "Make none where nothing differs.") var unlessEmpty = false
    @Flag(help: "Say in numbers what it would carry, and write none.") var dryRun = false
    @OptionGroup var storage: StorageOptions
    @OptionGroup var state: StateOptions

    func run() async throws {
        guard let recipient = BundleDestination(destination) else {
            throw ValidationError("\"\(destination)\" is neither a destination's id (d-…) nor \"any\"")
        }
        let parameters: [String: JSONValue?] = [
            "baseline": baseline.map { .string($0) }, "target": .string(target),
            "destination": destination == "any" ? nil : .string(destination), "request": request.map { .string($0) },
            "unsigned": unsigned ? true : nil, "allowUnsettled": allowUnsettled ? true : nil, "allowShrink": allowShrink ? true : nil,
            "unlessEmpty": unlessEmpty ? true : nil, "dryRun": dryRun ? true : nil,
        ]
        try await state.job(.diffBuild, parameters) {
            let catalog = try state.catalog()
            let keys = dryRun ? [] : try signingKeys()
            let span = try self.span(recipient, catalog)
            let difference = try Difference(span)
            Terminal.say(
                "from \(span.from?.header.id.text ?? "empty") to \(span.to.header.id): \(difference.carried) files to carry, "
                    + "\(Terminal.bytes(difference.bytes)), \(difference.removed) to remove")
            if dryRun || unlessEmpty && difference.isEmpty {
                if state.json { try Terminal.output(difference.json.canonicalBytes + [0x0A]) }
                let words = difference.isEmpty ? "nothing differs; no bundle was made" : "\(difference.carried) files would be carried"
                if !dryRun { Terminal.say(words) }
                return JobReport(reason: words, json: difference.json)
            }
            return try write(span, keys, catalog)
        }
    }

    func validate() throws {
        guard let request else { return }
        guard Identifier(request, .request) != nil else { throw ValidationError("\"\(request)\" is not a request's id (r-…)") }
        guard baseline == nil, target == "newest", destination == "any" else {
            throw ValidationError("--request says destination, baseline and target by itself")
        }
    }

    /// What the bundle leads from and to, and for whom.
    struct Span {
        let recipient: BundleDestination
        let from: SnapshotReader?
        let to: SnapshotReader
        var lacking = LackingFiles()
    }

    private func span(_ recipient: BundleDestination, _ catalog: Catalog) throws -> Span {
        if let id = request.flatMap({ Identifier($0, .request) }) {
            let filler = try Filler(id, catalog: catalog, snapshots: state.snapshots())
            Terminal.say("bundle \(filler.bundle.id) #\(filler.bundle.sequence) fits after this one")
            return Span(
                recipient: .only(filler.destination), from: filler.snapshot, to: filler.snapshot, lacking: filler.lacking)
        }
        let known: DestinationRecord? =
            if case .only(let id) = recipient { try catalog.knownDestination(id) } else { nil }
        let usual = known == nil ? "empty" : "next"
        guard let known, baseline ?? usual == "next" else {
            let name = baseline ?? usual
            return Span(
                recipient: recipient, from: try state.baseline(name == "next" ? "last-bundle" : name, for: recipient, catalog),
                to: try targetSnapshot(catalog))
        }
        let to = try targetSnapshot(catalog)
        let next = try NextBaseline(for: known, catalog: catalog, snapshots: state.snapshots())
        Terminal.say(next.snapshot == nil ? "\(next.reason): the bundle is a full one" : next.reason)
        return Span(recipient: recipient, from: next.snapshot, to: to, lacking: next.lacking)
    }

    private func targetSnapshot(_ catalog: Catalog) throws -> SnapshotReader {
        try target == "new"
            ? state.target(takeSnapshot(state, storage, catalog, allowsShrinking: allowShrink).header.id.text)
            : state.target(target == "newest" ? nil : target)
    }

    private func signingKeys() throws -> [MinisignSecretKey] {
        let keys = unsigned ? [] : try KeyRing(state: state.directory()).secretKeys(passphrase: environment("FERRY_KEY_PASSPHRASE"))
        if keys.isEmpty, !unsigned {
            throw ValidationError("there is no key to sign with; make one with \"ferry-online keys generate\", or say --unsigned")
        }
        guard keys.count <= BundleTail.signatureLimit else {
            throw ValidationError(
                "\(keys.count) keys lie below STATE/keys, and a bundle has at most \(BundleTail.signatureLimit) signatures")
        }
        return keys
    }

    private func write(_ span: Span, _ keys: [MinisignSecretKey], _ catalog: Catalog) throws -> JobReport {
        let (from, to) = (span.from, span.to)
        let progress = ProgressLine("packing", unit: .items("files"))
        let builder = BundleBuilder(
            layout: try storage.layout(state).located(), store: try state.snapshots(),
            artifacts: try state.directory().appending("artifacts"), known: Set(try catalog.bundles().map(\.id)),
            damaged: try catalog.damagedDigests(),
            progress: { done, total, _ in progress.update(Int64(done), of: Int64(total)) })
        let envelope = BundleWriter.Envelope(
            bundle: Identifier(.bundle, random: randomBytes(20)), created: WallClock.system.now(), destination: span.recipient,
            sequence: try catalog.sequence(of: to.header), keys: keys, program: FerryOnline.version.line)
        let written = try builder.build(
            from: from, to: to, lacking: span.lacking, envelope: envelope, allowsUnsettled: allowUnsettled)
        progress.finish()
        let descriptor = written.descriptor
        let record = BundleRecord(
            id: descriptor.bundle, label: descriptor.label, created: descriptor.created, destination: descriptor.destination,
            sequence: descriptor.sequence, baseline: from?.header.id, target: to.header.id, targetRoot: descriptor.targetRoot,
            counts: descriptor.counts, size: written.size, keys: keys.map { $0.publicKey.keyID.description })
        do {
            try catalog.add(record) { add in
                try forEachChange(from: from, to: to, lacking: span.lacking) { try $0.target.map { try add($0.path) } }
            }
        } catch {
            try? builder.remove(descriptor.bundle)
            throw error
        }
        let words =
            "bundle \(descriptor.bundle): \(descriptor.counts.packages) packages, \(descriptor.counts.files) files, "
            + "\(descriptor.counts.removed) removed, \(Terminal.bytes(written.size))\(keys.isEmpty ? ", unsigned" : "")"
        Terminal.say(words)
        if state.json {
            var object = record.json.object ?? JSONObject()
            object["path"] = .string(written.path.string)
            try Terminal.output(JSONValue.object(object).canonicalBytes + [0x0A])
        } else {
            try Terminal.output(written.path.string)
        }
        warnOfSpace(state, storage, catalog)
        return JobReport(reason: words, json: record.json)
    }
}

/// How much differs between two snapshots.
private struct Difference {
    private(set) var carried = 0
    private(set) var bytes: Int64 = 0
    private(set) var removed = 0

    init(_ span: Bundle.Span) throws {
        try forEachChange(from: span.from, to: span.to, lacking: span.lacking) { change in
            if let file = change.target {
                carried += 1
                bytes += file.size
            } else {
                removed += 1
            }
        }
    }

    var isEmpty: Bool { carried == 0 && removed == 0 }

    /// What `--json` prints where no bundle is written.
    var json: JSONValue { ["files": .integer(carried), "bytes": .integer(bytes), "removed": .integer(removed), "bundle": .null] }
}

struct Bundles: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the bundles that were made, newest first.")

    @OptionGroup var state: StateOptions

    func run() throws {
        try reporting {
            for record in try state.catalog().bundles() {
                if state.json {
                    try Terminal.output(record.json.canonicalBytes + [0x0A])
                } else {
                    try Terminal.output(
                        "\(record.id)  #\(record.sequence)  \(record.label)  for \(record.destination)  \(record.baseline?.text ?? "empty")"
                            + " → \(record.target)  \(record.counts.files) files  \(Terminal.bytes(record.size))"
                            + (record.pruned.map { "  pruned \($0)" } ?? ""))
                }
            }
        }
    }
}

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
            medium that fills up or vanishes keeps what it held. A copy that is not whole, or another cut of it, is written anew. \
            "ferry-online media" lists what is plugged in.
            """)

    @Argument(help: "The bundle's id; the newest by default.") var bundle: String?
    @Option(
        name: .customLong("to"),
        help: ArgumentHelp("Where the medium is mounted, or any directory; the one medium that is plugged in by default.", valueName: "dir")
    )
    var directory: String?
    @Option(help: ArgumentHelp("Write to the medium of that id, and to no other that is mounted there.", valueName: "id"))
    var medium: String?
    @Option(help: "Cut the archive into volumes of so many MiB, a multiple of 4; 4092 fits FAT32.") var volumeSize: Int64?
    @OptionGroup var state: StateOptions

    func validate() throws {
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
        let root = try target()
        let parameters: [String: JSONValue?] = [
            "artifact": .string(record.id.text), "medium": .string(root.string), "mediumId": medium.map { .string($0) },
            "volumeSize": volumeSize.map { .integer($0) },
        ]
        try await state.job(.export, parameters) {
            try refuseAnother(at: root)
            if let pruned = record.pruned {
                throw BundleBuilder.Refusal.pruned(record.id, pruned, again: try commandToRemake(record))
            }
            let directory = try state.directory().appending("artifacts").appending(record.id.text)
            let volumes = try Medium.volumes(at: directory)
            guard !volumes.isEmpty else { throw BundleBuilder.Refusal.noArtifact(record.id) }
            let archive = try ArchiveSource(volumes: volumes)
            let (writing, reading) = (ProgressLine("writing", unit: .bytes), ProgressLine("reading back", unit: .bytes))
            let writer = MediumWriter(medium: Medium(mountedAt: root)) { phase, done, total in
                (phase == .writing ? writing : reading).update(done, of: total)
            }
            let entry = try writer.export(archive, volumeSize: volumeSize.map { $0 << 20 })
            writing.finish()
            reading.finish()
            let words =
                "bundle \(record.id) is on \"\(root)\": \(entry.volumes.count) volume(s), \(Terminal.bytes(entry.size)), read back "
                + "and equal; unmount before you pull it"
            Terminal.say(words)
            let name = try MediaSurvey().medium(holding: root, in: MountTable())?.label ?? root.string
            try state.catalog().noteExport(ExportRecord(bundle: record.id, medium: name, written: WallClock.system.now()))
            if state.json { try Terminal.output(entry.json.canonicalBytes + [0x0A]) }
            return JobReport(reason: words, json: entry.json.sums)
        }
    }
}

extension ExportCommand {
    /// Where to write: what was named, else the one medium that is plugged in.
    private func target() throws -> FilePath {
        if let directory {
            let path = FilePath(directory)
            return try DiskFileSystem().resolve(path) ?? path
        }
        let media = try state.settings().media(state: state.directory()).media(in: MountTable())
        if let medium {
            guard let found = media.first(where: { $0.id.text == medium }) else { throw AnotherMedium(id: medium, place: nil) }
            return found.mount.point
        }
        guard let found = media.first, media.count == 1 else {
            let words = media.map { "  --to \($0.mount.point)  \($0.label ?? $0.mount.source)" }
            throw ValidationError(
                media.isEmpty
                    ? "no medium is plugged in; name where to write with --to DIR"
                    : "name one of the media that are plugged in:\n\(words.joined(separator: "\n"))")
        }
        Terminal.say("to \(found.mount.point), \(found.label ?? found.mount.source), the one medium that is plugged in")
        return found.mount.point
    }

    /// Throws where another medium is mounted than the one that is meant.
    private func refuseAnother(at root: FilePath) throws {
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
