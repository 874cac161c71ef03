package import CanonicalJSON

/// Why a request is not answered as it asked (RFC 9457).
package struct Problem: Error, Sendable {
    /// A kind of problem; the words never change their meaning.
    package struct Kind: Sendable, Hashable {
        package let word: String
        package let status: Int
        package let title: String

        package init(_ word: String, _ status: Int, _ title: String) {
            self.word = word
            self.status = status
            self.title = title
        }

        package static let malformed = Kind("malformed-request", 400, "The request is not HTTP as it should be")
        package static let invalidParameter = Kind("invalid-parameter", 400, "A parameter cannot be used")
        package static let invalidBody = Kind("invalid-body", 400, "The body cannot be used")
        package static let crossOrigin = Kind("cross-origin", 403, "Another site's page may not change anything")
        package static let notFound = Kind("not-found", 404, "There is nothing of that name")
        package static let methodNotAllowed = Kind("method-not-allowed", 405, "That cannot be done with it")
        package static let timedOut = Kind("timed-out", 408, "The request took too long to come")
        package static let bodyTooLarge = Kind("body-too-large", 413, "The body is too large")
        package static let targetTooLong = Kind("target-too-long", 414, "The address is too long")
        package static let unsupportedMediaType = Kind("unsupported-media-type", 415, "The body is of a type that is not taken")
        package static let rangeNotSatisfiable = Kind("range-not-satisfiable", 416, "No byte of the range exists")
        package static let hostNotAllowed = Kind("host-not-allowed", 421, "The service does not answer for that host")
        package static let headersTooLarge = Kind("headers-too-large", 431, "The header fields are too large, or too many")
        package static let failed = Kind("internal-error", 500, "The service failed")
        package static let busy = Kind("busy", 503, "It cannot be done now")
        package static let noSpace = Kind("no-space", 507, "The disk is full")
    }

    package let kind: Kind
    /// What happened here, for people: what is named, what is allowed, what to do.
    package let detail: String
    /// For machines, beside the members of RFC 9457.
    package let members: JSONObject
    /// Header fields of the answer.
    package let headers: [(name: String, value: String)]

    package init(_ kind: Kind, _ detail: String, members: JSONValue = [:], headers: [(name: String, value: String)] = []) {
        self.kind = kind
        self.detail = detail
        self.members = members.object ?? JSONObject()
        self.headers = headers
    }

    /// The problem as a document.
    ///
    /// - Parameters:
    ///   - base: what the word of the kind follows in `type`.
    ///   - instance: what was asked for; `nil` where that could not be read.
    func json(base: String, instance: String?) -> JSONValue {
        var object = members
        object["type"] = .string(base + kind.word)
        object["title"] = .string(kind.title)
        object["status"] = .integer(kind.status)
        object["detail"] = .string(detail)
        object["instance"] = instance.map { .string($0) }
        return .object(object)
    }

    /// What the documents of these kinds, which share a status, look like.
    static func schema(of kinds: [Kind], base: String) -> Schema {
        let status = Int64(kinds.first?.status ?? 0)
        return .object([
            Schema.Member("type", .choice(kinds.map { base + $0.word }.sorted())), Schema.Member("title", .string()),
            Schema.Member("status", .integer(status...status)), Schema.Member("detail", .string()),
            Schema.Member("instance", .string(format: "uri-reference"), isRequired: false),
            Schema.Member("parameter", .string(), "The parameter that is wrong.", isRequired: false),
            Schema.Member("allowed", .string(), "What is allowed, in words.", isRequired: false),
            Schema.Member("see", .string(format: "uri-reference"), "What is in the way.", isRequired: false),
            Schema.Member("id", .string(pattern: "^[0-9a-f]{16}$"), "Under which the log has it.", isRequired: false),
        ])
    }
}
