import CanonicalJSON
import Catalog
import Documents
import HTTPService
import Platform
import Settings
import Upkeep

extension FerryAPI {
    /// Which damaged files are meant.
    private enum StateFilter: String, CaseIterable, Sendable {
        case open, damaged, missing, repaired, cleared, all

        var states: Set<BrokenArchive.State> {
            switch self {
            case .open: BrokenArchive.State.open
            case .all: Set(BrokenArchive.State.allCases)
            case .damaged: [.damaged]
            case .missing: [.missing]
            case .repaired: [.repaired]
            case .cleared: [.cleared]
            }
        }
    }

    static func storage(_ context: APIContext) -> [HTTPOperation] {
        [brokenArchives(context), statistics(context), space(context), settings(context)]
    }

    private static func brokenArchives(_ context: APIContext) -> HTTPOperation {
        let state = Parameter<StateFilter>.choice(
            "state", default: .open, "Where they stand; `open` are those that somebody has to see to: `damaged` or `missing`.")
        let kind = Parameter<DamageKind?>.choice("kind", "What is wrong with them.")
        let sort: Parameter<SortOrder<BrokenArchiveQuery.Order>> = sort(default: "path")
        return HTTPOperation(
            .get, "/broken-archives", id: "listBrokenArchives", tag: "storage", "List the files that are, or were, damaged.",
            parameters: [state.declaration, kind.declaration, sort.declaration, limit.declaration, offset.declaration],
            success: [HTTPOperation.Success(pageSchema(.brokenArchive), "A page of files.")], problems: commonProblems
        ) { request in
            var query = BrokenArchiveQuery()
            query.states = try request.value(of: state).states
            query.kind = try request.value(of: kind)
            let order = try request.value(of: sort)
            query.order = order.column
            query.isDescending = order.isDescending
            query.limit = try request.value(of: limit)
            query.offset = try request.value(of: offset)
            return try await request.blocking { [query] in
                let found = try context.catalog.brokenArchives(query)
                return .json(try page(found.elements.map(\.json), of: found.total, request))
            }
        }
    }

    private static let day: Int64 = 86_400_000_000_000
    private static let days = Parameter.integer("days", in: 1...3660, default: 30, "How many days back.")

    private static func statistics(_ context: APIContext) -> HTTPOperation {
        HTTPOperation(
            .get, "/statistics", id: "getStatistics", tag: "storage", "Get how the storage grew.",
            explanation: "What the last scan of each day counted, oldest first; `growth` is from the first of them to the last.",
            parameters: [days.declaration],
            success: [
                HTTPOperation.Success(
                    .object([
                        Schema.Member("days", .integer(1...3660)),
                        Schema.Member("latest", Schema.totals.orNull, "Null where there was no scan."),
                        Schema.Member("growth", Schema.growth.orNull), Schema.Member("items", .array(.totals)),
                    ]), "Sums and growth.")
            ], problems: commonProblems
        ) { request in
            let days = try request.value(of: days)
            return try await request.blocking {
                let since = Timestamp(nanoseconds: context.clock.now().nanoseconds - Int64(days) * day)
                var byDay: [StorageTotals] = []
                for totals in try context.catalog.totals(since: since) {
                    if byDay.last?.taken.description.prefix(10) == totals.taken.description.prefix(10) { byDay.removeLast() }
                    byDay.append(totals)
                }
                let document: JSONValue = [
                    "days": .integer(days), "latest": byDay.last?.json ?? .null, "items": .array(byDay.map(\.json)),
                    "growth": byDay.first.flatMap { first in byDay.last.map { growth(from: first, to: $0) } } ?? .null,
                ]
                return .json(document)
            }
        }
    }

    private static func growth(from first: StorageTotals, to last: StorageTotals) -> JSONValue {
        [
            "packages": .integer(last.packages - first.packages), "versions": .integer(last.versions - first.versions),
            "cachedVersions": .integer(last.cachedVersions - first.cachedVersions), "tarballs": .integer(last.tarballs - first.tarballs),
            "tarballBytes": .integer(last.tarballBytes - first.tarballBytes),
            "packumentBytes": .integer(last.packumentBytes - first.packumentBytes), "damaged": .integer(last.damaged - first.damaged),
        ]
    }

    private static func space(_ context: APIContext) -> HTTPOperation {
        HTTPOperation(
            .get, "/space", id: "getSpace", tag: "storage", "Get what is free now, for how long, and what was measured.",
            explanation: "Asks the file systems; counts no files, and keeps nothing.", parameters: [days.declaration],
            success: [HTTPOperation.Success(.space, "Disks, and measurements.")], problems: commonProblems
        ) { request in
            let days = try request.value(of: days)
            return try await request.blocking {
                let settings = context.settings
                // A storage that is not there has no disk to speak of.
                let storage = try settings.storage(context.verdaccio).value.flatMap { path in
                    try DiskFileSystem().status(of: path) == nil ? nil : path
                }
                let watch = SpaceWatch(
                    state: context.state, storage: storage, warning: settings.warning, critical: settings.critical, clock: context.clock)
                var object = try watch.look(context.catalog, keeps: false).json.object ?? JSONObject()
                let since = Timestamp(nanoseconds: context.clock.now().nanoseconds - Int64(days) * day)
                object["measurements"] = .array(try context.catalog.measurements(since: since).map(\.json))
                return .json(.object(object))
            }
        }
    }

    private static func settings(_ context: APIContext) -> HTTPOperation {
        HTTPOperation(
            .get, "/settings", id: "getSettings", tag: "service", "Get the settings in force, and where each comes from.",
            success: [HTTPOperation.Success(.object([Schema.Member("items", .array(.setting))]), "Every key.")]
        ) { _ in
            .json(["items": .array(context.settings.entries(context.verdaccio).map(\.json))])
        }
    }
}
