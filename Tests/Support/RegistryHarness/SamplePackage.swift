package import CanonicalJSON
import Foundation
import Integrity

/// A package as a registry tells of it, with tarballs that are any bytes at all.
package struct SamplePackage: Sendable {
    package let name: String
    /// The tarballs' bytes by version.
    package var tarballs: [String: [UInt8]]
    package var tags: [String: String]
    package var deprecated: [String: String] = [:]
    /// Further members of a version's entry.
    package var members: [String: JSONObject] = [:]
    /// When upstream says it was changed.
    package var modified = "2024-01-01T00:00:00.000Z"

    /// Versions with tarballs that say what they are; `latest` is the last one named.
    package init(_ name: String, _ versions: String..., tags: [String: String]? = nil) {
        self.name = name
        tarballs = Dictionary(uniqueKeysWithValues: versions.map { ($0, Array("tarball of \(name) \($0)".utf8)) })
        self.tags = tags ?? versions.last.map { ["latest": $0] } ?? [:]
    }

    /// The name of a version's tarball.
    package func file(_ version: String) -> String { "\(name.split(separator: "/").last ?? "")-\(version).tgz" }

    /// One version's entry.
    package func entry(_ version: String, at url: String) -> JSONValue {
        let bytes = tarballs[version] ?? []
        let hasher = SHA1Hasher()
        bytes.withUnsafeBytes { hasher.update($0) }
        let integrity = "sha512-\(Data(SHA512.digest(of: bytes).bytes).base64EncodedString())"
        var entry = JSONObject(
            uniqueMembers: [
                ("name", .string(name)), ("version", .string(version)),
                (
                    "dist",
                    [
                        "integrity": .string(integrity), "shasum": .string(hasher.finalize().hex),
                        "tarball": .string("\(url)/\(name)/-/\(file(version))"),
                    ]
                ),
            ])
        for member in members[version]?.members ?? [] { entry[member.name] = member.value }
        if let reason = deprecated[version] { entry["deprecated"] = .string(reason) }
        return .object(entry)
    }

    /// The same with what one version needs, by name and range.
    package func needing(
        _ dependencies: [String: String] = [:], optional: [String: String] = [:], peers: [String: String] = [:], in version: String,
        _ more: JSONObject = JSONObject()
    ) -> SamplePackage {
        var package = self
        var object = more
        for (member, entries) in [("dependencies", dependencies), ("optionalDependencies", optional), ("peerDependencies", peers)]
        where !entries.isEmpty {
            let sorted = entries.sorted { $0.key < $1.key }
            object[member] = .object(JSONObject(uniqueMembers: sorted.map { ($0.key, .string($0.value)) }))
        }
        package.members[version] = object
        return package
    }

    private func versions(at url: String) -> JSONObject {
        JSONObject(uniqueMembers: tarballs.keys.sorted().map { ($0, entry($0, at: url)) })
    }

    private var time: JSONObject {
        JSONObject(
            uniqueMembers: tarballs.keys.sorted().map { ($0, "2024-01-01T00:00:00.000Z") } + [("modified", .string(modified))])
    }

    private var tagObject: JSONObject { JSONObject(uniqueMembers: tags.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }) }

    /// What upstream answers to `GET /name`.
    package func upstreamDocument(at url: String) -> JSONValue {
        [
            "_id": .string(name), "name": .string(name), "versions": .object(versions(at: url)), "dist-tags": .object(tagObject),
            "time": .object(time), "readme": "", "description": "upstream only",
        ]
    }

    /// What lies in a storage after an import: nothing that leads out of it.
    package func storedDocument(at url: String = "http://localhost") -> JSONValue {
        let attachments = tarballs.keys.sorted().map { version in
            (name: file(version), value: ["shasum": "0", "version": .string(version)] as JSONValue)
        }
        return [
            "name": .string(name), "versions": .object(versions(at: url)), "time": .object(time), "users": [:],
            "dist-tags": .object(tagObject), "_uplinks": [:], "_distfiles": [:],
            "_attachments": .object(JSONObject(uniqueMembers: attachments)), "_rev": "1-0", "_id": .string(name), "readme": "",
        ]
    }

    /// The body of `npm publish` for one version.
    package func publication(_ version: String, tag: String = "latest", at url: String) -> JSONValue {
        let bytes = tarballs[version] ?? []
        return [
            "_id": .string(name), "name": .string(name), "dist-tags": [tag: .string(version)],
            "versions": [version: entry(version, at: url)],
            "access": .null,
            "_attachments": [
                file(version): [
                    "content_type": "application/octet-stream", "data": .string(Data(bytes).base64EncodedString()),
                    "length": .integer(bytes.count),
                ]
            ],
        ]
    }
}
