package import CanonicalJSON
import Integrity
import Platform
package import Snapshots

extension SnapshotHeader {
    /// What machines are told of a snapshot.
    package var json: JSONValue {
        [
            "snapshot": .string(id.text), "counter": .integer(counter), "origin": .string(origin.text),
            "created": .string(created.description), "settled": .bool(isSettled), "stateRoot": .string(stateRoot.hex),
            "packages": .integer(counts.packages), "files": .integer(counts.files), "bytes": .integer(counts.bytes),
        ]
    }
}
