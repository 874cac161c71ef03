import Platform

/// Asks a registry over HTTP/1.1, one request on a connection: as much of a client as comparing what is served needs.
///
/// No redirects, no compression, no TLS: it speaks to Verdaccio's own address. A client library would make the program several times as
/// large, on a machine where it must come as one file.
package struct HTTPClient: Sendable {
    /// An answer, whose body was handed over.
    package struct Answer: Sendable {
        package let status: Int
        /// The header fields, their names in lower case.
        package let fields: [String: String]
    }

    /// An answer that is none, or no answer.
    package struct Failure: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    private let address: RegistryAddress
    private let authorization: String?
    private let idleMilliseconds: Int32
    private static let headLimit = 64 * 1024

    /// - Parameter authorization: the value of that header field, for a registry that answers nobody without.
    package init(_ address: RegistryAddress, authorization: String? = nil, idleMilliseconds: Int32 = 30_000) {
        self.address = address
        self.authorization = authorization.flatMap { $0.utf8.contains { $0 < 0x20 } ? nil : $0 }
        self.idleMilliseconds = idleMilliseconds
    }

    /// Gets a path; the body is handed over piece by piece.
    ///
    /// - Throws: `Failure` where the answer is no HTTP, ends too early, or has a body of more than `limit` bytes.
    package func get(_ path: String, limit: Int64, _ body: ([UInt8]) throws -> Void) throws -> Answer {
        let reader: ResponseReader
        do throws(StreamSocket.Failure) {
            let socket = try StreamSocket(connectingTo: address.host, port: address.port, idleMilliseconds: idleMilliseconds)
            let host = address.host.contains(":") ? "[\(address.host)]" : address.host
            var lines = [
                "GET \(address.prefix)\(path) HTTP/1.1", "Host: \(host):\(address.port)", "Connection: close",
                "Accept: application/json, */*",
                "Accept-Encoding: identity", "User-Agent: ferry-offline",
            ]
            if let authorization { lines.append("Authorization: \(authorization)") }
            try socket.send(Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8))
            reader = ResponseReader { () throws(StreamSocket.Failure) in try socket.receive(64 * 1024) }
        } catch {
            throw Failure(description: error.description)
        }
        return try reader.read(limit: limit, body)
    }

    /// Gets a path with its whole body.
    package func get(_ path: String, limit: Int64) throws -> (answer: Answer, body: [UInt8]) {
        var bytes: [UInt8] = []
        let answer = try get(path, limit: limit) { bytes += $0 }
        return (answer, bytes)
    }
}

/// Reads one answer out of the pieces that a connection gives.
final class ResponseReader {
    private let receive: () throws -> [UInt8]
    private var rest: ArraySlice<UInt8> = []
    private static let headLimit = 64 * 1024

    /// - Parameter receive: the next bytes; none at the end.
    init(receive: @escaping () throws -> [UInt8]) {
        self.receive = receive
    }

    func read(limit: Int64, _ body: ([UInt8]) throws -> Void) throws -> HTTPClient.Answer {
        var answer = try head()
        // An interim answer is followed by the real one.
        while (100..<200).contains(answer.status) { answer = try head() }
        var left = limit
        func hand(_ bytes: [UInt8]) throws {
            left -= Int64(bytes.count)
            guard left >= 0 else { throw HTTPClient.Failure(description: "the body has more than \(limit) bytes") }
            try body(bytes)
        }
        if let encoding = answer.fields["transfer-encoding"] {
            guard encoding.lowercased() == "chunked" else {
                throw HTTPClient.Failure(description: "the encoding \"\(encoding)\" is unknown")
            }
            try chunks(hand)
        } else if let text = answer.fields["content-length"] {
            guard let length = Int64(text), length >= 0 else { throw HTTPClient.Failure(description: "\"\(text)\" is no length") }
            try bytes(length, hand)
        } else if answer.status != 204, answer.status != 304 {
            while try !rest.isEmpty || more() {
                try hand(Array(rest))
                rest = []
            }
        }
        return answer
    }

    private func head() throws -> HTTPClient.Answer {
        let first = try line().split(separator: " ", maxSplits: 2)
        guard first.count >= 2, first[0].hasPrefix("HTTP/1."), first[1].utf8.count == 3, let status = Int(first[1]) else {
            throw HTTPClient.Failure(description: "what answers does not speak HTTP")
        }
        var fields: [String: String] = [:]
        var size = 0
        while true {
            let line = try line()
            if line.isEmpty { return HTTPClient.Answer(status: status, fields: fields) }
            size += line.utf8.count
            guard size <= Self.headLimit, let colon = line.firstIndex(of: ":") else {
                throw HTTPClient.Failure(description: "the answer's head is none")
            }
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            fields[line[..<colon].lowercased()] = String(value)
        }
    }

    private func chunks(_ body: ([UInt8]) throws -> Void) throws {
        while true {
            let text = try line().prefix { $0 != ";" }
            guard text.utf8.count <= 15, let length = Int64(text, radix: 16), length >= 0 else {
                throw HTTPClient.Failure(description: "\"\(text.prefix(20))\" is no length of a chunk")
            }
            if length == 0 {
                while try !line().isEmpty {}
                return
            }
            try bytes(length, body)
            guard try line().isEmpty else { throw HTTPClient.Failure(description: "a chunk is longer than it says") }
        }
    }

    private func bytes(_ count: Int64, _ body: ([UInt8]) throws -> Void) throws {
        var left = count
        while left > 0 {
            guard try !rest.isEmpty || more() else { throw HTTPClient.Failure(description: "the answer ends \(left) bytes too early") }
            let piece = rest.prefix(Int(min(left, Int64(rest.count))))
            rest = rest.dropFirst(piece.count)
            left -= Int64(piece.count)
            try body(Array(piece))
        }
    }

    private func line() throws -> String {
        while true {
            if let end = rest.firstIndex(of: 0x0A) {
                var line = rest[..<end]
                if line.last == 0x0D { line = line.dropLast() }
                rest = rest[rest.index(after: end)...]
                return String(decoding: line, as: UTF8.self)
            }
            guard rest.count <= Self.headLimit else { throw HTTPClient.Failure(description: "a line of the answer is too long") }
            let before = rest
            guard try more() else { throw HTTPClient.Failure(description: "the answer ends in the middle of a line") }
            rest = before + rest
        }
    }

    /// Whether more bytes have come; they are in `rest` then, in place of what was there.
    private func more() throws -> Bool {
        do { rest = try receive()[...] } catch let failure as StreamSocket.Failure {
            throw HTTPClient.Failure(description: failure.description)
        }
        return !rest.isEmpty
    }
}
