import ArgumentParser
import Catalog
import Jobs
import Platform
import Provenance
import Snapshots

/// The program of the connected side.
@main
struct FerryOnline: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ferry-online",
        abstract: "Carry an npm registry across an air gap: the connected side.",
        discussion: """
            A refresh makes the cache of your Verdaccio current and complete. A snapshot says what the storage of your Verdaccio holds; a bundle carries what changed since another snapshot; an export \
            puts it on a medium.

              ferry-online keys generate --state /var/lib/ferry-online
              ferry-online refresh full --verdaccio-config /etc/verdaccio/config.yaml --state /var/lib/ferry-online
              ferry-online snapshot --storage /var/lib/verdaccio/storage --state /var/lib/ferry-online
              ferry-online bundle   --storage /var/lib/verdaccio/storage --state /var/lib/ferry-online
              ferry-online export   --state /var/lib/ferry-online --to /media/stick

            Exit codes: 0 done · 1 failed · 3 damage found · 4 incomplete · 5 more media are to be written · 11 locked by another process · 64 wrong usage · \
            78 settings that cannot be used · 130 cancelled. Any other code is a failure.
            """,
        version: version.text([
            (name: "formats", value: "writes snapshots, bundles and media of format \(TransferFormat.version)"),
            (name: "databases", value: "catalog up to form \(Catalog.form), jobs up to form \(JobStore.form)"),
        ]),
        subcommands: [
            RefreshCommand.self, WantCommand.self, Scan.self, Check.self, RepairCommand.self, Packages.self, Stats.self, Snapshot.self,
            Snapshots.self, Diff.self, Bundle.self, Bundles.self, ExportCommand.self, MediaCommand.self, Space.self, Prune.self,
            DestinationsCommand.self, Receive.self, Requests.self, JobsCommand.self, Serve.self, Keys.self, Config.self, Doctor.self,
        ])

    static let version = ProgramVersion(of: "ferry-online")

    static func main() async {
        shareHeaps()
        await main(nil)
    }
}
