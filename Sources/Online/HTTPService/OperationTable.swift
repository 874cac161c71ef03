import HTTPTypes

/// The operations of a service, found by method and path.
struct OperationTable: Sendable {
    enum Match: Sendable {
        case found(HTTPOperation, [String: String])
        /// The path exists, and these methods do.
        case otherMethods([String])
        case nothing
    }

    let operations: [HTTPOperation]

    /// - Parameter operations: no two for the same method and path.
    init(_ operations: [HTTPOperation]) {
        self.operations = operations
        precondition(Set(operations.map { "\($0.method.rawValue) \($0.path)" }).count == operations.count, "an address is there twice")
        precondition(Set(operations.map(\.id)).count == operations.count, "an id is there twice")
    }

    /// The operation for a method, as which `HEAD` counts as `GET`; what is literal in a path goes before a parameter.
    func match(_ method: HTTPRequest.Method, _ segments: [String]) -> Match {
        var found: [(operation: HTTPOperation, values: [String: String])] = []
        for operation in operations {
            if let values = operation.path.match(segments, scoped: operation.scoped) { found.append((operation, values)) }
        }
        guard let fewest = found.map(\.values.count).min() else { return .nothing }
        found.removeAll { $0.values.count > fewest }
        let wanted = method == .head ? "GET" : method.rawValue
        if let match = found.first(where: { $0.operation.method.rawValue == wanted }) { return .found(match.operation, match.values) }
        var methods = found.map(\.operation.method.rawValue)
        if methods.contains("GET") { methods.append("HEAD") }
        return .otherMethods((methods + ["OPTIONS"]).sorted())
    }
}
