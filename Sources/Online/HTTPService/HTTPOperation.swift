package import CanonicalJSON
import Synchronization

/// Something that can be asked of the service: the router and the document both go by this declaration.
package struct HTTPOperation: Sendable {
    package enum Method: String, Sendable, Hashable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case delete = "DELETE"
    }

    /// What a request carries as its body.
    package struct Body: Sendable {
        package let schema: Schema
        package let isRequired: Bool

        package init(_ schema: Schema, isRequired: Bool = true) {
            self.schema = schema
            self.isRequired = isRequired
        }
    }

    /// An answer that may be given where all is well.
    package struct Success: Sendable {
        package let status: Int
        package let summary: String
        package let mediaType: String?
        /// `nil` for what is no JSON.
        package let schema: Schema?

        /// A JSON document.
        package init(_ schema: Schema, _ summary: String, status: Int = 200) {
            self.status = status
            self.summary = summary
            mediaType = MediaType.json
            self.schema = schema
        }

        /// Bytes of that type; `nil` for an answer without any.
        package init(mediaType: String?, _ summary: String, status: Int = 200) {
            self.status = status
            self.summary = summary
            self.mediaType = mediaType
            schema = nil
        }
    }

    package let method: Method
    package let path: PathTemplate
    /// By which clients that are generated call it.
    package let id: String
    /// What it has to do with.
    package let tag: String
    package let summary: String
    package let explanation: String?
    package let parameters: [ParameterDeclaration]
    /// Path parameters that may be written with a slash within, as `@scope/name`.
    package let scoped: Set<String>
    package let body: Body?
    package let success: [Success]
    package let problems: [Problem.Kind]
    /// Whether an answer may be asked for in part.
    package let hasRanges: Bool
    /// Whether it may take so long that it is cancelled when the client leaves.
    package let isLong: Bool
    package let handle: @Sendable (OperationRequest) async throws -> Answer

    /// - Parameters:
    ///   - problems: beside those that any operation, or one with such parameters and such a body, has.
    ///   - handle: does it. What blocks belongs in `OperationRequest.blocking`.
    package init(
        _ method: Method, _ path: PathTemplate, id: String, tag: String, _ summary: String, explanation: String? = nil,
        parameters: [ParameterDeclaration] = [], scoped: Set<String> = [], body: Body? = nil, success: [Success],
        problems: [Problem.Kind] = [], hasRanges: Bool = false, isLong: Bool = false,
        handle: @escaping @Sendable (OperationRequest) async throws -> Answer
    ) {
        precondition(Set(path.names) == Set(parameters.filter { $0.place == .path }.map(\.name)), "\(path) and its parameters differ")
        precondition(Set(parameters.map(\.name)).count == parameters.count, "\(path) has a parameter twice")
        self.method = method
        self.path = path
        self.id = id
        self.tag = tag
        self.summary = summary
        self.explanation = explanation
        self.parameters = parameters
        self.scoped = scoped
        self.body = body
        self.success = success
        self.problems = problems
        self.hasRanges = hasRanges
        self.isLong = isLong
        self.handle = handle
    }
}

/// The media types that the service itself speaks of.
package enum MediaType {
    package static let json = "application/json"
    package static let problem = "application/problem+json"
    package static let events = "text/event-stream"
}

/// A request that its operation's declaration has let pass.
package struct OperationRequest: Sendable {
    let values: [String: JSONValue]
    /// What was sent; `nil` where nothing was.
    package let body: JSONValue?
    let work: BlockingWork

    /// The value of a parameter, which the operation must have declared.
    ///
    /// - Throws: `Problem` where it names nothing.
    package func value<Value>(of parameter: Parameter<Value>) throws -> Value {
        let name = parameter.declaration.name
        guard let value = values[name] else { preconditionFailure("the operation does not declare \"\(name)\"") }
        guard let converted = parameter.convert(value) else {
            throw Problem(.notFound, "\"\(value.string ?? name)\" is no \(name) of anything", members: ["parameter": .string(name)])
        }
        return converted
    }

    /// Runs what blocks, a database or a file, on a thread of its own.
    package func blocking<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await work.run(body)
    }

    /// Runs what blocks for long, on a thread of its own; it may ask whether the client is still there.
    package func blocking<Value: Sendable>(
        _ body: @escaping @Sendable (_ isCancelled: @escaping @Sendable () -> Bool) throws -> Value
    ) async throws -> Value {
        let flag = CancellationFlag()
        return try await withTaskCancellationHandler {
            try await work.run { try body { flag.isSet } }
        } onCancel: {
            flag.set()
        }
    }
}

private final class CancellationFlag: Sendable {
    private let value = Atomic(false)

    var isSet: Bool { value.load(ordering: .relaxed) }

    func set() { value.store(true, ordering: .relaxed) }
}
