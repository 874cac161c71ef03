import Platform
import Testing

/// The order of texts by their bytes, against the standard library's own walk over them.
@Suite struct ByteOrderTests {
    private static let texts: [String] = {
        let letters = ["", "!", "-", ".", "/", "0", "a", "é", "\u{FFFD}", "\u{1F600}", "sixteen letters and more"]
        return letters.flatMap { first in letters.flatMap { second in letters.map { first + second + $0 } } }
    }()

    @Test func `texts are ordered by their bytes, and so are texts with one more byte`() {
        for left in Self.texts.indices where left % 7 == 0 {
            for right in Self.texts.indices where right % 5 == 0 {
                let (a, b) = (Self.texts[left], Self.texts[right])
                #expect(a.precedesByBytes(b) == a.utf8.lexicographicallyPrecedes(b.utf8), "\(a) \(b)")
                let isBefore = (a + "/").utf8.lexicographicallyPrecedes((b + "/").utf8)
                #expect(a.precedesByBytes(b, endingIn: UInt8(ascii: "/")) == isBefore, "\(a) \(b)")
            }
        }
    }
}
