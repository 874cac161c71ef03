import Glibc
import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore
import ServiceLifecycle

/// Serves operations over HTTP/1.1, the document of them at `/openapi.json`, and a page beside them.
package struct WebServer: Service {
    private let responder: OperationResponder
    private let host: String
    private let port: Int
    private let onRunning: @Sendable (Int) async -> Void

    /// - Parameters:
    ///   - site: what stands beside the operations.
    ///   - host: the address to listen on; not the name that clients use.
    ///   - port: 0 takes a free one.
    ///   - translate: the problem that an error of a handler stands for; `nil` where it is the service's own failure, which is logged.
    ///   - onRunning: told the port once connections are taken.
    package init(
        _ operations: [HTTPOperation], as description: ServiceDescription, beside site: WebSite? = nil, host: String = "127.0.0.1",
        port: Int, allowing requestGuard: RequestGuard = RequestGuard(), limits: ServiceLimits = ServiceLimits(), logger: Logger,
        translate: @escaping @Sendable (any Error) -> Problem? = { _ in nil }, onRunning: @escaping @Sendable (Int) async -> Void = { _ in }
    ) {
        responder = OperationResponder(
            operations, as: description, beside: site, allowing: requestGuard, limits: limits, logger: logger, translate: translate)
        self.host = host
        self.port = port
        self.onRunning = onRunning
    }

    /// Serves until the service group shuts down gracefully or the task is cancelled.
    ///
    /// - Throws: `CannotListen`.
    package func run() async throws {
        let limits = responder.limits
        let problemBase = responder.description.problemBase
        let decoder = HTTP1Channel.Configuration.DecoderConfiguration(
            maxHeaderFieldSize: max(limits.headerBytes, limits.targetLength + 1024), maxHeaderListSize: limits.headerBytes,
            maxHeaderFieldCount: limits.headerCount)
        let (onRunning, port) = (onRunning, port)
        var application = Application(
            responder: responder,
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [ConnectionGuard(limits: limits, problemBase: problemBase)], idleTimeout: nil,
                    httpDecoderConfiguration: decoder)),
            configuration: .init(
                address: .hostname(host, port: port), availableConnectionsDelegate: MaximumAvailableConnections(limits.connections)),
            onServerRunning: { await onRunning($0.localAddress?.port ?? port) }, logger: responder.logger)
        application.logger.logLevel = max(.notice, responder.logger.logLevel)
        do { try await application.run() } catch let error as IOError {
            throw CannotListen(host: host, port: port, errno: error.errnoCode)
        }
    }

    /// The address cannot be listened on.
    package struct CannotListen: Error, CustomStringConvertible {
        package let host: String
        package let port: Int
        package let errno: Int32

        /// Whether somebody else listens there.
        package var isInUse: Bool { errno == EADDRINUSE }

        package var description: String {
            let words =
                isInUse
                ? "the address is in use" : errno == EADDRNOTAVAIL ? "it is no address of this machine" : String(cString: strerror(errno))
            return "cannot listen on \(host.contains(":") ? "[\(host)]" : host):\(port): \(words)"
        }
    }
}

extension OperationResponder {
    /// A responder for these operations, for their document, and for a site beside them.
    init(
        _ operations: [HTTPOperation], as description: ServiceDescription, beside site: WebSite? = nil, allowing requestGuard: RequestGuard,
        limits: ServiceLimits,
        logger: Logger, translate: @escaping @Sendable (any Error) -> Problem?
    ) {
        let all = HTTPOperation.withDocument(operations, description, limits)
        if let site {
            precondition(!all.contains { $0.path.parts.first == .literal(site.segment) }, "an operation stands where the site does")
        }
        self.init(
            table: OperationTable(all), site: site, description: description, limits: limits, requestGuard: requestGuard,
            translate: translate,
            logger: logger)
    }
}

extension HTTPOperation {
    /// The operations and, before them, the one that serves the document of them all.
    static func withDocument(_ operations: [HTTPOperation], _ description: ServiceDescription, _ limits: ServiceLimits) -> [HTTPOperation] {
        func document(_ handle: @escaping @Sendable (OperationRequest) async throws -> Answer) -> HTTPOperation {
            HTTPOperation(
                .get, "/openapi.json", id: "getDocument", tag: "service", "Get this document.",
                success: [Success(.anyObject, "An OpenAPI 3.1 document.")], handle: handle)
        }
        let bare = document { _ in .empty() }
        let json = OpenAPIDocument(description: description, operations: [bare] + operations, limits: limits).json
        return [document { _ in .json(json) }] + operations
    }
}
