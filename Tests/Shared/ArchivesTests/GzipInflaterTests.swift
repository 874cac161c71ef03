import ArchiveSamples
import Archives
import Testing

@Suite struct GzipInflaterTests {
    /// The content in pieces, and the damage.
    private func inflate(_ bytes: [UInt8], piece: Int = 1 << 20) -> (content: [UInt8], damage: GzipDamage?) {
        inflate(bytes, piece: piece, with: GzipInflater())
    }

    private func inflate(_ bytes: [UInt8], piece: Int, with inflater: GzipInflater) -> (content: [UInt8], damage: GzipDamage?) {
        var content: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: piece) {
            bytes[start..<min(start + piece, bytes.count)].withUnsafeBytes { part in
                inflater.take(part) { content += $0 }
            }
        }
        #expect(inflater.taken == bytes.count && inflater.inflated == content.count)
        return (content, inflater.finish())
    }

    /// Text that does not compress to nothing, with repetitions near and far.
    private let content: [UInt8] = {
        var generator = SplitMix(seed: 1)
        let words = (0..<60).map { _ in (0..<5).map { _ in UInt8.random(in: 97...122, using: &generator) } }
        return (0..<70).flatMap { _ in words[Int.random(in: 0..<60, using: &generator)] + [32] }
    }()

    private static let headers: [Gzip.Header] = [nil, [], [1, 2, 3]].flatMap { extra in
        [nil, "name"].flatMap { name in
            [nil, "", "comment"].flatMap { comment in
                [false, true].map { Gzip.Header(extra: extra, name: name, comment: comment, hasChecksum: $0) }
            }
        }
    }

    @Test(arguments: [1, 2, 7, 100, 777, 1 << 20])
    func `content comes back whatever pieces it is taken in`(piece: Int) throws {
        for bytes in [Gzip.stored(content), try Gzip.compressed(content), try Gzip.compressed(content, level: 1), Gzip.stored([])] {
            let result = inflate(bytes, piece: piece)
            #expect(result.damage == nil && (result.content == content || result.content.isEmpty))
        }
        for header in Self.headers {
            let result = inflate(Gzip.stored(content, header: header), piece: piece)
            #expect(result.damage == nil && result.content == content, "\(header)")
        }
    }

    @Test func `content of many pieces comes back`() throws {
        var generator = SplitMix(seed: 2)
        let noise = (0..<400_000).map { _ in UInt8.random(in: 0...255, using: &generator) }
        let long = noise + noise.prefix(40_000) + [UInt8](repeating: 7, count: 500_000)
        for bytes in [Gzip.stored(long), try Gzip.compressed(long), try Gzip.compressed(long, level: 1)] {
            for piece in [4099, 1 << 18] {
                let result = inflate(bytes, piece: piece)
                #expect(result.damage == nil && result.content == long)
            }
        }
    }

    @Test func `every cut of a member is told as truncated`() throws {
        for bytes in [try Gzip.compressed(content)] + Self.headers.map({ Gzip.stored([1, 2, 3], header: $0) }) {
            for length in 0..<bytes.count {
                for piece in [1, bytes.count] {
                    #expect(inflate(Array(bytes[..<length]), piece: piece).damage == .truncated, "cut at \(length)")
                }
            }
        }
    }

    @Test func `no flipped bit goes unnoticed but those that say nothing of the content`() throws {
        let bytes = try Gzip.compressed(content)
        let inflater = GzipInflater()
        for position in bytes.indices {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[position] ^= 1 << UInt8(bit)
                inflater.reset()
                let result = inflate(damaged, piece: 64, with: inflater)
                // The flag of text, the time, the compressor's effort, the operating system; the bits between the data and the trailer.
                let isBehindData = position == bytes.count - 9 && bit >= 3
                let saysNothing = (position == 3 && bit == 0) || (4...9).contains(position) || isBehindData
                #expect((result.damage == nil) == saysNothing, "byte \(position), bit \(bit): \(String(describing: result.damage))")
                if saysNothing { #expect(result.content == content) }
                if (0...2).contains(position) || (position == 3 && bit >= 5) { #expect(result.damage == .notGzip) }
            }
        }
    }

    @Test func `a header's checksum covers all of the header`() {
        let header = Gzip.Header(extra: [5, 6], name: "n", comment: "c", hasChecksum: true)
        let bytes = Gzip.stored([1], header: header)
        for position in 4..<header.bytes.count {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[position] ^= 1 << UInt8(bit)
                #expect(inflate(damaged).damage != nil, "byte \(position), bit \(bit)")
            }
        }
        var damaged = bytes
        damaged[4] ^= 1
        #expect(inflate(damaged).damage == .headerChecksum)
    }

    @Test func `a wrong checksum and a wrong length are told apart`() throws {
        let bytes = try Gzip.compressed(content)
        let (checksum, length) = (Gzip.crc32(content), UInt32(content.count))
        for piece in [1, bytes.count] {
            for bit in 0..<32 {
                var damaged = bytes
                damaged[bytes.count - 8 + bit / 8] ^= 1 << UInt8(bit % 8)
                #expect(inflate(damaged, piece: piece).damage == .contentChecksum(found: checksum, stored: checksum ^ 1 << UInt32(bit)))
                damaged = bytes
                damaged[bytes.count - 4 + bit / 8] ^= 1 << UInt8(bit % 8)
                #expect(inflate(damaged, piece: piece).damage == .contentLength(found: length, stored: length ^ 1 << UInt32(bit)))
            }
        }
    }

    @Test(arguments: [1, 3, 1 << 20])
    func `members that follow one another are one content`(piece: Int) throws {
        let parts = [Gzip.stored(Array(content[..<100])), Gzip.stored([]), try Gzip.compressed(Array(content[100...]))]
        let result = inflate(parts.flatMap { $0 }, piece: piece)
        #expect(result.damage == nil && result.content == content)
    }

    @Test(arguments: [1, 3, 1 << 20])
    func `what follows the last member is counted`(piece: Int) throws {
        let bytes = try Gzip.compressed(content)
        func damage(_ tail: [UInt8]) -> GzipDamage? {
            let result = inflate(bytes + tail, piece: piece)
            #expect(result.content.starts(with: content))
            return result.damage
        }
        func trailing(_ count: Int64, isPadding: Bool = false) -> GzipDamage {
            .trailing(from: Int64(bytes.count), count: count, isPadding: isPadding)
        }
        #expect(damage([0]) == trailing(1, isPadding: true))
        #expect(damage([UInt8](repeating: 0, count: 5000)) == trailing(5000, isPadding: true))
        #expect(damage([UInt8](repeating: 0, count: 5000) + [1, 0]) == trailing(5002))
        for byte in UInt8(1)...255 where byte != 0x1F { #expect(damage([byte, 0, 0]) == trailing(3)) }
        #expect(damage([0x1F]) == trailing(1))
        #expect(damage([0x1F, 0x1F, 0x8B]) == trailing(3))
        #expect(damage([0x1F, 0x8B, 7, 0, 0]) == trailing(5))
        #expect(damage([0x1F, 0x8B, 8, 0x20] + bytes) == trailing(4 + Int64(bytes.count)))
        for length in 2..<bytes.count { #expect(damage(Array(bytes[..<length])) == .truncated) }
    }

    @Test func `a member within a member's damage is not looked for`() throws {
        var bytes = try Gzip.compressed(content)
        let whole = bytes
        bytes[bytes.count - 8] ^= 1
        let result = inflate(bytes + whole)
        #expect(result.content == content && result.damage != nil)
    }

    @Test func `random bytes end in damage, and never in a crash`() {
        var generator = SplitMix(seed: 3)
        let inflater = GzipInflater()
        for round in 0..<3000 {
            let count = Int.random(in: 0..<2000, using: &generator)
            let noise = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let start = round.isMultiple(of: 2) ? Gzip.Header().bytes : []
            inflater.reset()
            #expect(inflate(start + noise, piece: Int.random(in: 1..<500, using: &generator), with: inflater).damage != nil)
        }
    }

    @Test func `an archive of 500 MB passes through in small pieces`() {
        let member = Gzip.stored([UInt8](repeating: 1, count: 1 << 20))
        let inflater = GzipInflater()
        var largest = 0
        for _ in 0..<500 {
            for start in stride(from: 0, to: member.count, by: 1 << 18) {
                member[start..<min(start + 1 << 18, member.count)].withUnsafeBytes { part in
                    inflater.take(part) { largest = max(largest, $0.count) }
                }
            }
        }
        #expect(inflater.finish() == nil && inflater.members == 500 && inflater.inflated == 500 << 20)
        #expect(largest <= GzipInflater.pieceSize)
    }
}
