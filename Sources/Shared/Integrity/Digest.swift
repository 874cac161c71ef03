/// A SHA-512 digest (FIPS 180-4), kept inline.
package struct SHA512Digest: Sendable, Hashable, Comparable, CustomStringConvertible {
    package static let byteCount = 64
    /// The digest of no bytes: the state root of an empty storage.
    package static let ofNothing = SHA512.digest(of: [UInt8]())

    private var words: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0, 0, 0)

    /// Takes exactly 64 bytes.
    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        withUnsafeMutableBytes(of: &words) { $0.copyBytes(from: bytes) }
    }

    /// Takes exactly 128 lower-case hexadecimal digits.
    package init?(hex: some StringProtocol) {
        self.init(hexDigits: Array(hex.utf8)[...])
    }

    /// Takes exactly 128 lower-case hexadecimal digits.
    package init?(hexDigits: ArraySlice<UInt8>) {
        guard let digest = hexDigits.withUnsafeBytes({ SHA512Digest(hexDigits: $0) }) else { return nil }
        self = digest
    }

    /// Takes exactly 128 lower-case hexadecimal digits.
    package init?(hexDigits: UnsafeRawBufferPointer) {
        guard hexDigits.count == Self.byteCount * 2 else { return nil }
        guard withUnsafeMutableBytes(of: &words, { readHex(hexDigits, into: $0) }) else { return nil }
    }

    /// Takes the padded base64 of 64 bytes.
    package init?(base64: some Collection<UInt8>) {
        guard let bytes = bytesOfBase64(base64), bytes.count == Self.byteCount else { return nil }
        self.init(bytes: bytes)
    }

    package var bytes: [UInt8] { withUnsafeBytes(of: words) { Array($0) } }
    /// Its first 8 bytes as a number, in the order of digests.
    package var leadingWord: UInt64 { UInt64(bigEndian: words.0) }
    package var hex: String { String(decoding: hexDigits(bytes), as: UTF8.self) }
    package var description: String { hex }

    /// Appends the 64 bytes.
    package func append(to output: inout [UInt8]) { withUnsafeBytes(of: words) { output.append(contentsOf: $0) } }

    /// Appends the 128 hexadecimal digits.
    package func appendHex(to output: inout [UInt8]) { withUnsafeBytes(of: words) { appendHexDigits($0, to: &output) } }

    package static func == (left: SHA512Digest, right: SHA512Digest) -> Bool {
        let (a, b) = (left.words, right.words)
        return a.0 == b.0 && a.1 == b.1 && a.2 == b.2 && a.3 == b.3 && a.4 == b.4 && a.5 == b.5 && a.6 == b.6 && a.7 == b.7
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(words.0) }

    package static func < (left: SHA512Digest, right: SHA512Digest) -> Bool { left.bytes.lexicographicallyPrecedes(right.bytes) }
}

/// A SHA-1 digest: what old packuments declare, never evidence by itself.
package struct SHA1Digest: Sendable, Hashable, CustomStringConvertible {
    package static let byteCount = 20
    package let bytes: [UInt8]

    /// Takes exactly 20 bytes.
    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = Array(bytes)
    }

    /// Takes exactly 40 lower-case hexadecimal digits.
    package init?(hex: some StringProtocol) {
        let digits = Array(hex.utf8)
        guard digits.count == Self.byteCount * 2 else { return nil }
        var bytes = [UInt8](repeating: 0, count: Self.byteCount)
        let isHex = bytes.withUnsafeMutableBytes { bytes in digits.withUnsafeBytes { readHex($0, into: bytes) } }
        guard isHex else { return nil }
        self.bytes = bytes
    }

    /// Takes the padded base64 of 20 bytes.
    package init?(base64: some Collection<UInt8>) {
        guard let bytes = bytesOfBase64(base64) else { return nil }
        self.init(bytes: bytes)
    }

    package var hex: String { String(decoding: hexDigits(bytes), as: UTF8.self) }
    package var description: String { hex }
}

private let digits: [UInt8] = Array("0123456789abcdef".utf8)

private func hexDigits(_ bytes: [UInt8]) -> [UInt8] {
    var output: [UInt8] = []
    bytes.withUnsafeBytes { appendHexDigits($0, to: &output) }
    return output
}

private func appendHexDigits(_ bytes: UnsafeRawBufferPointer, to output: inout [UInt8]) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: bytes.count * 2) { buffer in
        digits.withUnsafeBufferPointer { digits in
            for (index, byte) in bytes.enumerated() {
                buffer.initializeElement(at: index * 2, to: digits[Int(byte >> 4)])
                buffer.initializeElement(at: index * 2 + 1, to: digits[Int(byte & 15)])
            }
        }
        output.append(contentsOf: buffer)
    }
}

/// Reads two lower-case digits for each byte; false where something else stands among them.
private func readHex(_ digits: UnsafeRawBufferPointer, into bytes: UnsafeMutableRawBufferPointer) -> Bool {
    func value(_ digit: UInt8) -> UInt8 {
        switch digit {
        case 0x30...0x39: digit - 0x30
        case 0x61...0x66: digit - 0x61 + 10
        default: 0xFF
        }
    }
    var isHex = true
    for index in bytes.indices {
        let high = value(digits[index * 2])
        let low = value(digits[index * 2 + 1])
        if high | low == 0xFF { isHex = false }
        bytes[index] = high << 4 | low & 15
    }
    return isHex
}
