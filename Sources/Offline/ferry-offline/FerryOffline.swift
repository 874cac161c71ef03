import ArgumentParser
import ImportLedger
import Platform
import Provenance
import Snapshots

/// The program of the isolated side.
@main
struct FerryOffline: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ferry-offline",
        abstract: "Carry an npm registry across an air gap: the isolated side.",
        discussion: """
            Proves a bundle to its last byte, then brings it into the storage of your Verdaccio, which may go on serving.

              ferry-offline init   --state /var/lib/ferry-offline
              ferry-offline trust add origin.pub --origin o-… --state /var/lib/ferry-offline
              ferry-offline import /media/stick --storage /verdaccio/storage --state /var/lib/ferry-offline

            Exit codes: 0 done, or nothing to do · 1 failed · 3 damage found, nothing changed · 4 something could not be installed · 5 more media are to come · 10 no bundle · 11 locked by another \
            import · 12 signature not trusted · 13 does not fit this storage · 14 the registry did not serve what came in; rolled back · 64 wrong usage · 130 cancelled. Any other code is a \
            failure.
            """,
        version: version.text([
            (name: "formats", value: "reads bundles and media of format \(TransferFormat.version)"),
            (name: "databases", value: "ledger up to form \(Ledger.form)"),
        ]),
        subcommands: [
            Init.self, Trust.self, Verify.self, Import.self, Watch.self, Rollback.self, Generations.self, Quarantine.self, Check.self,
            ClosureCommand.self,
            History.self, Show.self, Report.self, LedgerCommand.self, ReceiptCommand.self, RequestCommand.self, Doctor.self,
        ])

    static let version = ProgramVersion(of: "ferry-offline")

    static func main() async {
        shareHeaps()
        await main(nil)
    }
}
