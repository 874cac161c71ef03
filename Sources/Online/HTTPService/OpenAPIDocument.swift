import CanonicalJSON

/// The OpenAPI 3.1 document of operations, made of the same declarations that the router goes by.
struct OpenAPIDocument {
    let description: ServiceDescription
    let operations: [HTTPOperation]
    let limits: ServiceLimits

    var json: JSONValue {
        var schemas: [String: JSONValue] = [:]
        for operation in operations {
            for success in operation.success { success.schema?.collectNamed(into: &schemas) }
            for parameter in operation.parameters { parameter.schema.collectNamed(into: &schemas) }
            operation.body?.schema.collectNamed(into: &schemas)
        }
        let named = schemas.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
        let paths = Dictionary(grouping: operations, by: \.path.description).sorted { $0.key < $1.key }.map { path, operations in
            let members = operations.map { (name: $0.method.rawValue.lowercased(), value: json(of: $0)) }
            return (name: path, value: JSONValue.object(JSONObject(uniqueMembers: members)))
        }
        let tags: [JSONValue] = Set(operations.map(\.tag)).sorted().map { ["name": .string($0)] }
        return [
            "openapi": "3.1.0",
            "info": [
                "title": .string(description.title), "version": .string(description.version),
                "description": .string(description.explanation),
            ],
            "tags": .array(tags), "paths": .object(JSONObject(uniqueMembers: paths)),
            "components": ["schemas": .object(JSONObject(uniqueMembers: named))],
        ]
    }

    private func json(of operation: HTTPOperation) -> JSONValue {
        var members: [(name: String, value: JSONValue)] = [
            ("operationId", .string(operation.id)), ("tags", [.string(operation.tag)]), ("summary", .string(operation.summary)),
        ]
        if let explanation = operation.explanation { members.append(("description", .string(explanation))) }
        if !operation.parameters.isEmpty { members.append(("parameters", .array(operation.parameters.map(\.json)))) }
        if let body = operation.body {
            members.append(
                (
                    "requestBody",
                    ["required": .bool(body.isRequired), "content": [MediaType.json: ["schema": body.schema.json]]]
                ))
        }
        members.append(("responses", .object(responses(of: operation))))
        return .object(JSONObject(uniqueMembers: members))
    }

    private func responses(of operation: HTTPOperation) -> JSONObject {
        var responses = JSONObject()
        for success in operation.success {
            var object: JSONObject = JSONObject(uniqueMembers: [("description", .string(success.summary))])
            if let mediaType = success.mediaType {
                let schema: JSONValue = success.schema.map { ["schema": $0.json] } ?? [:]
                object["content"] = .object(JSONObject(uniqueMembers: [(mediaType, schema)]))
            }
            if operation.method == .get, success.status < 300, success.mediaType != MediaType.events {
                object["headers"] = ["ETag": Self.header("Names this state for If-None-Match.")]
            }
            responses["\(success.status)"] = .object(object)
        }
        if operation.method == .get, !operation.success.contains(where: { $0.mediaType == MediaType.events }) {
            responses["304"] = [
                "description": "The client has this state, as its If-None-Match says.",
                "headers": ["ETag": Self.header("Names this state.")],
            ]
        }
        for (status, kinds) in Dictionary(grouping: operation.allProblems, by: \.status) {
            let titles = Set(kinds.map { "\($0.title) (`\($0.word)`)." }).sorted().joined(separator: " ")
            let schema = Problem.schema(of: Array(Set(kinds)), base: description.problemBase)
            // Such as a report on the service's health, whose status is that of being busy, too.
            let other = responses["\(status)"]?.object
            var content = other?["content"]?.object ?? JSONObject()
            content[MediaType.problem] = ["schema": schema.json]
            let words = [other?["description"]?.string, titles].compactMap { $0 }.joined(separator: " ")
            var object = JSONObject(uniqueMembers: [("description", .string(words)), ("content", .object(content))])
            switch status {
            case 405: object["headers"] = ["Allow": Self.header("What can be done.")]
            case 416: object["headers"] = ["Content-Range": Self.header("`bytes */` and the length.")]
            case 503:
                object["headers"] = ["Retry-After": Self.header("Seconds after which it may be tried again.", isRequired: other == nil)]
            default: break
            }
            responses["\(status)"] = .object(object)
        }
        return responses
    }

    private static func header(_ summary: String, isRequired: Bool = true) -> JSONValue {
        ["description": .string(summary), "required": .bool(isRequired), "schema": ["type": "string"]]
    }
}

extension HTTPOperation {
    /// Every problem that may answer it.
    var allProblems: [Problem.Kind] {
        var kinds: [Problem.Kind] = [
            .malformed, .invalidParameter, .invalidBody, .methodNotAllowed, .targetTooLong, .hostNotAllowed, .failed, .busy,
        ]
        if !path.names.isEmpty { kinds.append(.notFound) }
        if method != .get { kinds.append(.crossOrigin) }
        if body != nil { kinds += [.bodyTooLarge, .unsupportedMediaType] }
        if hasRanges { kinds.append(.rangeNotSatisfiable) }
        return kinds + problems
    }
}

extension ParameterDeclaration {
    fileprivate var json: JSONValue {
        var schema = schema.json.object ?? JSONObject()
        schema["default"] = defaultValue
        return [
            "name": .string(name), "in": .string(place.rawValue), "required": .bool(isRequired), "description": .string(summary),
            "schema": .object(schema),
        ]
    }
}
