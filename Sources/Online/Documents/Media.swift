package import CanonicalJSON
package import MediaLayout
import Mounts
import Platform
import Snapshots
import SystemPackage

extension MountedMedium {
    /// The most bundles that are told of one medium.
    package static let listed = 200

    /// A medium, with the newest of the bundles that lie on it.
    package var json: JSONValue {
        let (state, entries, detail): (String, [MediumEntry], String?) =
            switch content {
            case .ready(let entries): ("ready", entries, nil)
            case .uninitialised: ("uninitialised", [], nil)
            case .unusable(let words): ("unusable", [], words)
            }
        let newest = entries.sorted { $0.descriptor.created > $1.descriptor.created }.prefix(Self.listed)
        return [
            "id": .string(id.text), "root": .string(mount.point.string), "label": .text(label), "model": .text(model),
            "serial": .text(serial), "source": .string(mount.source), "fileSystem": .string(mount.fileSystem),
            "removable": .bool(isRemovable), "readOnly": .bool(mount.isReadOnly), "freeBytes": .integer(space.freeBytes),
            "totalBytes": .integer(space.totalBytes), "state": .string(state), "detail": .text(detail),
            "bundleCount": .integer(entries.count), "bundles": .array(newest.map(\.summary)),
            "parts": .array(parts.prefix(Self.listed).map(\.summary)),
        ]
    }
}

extension MediumPart {
    fileprivate var summary: JSONValue {
        [
            "bundle": .string(descriptor.bundle), "label": .string(descriptor.label), "destination": .string(descriptor.destination),
            "sequence": .integer(descriptor.sequence), "volumes": .array(numbers.map { .integer($0) }), "volumeCount": .integer(cut.count),
            "sizeBytes": .integer(size),
        ]
    }
}

extension MediumEntry {
    fileprivate var summary: JSONValue {
        [
            "bundle": .string(descriptor.bundle), "label": .string(descriptor.label), "origin": .string(descriptor.origin),
            "destination": .string(descriptor.destination), "sequence": .integer(descriptor.sequence),
            "created": .string(descriptor.created), "sizeBytes": .integer(size), "volumes": .integer(volumes.count),
        ]
    }
}
