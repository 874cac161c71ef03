package import Backups
package import ImportLedger
package import PackageStore
package import Platform

/// The generations of a storage as the ledger knows them: lists them, and removes those that pass a limit.
package struct GenerationKeeper: Sendable {
    /// A generation.
    package struct Entry: Sendable {
        /// `nil` where the ledger does not know it: it is of another ledger.
        package let record: ImportRecord?
        package let name: GenerationName
        /// `nil` where it is not in the storage.
        package let summary: GenerationStore.Summary?

        /// Whether its import can be undone.
        package var isUsable: Bool {
            guard summary != nil, let state = record?.state else { return false }
            return state != .rolledBack
        }

        /// Whether its import, or the undoing of it, has not ended.
        package var isNeeded: Bool { record?.state == .applying || record?.state == .rollingBack }
    }

    private let layout: StorageLayout
    private let ledger: Ledger
    private let files: any FileSystem

    package init(layout: StorageLayout, ledger: Ledger, files: any FileSystem = DiskFileSystem()) {
        self.layout = layout
        self.ledger = ledger
        self.files = files
    }

    private func store(_ subdirectories: [String]) -> GenerationStore {
        GenerationStore(storages: subdirectories.map(layout.storageRoot(ofSubdirectory:)), files: files)
    }

    /// Every generation, oldest first.
    package func list() throws -> [Entry] {
        let known = try ledger.generations()
        let subdirectories = Set(known.flatMap(\.subdirectories)).union([""])
        var found = Dictionary(uniqueKeysWithValues: try store(subdirectories.sorted()).summaries().map { ($0.name, $0) })
        var entries = known.map { record, _ in
            let name = record.generationName
            return Entry(record: record, name: name, summary: found.removeValue(forKey: name))
        }
        entries += found.values.map { Entry(record: nil, name: $0.name, summary: $0) }
        return entries.sorted { $0.name < $1.name }
    }

    /// Removes what no limit keeps; a generation of another ledger, or one that is still needed, stays.
    ///
    /// - Returns: what went, or would go.
    package func prune(_ retention: Retention, now: Timestamp, isDryRun: Bool) throws -> [Entry] {
        let entries = try list()
        let candidates = entries.compactMap { entry in
            entry.record.map { Retention.Candidate(name: entry.name, started: $0.started, made: $0.made, isNeeded: entry.isNeeded) }
        }
        let expired = Set(retention.expired(of: candidates, now: now))
        let going = entries.filter { expired.contains($0.name) && $0.record != nil }
        if !isDryRun {
            for (record, subdirectories) in try ledger.generations() where expired.contains(record.generationName) {
                try remove(record, subdirectories)
            }
        }
        return going
    }

    /// Removes what is of no use any more: generations of imports that were undone, and what an interrupted removal has left.
    package func recover() throws {
        let known = try ledger.generations()
        try store(Set(known.flatMap(\.subdirectories)).union([""]).sorted()).recover()
        for (record, subdirectories) in known where record.state == .rolledBack { try remove(record, subdirectories) }
    }

    private func remove(_ record: ImportRecord, _ subdirectories: [String]) throws {
        try store(subdirectories).remove(record.generationName)
        try ledger.forgetGeneration(of: record.id)
    }
}

extension ImportRecord {
    /// What the generation of this import is called.
    package var generationName: GenerationName { GenerationName(import: id, started: started, bundle: bundle) }

    /// When its bundle was made, to the minute, by the clock of its origin; `nil` where there is none.
    fileprivate var made: Timestamp? { Timestamp(minuteLabel: label.dropFirst("diff-".count)) }
}
