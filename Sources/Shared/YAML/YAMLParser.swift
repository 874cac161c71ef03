import Yams

/// Why bytes are not the YAML that was asked for, and where.
package struct YAMLError: Error, Equatable, CustomStringConvertible {
    /// What is wrong, in words.
    package let reason: String
    /// The line on which it showed, the first being 1; `nil` where that is not known.
    package let line: Int?

    package var description: String { "not valid yaml\(line.map { " on line \($0)" } ?? ""): \(reason)" }
}

/// Reads the documents of one YAML stream.
package struct YAMLParser {
    /// What becomes of `*name`, which stands for a value that was given before.
    package enum Aliases: Sendable {
        /// A file that others wrote: few bytes of aliases can stand for more than any memory holds.
        case refused
        /// A file of one's own: each alias is its value, up to a million values in all.
        case expanded
    }

    private static let valueLimit = 1_000_000
    private let depthLimit: Int
    private var valuesLeft: Int

    /// Parses every document, nested at most `depthLimit` deep; none where there is no more than white space and comments.
    ///
    /// A key that stands twice is refused, and bytes that are not UTF-8 get replacement characters.
    ///
    /// - Throws: `YAMLError`.
    package static func parse(_ bytes: [UInt8], aliases: Aliases, depthLimit: Int = 64) throws(YAMLError) -> [YAMLNode] {
        if aliases == .refused, let line = lineOfAlias(in: bytes) { throw YAMLError(reason: "aliases are not read here", line: line) }
        var parser = YAMLParser(depthLimit: depthLimit, valuesLeft: aliases == .refused ? .max : valueLimit)
        var documents: [YAMLNode] = []
        do {
            // Without rules for types keys differ by their texts alone.
            let yams = try Parser(yaml: String(decoding: bytes, as: UTF8.self), resolver: .basic, encoding: .utf8)
            while let root = try yams.nextRoot() { documents.append(try parser.node(root, depth: 0)) }
        } catch let error as YAMLError {
            throw error
        } catch {
            throw YAMLError(error)
        }
        return documents
    }

    private mutating func node(_ node: Node, depth: Int) throws(YAMLError) -> YAMLNode {
        let line = node.mark?.line ?? 1
        guard depth < depthLimit else { throw YAMLError(reason: "nested more than \(depthLimit) deep", line: line) }
        guard valuesLeft > 0 else { throw YAMLError(reason: "aliases stand for more than \(Self.valueLimit) values", line: line) }
        valuesLeft -= 1
        switch node {
        case .scalar(let scalar):
            let isPlain = scalar.style == .plain && scalar.tag != Tag(.str)
            return YAMLNode(content: .scalar(scalar.string, isPlain: isPlain), line: line)
        case .sequence(let sequence):
            var elements: [YAMLNode] = []
            for element in sequence { elements.append(try self.node(element, depth: depth + 1)) }
            return YAMLNode(content: .sequence(elements), line: line)
        case .mapping(let mapping):
            var members: [(key: YAMLNode, value: YAMLNode)] = []
            for (key, value) in mapping {
                members.append((try self.node(key, depth: depth + 1), try self.node(value, depth: depth + 1)))
            }
            return YAMLNode(content: .mapping(members), line: line)
        case .alias: throw YAMLError(reason: "an alias has no value", line: line)
        }
    }

    /// The line of the first `*name` behind an `&name`, of which every alias is one.
    ///
    /// The parser itself can be made to work without end by aliases in keys, hence before it runs. Text that merely looks like both is
    /// taken for an alias, too.
    private static func lineOfAlias(in bytes: [UInt8]) -> Int? {
        var anchors: Set<ArraySlice<UInt8>> = []
        var line = 1
        var before = UInt8(ascii: "\n")
        for (index, byte) in bytes.enumerated() {
            defer { before = byte }
            if byte == UInt8(ascii: "\n") { line += 1 }
            guard byte == UInt8(ascii: "&") || byte == UInt8(ascii: "*"), !isWordByte(before) else { continue }
            let name = bytes[(index + 1)...].prefix(while: isWordByte)
            guard !name.isEmpty else { continue }
            if byte == UInt8(ascii: "&") { anchors.insert(name) } else if anchors.contains(name) { return line }
        }
        return nil
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}

extension YAMLError {
    /// What Yams threw, in one line.
    fileprivate init(_ error: any Error) {
        switch error as? YamlError {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            self.init(reason: context.map { "\($0.text), \(problem)" } ?? problem, line: mark.line)
        case .reader(let problem, let offset, _, let yaml):
            self.init(reason: problem, line: offset.map { yaml.prefix($0).count { $0.isNewline } + 1 })
        case .duplicatedKeysInMapping(let keys, let context):
            self.init(reason: "the key \"\(keys.first ?? "")\" stands twice", line: context.mark.line)
        default: self.init(reason: "\(error)", line: nil)
        }
    }
}
