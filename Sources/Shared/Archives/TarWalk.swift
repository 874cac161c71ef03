/// Why bytes are not a tar that holds a package.
///
/// Offsets count the bytes that were taken, from 0.
package enum TarDamage: Sendable, Hashable {
    /// What is wrong with a header.
    package enum Fault: Sendable, Hashable {
        /// Its bytes do not add up to its checksum.
        case checksum
        /// A number in base 256 that is malformed, or beyond 2 to the 53rd.
        case number
        /// No path, a link that names no target, or a target of what is no link.
        case name
    }

    /// There is nothing, or there are only zeros.
    case noEntries
    /// Not one block is a header.
    case notTar
    /// The entry's size is below zero or no number.
    case invalidSize(at: Int64)
    /// A byte of zero is part of the file's path; nobody can create it, and npm gives up.
    case invalidPath(at: Int64)
    /// The last entry goes on beyond the end, by so many bytes.
    case truncated(entry: [UInt8], missing: Int64)
    /// So many blocks are no header where there should be one; what they belong to is lost.
    case invalidHeader(at: Int64, Fault, blocks: Int)
    /// There is no file `package.json` in the outermost directory, which alone makes it a package.
    case noManifest
}

/// Walks the structure of a tar (ustar, pax, GNU's long names) piece by piece and keeps nothing of it but the package's manifest.
///
/// It reads what npm's own tar library reads, for it is npm that will unpack it. That library takes no offence at an end without a
/// mark, nor at anything behind the mark; it passes over a block that should be a header and is not, with a warning and without the
/// entry, and that is damage here. Header sums of signed bytes, which some tars of old wrote, are wrong to it, and to this walk.
/// Any number of tars can be walked one after the other, each after a `reset()`.
package final class TarWalk {
    /// A manifest above this many bytes is not kept.
    package static let manifestLimit: Int64 = 1 << 20

    /// Files, directories, links, and whatever else has a name.
    package private(set) var entries = 0
    /// Bytes taken.
    package private(set) var taken: Int64 = 0
    /// Whether there is a file that npm would take for the package's manifest.
    package private(set) var hasManifest = false
    /// The content of that file, the last one where there are several; `nil` above the limit.
    package private(set) var manifest: [UInt8]?
    /// Bytes that are still to come of the entry under way, with what fills its last block.
    package private(set) var missing: Int64 = 0

    /// Extended headers above this many bytes are passed over.
    private static let extensionLimit: Int64 = 1 << 20
    private static let blockSize = 512

    private var step = Step.header
    /// The part of a header that has come, and then the header of the entry under way.
    private let header = UnsafeMutableRawBufferPointer.allocate(byteCount: blockSize, alignment: 16)
    private var headerCount = 0
    /// The entry's path where an extended header says it.
    private var path: [UInt8]?
    private var content: [UInt8] = []
    /// Bytes of `content` still to come.
    private var contentMissing: Int64 = 0
    private var next = Extension()
    private var globalSize: Number = .none
    private var isAfterZeroBlock = false
    private var sawZeroBlock = false
    private var sawHeader = false
    private var firstFault: (at: Int64, fault: TarDamage.Fault)?
    private var faults = 0
    /// What ends the walk before the end.
    private var refusal: TarDamage?

    /// What comes next: a header, content that is passed over, kept, or says something of the next entry, or nothing of interest.
    private enum Step: Equatable { case header, passed, manifest, extended(UInt8), over }

    private enum Number: Equatable { case none, value(Int64), invalid }

    /// What an extended header says of the next entry.
    private struct Extension {
        var path: [UInt8]?
        var size: Number = .none
    }

    package init() {}

    deinit { header.deallocate() }

    /// Forgets all that was taken.
    package func reset() {
        entries = 0
        taken = 0
        hasManifest = false
        manifest = nil
        missing = 0
        step = .header
        headerCount = 0
        path = nil
        content = []
        next = Extension()
        globalSize = .none
        isAfterZeroBlock = false
        sawZeroBlock = false
        sawHeader = false
        firstFault = nil
        faults = 0
        refusal = nil
    }

    /// Takes the next bytes.
    package func take(_ bytes: UnsafeRawBufferPointer) {
        let start = taken
        taken += Int64(bytes.count)
        var index = 0
        while index < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[index...])
            switch step {
            case .over: return
            case .header:
                let part = rest.prefix(Self.blockSize - headerCount)
                if part.count < Self.blockSize {
                    UnsafeMutableRawBufferPointer(rebasing: header[headerCount...]).copyMemory(from: UnsafeRawBufferPointer(rebasing: part))
                }
                headerCount += part.count
                index += part.count
                guard headerCount == Self.blockSize else { return }
                headerCount = 0
                let block = part.count == Self.blockSize ? UnsafeRawBufferPointer(rebasing: part) : UnsafeRawBufferPointer(header)
                readHeader(block, at: start + Int64(index - Self.blockSize))
            default:
                let count = Int(min(missing, Int64(rest.count)))
                if step != .passed {
                    let part = Int(min(contentMissing, Int64(count)))
                    content += rest.prefix(part)
                    contentMissing -= Int64(part)
                }
                missing -= Int64(count)
                index += count
                if missing == 0 { endContent() }
            }
        }
    }

    /// What the bytes are damaged by, now that there are no more.
    package func finish() -> TarDamage? {
        if let refusal { return refusal }
        guard sawHeader else { return firstFault == nil && (taken == 0 || sawZeroBlock) ? .noEntries : .notTar }
        guard missing == 0 else { return .truncated(entry: path ?? Self.path(in: UnsafeRawBufferPointer(header)), missing: missing) }
        if let firstFault { return .invalidHeader(at: firstFault.at, firstFault.fault, blocks: faults) }
        return hasManifest ? nil : .noManifest
    }

    /// Whether npm makes a package of them, now that there are no more: it may, though they are damaged.
    package var isUnpackable: Bool { hasManifest && missing == 0 && refusal == nil }

    private func endContent() {
        switch step {
        case .manifest: keepManifest()
        case .extended(let type): readExtension(type)
        default: break
        }
        step = .header
    }

    private func keepManifest() {
        hasManifest = true
        manifest = content
        content = []
    }

    // MARK: Headers

    private func readHeader(_ block: UnsafeRawBufferPointer, at offset: Int64) {
        let stored = Self.number(in: block, at: 148, length: 12)
        let sum = Self.sum(of: block)
        if sum == 256, stored == .none {
            if isAfterZeroBlock { step = .over }
            isAfterZeroBlock = true
            sawZeroBlock = true
            return
        }
        isAfterZeroBlock = false
        var type = block[156] == 0 ? UInt8(ascii: "0") : block[156]
        let fault = stored == .value(sum) ? Self.fault(in: block, type, path: next.path) : .checksum
        if let fault {
            faults += 1
            if firstFault == nil { firstFault = (offset, fault) }
            return
        }
        sawHeader = true
        let last = next.path.map { $0.last } ?? Self.text(in: block, at: 0, length: 100).last
        if type == UInt8(ascii: "0"), last == UInt8(ascii: "/") { type = UInt8(ascii: "5") }
        guard let size = size(in: block, type) else { return refuse(.invalidSize(at: offset)) }
        if Self.isExtended(type) {
            // What it says holds for the next header, be that another one of its kind.
            if size > Self.extensionLimit { begin(.passed, size, block) } else if size > 0 { begin(.extended(type), size, block) }
            return
        }
        entries += 1
        path = next.path
        next = Extension()
        let isFile = type == UInt8(ascii: "0") || type == UInt8(ascii: "7")
        if isFile, let path, Self.target(of: path)?.contains(where: { $0.contains(0) }) == true { return refuse(.invalidPath(at: offset)) }
        let isManifest = isFile && isManifest(block)
        if isManifest { manifest = nil }
        if size > 0 {
            begin(isManifest && size <= Self.manifestLimit ? .manifest : .passed, size, block)
            if isManifest, size > Self.manifestLimit { hasManifest = true }
        } else if isManifest {
            content = []
            keepManifest()
        }
    }

    private func refuse(_ damage: TarDamage) {
        refusal = damage
        step = .over
    }

    private func begin(_ step: Step, _ size: Int64, _ block: UnsafeRawBufferPointer) {
        self.step = step
        missing = (size + 511) / 512 * 512
        contentMissing = size
        content = []
        if block.baseAddress != UnsafeRawPointer(header.baseAddress) { header.copyMemory(from: block) }
    }

    /// The bytes of content; `nil` where the size is none.
    private func size(in block: UnsafeRawBufferPointer, _ type: UInt8) -> Int64? {
        if type == UInt8(ascii: "5") { return 0 }
        let sizes = [globalSize, next.size, Self.number(in: block, at: 124, length: 12)]
        switch sizes.first(where: { $0 != .none }) {
        case nil, .some(.none): return 0
        case .value(let size): return size >= 0 ? size : nil
        case .invalid: return nil
        }
    }

    private static func isExtended(_ type: UInt8) -> Bool { "gxXLNK".utf8.contains(type) }

    /// Why the library does not take a block for a header, though its sum is right.
    private static func fault(in block: UnsafeRawBufferPointer, _ type: UInt8, path: [UInt8]?) -> TarDamage.Fault? {
        let isUstar = isUstar(block)
        let count = !isUstar ? 5 : block[475] != 0 ? 7 : 9
        if numbers.prefix(count).contains(where: { number(in: block, at: $0.start, length: $0.length) == .invalid }) { return .number }
        let hasPrefix = isUstar && (block[345] != 0 || block[475] != 0)
        guard hasPrefix || path.map({ !$0.isEmpty }) ?? (block[0] != 0) else { return .name }
        let isLink = type == UInt8(ascii: "1") || type == UInt8(ascii: "2")
        return isLink == (block[157] != 0) ? nil : .name
    }

    /// Where the numbers stand: those of all tars, those of ustar, and the two that the library looks for behind a short prefix.
    private static let numbers: [(start: Int, length: Int)] = [
        (100, 8), (108, 8), (116, 8), (124, 12), (136, 12), (329, 8), (337, 8), (476, 12), (488, 12),
    ]

    private static func isUstar(_ block: UnsafeRawBufferPointer) -> Bool { block[257..<265].elementsEqual("ustar\u{0}00".utf8) }

    /// The sum of the block's bytes, those of the checksum taken for spaces.
    private static func sum(of block: UnsafeRawBufferPointer) -> Int64 {
        let evenBytes: UInt64 = 0x00FF_00FF_00FF_00FF
        // Four sums of 16 bits, each of 128 bytes.
        var sums: UInt64 = 0
        for offset in stride(from: 0, to: blockSize, by: 8) {
            let word = block.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            sums &+= (word & evenBytes) &+ (word >> 8 & evenBytes)
        }
        var sum: UInt64 = 8 * 0x20
        for lane in stride(from: UInt64(0), to: 64, by: 16) { sum += sums >> lane & 0xFFFF }
        for offset in 148..<156 { sum -= UInt64(block[offset]) }
        return Int64(sum)
    }

    /// A number in octal, as JavaScript's `parseInt` reads it, or in base 256.
    private static func number(in block: UnsafeRawBufferPointer, at start: Int, length: Int) -> Number {
        let field = UnsafeRawBufferPointer(rebasing: block[start..<start + length])
        if field[0] & 0x80 != 0 { return base256(field) }
        var index = 0
        while index < length, field[index] == 0x20 || (9...13).contains(field[index]) { index += 1 }
        var isNegative = false
        if index < length, field[index] == UInt8(ascii: "-") || field[index] == UInt8(ascii: "+") {
            isNegative = field[index] == UInt8(ascii: "-")
            index += 1
        }
        let digits = index
        var value: Int64 = 0
        while index < length, (0x30...0x37).contains(field[index]) {
            value = value << 3 | Int64(field[index] & 7)
            index += 1
        }
        if index == digits { return .none }
        return .value(isNegative ? -value : value)
    }

    private static func base256(_ field: UnsafeRawBufferPointer) -> Number {
        let isNegative = field[0] == 0xFF
        guard isNegative || field[0] == 0x80 else { return .invalid }
        let high = field[1..<(field.count - 7)]
        guard high.allSatisfy({ $0 == (isNegative ? 0xFF : 0) }) else { return .invalid }
        var value: Int64 = isNegative ? -1 : 0
        for byte in field.suffix(7) { value = value << 8 | Int64(byte) }
        return abs(value) < 1 << 53 ? .value(value) : .invalid
    }

    // MARK: Names

    /// The bytes before the first zero.
    ///
    /// To the library, what stands behind a line feed after that zero is text again; no writer of tars leaves anything there.
    private static func text(in block: UnsafeRawBufferPointer, at start: Int, length: Int) -> Slice<UnsafeRawBufferPointer> {
        block[start..<start + length].prefix { $0 != 0 }
    }

    /// The path that the header itself gives.
    private static func path(in block: UnsafeRawBufferPointer) -> [UInt8] {
        let name = text(in: block, at: 0, length: 100)
        guard isUstar(block) else { return Array(name) }
        let prefix = text(in: block, at: 345, length: block[475] != 0 ? 155 : 130)
        return prefix.isEmpty && block[475] == 0 ? Array(name) : prefix + [UInt8(ascii: "/")] + name
    }

    private static let manifestName = Array("package.json".utf8)

    /// Whether npm would write this entry to `package.json`.
    private func isManifest(_ block: UnsafeRawBufferPointer) -> Bool {
        let name = Self.manifestName
        if path == nil, !Self.text(in: block, at: 0, length: 100).suffix(name.count).elementsEqual(name) { return false }
        let target = Self.target(of: path ?? Self.path(in: block))
        return target?.count == 1 && target?.first == name[...]
    }

    /// The parts of the path that npm would write an entry to, which leaves out the first part; `nil` where it would write none.
    private static func target(of path: [UInt8]) -> [ArraySlice<UInt8>]? {
        let parts = path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        // An absolute path loses its slashes only.
        let isAbsolute = path.first == UInt8(ascii: "/")
        let rest = isAbsolute ? parts[...] : parts.dropFirst()
        if rest.dropFirst(isAbsolute ? 1 : 0).contains(Array("..".utf8)[...]) { return nil }
        if !isAbsolute, rest.count > 1, rest.first?.isEmpty == true { return nil }
        return rest.filter { !$0.isEmpty && $0 != [UInt8(ascii: ".")] }
    }

    // MARK: Extended headers

    private func readExtension(_ type: UInt8) {
        switch type {
        case UInt8(ascii: "L"), UInt8(ascii: "N"): next.path = Array(content.prefix { $0 != 0 })
        case UInt8(ascii: "K"): break
        default: readRecords(isGlobal: type == UInt8(ascii: "g"))
        }
        content = []
    }

    /// Reads pax records, `length key=value` and a line feed; the library leaves out those with a line feed in their value, or with
    /// bytes that are not UTF-8, in place of which it counts what stands for them.
    private func readRecords(isGlobal: Bool) {
        for line in content.split(separator: UInt8(ascii: "\n")) {
            let digits = line.prefix { (0x30...0x39).contains($0) }
            let length = String(decoding: line, as: UTF8.self).utf8.count + 1
            guard digits.count < 8, Int(String(decoding: digits, as: UTF8.self)) == length else { continue }
            let record = line.dropFirst(digits.count + 1)
            let key = record.prefix { $0 != UInt8(ascii: "=") }
            let value = record.dropFirst(key.count + 1)
            if key.elementsEqual("size".utf8) {
                if isGlobal { globalSize = Self.decimal(value) } else { next.size = Self.decimal(value) }
            } else if key.elementsEqual("path".utf8), !isGlobal {
                next.path = value.isEmpty ? nil : Array(value)
            }
        }
    }

    /// Zero and an empty value say nothing, to the library.
    private static func decimal(_ text: ArraySlice<UInt8>) -> Number {
        if text.isEmpty { return .none }
        var value: Int64 = 0
        for digit in text {
            guard (0x30...0x39).contains(digit) else { return .invalid }
            value = min(value * 10 + Int64(digit & 15), 1 << 56)
        }
        return value == 0 ? .none : .value(value)
    }
}
