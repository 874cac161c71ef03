import CanonicalJSON
import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTP1
import NIOHTTPTypes
import Testing

@testable import HTTPService

/// Which connections are ended, on a clock that only the test moves.
@Suite struct ConnectionGuardTests {
    private struct Wire {
        let loop = EmbeddedEventLoop()
        let channel: EmbeddedChannel

        init() throws {
            var limits = ServiceLimits()
            limits.headTime = .seconds(10)
            limits.bodyTime = .seconds(20)
            limits.idleTime = .seconds(30)
            limits.stallTime = .seconds(40)
            limits.lingerTime = .seconds(2)
            channel = EmbeddedChannel(handler: ConnectionGuard(limits: limits, problemBase: "urn:things:"), loop: loop)
            try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        }

        var isOpen: Bool { channel.isActive }

        func pass(_ seconds: Int64) { loop.advanceTime(by: .seconds(seconds)) }

        func head(_ method: HTTPRequest.Method = .get, closing: Bool = false) throws {
            var head = HTTPRequest(method: method, scheme: "http", authority: "localhost", path: "/")
            if closing { head.headerFields[.connection] = "Close" }
            try channel.writeInbound(HTTPRequestPart.head(head))
        }

        func body() throws { try channel.writeInbound(HTTPRequestPart.body(ByteBuffer(string: "x"))) }
        func end() throws { try channel.writeInbound(HTTPRequestPart.end(nil)) }

        func answer() throws {
            try channel.writeOutbound(HTTPResponsePart.head(HTTPResponse(status: .ok)))
            try channel.writeOutbound(HTTPResponsePart.end(nil))
        }
    }

    @Test func `a client that sends no head in time is left`() throws {
        let wire = try Wire()
        wire.pass(9)
        #expect(wire.isOpen)
        wire.pass(1)
        #expect(!wire.isOpen)
    }

    @Test func `a client that sends its body byte by byte is left, however busy it is`() throws {
        let wire = try Wire()
        wire.pass(9)
        try wire.head(.post)
        for _ in 0..<19 {
            wire.pass(1)
            try wire.body()
        }
        #expect(wire.isOpen)
        wire.pass(1)
        #expect(!wire.isOpen)
    }

    @Test func `work takes as long as it takes`() throws {
        let wire = try Wire()
        try wire.head()
        try wire.end()
        wire.pass(100_000)
        #expect(wire.isOpen)
        try wire.answer()
        wire.pass(29)
        #expect(wire.isOpen)
        try wire.head()
        try wire.end()
        wire.pass(29)
        try wire.answer()
        wire.pass(29)
        #expect(wire.isOpen)
        wire.pass(1)
        #expect(!wire.isOpen)
    }

    @Test func `a client that is answered and goes on sending is left soon`() throws {
        let wire = try Wire()
        try wire.head(.post)
        try wire.answer()
        wire.pass(1)
        try wire.body()
        #expect(wire.isOpen)
        wire.pass(1)
        #expect(!wire.isOpen)
    }

    @Test func `a client that is answered and then ends its body may ask again`() throws {
        let wire = try Wire()
        try wire.head(.post)
        try wire.answer()
        wire.pass(1)
        try wire.body()
        try wire.end()
        wire.pass(29)
        #expect(wire.isOpen)
        wire.pass(1)
        #expect(!wire.isOpen)
    }

    @Test func `a client that wants to go is let go when it has its answer`() throws {
        let wire = try Wire()
        try wire.head(closing: true)
        try wire.end()
        #expect(wire.isOpen)
        try wire.answer()
        #expect(!wire.isOpen)
    }

    @Test func `a client that takes nothing of what is sent is left`() throws {
        let wire = try Wire()
        try wire.head()
        try wire.end()
        wire.channel.isWritable = false
        wire.channel.pipeline.fireChannelWritabilityChanged()
        wire.pass(39)
        #expect(wire.isOpen)
        wire.channel.isWritable = true
        wire.channel.pipeline.fireChannelWritabilityChanged()
        wire.pass(1000)
        #expect(wire.isOpen)
        wire.channel.isWritable = false
        wire.channel.pipeline.fireChannelWritabilityChanged()
        wire.pass(40)
        #expect(!wire.isOpen)
    }

    @Test(arguments: [(HTTPParserError.headerOverflow, 431, "headers-too-large"), (.invalidHeaderToken, 400, "malformed-request")])
    func `what is no HTTP is told so`(error: HTTPParserError, status: Int, word: String) throws {
        let wire = try Wire()
        wire.channel.pipeline.fireErrorCaught(error)
        guard case .head(let head) = try wire.channel.readOutbound(as: HTTPResponsePart.self),
            case .body(let body) = try wire.channel.readOutbound(as: HTTPResponsePart.self)
        else {
            Issue.record("there is no answer")
            return
        }
        let document = try JSONParser.parse(Array(body.readableBytesView), mode: .strict).object
        #expect(head.status.code == status && head.headerFields[.connection] == "close")
        #expect(head.headerFields[.contentType] == "application/problem+json" && document?["type"] == .string("urn:things:\(word)"))
        #expect(!wire.isOpen)
    }

    @Test func `what stops being HTTP in the middle is left without a second answer`() throws {
        let wire = try Wire()
        try wire.head(.post)
        wire.channel.pipeline.fireErrorCaught(HTTPParserError.invalidChunkSize)
        #expect(try wire.channel.readOutbound(as: HTTPResponsePart.self) == nil)
        #expect(!wire.isOpen)
    }
}
