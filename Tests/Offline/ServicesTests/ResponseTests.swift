import Platform
import Testing

@testable import Services

/// An answer is read as it was sent, in whatever pieces it comes, or refused.
@Suite struct ResponseTests {
    private func read(_ text: String, pieces: Int, limit: Int64 = 1 << 20) throws -> (status: Int, body: String) {
        var rest = Array(text.utf8)[...]
        let reader = ResponseReader {
            let piece = Array(rest.prefix(pieces))
            rest = rest.dropFirst(pieces)
            return piece
        }
        var body: [UInt8] = []
        let answer = try reader.read(limit: limit) { body += $0 }
        return (answer.status, String(decoding: body, as: UTF8.self))
    }

    @Test(arguments: [1, 2, 3, 7, 1000])
    func `a body has its length, its chunks, or the end of the connection`(pieces: Int) throws {
        let texts = [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and more",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=1\r\nhe\r\n3\r\nllo\r\n0\r\nA: b\r\n\r\n",
            "HTTP/1.0 200 OK\r\n\r\nhello", "HTTP/1.1 200\ncontent-length:5\n\nhello",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        ]
        for text in texts { #expect(try read(text, pieces: pieces) == (200, "hello"), "\(text)") }
        #expect(try read("HTTP/1.1 204 No Content\r\n\r\n", pieces: pieces) == (204, ""))
        #expect(try read("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", pieces: pieces) == (404, ""))
    }

    @Test(arguments: [
        "", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", "SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\nhello", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n0\r\n\r\n", "HTTP/1.1 200 OK\r\nno field\r\n\r\n",
        "HTTP/1.1 2 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello hello",
    ])
    func `what is no answer, ends too early or is too long is refused`(text: String) {
        for pieces in [1, 1000] { #expect(throws: HTTPClient.Failure.self) { try read(text, pieces: pieces, limit: 10) } }
    }

    @Test func `an endless head is refused`() {
        let reader = ResponseReader { Array("HTTP/1.1 200 OK\r\n".utf8) + [UInt8](repeating: 0x41, count: 1 << 16) }
        #expect(throws: HTTPClient.Failure.self) { try reader.read(limit: 10) { _ in } }
    }
}
