import CISAL

/// Why bytes are not gzip members from their start to their end.
///
/// Offsets count the bytes that were taken, from 0.
package enum GzipDamage: Sendable, Hashable {
    /// The first bytes are no gzip header.
    case notGzip
    /// The bytes end inside a member.
    case truncated
    /// No compressor wrote such data; what is wrong lies before the offset.
    case corrupt(before: Int64)
    /// A header's own checksum is wrong.
    case headerChecksum
    /// The content is not the one that was compressed, by its CRC-32.
    case contentChecksum(found: UInt32, stored: UInt32)
    /// The content is not as long as the one that was compressed, modulo 2 to the 32nd.
    case contentLength(found: UInt32, stored: UInt32)
    /// After the last member something else follows up to the end; `isPadding` where it is zeros only.
    case trailing(from: Int64, count: Int64, isPadding: Bool)
}

/// Decodes gzip (RFC 1952) piece by piece, never holding more than one piece of the content.
///
/// Members that follow one another are one content. What comes after the last is told as `trailing`: Node's zlib, and so npm, takes a
/// zero byte there for padding and looks no further, and refuses anything else that is not a member. Any number of streams can be
/// decoded one after the other, each after a `reset()`.
package final class GzipInflater {
    /// Bytes of content handed out at once, at most.
    package static let pieceSize = 128 * 1024

    /// What is wrong with the bytes taken so far; that they end too early only `finish()` knows.
    package private(set) var damage: GzipDamage?
    /// Bytes taken.
    package private(set) var taken: Int64 = 0
    /// Bytes of content handed out.
    package private(set) var inflated: Int64 = 0
    /// Members that were whole.
    package private(set) var members = 0

    private let state = UnsafeMutablePointer<inflate_state>.allocate(capacity: 1)
    private let output = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceSize, alignment: 64)
    private var step = Step.fixed
    /// Bytes of this step that were taken, and those that make a number, the first one lowest.
    private var count = 0
    private var number: UInt64 = 0
    private var flags: UInt8 = 0
    private var headerCRC: UInt32 = 0
    private var memberStart: Int64 = 0
    private var memberInflated: Int64 = 0

    /// The parts of a member in their order, and what may come after the last member.
    private enum Step { case fixed, extraLength, extra, name, comment, headerCRC, deflate, trailer, padding, over }

    private enum Flag {
        static let headerCRC: UInt8 = 2
        static let extra: UInt8 = 4
        static let name: UInt8 = 8
        static let comment: UInt8 = 16
        static let reserved: UInt8 = 0xE0
    }

    package init() { reset() }

    deinit {
        state.deallocate()
        output.deallocate()
    }

    /// Forgets all that was taken.
    package func reset() {
        isal_inflate_init(state)
        // The CRC-32 is computed on the way; header and trailer are read here, where it is told apart what is wrong with them.
        state.pointee.crc_flag = UInt32(ISAL_GZIP_NO_HDR)
        damage = nil
        taken = 0
        inflated = 0
        members = 0
        beginMember()
    }

    /// Takes the next bytes and hands their content to `body` in pieces that are valid only there.
    ///
    /// After damage nothing more is handed out.
    package func take(_ bytes: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void) {
        var index = 0
        while index < bytes.count {
            switch step {
            case .over:
                taken += Int64(bytes.count - index)
                return
            case .deflate:
                index += inflate(UnsafeRawBufferPointer(rebasing: bytes[index...]), body)
            default:
                let byte = bytes[index]
                index += 1
                taken += 1
                if step == .trailer { takeTrailer(byte) } else if step == .padding { takePadding(byte) } else { takeHeader(byte) }
            }
        }
    }

    /// What the bytes are damaged by, now that there are no more.
    package func finish() -> GzipDamage? {
        if let damage {
            guard case .trailing(let start, _, let isPadding) = damage else { return damage }
            return .trailing(from: start, count: taken - start, isPadding: isPadding)
        }
        guard members > 0, step == .fixed, count < 2 else { return .truncated }
        return count == 0 ? nil : .trailing(from: memberStart, count: Int64(count), isPadding: false)
    }

    private func beginMember() {
        isal_inflate_reset(state)
        memberStart = taken
        memberInflated = 0
        headerCRC = 0
        flags = 0
        enter(.fixed)
    }

    private func enter(_ step: Step) {
        self.step = step
        count = 0
        number = 0
    }

    private func fail(_ damage: GzipDamage) {
        self.damage = damage
        step = .over
    }

    private func takeHeader(_ byte: UInt8) {
        if step != .headerCRC { headerCRC = withUnsafeBytes(of: byte) { Self.crc32(headerCRC, $0) } }
        switch step {
        case .fixed: takeFixed(byte)
        case .extraLength:
            if takeNumber(byte, of: 2) {
                let length = Int(number)
                if length == 0 { return leaveHeader(after: .extraLength) }
                enter(.extra)
                count = length
            }
        case .extra:
            count -= 1
            if count == 0 { leaveHeader(after: .extraLength) }
        case .headerCRC:
            if takeNumber(byte, of: 2) {
                if number == UInt64(headerCRC & 0xFFFF) { leaveHeader(after: .headerCRC) } else { fail(.headerChecksum) }
            }
        default: if byte == 0 { leaveHeader(after: step) }
        }
    }

    /// The ten bytes that every header has: magic, method, flags, time, and two that say little.
    private func takeFixed(_ byte: UInt8) {
        let isRight =
            switch count {
            case 0: byte == 0x1F
            case 1: byte == 0x8B
            case 2: byte == 8
            case 3: byte & Flag.reserved == 0
            default: true
            }
        guard isRight else {
            guard members > 0 else { return fail(.notGzip) }
            let isPadding = count == 0 && byte == 0
            damage = .trailing(from: memberStart, count: taken - memberStart, isPadding: isPadding)
            step = isPadding ? .padding : .over
            return
        }
        if count == 3 { flags = byte }
        count += 1
        if count == 10 { leaveHeader(after: .fixed) }
    }

    /// Goes on with the next part that the flags say there is.
    private func leaveHeader(after part: Step) {
        let rest = Self.optionalParts.drop { part != .fixed && $0.step != part }
        enter(rest.dropFirst(part == .fixed ? 0 : 1).first { flags & $0.flag != 0 }?.step ?? .deflate)
    }

    private static let optionalParts: [(step: Step, flag: UInt8)] = [
        (.extraLength, Flag.extra), (.name, Flag.name), (.comment, Flag.comment), (.headerCRC, Flag.headerCRC),
    ]

    private func takeNumber(_ byte: UInt8, of length: Int) -> Bool {
        number |= UInt64(byte) << UInt64(8 * count)
        count += 1
        return count == length
    }

    /// Returns how many of the bytes were taken: all, or those up to where the compressed data ends.
    ///
    /// ISA-L decodes incomplete Huffman codes, too, which zlib refuses and no compressor writes; the checksum judges what comes of them.
    private func inflate(_ bytes: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void) -> Int {
        let input = UnsafeRawBufferPointer(rebasing: bytes.prefix(1 << 30)).assumingMemoryBound(to: UInt8.self)
        let start = taken
        state.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
        state.pointee.avail_in = UInt32(input.count)
        while true {
            let before = state.pointee.avail_in
            state.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
            state.pointee.avail_out = UInt32(output.count)
            let code = isal_inflate(state)
            let produced = output.count - Int(state.pointee.avail_out)
            let left = state.pointee.avail_in
            let used = input.count - Int(left)
            taken = start + Int64(used)
            if produced > 0 {
                inflated += Int64(produced)
                memberInflated += Int64(produced)
                body(UnsafeRawBufferPointer(rebasing: output[..<produced]))
            }
            if state.pointee.block_state == ISAL_BLOCK_FINISH {
                beginTrailer()
            } else if code != ISAL_DECOMP_OK || (produced == 0 && left == before && left > 0) {
                fail(.corrupt(before: taken))
            } else if left > 0 || produced == output.count {
                continue
            }
            return used
        }
    }

    /// ISA-L reads up to eight bytes ahead, which are the trailer's.
    private func beginTrailer() {
        enter(.trailer)
        let bits = UInt64(max(state.pointee.read_in_length, 0))
        number = state.pointee.read_in >> (bits % 8)
        count = Int(bits / 8)
        if count < 8 { number &= 1 << UInt64(8 * count) - 1 }
        if count == 8 { checkTrailer() }
    }

    private func takeTrailer(_ byte: UInt8) { if takeNumber(byte, of: 8) { checkTrailer() } }

    private func checkTrailer() {
        let (checksum, length) = (UInt32(truncatingIfNeeded: number), UInt32(truncatingIfNeeded: number >> 32))
        let found = state.pointee.crc
        let foundLength = UInt32(truncatingIfNeeded: memberInflated)
        guard checksum == found else { return fail(.contentChecksum(found: found, stored: checksum)) }
        guard length == foundLength else { return fail(.contentLength(found: foundLength, stored: length)) }
        members += 1
        beginMember()
    }

    private func takePadding(_ byte: UInt8) {
        guard byte != 0, case .trailing(let start, let count, _) = damage else { return }
        fail(.trailing(from: start, count: count, isPadding: false))
    }

    private static func crc32(_ start: UInt32, _ bytes: UnsafeRawBufferPointer) -> UInt32 {
        crc32_gzip_refl(start, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt64(bytes.count))
    }
}
