import CanonicalJSON
import HTTPService

extension FerryAPI {
    static let limit = Parameter.integer("limit", in: 1...1000, default: 50, "How many items at most.")
    static let offset = Parameter.integer("offset", in: 0...9_007_199_254_740_991, default: 0, "How many items to skip.")

    /// A page of a list.
    static func page(_ items: [JSONValue], of total: Int, _ request: OperationRequest) throws -> JSONValue {
        [
            "items": .array(items), "total": .integer(total), "limit": .integer(try request.value(of: limit)),
            "offset": .integer(try request.value(of: offset)),
        ]
    }

    /// The page that a request asks for of a list that is all there.
    static func page(of items: [JSONValue], _ request: OperationRequest) throws -> JSONValue {
        let items = items.dropFirst(try request.value(of: offset))
        return try page(Array(items.prefix(try request.value(of: limit))), of: items.endIndex, request)
    }

    /// What a page of such items looks like.
    static func pageSchema(_ item: Schema, adding members: [Schema.Member] = []) -> Schema {
        .object(
            [
                Schema.Member("items", .array(item, maxItems: 1000)), Schema.Member("total", .count),
                Schema.Member("limit", .integer(1...1000)),
                Schema.Member("offset", .count),
            ] + members)
    }

    /// By what a list is sorted: a column, or one with a minus before it.
    static func sort<Order: RawRepresentable & CaseIterable & Sendable>(
        default word: String
    ) -> Parameter<SortOrder<Order>> where Order.RawValue == String {
        let words = Order.allCases.flatMap { order in
            [
                (word: order.rawValue, value: SortOrder(column: order, isDescending: false)),
                (word: "-\(order.rawValue)", value: SortOrder(column: order, isDescending: true)),
            ]
        }
        return .word("sort", words, default: word, "What items are sorted by; with a minus, from the last to the first.")
    }
}

/// By what a list is sorted, and from which end.
struct SortOrder<Column: Sendable>: Sendable {
    let column: Column
    let isDescending: Bool
}
