package import CanonicalJSON
package import Catalog
import Platform

extension PackageSummary {
    /// What machines are told of a package in a list.
    package var json: JSONValue {
        [
            "name": .string(name), "source": .string(source.rawValue), "latest": .text(latest), "description": .text(summary),
            "versions": .integer(known), "cachedVersions": .integer(cached), "tarballBytes": .integer(bytes),
            "packumentBytes": .integer(packumentBytes), "damaged": .integer(broken), "published": .text(published?.description),
            "firstSeen": .string(firstSeen.description), "lastChanged": .string(changed.description), "gone": .text(gone?.description),
        ]
    }
}

extension PackageDependent {
    /// What machines are told of a package that needs another.
    package var json: JSONValue {
        ["name": .string(name), "latest": .text(latest), "kind": .string(kind.rawValue), "range": .string(range)]
    }
}

extension PackageDetail {
    /// What machines are told of one package.
    package var json: JSONValue {
        var object = summary.json.object ?? JSONObject()
        object["tags"] = .object(
            JSONObject(uniqueMembers: tags.sorted { $0.key < $1.key }.map { (name: $0.key, value: .string($0.value)) }))
        object["versions"] = .array(versions.map(\.json))
        object["unnamed"] = .array(unnamed.map(\.json))
        object["packumentBundles"] = .array(bundles.map { .integer($0) })
        object["packumentError"] = .text(packumentError)
        return .object(object)
    }
}

extension PackageDetail.Version {
    /// What machines are told of a version.
    package var json: JSONValue {
        [
            "version": .string(version), "published": .text(published?.description), "deprecated": .text(deprecated),
            "local": .bool(isLocal), "withdrawn": .bool(isWithdrawn), "firstSeen": .string(firstSeen.description),
            "lastChanged": .string(changed.description), "tarball": tarball?.json ?? .null,
        ]
    }
}

extension PackageDetail.Tarball {
    /// What machines are told of a tarball in storage.
    package var json: JSONValue {
        [
            "file": .string(file), "sizeBytes": .integer(size), "modified": .string(modified.description), "sha512": .text(sha512),
            "checked": .text(checked?.description), "damage": .text(damage), "firstSeen": .string(firstSeen.description),
            "bundles": .array(bundles.map { .integer($0) }),
        ]
    }
}
