package import Platform
package import Snapshots

/// What the generation of an import is called: the import's number, when it began and its bundle, `000042-20261128T074500Z-b-…`.
package struct GenerationName: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let text: String
    /// The bundle of the import.
    package let bundle: Identifier

    package init(import id: Int64, started: Timestamp, bundle: Identifier) {
        self.bundle = bundle
        let number = String(id)
        text = "\(String(repeating: "0", count: max(0, 6 - number.count)))\(number)-\(started.compact)-\(bundle)"
    }

    /// Accepts a name in its only spelling.
    package init?(_ text: String) {
        let parts = text.split(separator: "-", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, (6...19).contains(parts[0].utf8.count), parts[0].utf8.allSatisfy(Self.isDigit), parts[1].utf8.count == 16,
            parts[1].utf8.enumerated().allSatisfy({ Self.isMoment($0.offset, $0.element) }),
            let bundle = Identifier(String(parts[2]), .bundle)
        else { return nil }
        self.bundle = bundle
        self.text = text
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private static func isMoment(_ place: Int, _ byte: UInt8) -> Bool {
        place == 8 ? byte == UInt8(ascii: "T") : place == 15 ? byte == UInt8(ascii: "Z") : isDigit(byte)
    }

    package var description: String { text }

    package static func < (left: GenerationName, right: GenerationName) -> Bool { left.text < right.text }
}
