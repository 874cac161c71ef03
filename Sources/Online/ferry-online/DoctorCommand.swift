import ArgumentParser
import CanonicalJSON
import Catalog
import Checkup
import Databases
import Integrity
import Jobs
import Keys
import Platform
import Registries
import Settings
import SystemPackage
import Terminal
import Upkeep
import VerdaccioSettings

struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Look at all that the connected side depends on, and say what to do.",
        discussion: """
            Settings, state, databases, keys, Verdaccio's configuration, storage and address, disks, schedules, and the clock. Changes \
            nothing. Run it as who runs the server: what may be written to is asked for that user.

              runuser -u verdaccio -- ferry-online doctor

            Exit codes: 0 all is as it should be, or there are warnings · 3 something does not work · 64 wrong usage.
            """)

    @OptionGroup var registry: RegistryOptions
    @OptionGroup var storage: StorageOptions
    @OptionGroup var state: StateOptions

    func run() async throws {
        try await reporting {
            var diagnosis = Diagnosis()
            if let settings = lookAtSettings(&diagnosis) {
                let verdaccio = lookAtVerdaccio(settings, &diagnosis)
                await lookAtRegistry(settings.registry(verdaccio).value, &diagnosis)
                if let storage = settings.storage(verdaccio).value {
                    _ = diagnosis.look(
                        atDirectory: storage, "storage", "the storage", ifMissing: "mount it, or name another: verdaccio.config, or storage"
                    )
                } else {
                    diagnosis.complain("storage", "no storage is named", "name Verdaccio's configuration: verdaccio.config of ferry.yaml")
                }
                lookAtState(settings, verdaccio, &diagnosis)
            }
            if state.json {
                try Terminal.output(diagnosis.json.canonicalBytes + [0x0A])
            } else {
                for line in diagnosis.lines { try Terminal.output(line) }
                Terminal.say(diagnosis.summary)
            }
            if diagnosis.exitCode != 0 { throw ExitCode(diagnosis.exitCode) }
        }
    }

    private func lookAtSettings(_ diagnosis: inout Diagnosis) -> OnlineSettings? {
        do {
            let settings = try state.settings(storage.flags + registry.flags)
            diagnosis.praise("settings", settings.file.map { "\"\($0)\" is good" } ?? "there is no ferry.yaml, so defaults hold")
            return settings
        } catch let error as SettingsError {
            for problem in error.problems {
                diagnosis.complain("settings", "\(problem)", "\"ferry-online config example\" shows every key")
            }
        } catch { diagnosis.complain("settings", "\(error)", "make it readable for whoever runs this") }
        return nil
    }

    private func lookAtVerdaccio(_ settings: OnlineSettings, _ diagnosis: inout Diagnosis) -> VerdaccioSettings? {
        do {
            guard let verdaccio = try settings.verdaccio(environment) else {
                diagnosis.warn(
                    "verdaccio", "its configuration is not named, so its uplinks are not known", "name it: verdaccio.config of ferry.yaml")
                return nil
            }
            if verdaccio.uplinks.isEmpty {
                diagnosis.complain(
                    "verdaccio", "its configuration names no uplink, so nothing can be fetched", "name one: uplinks, and proxy")
            }
            for uplink in verdaccio.uplinks where !uplink.caches {
                diagnosis.complain(
                    "verdaccio", "it keeps nothing of uplink \"\(uplink.name)\"", "set \"cache: true\" for it, and restart verdaccio")
            }
            diagnosis.praise(
                "verdaccio", "its configuration can be read; uplinks: \(verdaccio.uplinks.map(\.name).joined(separator: ", "))")
            return verdaccio
        } catch {
            diagnosis.complain("verdaccio", "\(error)", "mend it, or name another: verdaccio.config of ferry.yaml")
            return nil
        }
    }

    private func lookAtRegistry(_ url: String, _ diagnosis: inout Diagnosis) async {
        let fetcher = HTTPFetcher(connections: 1, idle: .seconds(5), decompresses: false)
        do throws(HTTPFetcher.Failure) {
            let status = try await fetcher.get("\(url)/-/ping", headers: [], limit: 1 << 16).status
            if status < 500 {
                diagnosis.praise("verdaccio", "it answers at \(url)")
            } else {
                diagnosis.complain("verdaccio", "it answers \(status) at \(url)", "see its log")
            }
        } catch {
            diagnosis.complain("verdaccio", "it does not answer at \(url): \(error)", "start it, or name its address: verdaccio.registry")
        }
        await fetcher.shutdown()
    }

    private func lookAtState(_ settings: OnlineSettings, _ verdaccio: VerdaccioSettings?, _ diagnosis: inout Diagnosis) {
        guard let directory = settings.state.value else {
            return diagnosis.complain(
                "state", "no state directory is named", "name it: state of ferry.yaml, FERRY_ONLINE_STATE, or --state")
        }
        let advice = "make it for the user who runs the server; any command makes it, too"
        guard diagnosis.look(atDirectory: directory, "state", "the state", ifMissing: advice) else { return }
        var catalog: Catalog?
        var store: JobStore?
        do {
            if try isThere(directory.appending("data.sqlite")) {
                catalog = try Catalog(opening: directory.appending("data.sqlite"), patience: 2)
            }
            if try isThere(directory.appending("jobs.sqlite")) { store = try JobStore(state: directory, patience: 2) }
            diagnosis.praise("state", catalog == nil ? "there is no catalog yet" : "the databases can be opened")
        } catch { diagnosis.complain("state", "\(error)", hints(for: error).first ?? "see that it can be read") }
        lookAtKeys(KeyRing(state: directory), directory.appending("keys"), &diagnosis)
        lookAtDisks(settings, directory, settings.storage(verdaccio).value, catalog, &diagnosis)
        lookAtSchedules(settings.service, store, directory, &diagnosis)
        let recorded = [try? catalog?.bundles().first?.created, try? store?.jobs(JobStore.Query()).jobs.first?.created].compactMap { $0 }
        diagnosis.look(atClock: WallClock.system.now(), recorded: recorded.max())
    }

    private func isThere(_ path: FilePath) throws -> Bool { try DiskFileSystem().status(of: path) != nil }

    private func lookAtKeys(_ keys: KeyRing, _ directory: FilePath, _ diagnosis: inout Diagnosis) {
        do {
            let files = DiskFileSystem()
            for name in try files.names(in: directory) ?? [] where name.hasSuffix(".key") {
                let path = directory.appending(name)
                if let mode = try files.status(of: path)?.mode, mode & 0o077 != 0 {
                    diagnosis.complain("keys", "others can read \"\(path)\"", "chmod 600 it, and make a new key if others did")
                }
            }
            let open = try keys.publicKeys()
            guard !open.isEmpty else {
                return diagnosis.warn("keys", "there is none, so no bundle can be signed", "ferry-online keys generate")
            }
            _ = try keys.secretKeys(passphrase: environment("FERRY_KEY_PASSPHRASE"))
            diagnosis.praise("keys", "every bundle is signed by \(open.map(\.keyID.description).joined(separator: ", "))")
        } catch { diagnosis.complain("keys", "\(error)", hints(for: error).first ?? "put a copy of it in its place, or make a new one") }
    }

    private func lookAtDisks(
        _ settings: OnlineSettings, _ directory: FilePath, _ storage: FilePath?, _ catalog: Catalog?, _ diagnosis: inout Diagnosis
    ) {
        do {
            let there = try storage.flatMap { try isThere($0) ? $0 : nil }
            let watch = SpaceWatch(state: directory, storage: there, warning: settings.warning, critical: settings.critical)
            for disk in try watch.look(catalog, keeps: false).disks {
                let words = "of \(disk.holds.joined(separator: " and ")): \(Terminal.bytes(disk.space.freeBytes)) free"
                let reasons = disk.verdict.reasons.joined(separator: "; ")
                switch disk.verdict.level {
                case .ok: diagnosis.praise("disk", words)
                case .warning: diagnosis.warn("disk", "\(words); \(reasons)", "\"ferry-online space\" says what takes the room")
                case .critical: diagnosis.complain("disk", "\(words); \(reasons)", "\"ferry-online space\" says what takes the room")
                }
            }
        } catch { diagnosis.complain("disk", "\(error)", "see that storage and state are mounted") }
    }

    private func lookAtSchedules(_ service: ServiceSettings, _ store: JobStore?, _ directory: FilePath, _ diagnosis: inout Diagnosis) {
        if service.timetables.isEmpty {
            diagnosis.warn("schedule", "nothing is scheduled", "see \"schedules\" of the settings")
        } else if isServed(directory) {
            diagnosis.praise("schedule", "the server runs, and \(service.timetables.count) schedules with it")
        } else {
            diagnosis.warn(
                "schedule", "no server runs on this state, so nothing starts by itself",
                "systemctl start ferry-online, or \"ferry-online serve\"")
        }
        for timetable in service.timetables {
            var query = JobStore.Query()
            query.kinds = [timetable.request.kind]
            query.states = [.succeeded, .failed]
            query.limit = 1
            guard let job = try? store?.jobs(query).jobs.first, job.state == .failed else { continue }
            diagnosis.warn(
                "schedule", "the last \(job.kind.rawValue) failed: \(job.reason ?? "exit code \(job.exitCode ?? 1)")",
                "ferry-online jobs log \(job.id)")
        }
    }

    /// Whether a server holds its lock.
    private func isServed(_ directory: FilePath) -> Bool {
        let path = directory.appending("serve.lock")
        guard (try? isThere(path)) == true else { return false }
        return (try? ProcessLock(path, holder: "ferry-online doctor")) == nil
    }
}
