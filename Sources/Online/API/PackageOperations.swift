import BundleFormat
import CanonicalJSON
import Catalog
import Documents
import HTTPService
import PackageStore
import Platform
import Snapshots

extension FerryAPI {
    static func packages(_ context: APIContext) -> [HTTPOperation] {
        let sort: Parameter<SortOrder<PackageQuery.Order>> = sort(default: "name")
        let search = Parameter.text(
            "search", .string(maxLength: 214), "A part of the name; one or two characters find names that begin so.")
        let source = Parameter<PackageSource?>.choice("source", "Where the versions come from.")
        let damaged = Parameter<Bool?>.boolean("damaged", "Only packages with damaged files, or only those without.")
        let name = Parameter.path("name", .packageName, "The package's name; `@scope/name` may be written with a slash or with `%2F`.") {
            PackageName($0)
        }
        return [
            HTTPOperation(
                .get, "/packages", id: "listPackages", tag: "packages", "List and search the packages in storage.",
                explanation: "As the last scan saw them.",
                parameters: [
                    search.declaration, source.declaration, damaged.declaration, sort.declaration, limit.declaration, offset.declaration,
                ], success: [HTTPOperation.Success(pageSchema(.package), "A page of packages.")], problems: commonProblems
            ) { request in
                var query = PackageQuery()
                query.search = try request.value(of: search)
                query.source = try request.value(of: source)
                query.isDamaged = try request.value(of: damaged)
                let order = try request.value(of: sort)
                query.order = order.column
                query.isDescending = order.isDescending
                query.limit = try request.value(of: limit)
                query.offset = try request.value(of: offset)
                return try await request.blocking { [query] in
                    let found = try context.catalog.packages(query)
                    return .json(try page(found.elements.map(\.json), of: found.total, request))
                }
            },
            HTTPOperation(
                .get, "/packages/{name}", id: "getPackage", tag: "packages", "Get a package with its versions and tarballs.",
                explanation: "A package that has left the storage is still known where a bundle carried it.",
                parameters: [name.declaration],
                scoped: ["name"], success: [HTTPOperation.Success(.packageDetail, "The package.")], problems: commonProblems
            ) { request in
                let name = try request.value(of: name)
                return try await request.blocking {
                    guard let detail = try context.catalog.package(name) else {
                        throw Problem(.notFound, "no scan has seen \"\(name)\"", members: ["parameter": "name"])
                    }
                    return .json(try document(of: detail, context))
                }
            },
            HTTPOperation(
                .get, "/packages/{name}/dependents", id: "listDependents", tag: "packages", "List the packages that need a package.",
                explanation: "Those in storage whose `latest` version names it, as the last scan saw them.",
                parameters: [name.declaration, limit.declaration, offset.declaration], scoped: ["name"],
                success: [HTTPOperation.Success(pageSchema(.dependent), "A page of packages, by name.")], problems: commonProblems
            ) { request in
                let name = try request.value(of: name)
                let (first, count) = (try request.value(of: offset), try request.value(of: limit))
                return try await request.blocking {
                    let found = try context.catalog.dependents(of: name, offset: first, limit: count)
                    return .json(try page(found.elements.map(\.json), of: found.total, request))
                }
            },
        ]
    }

    private static func document(of detail: PackageDetail, _ context: APIContext) throws -> JSONValue {
        let tarballs = detail.versions.compactMap(\.tarball) + detail.unnamed
        let sequences = Set(detail.bundles + tarballs.flatMap(\.bundles))
        let bundles = try context.catalog.bundles(of: sequences).map { bundle -> JSONValue in
            [
                "bundle": .string(bundle.id.text), "sequence": .integer(bundle.sequence), "label": .string(bundle.label),
                "created": .string(bundle.created.description), "destination": .string(bundle.destination.description),
            ]
        }
        var object = detail.json.object ?? JSONObject()
        object["bundles"] = .array(bundles)
        return .object(object)
    }
}
