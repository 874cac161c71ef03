import Catalog
import Destinations
import Documents
import HTTPService
import MediaLayout
import PackageStore

/// The schemas of the documents that `Documents` makes.
extension Schema {
    static let timestamp = Schema.string(
        pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z$", format: "date-time")
    static let sha512 = Schema.string(pattern: "^[0-9a-f]{128}$")
    static let snapshotID = Schema.string(pattern: "^[0-9]{8}T[0-9]{6}Z(-[0-9]{1,9})?$")
    static let bundleID = identifier("b")
    static let originID = identifier("o")
    static let mediumID = identifier("m")
    static let destination = Schema.string(pattern: "^(any|d-[0-9a-hjkmnp-tv-z]{20})$")
    static let path = Schema.string(minLength: 1, maxLength: 512)
    static let text = Schema.string()
    /// One part of a package's name.
    private static let part = "[-A-Za-z0-9_!~*'()][-A-Za-z0-9_.!~*'()]*"
    static let packageName = Schema.string(pattern: "^(@\(part)/)?\(part)$", maxLength: 214)
    static let bytes = Schema.count
    private static let sequence = Schema.integer(1...9_007_199_254_740_991)

    private static func identifier(_ kind: String) -> Schema { .string(pattern: "^\(kind)-[0-9a-hjkmnp-tv-z]{20}$") }

    // MARK: Packages

    private static let packageMembers: [Member] = [
        Member("name", packageName), Member("source", .choice(PackageSource.allCases.map(\.rawValue)), "Where its versions come from."),
        Member("latest", text.orNull, "What `latest` points at."), Member("description", text.orNull),
        Member("versions", .count, "Versions that the packument knows of."),
        Member("cachedVersions", .count, "Versions whose tarball lies in storage."), Member("tarballBytes", bytes),
        Member("packumentBytes", bytes), Member("damaged", .count, "Files known to be damaged."),
        Member("published", timestamp.orNull, "When its newest version was published."), Member("firstSeen", timestamp),
        Member("lastChanged", timestamp), Member("gone", timestamp.orNull, "When it had left the storage; null while it is there."),
    ]

    static let package = Schema.named("Package", .object(packageMembers))

    static let dependent = Schema.named(
        "Dependent",
        .object([
            Member("name", packageName), Member("latest", text.orNull, "What its `latest` points at."),
            Member("kind", .choice(PackageNeed.Kind.allCases.map(\.rawValue)), "How much it needs it."),
            Member("range", text, "Which versions of it."),
        ]))

    static let packageDetail = Schema.named(
        "PackageDetail",
        .object(
            packageMembers.filter { $0.name != "versions" } + [
                Member("tags", .dictionary(text)), Member("versions", .array(version), "Newest first."),
                Member("unnamed", .array(tarball), "Tarballs that no version names."),
                Member("packumentBundles", .array(sequence), "The sequence numbers of the bundles that carried its packument."),
                Member("packumentError", text.orNull, "Why its packument cannot be used."),
                Member("bundles", .array(bundleReference), "The bundles that carried any of its files, oldest first."),
            ]))

    private static let version = Schema.named(
        "PackageVersion",
        .object([
            Member("version", text), Member("published", timestamp.orNull), Member("deprecated", text.orNull, "The message."),
            Member("local", .boolean, "Whether it was published to this registry."),
            Member("withdrawn", .boolean, "Whether upstream no longer has it."), Member("firstSeen", timestamp),
            Member("lastChanged", timestamp), Member("tarball", tarball.orNull, "Null where only the packument knows of it."),
        ]))

    private static let tarball = Schema.named(
        "Tarball",
        .object([
            Member("file", .string(minLength: 1, maxLength: 255)), Member("sizeBytes", bytes), Member("modified", timestamp),
            Member("sha512", sha512.orNull, "Null before it was measured."),
            Member("checked", timestamp.orNull, "When it was last proved."),
            Member("damage", Schema.choice(DamageKind.allCases.map(\.rawValue)).orNull), Member("firstSeen", timestamp),
            Member("bundles", .array(sequence), "The sequence numbers of the bundles that carried it."),
        ]))

    private static let bundleReference = Schema.object([
        Member("bundle", bundleID), Member("sequence", sequence), Member("label", text), Member("created", timestamp),
        Member("destination", destination),
    ])

    // MARK: Snapshots and bundles

    static let snapshot = Schema.named(
        "Snapshot",
        .object([
            Member("snapshot", snapshotID), Member("counter", sequence, "The order of snapshots."), Member("origin", originID),
            Member("created", timestamp), Member("settled", .boolean, "Whether the storage held still."), Member("stateRoot", sha512),
            Member("packages", .count), Member("files", .count), Member("bytes", bytes),
        ]))

    static let change = Schema.named(
        "Change",
        .object([
            Member("change", .choice(ChangeKind.allCases.map(\.rawValue))), Member("path", path),
            Member("sha512", sha512.orNull, "Of what is there then; of what was there where it is removed."),
            Member("sizeBytes", bytes.orNull),
            Member("reason", Schema.choice(Finding.Code.allCases.map(\.rawValue)).orNull, "Why it is left out."),
        ]))

    private static let counts = Schema.object([
        Member("files", .count), Member("bytes", bytes), Member("packages", .count), Member("removed", .count),
    ])

    static let bundleMembers: [Member] = [
        Member("bundle", bundleID), Member("label", .string(pattern: "^diff-[0-9]{12}$")), Member("created", timestamp),
        Member("destination", destination), Member("sequence", sequence), Member("baseline", snapshotID.orNull, "Null for a full bundle."),
        Member("target", snapshotID), Member("targetRoot", sha512), Member("counts", counts), Member("sizeBytes", bytes),
        Member("keys", .array(text), "The ids of the keys that signed it."),
        Member("pruned", timestamp.orNull, "When its archive was removed to make room."),
    ]

    static let bundle = Schema.named("Bundle", .object(bundleMembers))

    static let bundleDetail = Schema.named(
        "BundleDetail",
        .object(
            bundleMembers + [
                Member(
                    "archive", .array(.object([Member("name", text), Member("sizeBytes", bytes)])),
                    "The files of its archive, in order; none where it is no longer there.")
            ]))

    static let content = Schema.named(
        "BundleContent",
        .object([
            Member("path", path), Member("package", packageName), Member("version", text.orNull, "Null for a packument."),
            Member("sha512", sha512), Member("sizeBytes", bytes.orNull, "Null for what is removed."),
            Member("reason", Schema.choice(["absent", "withdrawn"]).orNull, "Why it is removed; null for what is carried."),
        ]))

    static let verification = Schema.named(
        "Verification",
        .object([
            Member("bundle", bundleID), Member("intact", .boolean, "Whether every byte of the archive is what was written."),
            Member("signed", .boolean, "Whether it is intact and a key of this origin signed it."),
            Member("bytes", bytes, "Bytes that passed."),
            Member("chunks", .count, "Chunks of the archive that were compared."), Member("files", .count, "Files that were compared."),
            Member(
                "signatures",
                .array(.object([Member("key", text), Member("known", .boolean), Member("valid", .boolean)]), maxItems: 16)),
            Member(
                "problem",
                Schema.object([
                    Member("code", .string(pattern: "^[a-z-]+$")), Member("subject", text), Member("reason", text),
                ]).orNull),
        ]))

    // MARK: Destinations

    static let destinationID = identifier("d")
    static let requestID = identifier("r")
    /// Receipts of a destination that are listed, and what is listed of what a request asks for.
    static let receiptsListed = 50
    static let askedListed = 1000

    static let destinationSummary = Schema.named(
        "Destination",
        .object([
            Member("destination", destination), Member("bundles", .count), Member("lastBundle", bundle.orNull, "The newest one."),
            Member("standing", standing.orNull, "What is known of it; null for \"any\", and where nothing came back from there."),
        ]))

    private static let receipt = Schema.object([
        Member("destination", destinationID), Member("counter", sequence), Member("created", timestamp, "By the clock of the destination."),
        Member("read", timestamp), Member("bundle", bundleID.orNull), Member("sequence", sequence.orNull, "The state that it has."),
        Member("targetRoot", sha512.orNull), Member("missing", .count, "Files of that state that it lacks."), Member("refused", .count),
    ])

    private static let standingMembers: [Member] = [
        Member("destination", destinationID), Member("name", text, "What it calls itself."),
        Member("fingerprint", text, "Of its key."), Member("keyId", text), Member("firstSeen", timestamp),
        Member("confirmed", timestamp.orNull, "When a person confirmed its key; null before, and then nothing it says counts."),
        Member("baseline", .choice(DestinationRecord.BaselinePolicy.allCases.map(\.rawValue)), "What its bundles start from."),
        Member("approvesRequests", .boolean), Member("quietDays", .integer(1...3650)),
        Member("receipt", receipt.orNull, "The last one."),
        Member(
            "pending",
            .array(.object([Member("bundle", bundleID), Member("sequence", sequence), Member("label", text)])),
            "Bundles that lead beyond what it has, oldest first."),
        Member(
            "lastExport",
            Schema.object([Member("bundle", bundleID), Member("medium", text), Member("written", timestamp)]).orNull,
            "The last time that one of them was put on a medium."),
        Member("openRequests", .count), Member("quietFor", Schema.count.orNull, "Days without a word, where that is too long."),
    ]

    static let standing = Schema.named("Standing", .object(standingMembers))

    static let destinationDetail = Schema.named(
        "DestinationDetail",
        .object(standingMembers + [Member("receipts", .array(receipt, maxItems: receiptsListed), "The last ones, newest first.")]))

    static let nextBundle = Schema.named(
        "NextBundle",
        .object([
            Member("baseline", snapshotID.orNull, "Null for a full bundle."), Member("target", snapshotID.orNull, "The newest snapshot."),
            Member("ground", .choice(NextBaseline.Ground.allCases.map(\.rawValue)), "What is known of the destination that it goes by."),
            Member("state", sequence.orNull, "The sequence of the state that it has, or is assumed to have."),
            Member("reason", text, "The two in words."), Member("counts", counts), Member("versions", .count),
            Member("again", .count, "Files that are carried again, since they are missing there."),
        ]))

    private static let requestMembers: [Member] = [
        Member("request", requestID), Member("destination", destinationID),
        Member("kind", .choice(RequestRecord.Kind.allCases.map(\.rawValue)), "Whether packages are wanted, or files lack for a bundle."),
        Member("created", timestamp, "By the clock of the destination."), Member("read", timestamp),
        Member("state", .choice(RequestRecord.State.allCases.map(\.rawValue))), Member("changed", timestamp),
        Member("bundle", bundleID.orNull, "The bundle that did not fit."), Member("items", .count),
    ]

    static let request = Schema.named("Request", .object(requestMembers))

    static let requestDetail = Schema.named(
        "RequestDetail", .object(requestMembers + [Member("asked", .array(text, maxItems: askedListed), "The first of what it asks for.")]))

    static let decision = Schema.named(
        "Decision", .object([Member("request", request), Member("job", Schema.job.orNull, "The job that was asked for.")]))

    /// What came of one document of a destination.
    static let reply = Schema.named(
        "Reply",
        .object([
            Member("event", .choice(["introduced", "receipt", "request", "known", "refused"])),
            Member("name", text, "The destination's where it is introduced, the file's where it is known or refused.", isRequired: false),
            Member("destination", destinationID, "Who is introduced.", isRequired: false),
            Member("fingerprint", text, "Of the key that is to be confirmed.", isRequired: false),
            Member("receipt", receipt, isRequired: false), Member("request", request, isRequired: false),
            Member(
                "behind", .integer(0...9_007_199_254_740_991),
                "The newest state here, where the receipt is of a later one: this side was restored from a backup, and counts on from there.",
                isRequired: false),
            Member("refusal", .choice(Correspondence.Refusal.Word.allCases.map(\.rawValue)), "Why it does not count.", isRequired: false),
            Member("reason", text, "The same in words.", isRequired: false),
        ]))

    // MARK: Media

    static let medium = Schema.named(
        "Medium",
        .object([
            Member("id", mediumID), Member("root", text, "Where it is mounted."), Member("label", text.orNull),
            Member("model", text.orNull, "Who made it, and what they call it."), Member("serial", text.orNull),
            Member("source", text, "The device, or what else is mounted."), Member("fileSystem", text),
            Member("removable", .boolean, "Whether people pull it out, as far as the kernel knows."), Member("readOnly", .boolean),
            Member("freeBytes", bytes), Member("totalBytes", bytes),
            Member("state", .choice(["ready", "uninitialised", "unusable"]), "Whether there is a `ferry/` on it that can be read."),
            Member("detail", text.orNull, "Why it cannot be used."), Member("bundleCount", .count, "The bundles on it."),
            Member("bundles", .array(mediumBundle, maxItems: MountedMedium.listed), "The newest of them."),
            Member(
                "parts", .array(mediumPart, maxItems: MountedMedium.listed),
                "Of which bundles, spread over several media, it carries volumes."),
        ]))

    private static let mediumPart = Schema.object([
        Member("bundle", bundleID), Member("label", text), Member("destination", destination), Member("sequence", sequence),
        Member("volumes", .array(.integer(1...999), maxItems: 999), "The numbers of those that are here."),
        Member("volumeCount", .integer(1...999), "How many there are in all."), Member("sizeBytes", bytes, "Of those that are here."),
    ])

    private static let mediumBundle = Schema.object([
        Member("bundle", bundleID), Member("label", text), Member("origin", originID), Member("destination", destination),
        Member("sequence", sequence), Member("created", timestamp), Member("sizeBytes", bytes), Member("volumes", .integer(1...999)),
    ])

    // MARK: Storage

    static let brokenArchive = Schema.named(
        "BrokenArchive",
        .object([
            Member("path", path), Member("package", packageName), Member("file", .string(minLength: 1, maxLength: 255)),
            Member("version", text.orNull), Member("kind", .choice(DamageKind.allCases.map(\.rawValue))), Member("message", text),
            Member("state", .choice(BrokenArchive.State.allCases.map(\.rawValue))), Member("sizeBytes", bytes),
            Member("sha512", sha512.orNull),
            Member("found", timestamp), Member("checked", timestamp), Member("goneUpstream", .boolean),
            Member("quarantined", text.orNull, "Where the damaged copy is kept."),
            Member(
                "attempts",
                .array(
                    .object([
                        Member("began", timestamp), Member("ended", timestamp), Member("repaired", .boolean), Member("reason", text),
                    ]))),
        ]))

    static let totals = Schema.named(
        "StorageTotals",
        .object([
            Member("taken", timestamp), Member("packages", .count), Member("localPackages", .count), Member("versions", .count),
            Member("cachedVersions", .count), Member("tarballs", .count), Member("tarballBytes", bytes), Member("packumentBytes", bytes),
            Member("damaged", .count),
        ]))

    private static let signed = Schema.integer(-9_007_199_254_740_991...9_007_199_254_740_991)

    static let growth = Schema.object([
        Member("packages", signed), Member("versions", signed), Member("cachedVersions", signed), Member("tarballs", signed),
        Member("tarballBytes", signed), Member("packumentBytes", signed), Member("damaged", signed),
    ])

    private static let level = Schema.choice(["ok", "warning", "critical"])

    static let space = Schema.named(
        "Space",
        .object([
            Member("taken", timestamp),
            Member("parts", .array(.object([Member("name", text), Member("bytes", bytes), Member("files", .count)]))),
            Member("unreadableDirectories", .count),
            Member(
                "disks",
                .array(
                    .object([
                        Member("holds", .array(.choice(["storage", "state", "artifacts"]))), Member("path", text),
                        Member("freeBytes", bytes),
                        Member("totalBytes", bytes), Member("freeFiles", Schema.count.orNull), Member("totalFiles", Schema.count.orNull),
                        Member("level", level), Member("reasons", .array(text)), Member("forecast", text),
                        Member("daysLeft", Schema.integer(0...36_500).orNull),
                    ]))), Member("level", level), Member("kept", .boolean),
            Member("measurements", .array(measurement), "What commands have measured, oldest first."),
        ]))

    private static let measurement = Schema.object([
        Member("taken", timestamp), Member("storageBytes", bytes.orNull), Member("storageFiles", Schema.count.orNull),
        Member("stateBytes", bytes.orNull), Member("snapshotsBytes", bytes.orNull), Member("artifactsBytes", bytes.orNull),
        Member("logsBytes", bytes.orNull), Member("storageFreeBytes", bytes.orNull), Member("storageTotalBytes", bytes.orNull),
        Member("stateFreeBytes", bytes), Member("stateTotalBytes", bytes),
    ])

    static let setting = Schema.named(
        "Setting",
        .object([
            Member("key", .string(pattern: "^[A-Za-z0-9_.-]+$")), Member("value", .either([text, .array(text), .null])),
            Member(
                "source",
                .object([
                    Member("kind", .choice(["default", "verdaccio", "file", "environment", "flag"])),
                    Member("path", text, isRequired: false),
                    Member("line", .integer(1...9_007_199_254_740_991), isRequired: false), Member("name", text, isRequired: false),
                ])), Member("variable", text, "The variable of the environment that sets it."),
        ]))
}
