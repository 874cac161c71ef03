import CanonicalJSON
import PackageStore
import YAML

extension LockfileContents {
    /// `yarn.lock` since Yarn 2: entries by their descriptors, each with the locator it was resolved to.
    mutating func readYarnBerry(_ document: YAMLNode, _ metadata: YAMLNode) throws(LockfileError) -> Lockfile.Format {
        let written = metadata["version"]?.text ?? ""
        guard let version = Int(written), (4...10).contains(version) else {
            throw failure("version \"\(written)\" of yarn's lockfile is not known", line: metadata.line)
        }
        for (key, value) in document.members ?? [] where key.text != "__metadata" {
            guard let entry = key.text, let locator = value["resolution"]?.text else {
                throw failure("\"\(key.text ?? "")\" has no \"resolution\"", line: key.line)
            }
            guard let (name, reference) = locator.nameAndRest else {
                throw failure("\"\(locator)\" is not a locator", line: value.line)
            }
            addLocator(name, reference, entry: entry)
        }
        return .yarnBerry(version)
    }

    /// Takes `name@npm:1.2.3`, or what a `name@patch:…` of it is made from.
    private mutating func addLocator(_ name: some StringProtocol, _ reference: some StringProtocol, entry: String) {
        if reference.hasPrefix("workspace:") { return }
        if reference.hasPrefix("npm:") {
            add(name, reference.dropFirst(4).prefix { $0 != ":" }, integrity: nil, entry: entry)
        } else if PackageVersion(String(reference)) != nil {
            add(name, reference, integrity: nil, entry: entry)
        } else if reference.hasPrefix("patch:") {
            let original = Self.percentDecoded(reference.dropFirst(6).prefix { $0 != "#" })
            guard let (name, reference) = original.nameAndRest else { return report(.unknownSource, entry) }
            addLocator(name, reference, entry: entry)
        } else {
            report(LockfileFinding.code(ofSource: reference) ?? .url, entry)
        }
    }

    private static func percentDecoded(_ text: some StringProtocol) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            if byte == UInt8(ascii: "%"), digits.utf8.count == 2, let decoded = UInt8(digits, radix: 16) {
                bytes.append(decoded)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// `yarn.lock` of Yarn 1, in a format of its own: an entry's descriptors, and below them, by two spaces, its fields.
    mutating func readYarnClassic(_ bytes: [UInt8]) throws(LockfileError) {
        var entry: (descriptors: [String], fields: [String: String], line: Int)?
        var isInBlock = false
        var number = 0
        for text in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            var rest = text.last == UInt8(ascii: "\r") ? text.dropLast() : text
            let indentation = rest.prefix { $0 == UInt8(ascii: " ") }.count
            rest = rest.dropFirst(indentation)
            if rest.isEmpty || rest.first == UInt8(ascii: "#") { continue }
            let line = try classicLine(rest, number)
            switch (indentation, line.opensBlock, line.words.count) {
            case (0, true, _):
                if let entry { try addClassic(entry.descriptors, entry.fields, line: entry.line) }
                entry = (line.words, [:], number)
                isInBlock = false
            case (2, true, 1) where entry != nil: isInBlock = true
            case (2, false, 2) where entry != nil:
                entry?.fields[line.words[0]] = line.words[1]
                isInBlock = false
            case (4, false, 2) where isInBlock: break
            default: throw failure("this is not yarn's format", line: number)
            }
        }
        if let entry { try addClassic(entry.descriptors, entry.fields, line: entry.line) }
    }

    /// The words of a line: `a, "b":` opens a block, `a "b"` is a field.
    private func classicLine(_ text: ArraySlice<UInt8>, _ number: Int) throws(LockfileError) -> (words: [String], opensBlock: Bool) {
        let opensBlock = text.last == UInt8(ascii: ":")
        let separator = opensBlock ? ", " : " "
        var words: [String] = []
        var rest = opensBlock ? text.dropLast() : text
        while true {
            let isQuoted = rest.first == UInt8(ascii: "\"")
            let end =
                isQuoted ? Self.endOfString(rest) : rest.firstIndex { $0 <= 0x20 || [0x22, 0x2C, 0x3A].contains($0) } ?? rest.endIndex
            let written = rest[..<(end ?? rest.startIndex)]
            let word = isQuoted ? try? JSONParser.parse(Array(written), mode: .strict).string : String(decoding: written, as: UTF8.self)
            guard let word, !written.isEmpty else { throw failure("a word is missing or not ended", line: number) }
            words.append(word)
            rest = rest[written.endIndex...]
            if rest.isEmpty { return (words, opensBlock) }
            guard rest.starts(with: separator.utf8) else { throw failure("this is not yarn's format", line: number) }
            rest = rest.dropFirst(separator.utf8.count)
        }
    }

    /// The index behind the closing quote; `nil` where there is none.
    private static func endOfString(_ text: ArraySlice<UInt8>) -> Int? {
        var index = text.startIndex + 1
        while index < text.endIndex, text[index] != UInt8(ascii: "\"") { index += text[index] == UInt8(ascii: "\\") ? 2 : 1 }
        return index < text.endIndex ? index + 1 : nil
    }

    private mutating func addClassic(_ descriptors: [String], _ fields: [String: String], line: Int) throws(LockfileError) {
        let entry = descriptors.joined(separator: ", ")
        guard let version = fields["version"] else { throw failure("\"\(entry)\" has no \"version\"", line: line) }
        for descriptor in descriptors {
            var (name, range) = descriptor.nameAndRest ?? (descriptor[...], "")
            if range.hasPrefix("npm:") {
                (name, range) = range.dropFirst(4).nameAndRest ?? (range.dropFirst(4), "")
            }
            // An offline mirror's `resolved` is a file name, and a directory's is missing: then the range tells.
            let resolved = fields["resolved"].flatMap { $0.contains(":") ? $0[...] : nil }
            let source = resolved ?? (range.contains(":") || range.contains("/") ? range : nil)
            if let code = source.flatMap({ LockfileFinding.code(ofSource: $0) }) { return report(code, entry) }
            add(name, version, integrity: fields["integrity"], entry: entry)
        }
    }
}
