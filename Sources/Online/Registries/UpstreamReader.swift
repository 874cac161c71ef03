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

    private static let sizeLimit = 256 << 20

    /// - Parameter fetcher: one that decompresses.
    package init(_ registry: ProxyRegistry, _ fetcher: HTTPFetcher) {
        self.fetcher = fetcher
        self.registry = registry
    }

    /// The registries a package is fetched from, in their order; `nil` where they are not known.
    func uplinks(_ package: PackageName) -> [VerdaccioUplink]? { registry.uplinks(package) }

    /// The registries' addresses, as one text.
    package func address(of package: PackageName) -> String { (uplinks(package) ?? []).map(\.url).joined(separator: " ") }

    /// Asks every registry of a package; `nil` where none is known.
    ///
    /// What several say is put together: a version counts as there where any has it, and the first decides on the rest.
    package func read(_ package: PackageName, known: UpstreamRecord?) async -> Answer? {
        let uplinks = uplinks(package) ?? []
        guard let first = uplinks.first else { return nil }
        if uplinks.count == 1 {
            return await read(package, from: first, etag: known?.url == first.url ? known?.etag : nil)
        }
        var whole: JSONObject?
        for uplink in uplinks {
            switch await read(package, from: uplink, etag: nil) {
            case .document(let document, _): whole = whole.map { Self.join($0, document) } ?? document
            case .missing, .unchanged: continue
            case let answer: return answer
            }
        }
        return whole.map { .document($0, etag: nil) } ?? .missing
    }

    private func read(_ package: PackageName, from uplink: VerdaccioUplink, etag: String?) async -> Answer {
        var headers = [("Accept", "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8")]
        headers += uplink.headers.map { ($0.key, $0.value) }
        if let etag { headers.append(("If-None-Match", etag)) }
        do {
            let answer = try await fetcher.get("\(uplink.url)/\(package.escaped)", headers: headers, limit: Self.sizeLimit)
            switch answer.status {
            case 304 where etag != nil: return .unchanged
            case 404, 410: return .missing
            case 200..<300:
                guard let document = try? JSONParser.parse(answer.body, mode: .likeJavaScript).object,
                    document["versions"]?.object != nil || document["time"]?.object?["unpublished"] != nil
                else { return .useless("its answer is no packument") }
                return .document(document, etag: answer.etag)
            default: return .useless("it answers \(answer.status)")
            }
        } catch {
            switch error {
            case .cut, .tooLarge, .useless: return .useless(error.description)
            case .stalled: return .silent(error.description)
            case .unreachable, .cancelled: return .unreachable(error.description)
            }
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
