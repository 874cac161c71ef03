import CanonicalJSON
import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypes

/// Ends connections that hold the service without using it, and answers what is no HTTP.
///
/// Times run on the connection's event loop: to the head of a request, through its body, until a client takes what is sent, and between
/// requests. What comes does not prolong them, so that a client that sends a byte now and then gains nothing.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let limits: ServiceLimits
    private let problemBase: String
    private var deadline: Scheduled<Void>?
    private var stall: Scheduled<Void>?
    /// Whether the head of a request has come and its end has not.
    private var isReading = false
    private var unanswered = 0
    private var closesAfterAnswer = false

    init(limits: ServiceLimits, problemBase: String) {
        self.limits = limits
        self.problemBase = problemBase
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { wait(limits.headTime, context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        wait(limits.headTime, context)
        context.fireChannelActive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { cancel() }

    func channelInactive(context: ChannelHandlerContext) {
        cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            isReading = true
            unanswered += 1
            if head.headerFields[.connection]?.lowercased().contains("close") ?? false { closesAfterAnswer = true }
            wait(limits.bodyTime, context)
        case .body: break
        case .end:
            isReading = false
            if unanswered == 0 { wait(limits.idleTime, context) } else { deadline?.cancel() }
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .end = unwrapOutboundIn(data) else { return context.write(data, promise: promise) }
        unanswered -= 1
        guard unanswered == 0 else { return context.write(data, promise: promise) }
        if closesAfterAnswer, !isReading {
            context.writeAndFlush(data, promise: promise)
            context.close(promise: nil)
        } else {
            context.write(data, promise: promise)
            wait(isReading ? limits.lingerTime : limits.idleTime, context)
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        stall?.cancel()
        stall = context.channel.isWritable ? nil : schedule(limits.stallTime, context)
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard unanswered == 0, let error = error as? HTTPParserError else { return context.close(promise: nil) }
        refuse(
            error == .headerOverflow
                ? Problem(.headersTooLarge, "all header fields together may have \(limits.headerBytes) bytes, and be \(limits.headerCount)")
                : Problem(.malformed, "the request is not HTTP/1.1"), context)
    }

    private func refuse(_ problem: Problem, _ context: ChannelHandlerContext) {
        let body = ByteBuffer(bytes: problem.json(base: problemBase, instance: nil).canonicalBytes)
        var fields = HTTPFields()
        fields[.contentType] = MediaType.problem
        fields[.contentLength] = "\(body.readableBytes)"
        fields[.connection] = "close"
        OperationResponder.secure(&fields)
        context.write(wrapOutboundOut(.head(HTTPResponse(status: .init(code: problem.kind.status), headerFields: fields))), promise: nil)
        context.write(wrapOutboundOut(.body(body)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        context.close(promise: nil)
    }

    private func wait(_ time: Duration, _ context: ChannelHandlerContext) {
        deadline?.cancel()
        deadline = schedule(time, context)
    }

    private func schedule(_ time: Duration, _ context: ChannelHandlerContext) -> Scheduled<Void> {
        context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(time)) { context.close(promise: nil) }
    }

    private func cancel() {
        deadline?.cancel()
        stall?.cancel()
    }
}

@available(*, unavailable)
extension ConnectionGuard: Sendable {}
