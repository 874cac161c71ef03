import CanonicalJSON
import Foundation
import Integrity
import Platform
import SystemPackage
import VerdaccioSettings

/// The storage directory, read and written the way Verdaccio does it: nothing is kept in memory between two requests.
struct RegistryStorage: Sendable {
    private static let limit = 256 << 20
    private static let lockPause = Duration.milliseconds(20)
    private static let lockPatience = Duration.seconds(112)
    private static let staleLockAge: Int64 = 300

    let settings: VerdaccioSettings
    private let files = DiskFileSystem()

    func directory(of name: String) -> FilePath {
        settings.storageSubdirectory(for: name).map { settings.storage.appending($0).appending(name) } ?? settings.storage.appending(name)
    }

    // MARK: Packuments

    /// The bytes of a file in the package's directory, whatever they are; `nil` where there is none.
    func contents(of file: String, in name: String) throws -> [UInt8]? {
        try files.contents(of: directory(of: name).appending(file), limit: Self.limit)
    }

    /// The stored packument with the members every packument has; `nil` where there is none.
    func packument(of name: String) throws -> JSONObject? {
        guard let bytes = try contents(of: "package.json", in: name) else { return nil }
        guard var packument = try? JSONParser.parse(bytes, mode: .likeJavaScript).object else { throw RegistryFailure.unknown() }
        for member in ["versions", "dist-tags", "_distfiles", "_uplinks", "time"] where packument[member]?.object == nil {
            packument[member] = [:]
        }
        if packument["_rev"]?.string == nil { packument["_rev"] = "0-0000000000000000" }
        if packument["_id"]?.string == nil { packument["_id"] = packument["name"] }
        return packument
    }

    /// What a package begins with.
    static func template(of name: String) -> JSONObject {
        JSONObject(
            uniqueMembers: [
                ("name", .string(name)), ("versions", [:]), ("time", [:]), ("users", [:]), ("dist-tags", [:]), ("_uplinks", [:]),
                ("_distfiles", [:]), ("_attachments", [:]), ("_rev", ""), ("_id", .string(name)), ("readme", ""),
            ])
    }

    /// Replaces the packument by rename, with a new `_rev`.
    func write(_ packument: JSONObject, of name: String) throws {
        var packument = packument
        let count = packument["_rev"]?.string.flatMap { Int($0.prefix { $0 != "-" }) } ?? 0
        packument["_rev"] = .string("\(count + 1)-\(Self.randomHex(16))")
        try replace(directory(of: name).appending("package.json"), with: JSONValue.object(packument).canonicalBytes)
    }

    /// Reads, changes and writes the packument under `package.json.lock`.
    func update(_ name: String, _ change: (inout JSONObject) throws -> Void) async throws {
        let lock = directory(of: name).appending("package.json.lock")
        try await take(lock, for: name)
        defer { _ = try? files.remove(lock) }
        guard var packument = try packument(of: name) else { throw RegistryFailure.noSuchPackage }
        try change(&packument)
        try write(packument, of: name)
    }

    /// Waits for the lock; one that is five minutes old is stale, and after 112 s any lock is ignored.
    private func take(_ lock: FilePath, for name: String) async throws {
        let start = ContinuousClock.now
        while true {
            guard try files.status(of: directory(of: name)) != nil else { throw RegistryFailure.noSuchPackage }
            if try files.createExclusively(lock) != nil { return }
            let age = try files.status(of: lock).map { WallClock.system.now().nanoseconds - $0.identity.changed }
            if let age, age > Self.staleLockAge * 1_000_000_000 || ContinuousClock.now - start > Self.lockPatience {
                _ = try files.remove(lock)
            } else {
                try await Task.sleep(for: Self.lockPause)
            }
        }
    }

    private func replace(_ path: FilePath, with bytes: [UInt8]) throws {
        try files.createDirectories(path.removingLastComponent())
        let draft = FilePath("\(path).tmp\(UInt32.random(in: 100_000...UInt32.max))")
        try files.write(bytes, to: draft)
        try files.rename(draft, to: path)
    }

    // MARK: Tarballs

