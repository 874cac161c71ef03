package import ArchiveCheck
package import CanonicalJSON
package import Catalog
import Integrity
package import Inventory
package import PackageStore
import Platform
package import Repair

extension StorageTotals {
    /// What machines are told of the sums after a scan.
    package var json: JSONValue {
        [
            "taken": .string(taken.description), "packages": .integer(packages), "localPackages": .integer(localPackages),
            "versions": .integer(versions), "cachedVersions": .integer(cachedVersions), "tarballs": .integer(tarballs),
            "tarballBytes": .integer(tarballBytes), "packumentBytes": .integer(packumentBytes), "damaged": .integer(damaged),
        ]
    }
}

extension StorageScan.Report {
    /// What machines are told of a scan.
    package var json: JSONValue {
        var object = totals.json.object ?? JSONObject()
        object["read"] = .integer(read)
        object["new"] = .integer(change.added)
        object["changed"] = .integer(change.changed)
        object["gone"] = .integer(gone)
        object["findings"] = .array(findings.map(\.json))
        return .object(object)
    }
}

extension StorageCheck.Report {
    /// What machines are told of a check.
    package func json(unreadable: [Finding]) -> JSONValue {
        [
            "checked": .integer(checked), "bytes": .integer(bytes), "inflatedBytes": .integer(inflatedBytes),
            "skipped": .integer(skipped), "changedMeanwhile": .integer(passed), "cancelled": .bool(isCancelled),
            "notes": .array(notes.map(\.json)), "unreadable": .array(unreadable.map(\.json)), "broken": .array(broken.map(\.json)),
        ]
    }
}

extension BrokenArchive {
    /// What machines are told of a damaged file.
    package var json: JSONValue {
        let attempts: [JSONValue] = attempts.map {
            [
                "began": .string($0.began.description), "ended": .string($0.ended.description), "repaired": .bool($0.isRepaired),
                "reason": .string($0.reason),
            ]
        }
        return [
            "path": .string(path.description), "package": .string(path.package.text), "file": .string(path.file.text),
            "version": .text(version), "kind": .string(damage.kind.rawValue), "message": .string(damage.words),
            "state": .string(state.rawValue), "sizeBytes": .integer(size), "sha512": .text(sha512?.hex),
            "found": .string(found.description), "checked": .string(checked.description), "goneUpstream": .bool(isGoneUpstream),
            "quarantined": .text(quarantined), "attempts": .array(attempts),
        ]
    }
}

extension Repairer.Outcome {
    /// What machines are told of an attempt.
    package var json: JSONValue {
        [
            "path": .string(archive.path.description), "kind": .string(archive.damage.kind.rawValue), "repaired": .bool(attempt.isRepaired),
            "reason": .string(attempt.reason), "state": .string(state.rawValue), "goneUpstream": .bool(isGoneUpstream),
            "quarantined": .text(quarantined),
        ]
    }
}
