import AsyncHTTPClient
import CanonicalJSON
import Integrity
import NIOCore
import Platform
import VerdaccioSettings

/// What a registry does, without HTTP: reading and proxying.
///
/// Writing is in `Registry+Publishing.swift`.
final class Registry: Sendable {
    /// A tarball on its way to a client.
    enum Tarball {
        case stored(FileReader, size: Int64)
        case proxied(HTTPClientResponse, keepingIt: Bool)
    }

    let storage: RegistryStorage
    private let uplinks: [String: UplinkClient]
    private let client: HTTPClient

    init(_ settings: VerdaccioSettings, client: HTTPClient) {
        storage = RegistryStorage(settings: settings)
        uplinks = Dictionary(uniqueKeysWithValues: settings.uplinks.map { ($0.name, UplinkClient($0, client: client)) })
        self.client = client
    }

    func uplinks(for name: String) -> [UplinkClient] {
        storage.settings.uplinks(for: name).compactMap { uplinks[$0.name] }
    }

    /// The packument, refreshed from the uplinks where the copy is older than their `maxage`.
    ///
    /// A refresh that fails is not told: the old copy is the answer. It takes no lock.
    func packument(of name: String) async throws -> JSONObject {
        let stored = try storage.packument(of: name)
        let uplinks = uplinks(for: name)
        var answers: [(UplinkClient, JSONObject, String?)] = []
        var unchanged: [UplinkClient] = []
        var isTimeout = false
        for client in uplinks {
            let known = stored?["_uplinks", client.uplink.name]?.object
            if let fetched = known?["fetched"]?.integer, Self.now - fetched < client.uplink.maxAge.milliseconds { continue }
            switch await client.metadata(of: name, etag: known?["etag"]?.string) {
            case .unchanged: unchanged.append(client)
            case .packument(let packument, let etag): answers.append((client, packument, etag))
            case .useless: break
            case .silent(let wasTimeout): isTimeout = isTimeout || wasTimeout
            }
        }
        guard stored != nil || !answers.isEmpty else { throw isTimeout ? RegistryFailure.unavailable : .noSuchPackage }
        guard !answers.isEmpty || !unchanged.isEmpty else { return stored ?? JSONObject() }

        var packument = try storage.packument(of: name) ?? RegistryStorage.template(of: name)
        for client in unchanged { packument["_uplinks", client.uplink.name, "fetched"] = .integer(Self.now) }
        for (client, upstream, etag) in answers {
            merge(upstream: upstream, from: client.uplink.name, at: client.uplink.url, into: &packument)
            var state = JSONObject(uniqueMembers: [("fetched", .integer(Self.now))])
            state["etag"] = etag.map(JSONValue.string)
            packument["_uplinks", client.uplink.name] = .object(state)
        }
        try storage.write(packument, of: name)
        return packument
    }

    /// A tarball, or any other file of the package: from disk as it is, else from the address its packument gives.
    func tarball(_ file: String, of name: String) async throws -> Tarball {
        if let reader = try storage.reader(of: file, in: name) { return .stored(reader, size: try reader.status().identity.size) }
        var url = try storage.packument(of: name)?["_distfiles", file]?.object?["url"]?.string
        if url == nil {
            do { url = try await packument(of: name)["_distfiles", file]?.object?["url"]?.string } catch let failure as RegistryFailure {
                throw failure.status == 404 ? .noSuchFile : failure
            }
        }
        guard let url else { throw RegistryFailure.noSuchFile }
        let configured = uplinks(for: name).last
        let uplink = configured ?? UplinkClient(VerdaccioUplink(name: "", url: url), client: client)
        return .proxied(try await uplink.tarball(at: url), keepingIt: uplink.uplink.caches)
    }

    /// The names and newest versions that contain a text, as far as the walk of the storage comes.
    func search(_ text: String) throws -> [JSONValue] {
        try storage.searchableNames().filter { text.isEmpty || $0.contains(text) }.compactMap { name in
            guard let packument = try storage.packument(of: name).map({ try served($0, at: "") }),
                let latest = packument["dist-tags", "latest"]?.string, packument["versions", latest] != nil
            else { return nil }
            return ["package": ["name": .string(name), "version": .string(latest), "dist-tags": ["latest": .string(latest)]]]
        }
    }

    static var now: Int64 { WallClock.system.now().milliseconds }
}

extension JSONObject {
    subscript(outer: String, middle: String, inner: String) -> JSONValue? {
        get { self[outer, middle]?.object?[inner] }
        set {
            var object = self[outer, middle]?.object ?? JSONObject()
            object[inner] = newValue
            self[outer, middle] = .object(object)
        }
    }
}