    /// Opens a stored file for reading; `nil` where there is none.
    func reader(of file: String, in name: String) throws -> FileReader? {
        try FileReader(opening: directory(of: name).appending(file))
    }

    /// Begins a tarball under a temporary name beside its final one.
    func beginTarball(_ file: String, in name: String) throws -> FileWriter {
        let path = directory(of: name).appending(file)
        try files.createDirectories(path.removingLastComponent())
        return try FileWriter(creating: FilePath("\(path).tmp-\(UInt64.random(in: 1_000_000_000...UInt64.max))"))
    }

    /// Gives the tarball its final name and notes in the packument what was saved.
    func finishTarball(_ draft: FileWriter, as file: String, in name: String, sha1: String) async throws {
        try draft.close()
        try files.rename(draft.path, to: directory(of: name).appending(file))
        try await update(name) { packument in
            guard packument["_attachments"]?.object != nil else { throw RegistryFailure.unknown("cannot note the attachment") }
            packument["_attachments", file] = ["shasum": .string(sha1)]
        }
    }

    func abandonTarball(_ draft: FileWriter) {
        try? draft.close()
        _ = try? files.remove(draft.path)
    }

    func has(_ file: String, in name: String) throws -> Bool { try files.status(of: directory(of: name).appending(file)) != nil }

    /// Removes a file of a package; absence is no error.
    func remove(_ file: String, in name: String) throws {
        _ = try files.remove(directory(of: name).appending(file))
    }

    /// Removes the package's directory if nothing is left in it.
    func removeEmptyDirectory(of name: String) {
        rmdir(directory(of: name).string)
    }

    // MARK: The list of local packages

    private var database: FilePath { settings.storage.appending(".verdaccio-db.json") }

    /// The names that were published here, in their order.
    func localNames() throws -> [String] {
        guard let bytes = try files.contents(of: database, limit: Self.limit) else { return [] }
        return try JSONParser.parse(bytes, mode: .likeJavaScript).object?["list"]?.array?.compactMap(\.string) ?? []
    }

    func setLocalNames(_ names: [String]) throws {
        let bytes = try files.contents(of: database, limit: Self.limit)
        var document = try bytes.flatMap { try JSONParser.parse($0, mode: .likeJavaScript).object } ?? JSONObject()
        if document["secret"] == nil { document["secret"] = .string(Self.randomHex(32)) }
        document["list"] = .array(names.map(JSONValue.string))
        try replace(database, with: JSONValue.object(document).canonicalBytes)
    }

    private static func randomHex(_ digits: Int) -> String { String(SHA512.digest(of: randomBytes(32)).hex.prefix(digits)) }

    // MARK: The walk of the search

    /// The names below the storage, until the first entry that is no package: there the walk of the search ends.
    func searchableNames() throws -> [String] {
        var found: [String] = []
        for name in try visibleNames(in: settings.storage) {
            if name.hasPrefix("@") {
                for inner in try visibleNames(in: settings.storage.appending(name)) {
                    guard try hasPackument("\(name)/\(inner)") else { return found }
                    found.append("\(name)/\(inner)")
                }
            } else {
                guard try hasPackument(name) else { return found }
                found.append(name)
            }
        }
        return found
    }

    private func visibleNames(in directory: FilePath) throws -> [String] {
        try (files.names(in: directory) ?? []).filter { !$0.hasPrefix(".") && $0 != "lost+found" }.sorted()
    }

    private func hasPackument(_ name: String) throws -> Bool {
        let file = try? files.contents(of: settings.storage.appending(name).appending("package.json"), limit: Self.limit)
        guard let file, let packument = try? JSONParser.parse(file, mode: .likeJavaScript).object else { return false }
        return packument["versions"]?.object?.members.isEmpty == false
    }
}

extension JSONObject {
    /// A member of an object that is a member.
    subscript(outer: String, inner: String) -> JSONValue? {
        get { self[outer]?.object?[inner] }
        set {
            var object = self[outer]?.object ?? JSONObject()
            object[inner] = newValue
            self[outer] = .object(object)
        }
    }
}
