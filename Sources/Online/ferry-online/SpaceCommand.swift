import ArgumentParser
import CanonicalJSON
import Catalog
import Databases
import Documents
import Platform
import Settings
import SystemPackage
import Terminal
import Upkeep

struct Space: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "space",
        abstract: "Measure the room that storage and state take, and when their disks will be full.",
        discussion: """
            Counts every file of the storage and of the state, keeps the figures, and draws a line through what was free in the last 30 \
            days. refresh, scan, snapshot and bundle keep what is free, too, so that there is something to draw it through. Warns where a \
            disk passes a level of the settings (space.warning, space.critical); those commands do the same when they end. It changes \
            nothing else, and needs no other command to wait.

            Exit codes: 0 measured, whatever was found · 1 failed · 64 wrong usage · 78 settings that cannot be used. "--json" says the \
            level: ok, warning or critical.
            """)

    @OptionGroup var storage: StorageOptions
    @OptionGroup var state: StateOptions

    func run() throws {
        try reporting {
            let watch = try SpaceWatch(state, storage)
            let report = try watch.measure(openCatalog())
            if state.json { return try Terminal.output(report.json.canonicalBytes + [0x0A]) }
            for part in report.parts {
                let name = part.name + String(repeating: " ", count: max(0, 10 - part.name.count))
                try Terminal.output("\(name)  \(Terminal.bytes(part.totals.bytes))  \(part.totals.files) files")
            }
            for disk in report.disks { try Terminal.output(disk.line) }
            if report.unreadable > 0 { Terminal.say("warning: \(report.unreadable) directories could not be read and are not counted") }
            if !report.isKept { Terminal.say("warning: the disk is too full for the figures to be kept") }
            warn(of: report)
        }
    }

    /// The catalog; `nil` on a disk that is too full for it, which is when the figures are wanted most.
    private func openCatalog() throws -> Catalog? {
        do { return try state.catalog() } catch is FileSystemSpace.Full {
            return nil
        } catch DatabaseFileError.noSpace {
            return nil
        }
    }
}

extension SpaceWatch {
    /// A watch over the state and the storage that flags and settings name.
    init(_ state: StateOptions, _ storage: StorageOptions) throws {
        let settings = try state.settings(storage.flags)
        let directory = try state.directory(needingRoom: false)
        self.init(
            state: directory, storage: try settings.storage(settings.verdaccio(environment)).value, warning: settings.warning,
            critical: settings.critical)
    }
}

/// Keeps what is free, and warns where a level is passed; a measurement that fails is no reason for a command to fail that did its work.
///
/// - Parameter scanned: what was just counted in the storage; then the state is measured, too.
func warnOfSpace(_ state: StateOptions, _ storage: StorageOptions, _ catalog: Catalog, scanned: FileTotals? = nil) {
    do {
        let watch = try SpaceWatch(state, storage)
        warn(of: try scanned.map { try watch.measure(catalog, scanned: $0) } ?? watch.look(catalog))
    } catch {
        Terminal.say("warning: free space could not be measured: \(error)")
    }
}

private func warn(of report: SpaceReport) {
    for disk in report.disks where disk.verdict.level > .ok {
        Terminal.say(
            "\(disk.verdict.level.rawValue): the disk that holds \(disk.holds.joined(separator: " and ")) fills up: "
                + "\(disk.verdict.reasons.joined(separator: "; ")); \"ferry-online space\" says what takes the room")
    }
}

extension SpaceReport.Disk {
    fileprivate var line: String {
        let inodes = space.freeFilesPercent.map { ", \(Int($0)) % of the inodes" } ?? ""
        return "disk of \(holds.joined(separator: " and ")): "
            + "\(Terminal.bytes(space.freeBytes)) of \(Terminal.bytes(space.totalBytes)) free, \(Int(space.freePercent)) %\(inodes); \(forecast)"
    }
}
