import ArgumentParser

/// The program of the connected side.
@main
struct FerryOnline: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ferry-online",
        abstract: "Carry an npm registry across an air gap: the connected side.",
        discussion: """
            A snapshot says what the storage of your Verdaccio holds; a bundle carries what changed since another snapshot; an export \
            puts it on a medium.

              ferry-online keys generate --state /var/lib/ferry-online
              ferry-online snapshot --storage /var/lib/verdaccio/storage --state /var/lib/ferry-online
              ferry-online bundle   --storage /var/lib/verdaccio/storage --state /var/lib/ferry-online
              ferry-online export   --state /var/lib/ferry-online --to /media/stick

            Exit codes: 0 done · 1 failed · 3 damage found · 11 locked by another process · 64 wrong usage · 130 cancelled.
            Any other code is a failure.
            """,
        version: "ferry-online 0.1.0 (bundle format 1)",
        subcommands: [
            Snapshot.self, Snapshots.self, Diff.self, Bundle.self, Bundles.self, ExportCommand.self, Keys.self,
        ])

    static let programName = "ferry-online 0.1.0"
}
