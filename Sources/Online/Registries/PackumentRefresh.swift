import CanonicalJSON
package import PackageStore
package import Platform
import SystemPackage

/// How it stands with Verdaccio's copy of a packument.
package enum Freshness: Sendable {
    /// It was fetched anew.
    case refreshed
    /// It is younger than the uplink's `maxage`.
    case fresh
    /// It was not fetched; why, and whether it is worth trying again.
    case stale(PackumentFault, Retry)
}

/// Makes Verdaccio refresh a packument in its storage, and proves that it did.
///
/// Verdaccio answers from its old copy whatever happens upstream. So three are heard: Verdaccio, the storage before and after, and upstream
/// itself where its address is known.
package struct PackumentRefresh: Sendable {
    /// What was heard of one package.
    package struct Hearing: Sendable {
        /// The marks from before Verdaccio was asked; `nil` where there was no packument.
        package let before: PackumentMarks?
        /// What upstream says; `nil` where its address is not known.
        package let upstream: UpstreamReader.Answer?
        /// When Verdaccio was asked, in milliseconds.
        fileprivate let asked: Int64
        fileprivate let verdaccio: Result<HTTPFetcher.Answer, HTTPFetcher.Failure>
    }

    private let registry: ProxyRegistry
    private let verdaccio: HTTPFetcher
    private let upstream: UpstreamReader
    private let layout: StorageLayout
    private let clock: WallClock

    /// - Parameters:
    ///   - verdaccio: asks Verdaccio.
    ///   - layout: the storage of that Verdaccio.
    package init(_ registry: ProxyRegistry, _ verdaccio: HTTPFetcher, _ upstream: UpstreamReader, layout: StorageLayout, clock: WallClock) {
        self.registry = registry
        self.verdaccio = verdaccio
        self.upstream = upstream
        self.layout = layout
        self.clock = clock
    }

    /// Bytes of the packument in storage; 0 where there is none.
    package func size(of package: PackageName) -> Int {
        Int((try? DiskFileSystem().status(of: path(of: package)))??.identity.size ?? 0)
    }

    /// The marks of the packument in storage; `nil` where there is none, or none that can be read.
    package func marks(of package: PackageName) -> PackumentMarks? {
        guard let bytes = try? packument(of: package) else { return nil }
        return (try? JSONParser.parse(bytes, mode: .likeJavaScript, selection: .init(of: "versions") { _ in false }).object)
            .map { PackumentMarks(of: $0) }
    }

    /// The bytes of the packument in storage; `nil` where there is none.
    package func packument(of package: PackageName) throws(FileSystemError) -> [UInt8]? {
        try DiskFileSystem().contents(of: path(of: package), limit: StoredPackument.sizeLimit)
    }

    private func path(of package: PackageName) -> FilePath { layout.directory(of: package).appending("package.json") }

    /// Asks Verdaccio for something that makes it refresh the packument, and then upstream.
    ///
    /// - Parameters:
    ///   - before: the packument's marks.
    ///   - known: what upstream said last time.
    ///   - asksUpstream: whether upstream is asked; else it counts as silent.
    /// - Returns: `nil` where the task was cancelled.
    package func hear(
        of package: PackageName, before: PackumentMarks?, known: UpstreamRecord?, asksUpstream: Bool = true
    ) async -> Hearing? {
        let asked = clock.now().milliseconds
        let answer: Result<HTTPFetcher.Answer, HTTPFetcher.Failure>
        do throws(HTTPFetcher.Failure) {
            let url = "\(registry.url)/-/package/\(package.escaped)/dist-tags"
            answer = .success(try await verdaccio.get(url, headers: registry.headers, limit: 16 << 20))
        } catch {
            if error == .cancelled { return nil }
            answer = .failure(error)
        }
        let said =
            asksUpstream
            ? await upstream.read(package, known: known, expected: size(of: package))
            : .silent("it gave none before, and is not asked again")
        return Task.isCancelled ? nil : Hearing(before: before, upstream: said, asked: asked, verdaccio: answer)
    }

    /// Judges the packument that is in storage after Verdaccio was asked.
    ///
    /// A copy within its `maxage` is stale all the same where upstream has versions that it does not know.
    ///
    /// - Parameter stored: that packument; `nil` where there is none that can be used.
    /// - Returns: beside the freshness, whether an uplink calls its state otherwise than before.
    package func judge(
        _ hearing: Hearing, of package: PackageName, stored: StoredPackument?
    ) -> (freshness: Freshness, isChanged: Bool) {
        let after = (stored?.object).map { PackumentMarks(of: $0) } ?? marks(of: package)
        var freshness = judge(package, after, hearing)
        if case .fresh = freshness, case .document(let document, _)? = hearing.upstream, let stored,
            let gap = compare(document, with: stored)
        {
            freshness = gap
        }
        return (freshness, hearing.before?.etags != after?.etags)
    }

    private func judge(_ package: PackageName, _ after: PackumentMarks?, _ hearing: Hearing) -> Freshness {
        let said = hearing.upstream
        switch hearing.verdaccio {
        case .success(let answer):
            let text = String(decoding: answer.body.prefix(120), as: UTF8.self)
            switch answer.status {
            case 200..<300, 404: break
            case 503 where text.contains("error"): break
            case 401, 403: return stale(.accessDenied, "verdaccio answers \(answer.status); it wants a token", .never)
            case 502, 503, 504:
                return stale(.verdaccioUnreachable, "what stands before verdaccio answers \(answer.status)", .whenVerdaccioAnswers)
            default: return stale(.verdaccioError, "verdaccio answers \(answer.status): \(verdaccioMessage(text))", .atOnce)
            }
        case .failure(let failure):
            // It may be waiting for upstream itself.
            if failure == .stalled, case .silent? = said { break }
            let retry: Retry = failure == .stalled ? .atOnce : .whenVerdaccioAnswers
            return stale(.verdaccioUnreachable, "verdaccio gives no answer: \(failure)", retry)
        }
        let configured = registry.uplinks(package) ?? []
        switch after?.proof(since: hearing.before, asked: hearing.asked, now: clock.now().milliseconds, uplinks: configured) {
        case .fetched(let isMoved)?:
            guard configured.count > 1 else { return isMoved ? .refreshed : .fresh }
            // One uplink's answer hides that another gave none.
            switch said {
            case .unreachable(let reason)?, .silent(let reason)?, .useless(let reason)?:
                return stale(.upstreamUnreachable, "one of its uplinks gives no answer: \(reason)", .never)
            default: return isMoved ? .refreshed : .fresh
            }
        case .future(let uplink)?:
            let message = "verdaccio's copy says that it will be fetched from \"\(uplink)\" in the future, and until then nobody is asked"
            return stale(.oldCopy, message, .never)
        case Optional.none, PackumentMarks.Proof.none?: break
        }
        switch said {
        case .missing?:
            return after == nil
                ? stale(.noSuchPackage, "upstream does not have it", .never)
                : stale(.goneUpstream, "upstream has it no more; what is in storage stays", .never)
        case .unreachable(let reason)?: return stale(.upstreamUnreachable, "upstream gives no answer: \(reason)", .whenUplinkIsBack)
        case .silent(let reason)?: return stale(.upstreamUnreachable, "upstream gives no answer: \(reason)", .later)
        case .useless(let reason)?: return stale(.upstreamFault, "upstream's answer is of no use: \(reason)", .atOnce)
        case .document?, .unchanged?:
            return stale(.uplinkOffline, "upstream answers, and verdaccio takes its uplink for offline", .whenUplinkIsBack)
        case nil where after == nil: return stale(.noSuchPackage, "verdaccio does not have it, and knows no uplink that has", .never)
        case nil: return stale(.oldCopy, "verdaccio answered from its old copy; name its configuration to learn why", .never)
        }
    }

    private func compare(_ document: JSONObject, with stored: StoredPackument) -> Freshness? {
        let known = Set((stored.object["versions"]?.object?.members ?? []).map(\.name))
        let more = (document["versions"]?.object?.members ?? []).filter { !known.contains($0.name) && PackageVersion($0.name) != nil }
        guard let first = more.first else { return nil }
        let message = "upstream has \(more.count) more versions, such as \(first.name), and verdaccio asks only after its uplink's maxage"
        return stale(.oldCopy, message, .never)
    }

    private func stale(_ code: PackumentFault.Code, _ message: String, _ retry: Retry) -> Freshness {
        .stale(PackumentFault(code, message), retry)
    }
}
