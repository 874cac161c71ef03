import CanonicalJSON
import Documents
import HTTPService
import Integrity
import PackageStore
import Snapshots

/// How a file of one snapshot stands to another.
enum ChangeKind: String, CaseIterable, Sendable {
    case added, changed, removed
    /// It is gone since upstream has withdrawn it.
    case withdrawn
    /// It is not in the target, though it has not left the storage.
    case withheld
    /// It stands in the storage, in neither snapshot, since it is damaged or undeclared.
    case leftOut = "left-out"
}

extension FerryAPI {
    private static let snapshotID = Parameter.path("id", .snapshotID, "The snapshot's id.") { SnapshotID($0) }

    static func snapshots(_ context: APIContext) -> [HTTPOperation] {
        let newestFirst = Parameter<Bool>.boolean("newestFirst", default: true, "Whether the newest come first.")
        let baseline = Parameter.query(
            required: "baseline", .either([.snapshotID, .choice(["empty"])]), "The snapshot to start from, or `empty`."
        ) { text -> SnapshotID?? in
            text == "empty" ? .some(nil) : SnapshotID(text).map { .some($0) }
        }
        let kind = Parameter<ChangeKind?>.choice("change", "Only changes of that kind.")
        let counts = Schema.object(ChangeKind.allCases.map { Schema.Member($0.rawValue, .count) })
        let carries = Schema.object([
            Schema.Member("packages", .count), Schema.Member("versions", .count, "Tarballs."), Schema.Member("bytes", .count),
        ])
        return [
            HTTPOperation(
                .get, "/snapshots", id: "listSnapshots", tag: "snapshots", "List the snapshots.",
                parameters: [newestFirst.declaration, limit.declaration, offset.declaration],
                success: [HTTPOperation.Success(pageSchema(.snapshot), "A page of snapshots.")], problems: commonProblems
            ) { request in
                let isReversed = try request.value(of: newestFirst)
                return try await request.blocking {
                    let headers = try context.snapshots.headers().map(\.json)
                    return .json(try page(of: isReversed ? headers.reversed() : headers, request))
                }
            },
            HTTPOperation(
                .get, "/snapshots/{id}", id: "getSnapshot", tag: "snapshots", "Get a snapshot.", parameters: [snapshotID.declaration],
                success: [HTTPOperation.Success(.snapshot, "The snapshot.")], problems: commonProblems
            ) { request in
                let id = try request.value(of: snapshotID)
                return try await request.blocking { .json(try open(id, context).header.json) }
            },
            HTTPOperation(
                .get, "/snapshots/{id}/diff", id: "compareSnapshots", tag: "snapshots", "Compare a snapshot with an earlier one.",
                explanation: """
                    `counts` are of all changes; `total` is of those that the filter leaves; `carries` is what a bundle of them would bring.
                    """,
                parameters: [
                    snapshotID.declaration, baseline.declaration, kind.declaration, limit.declaration, offset.declaration,
                ],
                success: [
                    HTTPOperation.Success(
                        pageSchema(.change, adding: [Schema.Member("counts", counts), Schema.Member("carries", carries)]),
                        "A page of changes, by path.")
                ], problems: commonProblems
            ) { request in
                let (target, from) = (try request.value(of: snapshotID), try request.value(of: baseline))
                let wanted = try request.value(of: kind)
                let (first, count) = (try request.value(of: offset), try request.value(of: limit))
                return try await request.blocking {
                    let reader = try open(target, context)
                    let start = try from.map { try open($0, context) }
                    let list = try context.lists.list("diff \(from?.text ?? "empty") \(target) \(wanted?.rawValue ?? "all")") { add in
                        try changes(from: start, to: reader, context) { kind, document in
                            if wanted ?? kind == kind { try add(document) }
                        }
                    }
                    var object = try page(try list.page(offset: first, limit: count), of: list.count, request).object ?? JSONObject()
                    object["counts"] = .object(
                        JSONObject(uniqueMembers: ChangeKind.allCases.map { ($0.rawValue, .integer(list.counts[$0.rawValue] ?? 0)) }))
                    object["carries"] = Cargo(list.counts).json
                    return .json(.object(object))
                }
            },
        ]
    }

    private static func open(_ id: SnapshotID, _ context: APIContext) throws -> SnapshotReader {
        guard let reader = try context.snapshots.open(id) else {
            throw Problem(.notFound, "there is no snapshot \(id); it may have been pruned", members: ["parameter": .string("id")])
        }
        return reader
    }

    /// Hands over what differs, by path, and then what the target leaves out; returns how many there are of each kind.
    private static func changes(
        from baseline: SnapshotReader?, to target: SnapshotReader, _ context: APIContext, _ body: (ChangeKind, JSONValue) throws -> Void
    ) throws -> [String: Int] {
        let store = context.snapshots
        let withheld = try store.withheldPaths(of: target.header.id)
        let withdrawn = try store.withdrawnPaths(of: target.header.id)
        var leftOut = try store.leftOut(of: target.header.id)
        var counts: [String: Int] = [:]
        var cargo = Cargo()
        func tell(_ kind: ChangeKind, _ path: StorePath, _ file: SnapshotFile?, _ reason: Finding.Code?) throws {
            counts[kind.rawValue, default: 0] += 1
            try body(
                kind,
                [
                    "change": .string(kind.rawValue), "path": .string(path.description), "sha512": .text(file?.digest.hex),
                    "sizeBytes": file.map { .integer($0.size) } ?? .null, "reason": .text(reason?.rawValue),
                ])
        }
        try forEachChange(from: baseline, to: target) { change in
            switch change {
            case .added(let file):
                cargo.add(file)
                try tell(.added, file.path, file, nil)
            case .changed(_, let file):
                cargo.add(file)
                try tell(.changed, file.path, file, nil)
            case .removed(let file) where withheld.contains(file.path):
                try tell(.withheld, file.path, file, leftOut.removeValue(forKey: file.path))
            case .removed(let file): try tell(withdrawn.contains(file.path) ? .withdrawn : .removed, file.path, file, nil)
            }
        }
        for (path, reason) in leftOut.sorted(by: { $0.key < $1.key }) { try tell(.leftOut, path, nil, reason) }
        return counts.merging(cargo.counts) { $1 }
    }
}

/// What a bundle of changes would bring.
private struct Cargo {
    private var packages = 0
    private var versions = 0
    private var bytes = 0
    private var lastPackage: PackageName?

    init() {}

    /// Reads `counts`.
    init(_ counts: [String: Int]) {
        packages = counts["carried packages"] ?? 0
        versions = counts["carried versions"] ?? 0
        bytes = counts["carried bytes"] ?? 0
    }

    /// Counts a file; those of a package come one after the other.
    mutating func add(_ file: SnapshotFile) {
        if file.path.package != lastPackage { packages += 1 }
        lastPackage = file.path.package
        if file.version != nil { versions += 1 }
        bytes += Int(file.size)
    }

    /// Under names that no kind of change has.
    var counts: [String: Int] { ["carried packages": packages, "carried versions": versions, "carried bytes": bytes] }

    var json: JSONValue { ["packages": .integer(packages), "versions": .integer(versions), "bytes": .integer(bytes)] }
}
