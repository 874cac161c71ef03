import CanonicalJSON
import Foundation
import Integrity
import Platform

extension Registry {
    /// What `PUT /name` means: a new version where the body carries a tarball, else a change of what is there.
    func put(_ body: JSONObject, name: String, isRevision: Bool) async throws {
        let attachments = body["_attachments"]?.object?.members ?? []
        let isDeprecation = body["versions"]?.object?.members.contains { $0.value.object?["deprecated"] != nil } ?? false
        if isRevision || (isDeprecation && attachments.isEmpty) {
            try await change(name, to: body)
        } else {
            try await publish(body, name: name)
        }
    }

    private func publish(_ body: JSONObject, name: String) async throws {
        guard let versions = body["versions"]?.object, versions.members.count == 1, let (version, value) = versions.members.first,
            var entry = value.object, let attachments = body["_attachments"]?.object, attachments.members.count == 1,
            let (file, attachment) = attachments.members.first
        else { throw RegistryFailure.badData }
        guard let text = attachment.object?["data"]?.string, let tarball = Data(base64Encoded: text) else { throw RegistryFailure.badData }
        let fileName = file.split(separator: "/").last.map(String.init) ?? file

        if try storage.packument(of: name) == nil {
            try await refuseWithoutUplink(name)
            try storage.write(RegistryStorage.template(of: name), of: name)
        }
        guard try !storage.has(fileName, in: name) else { throw RegistryFailure.isPresent }
        let draft = try storage.beginTarball(fileName, in: name)
        try draft.write(Array(tarball))
        let hasher = SHA1Hasher()
        tarball.withUnsafeBytes { hasher.update($0) }
        try await storage.finishTarball(draft, as: fileName, in: name, sha1: hasher.finalize().hex)

        entry["contributors"] = entry["contributors"] ?? []
        let readme = entry["readme"]
        entry["readme"] = nil
        try await storage.update(name) { packument in
            guard packument["versions", version] == nil else { throw RegistryFailure.isPresent }
            let now = JSONValue.string(WallClock.system.now().description)
            packument["readme"] = readme ?? ""
            packument["time", "modified"] = now
            if packument["time", "created"] == nil { packument["time", "created"] = now }
            packument["time", version] = now
            packument["_attachments", fileName, "version"] = .string(version)
            packument["versions", version] = .object(entry)
            for (tag, target) in body["dist-tags"]?.object?.members ?? [] { packument["dist-tags", tag] = target }
        }
        let names = try storage.localNames()
        if !names.contains(name) { try storage.setLocalNames(names + [name]) }
    }

    /// A name nobody here knows must be unknown upstream as well, and that takes an upstream that answers.
    private func refuseWithoutUplink(_ name: String) async throws {
        for uplink in uplinks(for: name) {
            if case .silent = await uplink.metadata(of: name, etag: nil) { throw RegistryFailure.unavailable }
        }
    }

    /// Deprecation and the first half of an unpublish: versions that are not named any more go, tags are replaced.
    private func change(_ name: String, to body: JSONObject) async throws {
        guard let wanted = body["versions"]?.object, let tags = body["dist-tags"]?.object else { throw RegistryFailure.badData }
        try await storage.update(name) { packument in
            for (version, value) in packument["versions"]?.object?.members ?? [] {
                guard let incoming = wanted[version]?.object else {
                    packument["versions", version] = nil
                    packument["time", version] = nil
                    continue
                }
                guard let deprecated = incoming["deprecated"], var entry = value.object else { continue }
                entry["deprecated"] = deprecated.string.map { $0.isEmpty } ?? true ? nil : deprecated
                packument["versions", version] = .object(entry)
            }
            packument["users"] = body["users"]
            packument["dist-tags"] = .object(tags)
        }
    }

    /// The second half of an unpublish.
    ///
    /// A file that `_attachments` does not list stays.
    func removeTarball(_ file: String, of name: String) async throws {
        try await storage.update(name) { packument in
            guard packument["_attachments", file] != nil else { throw RegistryFailure.noSuchFile }
            packument["_attachments", file] = nil
        }
        try storage.remove(file, in: name)
    }

    /// Removes the packument and every file `_attachments` lists; the directory goes if it is empty then.
    func removePackage(_ name: String) throws {
        guard let packument = try storage.packument(of: name) else { throw RegistryFailure.noSuchPackage }
        try storage.setLocalNames(try storage.localNames().filter { $0 != name })
        try storage.remove("package.json", in: name)
        for (file, _) in packument["_attachments"]?.object?.members ?? [] { try storage.remove(file, in: name) }
        storage.removeEmptyDirectory(of: name)
    }

    /// Sets a tag, or removes it where `version` is `nil`.
    func setTag(_ tag: String, of name: String, to version: String?) async throws {
        try await storage.update(name) { packument in
            if let version, packument["versions", version] == nil {
                throw RegistryFailure(status: 404, message: "this version doesn't exist")
            }
            packument["dist-tags", tag] = version.map(JSONValue.string)
        }
    }
}
