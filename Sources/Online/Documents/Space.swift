package import CanonicalJSON
package import Catalog
import Platform
import SystemPackage
package import Upkeep

extension SpaceReport.Disk {
    /// What machines are told of a disk.
    package var json: JSONValue {
        let known: JSONValue = space.freeFiles.map { .integer($0) } ?? .null
        return [
            "holds": .array(holds.map { .string($0) }), "path": .string(path.string), "freeBytes": .integer(space.freeBytes),
            "totalBytes": .integer(space.totalBytes), "freeFiles": known, "totalFiles": space.totalFiles.map { .integer($0) } ?? .null,
            "level": .string(verdict.level.rawValue), "reasons": .array(verdict.reasons.map { .string($0) }),
            "forecast": .string(forecast.description), "daysLeft": forecast.days.map { .integer(Int64(min($0, 36_500))) } ?? .null,
        ]
    }
}

extension SpaceReport {
    /// What machines are told of a measurement.
    package var json: JSONValue {
        let parts: [JSONValue] = parts.map {
            ["name": .string($0.name), "bytes": .integer($0.totals.bytes), "files": .integer($0.totals.files)]
        }
        return [
            "taken": .string(taken.description), "parts": .array(parts), "unreadableDirectories": .integer(unreadable),
            "disks": .array(disks.map(\.json)), "level": .string(level.rawValue), "kept": .bool(isKept),
        ]
    }
}

extension SpaceMeasurement {
    /// What machines are told of a measurement that was kept.
    package var json: JSONValue {
        func number(_ value: Int64?) -> JSONValue { value.map { .integer($0) } ?? .null }
        return [
            "taken": .string(taken.description), "storageBytes": number(storage?.bytes),
            "storageFiles": number(storage.map { Int64($0.files) }), "stateBytes": number(stateBytes),
            "snapshotsBytes": number(snapshotsBytes), "artifactsBytes": number(artifactsBytes), "logsBytes": number(logsBytes),
            "storageFreeBytes": number(storageSpace?.freeBytes), "storageTotalBytes": number(storageSpace?.totalBytes),
            "stateFreeBytes": .integer(stateSpace.freeBytes), "stateTotalBytes": .integer(stateSpace.totalBytes),
        ]
    }
}
