import AsyncHTTPClient
import CanonicalJSON
import NIOCore
import NIOHTTP1
import Platform
import Synchronization
import VerdaccioSettings

/// Fetches from one uplink and remembers, as Verdaccio does, whether it answers.
final class UplinkClient: Sendable {
    /// What asking for a packument brought.
    enum Metadata {
        case unchanged
        case packument(JSONObject, etag: String?)
        /// It answered, but with nothing usable.
        case useless
        /// It did not answer; `isTimeout` where Verdaccio tells a client to try again.
        case silent(isTimeout: Bool)
    }

    private struct Health {
        var failures = 0
        var lastAnswer: ContinuousClock.Instant?
    }

    let uplink: VerdaccioUplink
    private let client: HTTPClient
    private let health = Mutex(Health())

    init(_ uplink: VerdaccioUplink, client: HTTPClient) {
        self.uplink = uplink
        self.client = client
    }

    private var isOffline: Bool {
        health.withLock { health in
            guard health.failures >= uplink.maxFails, let last = health.lastAnswer else { return false }
            return ContinuousClock.now - last < uplink.failTimeout
        }
    }

    /// Any answer counts as life, whatever its status.
    private func note(isAlive: Bool) {
        health.withLock { health in
            health.failures = isAlive ? 0 : health.failures + 1
            health.lastAnswer = .now
        }
    }

    func metadata(of name: String, etag: String?) async -> Metadata {
        guard !isOffline else { return .silent(isTimeout: false) }
        var request = HTTPClientRequest(url: "\(uplink.url)/\(name.replacing("/", with: "%2f"))")
        if let etag { request.headers.add(name: "If-None-Match", value: etag) }
        do {
            let response = try await execute(request)
            if response.status == .notModified { return .unchanged }
            guard (200..<300).contains(response.status.code) else { return .useless }
            let body = try await response.body.collect(upTo: 256 << 20)
            let value = try JSONParser.parse(Array(body.readableBytesView), mode: .likeJavaScript)
            guard let packument = value.object, packument["versions"]?.object != nil else { return .useless }
            return .packument(packument, etag: response.headers.first(name: "etag"))
        } catch let error as HTTPClientError {
            return .silent(isTimeout: error == .deadlineExceeded || error == .readTimeout || error == .remoteConnectionClosed)
        } catch is JSONError { return .useless } catch { return .silent(isTimeout: false) }
    }

    /// Opens a tarball by its absolute address.
    func tarball(at url: String) async throws(RegistryFailure) -> HTTPClientResponse {
        guard !isOffline else { throw .unknown("uplink is offline") }
        let response: HTTPClientResponse
        do { response = try await execute(HTTPClientRequest(url: url)) } catch { throw .unknown("internal server error") }
        if response.status == .notFound { throw RegistryFailure(status: 404, message: "file doesn't exist on uplink") }
        guard (200..<300).contains(response.status.code) else { throw .unknown("bad uplink status code: \(response.status.code)") }
        return response
    }

    private func execute(_ request: HTTPClientRequest) async throws -> HTTPClientResponse {
        do {
            let response = try await client.execute(request, timeout: .milliseconds(uplink.timeout.milliseconds))
            note(isAlive: true)
            return response
        } catch {
            note(isAlive: false)
            throw error
        }
    }
}
