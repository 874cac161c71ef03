import ArgumentParser
import CanonicalJSON
import Checkup
import ImportLedger
import Integrity
import PackageStore
import Platform
import Services
import Snapshots
import SystemPackage
import Terminal
import VerdaccioSettings
import Verification

struct Doctor: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Look at all that the isolated side depends on, and say what to do.",
        discussion: """
            State, ledger and its chain, trusted keys, storage, Verdaccio's configuration and address, how it is restarted, disks, and the \
            clock. Changes nothing. Run it as who imports.

              ferry-offline doctor --verdaccio-config /etc/verdaccio/config.yaml

            Exit codes: 0 all is as it should be, or there are warnings · 3 something does not work · 64 wrong usage.
            """)

    @OptionGroup var storage: StorageOptions
    @OptionGroup var state: StateOptions
    @OptionGroup var services: ServiceOptions

    func run() throws {
        try reporting {
            var diagnosis = Diagnosis()
            let ledger = lookAtState(&diagnosis)
            if let ledger { lookAtLedger(ledger, &diagnosis) }
            lookAtTrust(ledger, &diagnosis)
            lookAtVerdaccio(&diagnosis)
            lookAtStorage(&diagnosis)
            if let ledger { lookAtService(ledger, &diagnosis) }
            diagnosis.look(atClock: WallClock.system.now(), recorded: try? ledger?.imports().map(\.started).max())
            if state.json {
                try Terminal.output(diagnosis.json.canonicalBytes + [0x0A])
            } else {
                for line in diagnosis.lines { try Terminal.output(line) }
                Terminal.say(diagnosis.summary)
            }
            if diagnosis.exitCode != 0 { throw ExitCode(diagnosis.exitCode) }
        }
    }

    /// The ledger, where there is one that can be used.
    private func lookAtState(_ diagnosis: inout Diagnosis) -> Ledger? {
        guard let text = state.state ?? environment("FERRY_OFFLINE_STATE") else {
            diagnosis.complain("state", "no state directory is named", "name it: --state DIR, or FERRY_OFFLINE_STATE")
            return nil
        }
        let path = FilePath(text)
        guard diagnosis.look(atDirectory: path, "state", "the state", ifMissing: "ferry-offline init") else { return nil }
        diagnosis.look(atDiskOf: path, holding: "the state")
        do {
            guard try DiskFileSystem().status(of: path.appending("ledger.sqlite")) != nil else {
                diagnosis.complain(
                    "ledger", "there is none, so nothing can be imported", "ferry-offline init; or put the state's backup back")
                return nil
            }
            return try Ledger(opening: path.appending("ledger.sqlite"))
        } catch {
            diagnosis.complain("ledger", "\(error)", "put the backup of the state in its place")
            return nil
        }
    }

    private func lookAtLedger(_ ledger: Ledger, _ diagnosis: inout Diagnosis) {
        do {
            if let destination = try ledger.destination() {
                diagnosis.praise("ledger", "this is destination \(destination)")
            } else {
                diagnosis.complain("ledger", "this destination has no name", "ferry-offline init")
            }
            let audit = try ledger.audit()
            for finding in audit.findings {
                diagnosis.complain("ledger", finding, "find out who changed it, and put the backup of the state in its place")
            }
            if audit.findings.isEmpty { diagnosis.praise("ledger", "\(audit.entries) entries are as they were written") }
            for record in try ledger.imports() where [.applying, .rollingBack].contains(record.state) {
                let command = record.state == .applying ? "import it again: bundle \(record.bundle)" : "ferry-offline rollback \(record.id)"
                diagnosis.warn("ledger", "entry \(record.id) did not end", command)
            }
        } catch { diagnosis.complain("ledger", "\(error)", "put the backup of the state in its place") }
    }

    private func lookAtTrust(_ ledger: Ledger?, _ diagnosis: inout Diagnosis) {
        guard (state.state ?? environment("FERRY_OFFLINE_STATE")) != nil else { return }
        do {
            let keys = try state.trust()?.entries.filter { !$0.isRetired } ?? []
            if !keys.isEmpty {
                diagnosis.praise("trust", keys.map { "\($0.key.keyID) is trusted for \($0.origin)" }.joined(separator: ", "))
            } else if try ledger?.allowsUnsigned() == true {
                diagnosis.warn(
                    "trust", "no key is trusted, and unsigned bundles are accepted", "ferry-offline trust add KEY.pub --origin ID")
            } else {
                diagnosis.complain("trust", "no key is trusted, so every bundle is refused", "ferry-offline trust add KEY.pub --origin ID")
            }
        } catch { diagnosis.complain("trust", "\(error)", "restore trust.json of the state, or remove it and trust the keys anew") }
    }

    private func lookAtVerdaccio(_ diagnosis: inout Diagnosis) {
        guard let path = storage.verdaccioConfig else { return }
        do {
            let settings = try VerdaccioSettings(
                contentsOf: FilePath(path), environmentStoragePath: environment("VERDACCIO_STORAGE_PATH"))
            guard settings.rules.contains(where: { !$0.proxy.isEmpty }) else {
                return diagnosis.praise("verdaccio", "its configuration names no uplink, as it should be here")
            }
            diagnosis.complain(
                "verdaccio", "its configuration has packages with \"proxy\", so that installs wait for the network",
                "remove \"uplinks\" and \"proxy\" there, and restart verdaccio")
        } catch { diagnosis.complain("verdaccio", "\(error)", "mend it, or name another with --verdaccio-config") }
    }

    private func lookAtStorage(_ diagnosis: inout Diagnosis) {
        do {
            let root = try storage.layout().root
            let advice = "mount it, or name another: --storage, --verdaccio-config, FERRY_STORAGE"
            guard diagnosis.look(atDirectory: root, "storage", "the storage", ifMissing: advice) else { return }
            diagnosis.look(atDiskOf: root, holding: "the storage")
        } catch { diagnosis.complain("storage", "\(error)", "name the storage: --storage, --verdaccio-config, FERRY_STORAGE") }
    }

    private func lookAtService(_ ledger: Ledger, _ diagnosis: inout Diagnosis) {
        do {
            let service = try services.service(ledger)
            let program = service.restart.arguments?.first
            if let program, !isProgram(program) {
                diagnosis.complain(
                    "restart", "\"\(program)\", which \(service.restart) needs, is not here", "say otherwise: ferry-offline init --restart")
            } else {
                diagnosis.praise("restart", "\(service.restart)")
            }
            guard let check = service.check else {
                return diagnosis.warn(
                    "verdaccio", "no address of it is known, so an import does not look whether it serves what came in",
                    "ferry-offline init --registry http://localhost:4873")
            }
            if check.answers() {
                diagnosis.praise("verdaccio", "it answers")
            } else {
                diagnosis.complain(
                    "verdaccio", "it does not answer where \"ferry-offline init --registry\" said", "start it, or say otherwise")
            }
        } catch { diagnosis.complain("verdaccio", "\(error)", "say it again: ferry-offline init --registry, --restart, --check") }
    }

    /// Whether a program is found where a shell would look.
    private func isProgram(_ name: String) -> Bool {
        guard !name.contains("/") else { return DiskFileSystem().isExecutable(FilePath(name)) }
        let places = (environment("PATH") ?? "/usr/sbin:/usr/bin:/sbin:/bin").split(separator: ":")
        return places.contains { DiskFileSystem().isExecutable(FilePath(String($0)).appending(name)) }
    }
}
