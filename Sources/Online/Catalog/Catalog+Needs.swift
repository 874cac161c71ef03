import GRDB
package import PackageStore

/// A package whose `latest` version needs another.
package struct PackageDependent: Sendable, Hashable {
    package let name: String
    /// What its `latest` points at.
    package let latest: String?
    package let kind: PackageNeed.Kind
    /// Of the package that it needs.
    package let range: String
}

extension Catalog {
    /// The packages in storage whose `latest` version needs a package, by name.
    ///
    /// - Parameter limit: at most 1,000.
    package func dependents(of name: PackageName, offset: Int, limit: Int) throws -> Page<PackageDependent> {
        try read { db in
            let source = "FROM need JOIN package ON package.id = need.package WHERE need.name = ? AND gone IS NULL"
            let total = try Int.fetchOne(db.cachedStatement(sql: "SELECT count(*) \(source)"), arguments: [name.text]) ?? 0
            let rows = try Row.fetchAll(
                db.cachedStatement(
                    sql: "SELECT package.name, latest, kind, range \(source) ORDER BY package.folded, package.name LIMIT ? OFFSET ?"),
                arguments: [name.text, min(max(limit, 0), 1000), max(offset, 0)])
            let found = rows.compactMap { row in
                PackageNeed.Kind(number: row["kind"]).map { kind in
                    PackageDependent(name: row["name"], latest: row["latest"], kind: kind, range: row["range"])
                }
            }
            return Page(elements: found, total: total)
        }
    }
}

extension PackageNeed.Kind {
    /// What stands for it in the catalog.
    var number: Int {
        switch self {
        case .regular: 0
        case .optional: 1
        case .peer: 2
        }
    }

    init?(number: Int) {
        guard let kind = Self.allCases.first(where: { $0.number == number }) else { return nil }
        self = kind
    }
}
