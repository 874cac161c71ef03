import Archives
import Catalog

/// Reads the structure of one tarball after the other, piece by piece.
final class StructureReader {
    private let inflater = GzipInflater()
    private let walk = TarWalk()
    private var start: [UInt8] = []
    private var taken: Int64 = 0
    private var isGzip = true
    /// The first bytes are kept, to say what a file is that is no gzip.
    private static let startSize = 512

    /// Forgets the tarball read before.
    func begin() {
        inflater.reset()
        walk.reset()
        start = []
        taken = 0
        isGzip = true
    }

    /// Takes the next bytes of the file; those of the first call decide whether it is gzip.
    func take(_ bytes: UnsafeRawBufferPointer) {
        if taken == 0 { start = Array(bytes.prefix(Self.startSize)) }
        if isGzip { inflater.take(bytes) { walk.take($0) } }
        if taken == 0, inflater.damage == .notGzip { isGzip = false }
        // npm reads a tar that is not compressed, too.
        if !isGzip { walk.take(bytes) }
        taken += Int64(bytes.count)
    }

    /// What the file is, now that all of it was taken.
    func finish(keepingManifest keepsManifest: Bool) -> Structure {
        let gzipDamage = inflater.finish()
        let tarDamage = walk.finish()
        var isPadded = false
        var isReadable = !isGzip
        let damage: Damage?
        switch gzipDamage {
        case _ where taken == 0: damage = Damage(.empty, "zero bytes")
        case nil:
            isReadable = true
            damage = tarDamage.map { Damage(.badTar, Self.words($0)) }
        case .trailing(let offset, let count, let isPadding):
            isReadable = isPadding
            isPadded = isPadding && tarDamage == nil
            let what = isPadding ? "\(count) zero bytes" : "\(count) bytes"
            let trailing = Damage(.trailingBytes, "\(what) after the end of the archive at byte \(offset)")
            damage = tarDamage.map { Damage(.badTar, Self.words($0)) } ?? trailing
        case .notGzip: damage = Damage(.notGzip, "it is not gzip: \(guess(tarDamage))")
        case .truncated: damage = Damage(.truncated, truncation)
        case .corrupt(let offset):
            damage = Damage(.corruptData, "the compressed data is damaged at or before byte \(offset) of \(taken)")
        case .headerChecksum: damage = Damage(.checksum, "the checksum of the gzip header is wrong")
        case .contentChecksum(let found, let stored):
            damage = Damage(.checksum, "the checksum of the content is wrong: \(Self.hex(found)) instead of \(Self.hex(stored))")
        case .contentLength(let found, let stored):
            damage = Damage(.checksum, "the length of the content is wrong: \(found) bytes instead of \(stored)")
        }
        return Structure(
            damage: damage, isPadded: isPadded, isUnpackable: isReadable && walk.isUnpackable, entries: walk.entries,
            inflatedBytes: inflater.inflated, manifest: keepsManifest ? walk.manifest : nil)
    }

    private var truncation: String {
        guard inflater.inflated > 0 else { return "ends after \(taken) bytes, before any content" }
        let inflated = "ends after \(taken) bytes, which inflate to \(inflater.inflated)"
        return walk.missing > 0 ? "\(inflated) of at least \(inflater.inflated + walk.missing)" : inflated
    }

    /// What a file is that is no gzip.
    private func guess(_ tarDamage: TarDamage?) -> String {
        let isText: (UInt8) -> Bool = { $0 != 0x20 && $0 != 0x09 && $0 != 0x0A && $0 != 0x0D }
        let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let text = (start.starts(with: byteOrderMark) ? start.dropFirst(3) : start[...]).drop { !isText($0) }
        switch text.first {
        case _ where tarDamage == nil: return "a tar that is not compressed; was it decompressed on its way?"
        case nil: return "white space"
        case UInt8(ascii: "<"): return "it is HTML, a portal page?"
        case UInt8(ascii: "{"), UInt8(ascii: "["): return "it is JSON, a registry's answer?"
        case 0 where start.allSatisfy { $0 == 0 }:
            return start.count == taken ? "it is zeros only" : "it begins with \(start.count) zeros, as a file does that a power cut spoilt"
        default: return "it begins with \(start.prefix(4).map { Self.hex($0) }.joined(separator: " "))"
        }
    }

    private static func words(_ damage: TarDamage) -> String {
        switch damage {
        case .noEntries: "the tar holds no entry"
        case .notTar: "what is compressed is not a tar"
        case .invalidSize(let offset): "the tar's entry at byte \(offset) has no valid size"
        case .invalidPath(let offset): "the path of the tar's entry at byte \(offset) holds a byte of zero"
        case .truncated(let entry, let missing):
            "the tar ends inside \"\(String(decoding: entry, as: UTF8.self))\", \(missing) bytes too early"
        case .invalidHeader(let offset, let fault, let blocks):
            "the tar's header at byte \(offset) is invalid (\(words(fault))), and \(blocks) blocks in all belong to no entry"
        case .noManifest: "the tar holds no package.json of a package"
        }
    }

    private static func words(_ fault: TarDamage.Fault) -> String {
        switch fault {
        case .checksum: "its checksum is wrong"
        case .number: "a number is malformed"
        case .name: "it has no name, or a link's name in the wrong place"
        }
    }

    private static func hex(_ number: some FixedWidthInteger) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: number.bitWidth / 4 - digits.count) + digits
    }
}

/// What the bytes of a tarball are by themselves, whatever was published.
struct Structure {
    let damage: Damage?
    /// Whether the damage is no more than zeros after the end.
    let isPadded: Bool
    let isUnpackable: Bool
    let entries: Int
    let inflatedBytes: Int64
    let manifest: [UInt8]?
}
