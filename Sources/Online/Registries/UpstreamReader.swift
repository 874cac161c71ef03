package import CanonicalJSON
package import PackageStore
import VerdaccioSettings

/// Reads packuments from the registries that Verdaccio fetches from.
package struct UpstreamReader: Sendable {
    /// What upstream says.
    package enum Answer: Sendable {
        /// The same as when the ETag was given.
        case unchanged
        case document(JSONObject, etag: String?)
        case missing
        /// It cannot be reached.
        case unreachable(String)
        /// It was reached, and said nothing.
        case silent(String)
        case useless(String)
    }

    private let fetcher: HTTPFetcher
    private let registry: ProxyRegistry
    private let room: ReadingRoom

    private static let sizeLimit = 256 << 20
    /// The members of a version that an overlay is made of.
    package static let overlaid: Set<String> = ["deprecated"]

    /// - Parameters:
    ///   - fetcher: one that decompresses.
    ///   - room: where large packuments wait for one another.
    package init(_ registry: ProxyRegistry, _ fetcher: HTTPFetcher, room: ReadingRoom = ReadingRoom()) {
        self.fetcher = fetcher
        self.registry = registry
        self.room = room
    }

    /// The registries a package is fetched from, in their order; `nil` where they are not known.
    func uplinks(_ package: PackageName) -> [VerdaccioUplink]? { registry.uplinks(package) }

    /// The registries' addresses, as one text.
    package func address(of package: PackageName) -> String { (uplinks(package) ?? []).map(\.url).joined(separator: " ") }

    /// Asks every registry of a package; `nil` where none is known.
    ///
    /// What several say is put together: a version counts as there where any has it, and the first decides on the rest.
    ///
    /// - Parameters:
    ///   - known: what was learnt last time; with its ETag a single registry is asked whether anything has changed.
    ///   - members: those of each version that are kept.
    ///   - expected: about how many bytes it has; a large one that was not expected is asked for twice.
    package func read(
        _ package: PackageName, known: UpstreamRecord?, keeping members: Set<String> = overlaid, expected: Int = 0
    ) async -> Answer? {
        let uplinks = uplinks(package) ?? []
        guard let first = uplinks.first else { return nil }
        if uplinks.count == 1 {
            return await read(package, from: first, etag: known?.url == first.url ? known?.etag : nil, members, expected)
        }
        var whole: JSONObject?
        for uplink in uplinks {
            switch await read(package, from: uplink, etag: nil, members, expected) {
            case .document(let document, _): whole = whole.map { Self.join($0, document) } ?? document
            case .missing, .unchanged: continue
            case let answer: return answer
            }
        }
        return whole.map { .document($0, etag: nil) } ?? .missing
    }

    private func read(
        _ package: PackageName, from uplink: VerdaccioUplink, etag: String?, _ members: Set<String>, _ expected: Int
    ) async -> Answer {
        var headers = [("Accept", "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8")]
        headers += uplink.headers.map { ($0.key, $0.value) }
        if let etag { headers.append(("If-None-Match", etag)) }
        let url = "\(uplink.url)/\(package.escaped)"
        do throws(HTTPFetcher.Failure) {
            if expected <= room.small {
                do throws(HTTPFetcher.Failure) {
                    return try await ask(url, headers, limit: room.small, members)
                } catch {
                    guard error == .tooLarge else { throw error }
                }
            }
            return try await room.hold(expected > room.small ? expected : room.capacity) { () throws(HTTPFetcher.Failure) in
                try await ask(url, headers, limit: Self.sizeLimit, members)
            }
        } catch {
            switch error {
            case .cut, .tooLarge, .useless: return .useless(error.description)
            case .stalled: return .silent(error.description)
            case .unreachable, .cancelled: return .unreachable(error.description)
            }
        }
    }

    private func ask(
        _ url: String, _ headers: [(String, String)], limit: Int, _ members: Set<String>
    ) async throws(HTTPFetcher.Failure) -> Answer {
        let answer = try await fetcher.get(url, headers: headers, limit: limit)
        switch answer.status {
        case 304 where headers.contains { $0.0 == "If-None-Match" }: return .unchanged
        case 404, 410: return .missing
        case 200..<300:
            let selection = JSONParser.Selection(of: "versions", inside: members.contains)
            guard let document = try? JSONParser.parse(answer.body, mode: .likeJavaScript, selection: selection).object,
                document["versions"]?.object != nil || document["time"]?.object?["unpublished"] != nil
            else { return .useless("its answer is no packument") }
            return .document(document, etag: answer.etag)
        default: return .useless("it answers \(answer.status)")
        }
    }

    private static func join(_ first: JSONObject, _ second: JSONObject) -> JSONObject {
        var whole = first
        for member in ["versions", "dist-tags", "time"] {
            var names = Set((first[member]?.object?.members ?? []).map(\.name))
            let more = (second[member]?.object?.members ?? []).filter { names.insert($0.name).inserted }
            whole[member] = .object(JSONObject(uniqueMembers: (first[member]?.object?.members ?? []) + more))
        }
        return whole
    }

    /// How large a tarball is, as far as its registry says.
    package func size(ofTarballAt url: String, of package: PackageName) async -> Int64? {
        let headers = uplinks(package)?.first { url.hasPrefix($0.url + "/") }?.headers.map { ($0.key, $0.value) } ?? []
        guard let answer = try? await fetcher.head(url, headers: headers), answer.status == 200 else { return nil }
        return answer.length
    }
}

extension PackageName {
    /// The name as one segment of an address.
    var escaped: String { text.split(separator: "/").joined(separator: "%2f") }
}
