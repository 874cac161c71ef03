extension JSONValue {
    /// The canonical bytes of this value, RFC 8785 (JCS): no white space, names sorted by UTF-16, numbers as ECMAScript prints them.
    package var canonicalBytes: [UInt8] {
        var bytes: [UInt8] = []
        appendCanonical(to: &bytes)
        return bytes
    }

    /// Appends the canonical bytes of this value.
    package func appendCanonical(to bytes: inout [UInt8]) {
        switch self {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .bool(let value): bytes.append(contentsOf: (value ? "true" : "false").utf8)
        case .number(let value): Self.append(value, to: &bytes)
        case .string(let text): Self.append(text, to: &bytes)
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                element.appendCanonical(to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let object):
            bytes.append(UInt8(ascii: "{"))
            let members = object.members
            for (index, place) in Self.order(of: members).enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                Self.append(members[place].name, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                members[place].value.appendCanonical(to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    /// The places of members in canonical order; what is in it already is most of what is written.
    private static func order(of members: [(name: String, value: JSONValue)]) -> [Int] {
        var order = Array(members.indices)
        let isOrdered = order.dropFirst().allSatisfy { precedes(members[$0 - 1].name, members[$0].name) }
        if !isOrdered { order.sort { precedes(members[$0].name, members[$1].name) } }
        return order
    }

    /// RFC 8785 §3.2.3: by UTF-16 code units.
    ///
    /// That is the order of the UTF-8 bytes, but for U+E000 to U+FFFF, whose bytes begin with 0xEE or 0xEF: they follow the surrogates
    /// of what begins with 0xF0 and above.
    private static func precedes(_ left: String, _ right: String) -> Bool {
        func rank(_ byte: UInt8) -> UInt8 { byte == 0xEE || byte == 0xEF ? byte + 0x10 : byte }
        var left = left
        var right = right
        return left.withUTF8 { a in
            right.withUTF8 { b in
                for index in 0..<min(a.count, b.count) where a[index] != b[index] { return rank(a[index]) < rank(b[index]) }
                return a.count < b.count
            }
        }
    }

    private static func append(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { utf8 in
            var start = 0
            for (index, byte) in utf8.enumerated() where byte < 0x20 || byte == 0x22 || byte == 0x5C {
                bytes.append(contentsOf: utf8[start..<index])
                appendEscape(byte, to: &bytes)
                start = index + 1
            }
            bytes.append(contentsOf: utf8[start...])
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func appendEscape(_ byte: UInt8, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case 0x22, 0x5C: bytes.append(byte)
        case 0x08: bytes.append(UInt8(ascii: "b"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        case 0x0A: bytes.append(UInt8(ascii: "n"))
        case 0x0C: bytes.append(UInt8(ascii: "f"))
        case 0x0D: bytes.append(UInt8(ascii: "r"))
        default:
            let digits = Array("0123456789abcdef".utf8)
            bytes.append(contentsOf: "u00".utf8)
            bytes.append(digits[Int(byte >> 4)])
            bytes.append(digits[Int(byte & 15)])
        }
    }

    /// ECMA-262 Number::toString, from Swift's shortest digits, which are the same digits.
    private static func append(_ number: Double, to bytes: inout [UInt8]) {
        if number.magnitude < 9_007_199_254_740_992, number.rounded() == number {
            bytes.append(contentsOf: String(Int64(number)).utf8)
            return
        }
        var digits: [UInt8] = []
        var exponent = 0
        var pointAt: Int?
        let text = Array(number.magnitude.description.utf8)
        var index = 0
        while index < text.count {
            switch text[index] {
            case UInt8(ascii: "."): pointAt = digits.count
            case UInt8(ascii: "e"):
                exponent = Int(String(decoding: text[(index + 1)...], as: UTF8.self)) ?? 0
                index = text.count
            default: digits.append(text[index])
            }
            index += 1
        }
        // The value is 0.d1d2d3… × 10^point.
        var point = (pointAt ?? digits.count) + exponent
        while digits.count > 1, digits.first == 0x30 {
            digits.removeFirst()
            point -= 1
        }
        while digits.count > 1, digits.last == 0x30 { digits.removeLast() }
        if number < 0 { bytes.append(UInt8(ascii: "-")) }
        let zero = UInt8(ascii: "0")
        if digits.count <= point, point <= 21 {
            bytes += digits + [UInt8](repeating: zero, count: point - digits.count)
        } else if point > 0, point <= 21 {
            bytes += digits[..<point] + [UInt8(ascii: ".")] + digits[point...]
        } else if point > -6, point <= 0 {
            bytes += Array("0.".utf8) + [UInt8](repeating: zero, count: -point) + digits
        } else {
            bytes.append(digits[0])
            if digits.count > 1 { bytes += [UInt8(ascii: ".")] + digits[1...] }
            bytes += Array("e\(point > 0 ? "+" : "-")\((point - 1).magnitude)".utf8)
        }
    }
}
