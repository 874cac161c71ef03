import Integrity
import Testing

struct SHA512LanesTests {
    @Test(arguments: [
        (
            "",
            "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"
        ),
        (
            "abc",
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
        ),
        (
            "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
            "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909"
        ),
        (
            String(repeating: "a", count: 1_000_000),
            "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973ebde0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b"
        ),
    ]) func `NIST's examples come out in every lane`(message: String, digest: String) {
        let copies = [[UInt8]](repeating: Array(message.utf8), count: 11)
        #expect(SHA512.digests(of: copies).map(\.hex) == [String](repeating: digest, count: 11))
        #expect(SHA512.digests(of: copies.prefix(1).map { $0 }).map(\.hex) == [digest])
    }

    @Test(.enabled(if: SHA512.lanes >= 4, "this processor has no AVX2: four lanes did not run"))
    func `four lanes agree with libcrypto`() { expectAgreement(lanes: 4) }

    @Test(.enabled(if: SHA512.lanes >= 8, "this processor has no AVX-512: eight lanes did not run"))
    func `eight lanes agree with libcrypto`() { expectAgreement(lanes: 8) }

    @Test func `fewer than four lanes are libcrypto's`() { expectAgreement(lanes: 0) }

    @Test func `messages that come piece by piece agree with libcrypto`() {
        var bytes = PatternedBytes(seed: 5)
        for count in 1...SHA512Streams.limit {
            for last in [0, 1, 111, 112, 127, 128, 300] {
                let messages = (0..<count).map { bytes.next(count: 128 * (3 + 2 * $0) + last) }
                var streams = SHA512Streams(count: count)
                var digests = [SHA512Digest](repeating: .ofNothing, count: count)
                var taken = 0
                // Those that are left take two blocks more in every round; one message ends in each.
                for (round, ending) in messages.indices.enumerated() {
                    let places = Array(messages.indices.dropFirst(round))
                    let blocks = round == 0 ? 3 : 2
                    withPointers(to: places.map { Array(messages[$0].dropFirst(taken)) }) { streams.update(places, $0, blocks: blocks) }
                    taken += blocks * SHA512Streams.blockSize
                    digests[ending] = messages[ending].dropFirst(taken).withUnsafeBytes { streams.finalize(ending, $0) }
                }
                #expect(digests == messages.map { SHA512.digest(of: $0) }, "\(count) messages, \(last) bytes after their blocks")
            }
        }
    }

    private func withPointers(to messages: [[UInt8]], after pointers: [UnsafeRawPointer] = [], _ body: ([UnsafeRawPointer]) -> Void) {
        guard let message = messages.first else { return body(pointers) }
        message.withUnsafeBytes { bytes in
            withPointers(to: Array(messages.dropFirst()), after: pointers + [bytes.baseAddress].compactMap { $0 }, body)
        }
    }

    @Test func `no messages have no digests`() {
        #expect(SHA512.digests(of: [[UInt8]]()).isEmpty)
        #expect(SHA512.digests(of: [UnsafeRawBufferPointer]()).isEmpty)
    }

    @Test func `more messages than a batch holds keep their order`() {
        var bytes = PatternedBytes(seed: 3)
        let messages = (0..<500).map { bytes.next(count: $0 * 7919 % 613) }
        #expect(SHA512.digests(of: messages) == messages.map { SHA512.digest(of: $0) })
    }

    /// Every length up to 300, each edge of a block, and sets of lengths that leave lanes at different times.
    private func expectAgreement(lanes: Int) {
        var bytes = PatternedBytes(seed: 1)
        expectAgreement(lanes: lanes, (0...300).map { bytes.next(count: $0) })
        expectAgreement(lanes: lanes, (0...300).map { bytes.next(count: $0) }.reversed())
        let edges = [111, 112, 113, 127, 128, 129, 239, 240, 241, 255, 256, 257, 1023, 1024, 1025]
        for length in edges {
            for count in 1...9 { expectAgreement(lanes: lanes, (0..<count).map { _ in bytes.next(count: length) }) }
        }
        for _ in 0..<40 {
            let count = Int(bytes.next() % 24)
            let limit = [200, 3_000, 50_000][Int(bytes.next() % 3)]
            expectAgreement(lanes: lanes, (0..<count).map { _ in bytes.next(count: Int(bytes.next()) * 65_537 % limit) })
        }
        expectAgreement(lanes: lanes, [90_000, 3, 0, 7].map { bytes.next(count: $0) })
        expectAgreement(lanes: lanes, [50_000, 49_999, 3].map { bytes.next(count: $0) })
    }

    private func expectAgreement(lanes: Int, _ messages: [[UInt8]]) {
        // One buffer for all, so that the messages begin at odd addresses and end against each other.
        let joined = messages.flatMap { $0 }
        joined.withUnsafeBytes { buffer in
            var start = 0
            let slices = messages.map { message in
                defer { start += message.count }
                return UnsafeRawBufferPointer(rebasing: buffer[start..<(start + message.count)])
            }
            let expected = messages.map { SHA512.digest(of: $0) }
            #expect(SHA512.digests(of: slices, lanes: lanes) == expected, "lengths \(messages.map(\.count))")
        }
    }
}

/// Bytes that look random and are the same in every run (SplitMix64).
private struct PatternedBytes {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt8 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return UInt8(truncatingIfNeeded: word >> 33)
    }

    mutating func next(count: Int) -> [UInt8] { (0..<count).map { _ in next() } }
}
