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
        commandName: "bundle",
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
    static let configuration = CommandConfiguration(commandName: "bundles", abstract: "List the bundles that were made, newest first.")

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
