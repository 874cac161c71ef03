import CanonicalJSON
package import ImportLedger
package import PackageStore
import Snapshots

/// All that is to be said of one import to somebody who was not there.
package struct ImportReport: Sendable {
    /// A package of which something changed.
    package struct Package: Sendable {
        package let name: PackageName
        package var changes: [ChangeRecord] = []
    }

    package let record: ImportRecord
    /// The rollback that undid it, if any.
    package let rollback: ImportRecord?
    package let destination: String
    /// In their order.
    package private(set) var packages: [Package] = []
    /// Whether the ledger's chain was found to be as it was written.
    package let audit: LedgerAudit
    /// Whether what it is undone by is kept still.
    package let canBeUndone: Bool

    /// - Throws: `NoSuchEntry`; what the ledger throws.
    package init(_ id: Int64, of ledger: Ledger) throws {
        guard let record = try ledger.entry(id) else { throw NoSuchEntry(id: id) }
        self.record = record
        rollback = try ledger.imports().first { $0.undoes == id && $0.state == .applied }
        destination = try ledger.destination()?.text ?? ""
        audit = try ledger.audit()
        let isKept = try ledger.generations().contains { $0.import.id == id }
        canBeUndone = (record.kind == .import || record.kind == .adoption) && record.state != .rolledBack && isKept
        for change in try ledger.changes(by: id) {
            if packages.last?.name != change.path.package { packages.append(Package(name: change.path.package)) }
            packages[packages.count - 1].changes.append(change)
        }
    }

    /// The changes with these outcomes, package by package.
    package func packages(with outcomes: Set<VersionOutcome>) -> [Package] {
        packages.compactMap { package in
            let changes = package.changes.filter { outcomes.contains($0.outcome) }
            return changes.isEmpty ? nil : Package(name: package.name, changes: changes)
        }
    }

    /// How long a step took, in milliseconds; `nil` where that was not recorded.
    package func milliseconds(_ step: String) -> Int64? { record.details["milliseconds"]?.object?[step]?.integer }

    /// There is no entry of that number.
    package struct NoSuchEntry: Error, CustomStringConvertible {
        package let id: Int64

        package var description: String { "the ledger has no entry \(id)" }
    }
}
