package import Catalog
import Databases
package import Platform
package import Settings
package import SystemPackage

/// How much there is, how much room, and what is to be thought of it.
package struct SpaceReport: Sendable {
    /// Something that takes room.
    package struct Part: Sendable, Hashable {
        /// `storage`, or a part of the state: `catalog`, `snapshots`, `artifacts`, `logs`, `quarantine`, `other`.
        package let name: String
        package let totals: FileTotals
    }

    /// A file system that something of ours lies on.
    package struct Disk: Sendable {
        /// What lies on it: `storage`, `state`, `artifacts`.
        package let holds: [String]
        /// A directory on it.
        package let path: FilePath
        package let space: FileSystemSpace
        package let forecast: SpaceForecast
        package let verdict: SpaceVerdict
    }

    package let taken: Timestamp
    /// Empty where only free space was asked for.
    package let parts: [Part]
    /// Directories that could not be read, so that more lies there than was counted.
    package let unreadable: Int
    package let disks: [Disk]
    /// Whether it was kept for later forecasts; a full disk takes nothing.
    package let isKept: Bool

    /// The worst of all disks.
    package var level: SpaceVerdict.Level { disks.map(\.verdict.level).max() ?? .ok }
}

/// Measures the room that storage and state take and have.
package struct SpaceWatch: Sendable {
    private let state: FilePath
    private let storage: FilePath?
    private let warning: OnlineSettings.SpaceLevel
    private let critical: OnlineSettings.SpaceLevel
    private let clock: WallClock
    private let ask: @Sendable (FilePath) throws -> Answer

    /// What is known of the file system that holds a path.
    package struct Answer: Sendable {
        /// Tells one file system from another.
        package let device: UInt64
        package let space: FileSystemSpace

        package init(device: UInt64, space: FileSystemSpace) {
            self.device = device
            self.space = space
        }

        /// Asks the system.
        package static func ofSystem(_ path: FilePath) throws -> Answer {
            let space = try FileSystemSpace(holding: path)
            return Answer(device: try DiskFileSystem().status(of: path)?.identity.device ?? 0, space: space)
        }
    }

    /// - Parameters:
    ///   - storage: `nil` where none is named; then there are no figures for it.
    ///   - ask: asks for the file system that holds a path; a test gives its own answers.
    package init(
        state: FilePath, storage: FilePath?, warning: OnlineSettings.SpaceLevel, critical: OnlineSettings.SpaceLevel,
        clock: WallClock = .system, ask: @escaping @Sendable (FilePath) throws -> Answer = Answer.ofSystem
    ) {
        self.state = state
        self.storage = storage
        self.warning = warning
        self.critical = critical
        self.clock = clock
        self.ask = ask
    }

    /// Asks for free space alone, keeps that as a measurement, and judges it.
    ///
    /// - Parameters:
    ///   - catalog: `nil` where it cannot be worked with; then nothing is kept, and no forecast is made.
    ///   - keeps: whether it is kept; who only watches keeps nothing.
    /// - Throws: `FileSystemError`; `DatabaseFileError` where the catalog is damaged.
    package func look(_ catalog: Catalog?, keeps: Bool = true) throws -> SpaceReport {
        try report(parts: [], unreadable: 0, catalog, keeps: keeps)
    }

    /// Measures everything, keeps that as a measurement, and judges it.
    ///
    /// - Parameter scanned: what a scan has just counted in the storage; without it the storage is walked, which takes seconds for a
    ///   million files.
    /// - Throws: as `look` does.
    package func measure(_ catalog: Catalog?, scanned: FileTotals? = nil) throws -> SpaceReport {
        let files = DiskFileSystem()
        var parts: [String: FileTotals] = [:]
        var unreadable = 0
        if let storage {
            // Asked for first, so that a storage that is not there is not taken for an empty one.
            _ = try ask(storage)
            if let scanned {
                parts["storage"] = scanned
            } else {
                let walked = DirectorySize.measure(try files.resolve(storage) ?? storage)
                parts["storage"] = walked.total
                unreadable += walked.unreadable
            }
        }
        for name in Self.stateParts { parts[name] = FileTotals() }
        let root = try files.resolve(state) ?? state
        for name in try files.names(in: root) ?? [] {
            let path = root.appending(name)
            guard let status = try files.status(of: path) else { continue }
            let part = Self.stateParts.contains(name) ? name : name.hasPrefix("data.sqlite") ? "catalog" : "other"
            switch status.kind {
            case .directory:
                let walked = DirectorySize.measure(path)
                parts[part, default: FileTotals()] = parts[part, default: FileTotals()] + walked.total
                unreadable += walked.unreadable
            case .file: parts[part, default: FileTotals()].add(bytes: status.identity.size)
            case .symbolicLink, .other: break
            }
        }
        let order = ["storage"] + Self.stateParts
        return try report(
            parts: order.compactMap { name in parts[name].map { SpaceReport.Part(name: name, totals: $0) } }, unreadable: unreadable,
            catalog)
    }

    private static let stateParts = ["catalog", "snapshots", "artifacts", "logs", "quarantine", "other"]
    private static let window: Int64 = 30 * 86_400_000_000_000

    private func report(parts: [SpaceReport.Part], unreadable: Int, _ catalog: Catalog?, keeps: Bool = true) throws -> SpaceReport {
        let now = clock.now()
        let stateAnswer = try ask(state)
        let storageAnswer = try storage.map(ask)
        var measurement = SpaceMeasurement(taken: now, stateSpace: stateAnswer.space.figures)
        measurement.storageSpace = storageAnswer?.space.figures
        func bytes(_ name: String) -> Int64? { parts.first { $0.name == name }?.totals.bytes }
        measurement.storage = parts.first { $0.name == "storage" }?.totals
        if !parts.isEmpty { measurement.stateBytes = parts.filter { $0.name != "storage" }.reduce(0) { $0 + $1.totals.bytes } }
        measurement.snapshotsBytes = bytes("snapshots")
        measurement.artifactsBytes = bytes("artifacts")
        measurement.logsBytes = bytes("logs")
        var isKept = keeps && catalog != nil
        do { if keeps { try catalog?.record(measurement) } } catch DatabaseFileError.noSpace { isKept = false }
        let known = try catalog?.measurements(since: Timestamp(nanoseconds: now.nanoseconds - Self.window)) ?? []

        var disks = [
            disk(
                ["state"], state, stateAnswer,
                SpaceForecast(known.map { SpaceForecast.Sample(taken: $0.taken, space: $0.stateSpace) }, now: now))
        ]
        if let storage, let storageAnswer {
            if storageAnswer.device == stateAnswer.device {
                disks = [disk(["storage", "state"], storage, storageAnswer, disks[0].forecast)]
            } else {
                let samples = known.compactMap { row in
                    row.storageSpace.map { SpaceForecast.Sample(taken: row.taken, space: $0) }
                }
                disks.insert(disk(["storage"], storage, storageAnswer, SpaceForecast(samples, now: now)), at: 0)
            }
        }
        let artifacts = state.appending("artifacts")
        if try DiskFileSystem().status(of: artifacts) != nil {
            let answer = try ask(artifacts)
            // What lies on a disk of its own is judged by what is free; its growth is not kept.
            if answer.device != stateAnswer.device, answer.device != storageAnswer?.device {
                disks.append(disk(["artifacts"], artifacts, answer, .unknown(since: nil)))
            }
        }
        return SpaceReport(taken: now, parts: parts, unreadable: unreadable, disks: disks, isKept: isKept)
    }

    private func disk(_ holds: [String], _ path: FilePath, _ answer: Answer, _ forecast: SpaceForecast) -> SpaceReport.Disk {
        SpaceReport.Disk(
            holds: holds, path: path, space: answer.space, forecast: forecast,
            verdict: SpaceVerdict(answer.space, forecast, warning: warning, critical: critical))
    }
}

extension FileSystemSpace {
    fileprivate var figures: SpaceFigures { SpaceFigures(freeBytes: freeBytes, totalBytes: totalBytes) }
}
