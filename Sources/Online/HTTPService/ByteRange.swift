/// What the `Range` field of a request asks for (RFC 9110 §14).
enum RangeAnswer: Equatable {
    /// The whole: nothing was asked for, or nothing that is understood, or several ranges at once.
    case whole
    case part(Range<Int64>)
    case unsatisfiable

    /// - Parameters:
    ///   - field: the field's value; `nil` where there is none.
    ///   - length: bytes of the whole.
    init(_ field: String?, length: Int64) {
        guard let field, let equals = field.firstIndex(of: "="),
            field[..<equals].lowercased() == "bytes"
        else {
            self = .whole
            return
        }
        let set = field[field.index(after: equals)...]
        let parts = set.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
            .map { String($0).trimmingSpaces }
        guard !set.contains(","), parts.count == 2, parts.contains(where: { !$0.isEmpty }),
            parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } })
        else {
            self = .whole
            return
        }
        // What no Int64 holds is larger than any file.
        let first = parts[0].isEmpty ? nil : Int64(parts[0]) ?? Int64.max
        let last = parts[1].isEmpty ? nil : Int64(parts[1]) ?? Int64.max
        switch (first, last) {
        case (let first?, let last?) where first > last: self = .whole
        case (let first?, let last):
            self = first < length ? .part(first..<min(last ?? Int64.max, length - 1) + 1) : .unsatisfiable
        case (nil, let suffix?):
            self = suffix > 0 && length > 0 ? .part(max(0, length - suffix)..<length) : .unsatisfiable
        case (nil, nil): self = .whole
        }
    }
}
