import BundleFormat
package import CanonicalJSON
package import Catalog
import Integrity
import Platform
import Snapshots

extension BundleRecord {
    /// What machines are told of a bundle.
    package var json: JSONValue {
        [
            "bundle": .string(id.text), "label": .string(label), "created": .string(created.description),
            "destination": .string(destination.description), "sequence": .integer(sequence),
            "baseline": baseline.map { .string($0.text) } ?? .null, "target": .string(target.text),
            "targetRoot": .string(targetRoot.hex), "counts": counts.json, "sizeBytes": .integer(size),
            "keys": .array(keys.map { .string($0) }), "pruned": .text(pruned?.description),
        ]
    }
}
