import ArgumentParser
import Foundation
import Platform
import Settings
import SystemPackage
import Terminal

extension Config {
    struct Unit: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "unit",
            abstract: "Print a systemd unit for the server, by these settings.",
            discussion: """
                The server may write to state, storage and media and to nothing else, has no privileges, and is ended and started again \
                where it does not answer. It runs as the owner of the storage, whose files it repairs.

                  ferry-online config unit --config /etc/ferry/ferry.yaml > /etc/systemd/system/ferry-online.service
                  systemctl daemon-reload && systemctl enable --now ferry-online
                """)

        @Option(help: ArgumentHelp("Who it runs as (default: the owner of the storage).", valueName: "name")) var user: String?
        @OptionGroup var registry: RegistryOptions
        @OptionGroup var storage: StorageOptions
        @OptionGroup var state: StateOptions

        func run() throws {
            try reporting {
                let settings = try state.settings(storage.flags + registry.flags)
                guard let directory = settings.state.value else {
                    throw ValidationError("name the state directory: --state DIR, FERRY_ONLINE_STATE, or \"state\" in ferry.yaml")
                }
                let verdaccio = try settings.verdaccio(environment)
                let storage = settings.storage(verdaccio).value
                let files = DiskFileSystem()
                func full(_ path: FilePath) throws -> FilePath {
                    let base = FilePath(FileManager.default.currentDirectoryPath)
                    return try files.resolve(path) ?? base.pushing(path).lexicallyNormalized()
                }
                guard let program = try files.resolve("/proc/self/exe") else { throw ValidationError("/proc is not mounted") }
                let owner = try storage.flatMap { try files.owner(of: $0) }
                let unit = ServiceUnit(
                    program: program, state: try full(directory), config: try settings.file.map(full), storage: try storage.map(full),
                    verdaccioConfig: try settings.verdaccioConfig.value.map(full), media: settings.mediaRoots.value,
                    controlGroup: settings.service.controlGroup, user: user ?? owner ?? "root", grace: settings.service.grace)
                try Terminal.output(Array(unit.text.utf8))
            }
        }
    }
}

/// A unit of systemd, systemd.exec(5), that lets the server do its work and nothing else.
struct ServiceUnit {
    let program: FilePath
    let state: FilePath
    let config: FilePath?
    let storage: FilePath?
    let verdaccioConfig: FilePath?
    let media: [FilePath]
    let controlGroup: FilePath?
    let user: String
    /// Seconds that running jobs are given when it ends.
    let grace: Int64

    var text: String {
        let command =
            [
                quoted(program.string), "serve", "--state", quoted(state.string),
            ] + option("--config", config) + option("--storage", storage) + option("--verdaccio-config", verdaccioConfig)
        let written = ([state] + (storage.map { [$0] } ?? []) + (controlGroup.map { [$0] } ?? [])).map { quoted($0.string) }
        let home = ([state, program] + [storage, config, verdaccioConfig].compactMap { $0 }).contains(where: isInHome)
        return """
            # Made by "ferry-online config unit"; make it again when paths or media.roots change.
            [Unit]
            Description=Ferry, the connected side: carries an npm registry across an air gap
            After=network.target local-fs.target

            [Service]
            Type=notify
            NotifyAccess=main
            ExecStart=\(command.joined(separator: " "))
            User=\(user)
            # Ended and started again where it is silent.
            WatchdogSec=60
            Restart=on-failure
            RestartSec=5
            # Jobs hear from the server that they are to end, and by themselves that it is gone.
            KillMode=mixed
            TimeoutStopSec=\(grace + 30)

            # What it may write to; media that are mounted later are seen below these.
            ProtectSystem=strict
            ReadWritePaths=\(written.joined(separator: " "))
            ReadWritePaths=\(media.map { quoted("-\($0)") }.joined(separator: " "))
            ProtectHome=\(home ? "read-only" : "yes")
            PrivateTmp=yes
            DevicePolicy=closed
            UMask=0022

            NoNewPrivileges=yes
            CapabilityBoundingSet=
            AmbientCapabilities=
            ProtectClock=yes
            ProtectControlGroups=\(controlGroup == nil ? "yes" : "no")
            ProtectHostname=yes
            ProtectKernelLogs=yes
            ProtectKernelModules=yes
            ProtectKernelTunables=yes
            ProtectProc=invisible
            RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
            RestrictNamespaces=yes
            RestrictRealtime=yes
            RestrictSUIDSGID=yes
            LockPersonality=yes
            RemoveIPC=yes
            SystemCallArchitectures=native
            SystemCallFilter=@system-service
            SystemCallErrorNumber=EPERM

            [Install]
            WantedBy=multi-user.target

            """
    }

    private func option(_ name: String, _ path: FilePath?) -> [String] { path.map { [name, quoted($0.string)] } ?? [] }

    private func isInHome(_ path: FilePath) -> Bool { ["/home", "/root", "/run/user"].contains { path.starts(with: FilePath($0)) } }

    /// A word as systemd.syntax(7) reads it back.
    private func quoted(_ word: String) -> String {
        var text = ""
        for scalar in word.unicodeScalars {
            switch scalar {
            case "%": text += "%%"
            case "\\", "\"": text += "\\\(scalar)"
            default: text.unicodeScalars.append(scalar)
            }
        }
        let isPlain = word.unicodeScalars.allSatisfy { CharacterSet.alphanumerics.contains($0) || "/-_.,:+@%".unicodeScalars.contains($0) }
        return isPlain ? text : "\"\(text)\""
    }
}
