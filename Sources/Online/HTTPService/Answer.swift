package import CanonicalJSON

/// Bytes that can be read from any place, such as a file's.
package protocol ByteSource: Sendable {
    /// Bytes in all.
    var length: Int64 { get }
    /// Reads exactly `count` bytes at `offset`, which blocks; fewer only where the end comes before.
    func read(_ count: Int, at offset: Int64) throws -> [UInt8]
}

/// What an operation answers.
package struct Answer: Sendable {
    enum Body: Sendable {
        case none
        case bytes([UInt8], mediaType: String)
        case source(any ByteSource, mediaType: String)
        case events(EventFeed)
    }

    package let status: Int
    package var headers: [(name: String, value: String)]
    let body: Body
    /// What changes when the answer does, in any characters of a quoted tag; `nil` where the answer's own bytes say it.
    let revision: String?

    private init(status: Int, headers: [(name: String, value: String)] = [], body: Body, revision: String? = nil) {
        self.status = status
        self.headers = headers
        self.body = body
        self.revision = revision
    }

    /// A JSON document.
    package static func json(_ value: JSONValue, status: Int = 200, headers: [(name: String, value: String)] = []) -> Answer {
        Answer(status: status, headers: headers, body: .bytes(value.canonicalBytes, mediaType: MediaType.json))
    }

    /// Bytes of another type.
    package static func bytes(_ bytes: [UInt8], mediaType: String, headers: [(name: String, value: String)] = []) -> Answer {
        Answer(status: 200, headers: headers, body: .bytes(bytes, mediaType: mediaType))
    }

    /// A file to keep, of which parts may be asked for.
    ///
    /// - Parameters:
    ///   - name: under which it is kept; ASCII without quotes.
    ///   - revision: what no other content of that address ever has.
    package static func download(_ source: any ByteSource, mediaType: String, name: String, revision: String) -> Answer {
        Answer(
            status: 200, headers: [("Content-Disposition", "attachment; filename=\"\(name)\"")],
            body: .source(source, mediaType: mediaType), revision: revision)
    }

    /// No more than a status.
    package static func empty(status: Int = 204, headers: [(name: String, value: String)] = []) -> Answer {
        Answer(status: status, headers: headers, body: .none)
    }

    /// Server-sent events until the client leaves, the service ends or the feed does.
    package static func events(_ feed: EventFeed) -> Answer { Answer(status: 200, body: .events(feed)) }
}
