package import BundleFormat
package import CanonicalJSON
package import ImportLedger
package import ImportPipeline
import Platform
package import Rollbacks

/// An import that ends only when the registry serves what it brought; else it is undone (DESIGN §5, steps 7 and 8).
package struct ServedImport: Sendable {
    /// How the service is handled.
    package struct Service: Sendable {
        package var restart = Restart.none
        /// `nil` where nothing is asked.
        package var check: ServiceCheck?
        package var extent = ServiceCheck.Extent.sample(32)
        /// How often the registry is asked whether it is there again, a second apart.
        package var attempts = 60

        package init() {}
    }

    /// The import was undone, since the registry did not serve what it brought.
    ///
    /// The storage is as it was before, but for what others did meanwhile.
    package struct Undone: Error, CustomStringConvertible {
        package let id: Int64
        package let reason: String
        /// Why the registry is not there now, either; `nil` where it is.
        package let trouble: String?

        package var description: String {
            "import \(id) was rolled back, since the registry did not serve it: \(reason)"
                + (trouble.map { "; and now it does not answer: \($0)" } ?? "")
        }
    }

    /// Nothing answers before anything was changed, and nothing would restart it.
    package struct NoService: Error, CustomStringConvertible {
        package let description: String
    }

    /// What keeps an import from being one.
    private struct Unserved: Error {
        let id: Int64
        let reason: String
    }

    private let service: Service
    private let ledger: Ledger
    private let rollback: Rollback
    /// Told what is being done.
    private let say: @Sendable (String) -> Void

    package init(_ service: Service, ledger: Ledger, rollback: Rollback, say: @escaping @Sendable (String) -> Void) {
        self.service = service
        self.ledger = ledger
        self.rollback = rollback
        self.say = say
    }

    /// Imports a bundle, restarts the registry, and compares what it serves.
    ///
    /// - Throws: `NoService` before anything was changed; `Undone`; what `ImportPipeline.run` throws, and `Rollback.run`.
    package func run(
        _ source: ArchiveSource, by pipeline: ImportPipeline, operatorName: String, sourceName: String, details: JSONObject
    ) throws -> ImportPipeline.Report {
        if let check = service.check, service.restart == .none, service.extent != .none, !check.answers() {
            throw NoService(description: "the registry does not answer, and nothing says how to start it")
        }
        do {
            return try pipeline.run(source, operatorName: operatorName, sourceName: sourceName, details: details) { id in
                do { return try prove(id) } catch { throw Unserved(id: id, reason: "\(error)") }
            }
        } catch let unserved as Unserved {
            say("the registry does not serve what came in (\(unserved.reason)); undoing the import")
            var record = details
            record["reason"] = .string(unserved.reason)
            _ = try rollback.run(unserved.id, operatorName: operatorName, details: record, acceptsLosses: true)
            throw Undone(id: unserved.id, reason: unserved.reason, trouble: bringBack())
        }
    }

    private func prove(_ id: Int64) throws -> JSONValue? {
        if service.restart != .none { say("restarting: \(service.restart)") }
        try service.restart.run()
        guard let check = service.check, service.extent != .none else {
            return service.restart == .none ? nil : ["restart": .string(service.restart.description)]
        }
        try check.wait(attempts: service.restart == .none ? 1 : service.attempts)
        let report = try check.compare(ledger.packages(changedBy: id), service.extent) { try ledger.changes(by: id, of: $0) }
        say("the registry serves what came in: \(report.packuments) packuments and \(report.tarballs) tarballs compared")
        if report.hidden > 0 { say("warning: \(report.hidden) packages are not shown to strangers and were not compared") }
        return [
            "restart": .string(service.restart.description), "check": .string(service.extent.text),
            "packuments": .integer(report.packuments),
            "tarballs": .integer(report.tarballs), "bytes": .integer(report.bytes), "hidden": .integer(report.hidden),
        ]
    }

    /// Why the registry is not there after the rollback; `nil` where it is.
    private func bringBack() -> String? {
        do {
            try service.restart.run()
            try service.check?.wait(attempts: service.restart == .none ? 1 : service.attempts)
            return nil
        } catch {
            return "\(error)"
        }
    }
}
