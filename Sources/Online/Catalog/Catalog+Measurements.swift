import GRDB
package import Platform

/// Files, and the sum of their sizes.
package struct FileTotals: Sendable, Hashable {
    package var files = 0
    /// Bytes of their contents; blocks that are half empty are not counted whole.
    package var bytes: Int64 = 0

    package init(files: Int = 0, bytes: Int64 = 0) {
        self.files = files
        self.bytes = bytes
    }

    /// Counts one more file.
    package mutating func add(bytes: Int64) {
        files += 1
        self.bytes += bytes
    }

    package static func + (left: FileTotals, right: FileTotals) -> FileTotals {
        FileTotals(files: left.files + right.files, bytes: left.bytes + right.bytes)
    }
}

/// Room on a file system at one moment.
package struct SpaceFigures: Sendable, Hashable {
    package let freeBytes: Int64
    package let totalBytes: Int64

    package init(freeBytes: Int64, totalBytes: Int64) {
        self.freeBytes = freeBytes
        self.totalBytes = totalBytes
    }
}

/// How much there was at one moment, and how much room; what was not measured is `nil`.
package struct SpaceMeasurement: Sendable, Hashable {
    package let taken: Timestamp
    /// The whole storage directory.
    package var storage: FileTotals?
    /// The whole state directory, in bytes, and parts of it.
    package var stateBytes: Int64?
    package var snapshotsBytes: Int64?
    package var artifactsBytes: Int64?
    package var logsBytes: Int64?
    /// The file system that holds the storage.
    package var storageSpace: SpaceFigures?
    /// The file system that holds the state.
    package var stateSpace: SpaceFigures

    package init(taken: Timestamp, stateSpace: SpaceFigures) {
        self.taken = taken
        self.stateSpace = stateSpace
    }
}

extension Catalog {
    /// Keeps a measurement.
    package func record(_ measurement: SpaceMeasurement) throws {
        try write { db in
            try db.execute(
                sql: """
                    INSERT INTO measurement (
                        taken, storage_bytes, storage_files, state_bytes, snapshots_bytes, artifacts_bytes, logs_bytes,
                        storage_free_bytes, storage_total_bytes, state_free_bytes, state_total_bytes
                    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    measurement.taken.nanoseconds, measurement.storage?.bytes, measurement.storage?.files, measurement.stateBytes,
                    measurement.snapshotsBytes, measurement.artifactsBytes, measurement.logsBytes, measurement.storageSpace?.freeBytes,
                    measurement.storageSpace?.totalBytes, measurement.stateSpace.freeBytes, measurement.stateSpace.totalBytes,
                ])
        }
    }

    /// The measurements that claim to be not older than a moment, in the order in which they were taken.
    package func measurements(since moment: Timestamp) throws -> [SpaceMeasurement] {
        try read { db in
            let rows = try Row.fetchAll(
                db, sql: "SELECT * FROM measurement WHERE taken >= ? ORDER BY id", arguments: [moment.nanoseconds])
            return rows.map { row in
                func figures(_ prefix: String) -> SpaceFigures? {
                    guard let free: Int64 = row["\(prefix)_free_bytes"], let total: Int64 = row["\(prefix)_total_bytes"] else { return nil }
                    return SpaceFigures(freeBytes: free, totalBytes: total)
                }
                var measurement = SpaceMeasurement(
                    taken: Timestamp(nanoseconds: row["taken"]), stateSpace: figures("state") ?? SpaceFigures(freeBytes: 0, totalBytes: 0))
                if let files: Int = row["storage_files"], let bytes: Int64 = row["storage_bytes"] {
                    measurement.storage = FileTotals(files: files, bytes: bytes)
                }
                measurement.stateBytes = row["state_bytes"]
                measurement.snapshotsBytes = row["snapshots_bytes"]
                measurement.artifactsBytes = row["artifacts_bytes"]
                measurement.logsBytes = row["logs_bytes"]
                measurement.storageSpace = figures("storage")
                return measurement
            }
        }
    }
}
