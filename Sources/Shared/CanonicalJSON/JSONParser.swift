/// Why bytes are not the JSON that was asked for, and where.
package struct JSONError: Error, Equatable, CustomStringConvertible {
    /// What is wrong, in words.
    package let reason: String
    /// The offset of the byte at which it showed.
    package let offset: Int

    package var description: String { "not valid json at byte \(offset): \(reason)" }
}

/// Reads one JSON text (RFC 8259).
package struct JSONParser {
    /// How much is forgiven.
    package enum Mode: Sendable {
        /// Our own documents: no repeated name, no lone surrogate, no invalid UTF-8.
        case strict
        /// What JavaScript accepts: the last of repeated names counts, text that is not Unicode gets replacement characters.
        case likeJavaScript
    }

    /// Which members of one member of the whole are wanted.
    package struct Selection {
        /// The member, an object, of the outermost object.
        package let member: String
        /// Whether a member of that object is wanted.
        package let isWanted: (String) -> Bool
        /// Whether a member of such a member is wanted, where that is an object; `nil` where all are.
        package let isWantedInside: ((String) -> Bool)?

        package init(
            of member: String, where isWanted: @escaping (String) -> Bool = { _ in true }, inside isWantedInside: ((String) -> Bool)? = nil
        ) {
            self.member = member
            self.isWanted = isWanted
            self.isWantedInside = isWantedInside
        }
    }

    private let bytes: UnsafeBufferPointer<UInt8>
    private let mode: Mode
    private let selection: Selection?
    private let depthLimit: Int
    private var position = 0

    /// Parses exactly one value with nothing but white space around it, nested at most `depthLimit` deep.
    ///
    /// - Throws: `JSONError`.
    package static func parse(
        _ bytes: UnsafeRawBufferPointer, mode: Mode, depthLimit: Int = 128, selection: Selection? = nil
    ) throws(JSONError) -> JSONValue {
        var parser = JSONParser(
            bytes: bytes.assumingMemoryBound(to: UInt8.self), mode: mode, depthLimit: depthLimit, selection: selection)
        let value = try parser.value(depth: 0)
        parser.skipWhiteSpace()
        guard parser.position == bytes.count else { throw parser.failure("text after the value") }
        return value
    }

    /// Parses exactly one value with nothing but white space around it, nested at most `depthLimit` deep.
    ///
    /// - Parameter selection: leaves members out; they are passed over at several times the speed, and of their text only quotes and
    ///   brackets are looked at.
    /// - Throws: `JSONError`.
    package static func parse(
        _ bytes: [UInt8], mode: Mode, depthLimit: Int = 128, selection: Selection? = nil
    ) throws(JSONError) -> JSONValue {
        let result: Result<JSONValue, JSONError> = bytes.withUnsafeBytes { buffer in
            do throws(JSONError) {
                return .success(try parse(buffer, mode: mode, depthLimit: depthLimit, selection: selection))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private init(bytes: UnsafeBufferPointer<UInt8>, mode: Mode, depthLimit: Int, selection: Selection?) {
        self.selection = selection
        self.bytes = bytes
        self.mode = mode
        self.depthLimit = depthLimit
    }

    private func failure(_ reason: String) -> JSONError { JSONError(reason: reason, offset: position) }

    private mutating func skipWhiteSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        guard depth < depthLimit else { throw failure("nested more than \(depthLimit) deep") }
        skipWhiteSpace()
        guard position < bytes.count else { throw failure("the text ends where a value should begin") }
        switch bytes[position] {
        case UInt8(ascii: "{"): return .object(try object(depth: depth))
        case UInt8(ascii: "["): return .array(try array(depth: depth))
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        default: return try number()
        }
    }

    private mutating func literal(_ text: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
        let length = text.utf8CodeUnitCount
        guard position + length <= bytes.count else { throw failure("the text ends inside a word") }
        for index in 0..<length where bytes[position + index] != text.utf8Start[index] {
            throw failure("an unknown word")
        }
        position += length
        return value
    }

    private mutating func object(
        depth: Int, isWanted: ((String) -> Bool)? = nil, inside: ((String) -> Bool)? = nil
    ) throws(JSONError) -> JSONObject {
        position += 1
        var members: [(name: String, value: JSONValue)] = []
        skipWhiteSpace()
        if consume(UInt8(ascii: "}")) { return JSONObject() }
        while true {
            skipWhiteSpace()
            guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { throw failure("a member needs a name") }
            let name = try string()
            skipWhiteSpace()
            guard consume(UInt8(ascii: ":")) else { throw failure("a colon is missing") }
            if let isWanted, !isWanted(name) {
                try passOver()
            } else if depth == 0, let selection, name == selection.member, isAtObject() {
                guard depth + 1 < depthLimit else { throw failure("nested more than \(depthLimit) deep") }
                let inner = try object(depth: depth + 1, isWanted: selection.isWanted, inside: selection.isWantedInside)
                members.append((name, .object(inner)))
            } else if let inside, isAtObject() {
                guard depth + 1 < depthLimit else { throw failure("nested more than \(depthLimit) deep") }
                members.append((name, .object(try object(depth: depth + 1, isWanted: inside))))
            } else {
                members.append((name, try value(depth: depth + 1)))
            }
            skipWhiteSpace()
            if consume(UInt8(ascii: ",")) { continue }
            guard consume(UInt8(ascii: "}")) else { throw failure("an object does not end") }
            return JSONObject(uniqueMembers: try unique(members))
        }
    }

    private mutating func isAtObject() -> Bool {
        skipWhiteSpace()
        return position < bytes.count && bytes[position] == UInt8(ascii: "{")
    }

    /// Moves behind a value without making anything of it.
    private mutating func passOver() throws(JSONError) {
        var depth = 0
        skipWhiteSpace()
        let start = position
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position += 1
                while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
                    position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
                }
                guard position < bytes.count else { throw failure("a string does not end") }
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if depth == 0 { return try refuseEmpty(from: start) }
                depth -= 1
            case UInt8(ascii: ",") where depth == 0: return try refuseEmpty(from: start)
            default: break
            }
            position += 1
        }
        throw failure("the text ends inside a value")
    }

    private func refuseEmpty(from start: Int) throws(JSONError) {
        guard position > start else { throw failure("a value is missing") }
    }

    private func unique(
        _ members: [(name: String, value: JSONValue)]
    ) throws(JSONError) -> [(name: String, value: JSONValue)] {
        var places: [JSONName: Int] = [:]
        if members.count <= 8 {
            var isUnique = true
            for index in members.indices.dropFirst() {
                for earlier in 0..<index where JSONName(members[earlier].name) == JSONName(members[index].name) { isUnique = false }
            }
            if isUnique { return members }
        }
        places.reserveCapacity(members.count)
        var result: [(name: String, value: JSONValue)] = []
        result.reserveCapacity(members.count)
        for member in members {
            if let place = places[JSONName(member.name)] {
                guard mode == .likeJavaScript else { throw failure("the member \"\(member.name)\" stands twice") }
                result[place].value = member.value
            } else {
                places[JSONName(member.name)] = result.count
                result.append(member)
            }
        }
        return result
    }

    private mutating func array(depth: Int) throws(JSONError) -> [JSONValue] {
        position += 1
        var elements: [JSONValue] = []
        skipWhiteSpace()
        if consume(UInt8(ascii: "]")) { return [] }
        while true {
            elements.append(try value(depth: depth + 1))
            skipWhiteSpace()
            if consume(UInt8(ascii: ",")) { continue }
            guard consume(UInt8(ascii: "]")) else { throw failure("an array does not end") }
            return elements
        }
    }

    private mutating func consume(_ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    /// A number; one that no double holds is `null` to JavaScript's `JSON.stringify`, and so it is here.
    private mutating func number() throws(JSONError) -> JSONValue {
        let start = position
        var small: Int64 = 0
        let isNegative = consume(UInt8(ascii: "-"))
        let firstDigit = position
        while position < bytes.count, bytes[position] >= 0x30, bytes[position] <= 0x39 {
            if position - firstDigit < 15 { small = small * 10 + Int64(bytes[position] - 0x30) }
            position += 1
        }
        let digits = position - firstDigit
        guard digits > 0 else {
            position = start
            throw failure("an unexpected character")
        }
        guard digits == 1 || bytes[firstDigit] != 0x30 else { throw failure("a number starts with 0") }
        let isInteger =
            position == bytes.count
            || (bytes[position] != UInt8(ascii: ".") && bytes[position] | 0x20 != UInt8(ascii: "e"))
        if isInteger, digits <= 15 { return .number(isNegative ? -Double(small) : Double(small)) }
        if consume(UInt8(ascii: ".")) { try digitRun() }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            if !consume(UInt8(ascii: "-")) { _ = consume(UInt8(ascii: "+")) }
            try digitRun()
        }
        guard let value = Double(String(decoding: bytes[start..<position], as: UTF8.self)), value.isFinite else {
            guard mode == .likeJavaScript else { throw failure("a number out of range") }
            return .null
        }
        return .number(value)
    }

    private mutating func digitRun() throws(JSONError) {
        let start = position
        while position < bytes.count, bytes[position] >= 0x30, bytes[position] <= 0x39 { position += 1 }
        guard position > start else { throw failure("a digit is missing") }
    }

    private mutating func string() throws(JSONError) -> String {
        position += 1
        let start = position
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                let text = try decoded(bytes[start..<position])
                position += 1
                return text
            }
            if byte == UInt8(ascii: "\\") { return try escapedString(from: start) }
            guard byte >= 0x20 else { throw failure("a control character in a string") }
            position += 1
        }
        throw failure("a string does not end")
    }

    private func decoded(_ slice: some Collection<UInt8>) throws(JSONError) -> String {
        guard mode == .strict else { return String(decoding: slice, as: UTF8.self) }
        guard let text = String(validating: slice, as: UTF8.self) else { throw failure("a string that is not utf-8") }
        return text
    }

    private mutating func escapedString(from start: Int) throws(JSONError) -> String {
        var text = Array(bytes[start..<position])
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return try decoded(text)
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0..<0x20: throw failure("a control character in a string")
            default: text.append(byte)
            }
        }
        throw failure("a string does not end")
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONError) {
        guard position < bytes.count else { throw failure("a string does not end") }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text.append(contentsOf: String(try unicodeEscape()).utf8)
        default: throw failure("an unknown escape")
        }
    }

    private mutating func unicodeEscape() throws(JSONError) -> Character {
        let first = try hexUnit()
        if let scalar = Unicode.Scalar(first) { return Character(scalar) }
        let isPair =
            first < 0xDC00 && position + 1 < bytes.count && bytes[position] == UInt8(ascii: "\\")
            && bytes[position + 1] == UInt8(ascii: "u")
        if isPair {
            let mark = position
            position += 2
            let second = try hexUnit()
            if second >= 0xDC00, second <= 0xDFFF {
                let code = 0x10000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) - 0xDC00)
                if let scalar = Unicode.Scalar(code) { return Character(scalar) }
            }
            position = mark
        }
        guard mode == .likeJavaScript else { throw failure("half of a surrogate pair") }
        return "\u{FFFD}"
    }

    private mutating func hexUnit() throws(JSONError) -> UInt16 {
        guard position + 4 <= bytes.count else { throw failure("the text ends inside an escape") }
        var value: UInt16 = 0
        for byte in bytes[position..<(position + 4)] {
            let digit: UInt8
            switch byte {
            case 0x30...0x39: digit = byte - 0x30
            case 0x41...0x46: digit = byte - 0x41 + 10
            case 0x61...0x66: digit = byte - 0x61 + 10
            default: throw failure("an escape that is not hexadecimal")
            }
            value = value << 4 | UInt16(digit)
        }
        position += 4
        return value
    }
}
