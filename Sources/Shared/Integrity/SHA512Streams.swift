import CSHA512Lanes

/// SHA-512 of several messages that come piece by piece, digested side by side.
///
/// With lanes to do it in (`SHA512.lanes`), eight messages take about as long as one and a half do one after the other.
package struct SHA512Streams: Sendable {
    /// What pieces are counted in, in bytes; FIPS 180-4 calls it a block.
    package static let blockSize = 128
    /// How many messages there may be.
    package static let limit = 8

    private var states: [[UInt64]]
    private var lengths: [UInt64]

    /// - Parameter count: of the messages, at most `limit`.
    package init(count: Int) {
        precondition(count <= Self.limit)
        states = (0..<count).map { _ in
            var state = [UInt64](repeating: 0, count: 8)
            csha512_begin(&state)
            return state
        }
        lengths = [UInt64](repeating: 0, count: count)
    }

    /// Takes the next blocks of some of the messages, as many of each.
    ///
    /// - Parameters:
    ///   - messages: their places, each once.
    ///   - starts: where the blocks of each lie.
    ///   - blocks: how many of them are taken.
    package mutating func update(_ messages: [Int], _ starts: [UnsafeRawPointer], blocks: Int) {
        var taken = messages.flatMap { states[$0] }
        csha512_take(&taken, starts.map { $0.assumingMemoryBound(to: UInt8.self) }, messages.count, blocks)
        for (place, message) in messages.enumerated() {
            states[message] = Array(taken[place * 8..<place * 8 + 8])
            lengths[message] += UInt64(blocks * Self.blockSize)
        }
    }

    /// Takes the last bytes of a message, of any number, and makes its digest; nothing of it may be taken afterwards.
    package mutating func finalize(_ message: Int, _ last: UnsafeRawBufferPointer) -> SHA512Digest {
        lengths[message] += UInt64(last.count)
        var bytes = [UInt8](repeating: 0, count: SHA512Digest.byteCount)
        csha512_end(
            &states[message], last.baseAddress?.assumingMemoryBound(to: UInt8.self), last.count, lengths[message], &bytes)
        guard let digest = SHA512Digest(bytes: bytes) else { preconditionFailure("a SHA-512 digest has 64 bytes") }
        return digest
    }
}
