/// The eight bytes that say which key a signature was made with.
///
/// They are a hint for finding the key, not evidence.
package struct MinisignKeyID: Hashable, Sendable, CustomStringConvertible {
    /// The bytes as they stand in the files.
    let bytes: [UInt8]

    init(bytes: some Collection<UInt8>) {
        precondition(bytes.count == 8, "a minisign key id has eight bytes")
        self.bytes = Array(bytes)
    }

    /// As `minisign` prints it: the little-endian number in upper-case hexadecimal, without leading zeros.
    package var description: String {
        String(bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }, radix: 16, uppercase: true)
    }
}
