import Activation
import ArgumentParser
import ImportLedger
import ImportPipeline

/// What an import does with versions here that have left their origin.
struct RemovalOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "What becomes of versions that upstream has withdrawn: keep, quarantine, delete.",
            discussion: """
                Only versions that this origin gave, and no other, are touched; what was published here never is. Quarantined ones can be \
                released; whatever goes comes back by a rollback of the import.
                """, valueName: "policy"))
    var withdrawn: RemovalPolicy?

    @Option(
        help: ArgumentHelp("What becomes of versions that have left the origin otherwise: keep, quarantine, delete.", valueName: "policy"))
    var removed: RemovalPolicy?

    /// Keeps what was said, so that it need not be said again.
    func keep(in ledger: Ledger) throws {
        for (name, value) in [("withdrawn", withdrawn), ("removed", removed)] {
            if let value { try ledger.set(name, value.rawValue) }
        }
    }

    /// What is said now, else what was said at "init", else "keep".
    func apply(to options: inout ImportPipeline.Options, _ ledger: Ledger) throws {
        func kept(_ name: String) throws -> RemovalPolicy { try ledger.setting(name).flatMap { RemovalPolicy(rawValue: $0) } ?? .keep }
        options.withdrawn = try withdrawn ?? kept("withdrawn")
        options.removed = try removed ?? kept("removed")
    }
}

extension RemovalPolicy: ExpressibleByArgument {}
