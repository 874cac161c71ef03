import Archives
import CanonicalJSON
package import Integrity
import Platform
import Snapshots
import SystemPackage

/// The end of a bundle's archive: chunk table, descriptor, signatures and trailer, each in a skippable frame (FORMAT.md §6).
package struct BundleTail: Sendable {
    package let descriptor: BundleDescriptor
    /// What is signed.
    package let descriptorBytes: [UInt8]
    /// The signatures as they stand there; what they are worth is for others to say.
    package let signatures: [MinisignSignature]
    /// The digest of each chunk of the covered bytes.
    package let chunks: [SHA512Digest]

    private static let trailerLength = 112
    private static let headerLength = 8
    private static let magic = Array("FERRYEND".utf8)
    /// Largest number of signatures.
    package static let signatureLimit = 16

    /// The bytes of the tail of a new bundle, whose descriptor is complete.
    package static func bytes(
        descriptor: BundleDescriptor, signatures: [MinisignSignature], chunkTable: [UInt8]
    ) -> [UInt8] {
        let signed = Array(signatures.map(\.fileText).joined().utf8)
        let described = descriptor.bytes
        var trailer = magic
        for word in [UInt32(TransferFormat.version), 0] { withUnsafeBytes(of: word.littleEndian) { trailer.append(contentsOf: $0) } }
        for length in [descriptor.coveredLength, Int64(chunkTable.count), Int64(described.count), Int64(signed.count)] {
            withUnsafeBytes(of: length.littleEndian) { trailer.append(contentsOf: $0) }
        }
        SHA512.digest(of: described + signed).append(to: &trailer)
        return ZstdFrameWriter.skippableFrame(variant: 0, payload: chunkTable)
            + ZstdFrameWriter.skippableFrame(variant: 1, payload: described)
            + ZstdFrameWriter.skippableFrame(variant: 2, payload: signed)
            + ZstdFrameWriter.skippableFrame(variant: 3, payload: trailer)
    }

    /// Reads and checks the tail: steps 1, 2 and 5 of FORMAT.md §6.3.
    ///
    /// Nothing of it is trusted yet.
    ///
    /// - Throws: `BundleError`, or `FileSystemError` where the medium cannot be read.
    package init(of source: ArchiveSource) throws {
        let place = source.paths.first?.lastComponent?.string ?? "archive"
        func refuse(_ code: BundleError.Code, _ reason: String) -> BundleError { BundleError(code, "\"\(place)\"", reason) }
        let trailerFrame = Int64(Self.headerLength + Self.trailerLength)
        guard source.length > trailerFrame else { throw refuse(.notABundle, "too short for a bundle; cut off, or another kind of file") }
        let payload = try Self.payload(of: source, variant: 3, length: Int64(Self.trailerLength), at: source.length - trailerFrame)
        guard let payload, payload.starts(with: Self.magic) else {
            throw refuse(.notABundle, "no trailer at its end; cut off, or another kind of file")
        }
        let version = Self.number(payload, at: 8, width: 4)
        guard version <= TransferFormat.version else {
            throw refuse(
                .newer, "it is of format version \(version), from a newer program; this one reads version \(TransferFormat.version)")
        }
        guard version == TransferFormat.version, Self.number(payload, at: 12, width: 4) == 0 else {
            throw refuse(.malformed, "its trailer is of an unknown version; this program reads version \(TransferFormat.version)")
        }
        let covered = Self.number(payload, at: 16, width: 8)
        let tableLength = Self.number(payload, at: 24, width: 8)
        let descriptorLength = Self.number(payload, at: 32, width: 8)
        let signatureLength = Self.number(payload, at: 40, width: 8)
        guard covered > 0, covered <= 16 << 40, descriptorLength > 0, descriptorLength <= BundleDescriptor.sizeLimit,
            (0...Int64(BundleDescriptor.sizeLimit)).contains(signatureLength),
            tableLength == (covered + BundleDescriptor.chunkSize - 1) / BundleDescriptor.chunkSize * Int64(SHA512Digest.byteCount),
            covered + tableLength + descriptorLength + signatureLength + 3 * Int64(Self.headerLength) + trailerFrame == source.length
        else { throw refuse(.damaged, "the lengths in its trailer do not add up to its \(source.length) bytes; damaged or cut off") }
        let tableStart = covered
        let descriptorStart = tableStart + Int64(Self.headerLength) + tableLength
        let signatureStart = descriptorStart + Int64(Self.headerLength) + descriptorLength
        guard let table = try Self.payload(of: source, variant: 0, length: tableLength, at: tableStart),
            let described = try Self.payload(of: source, variant: 1, length: descriptorLength, at: descriptorStart),
            let signed = try Self.payload(of: source, variant: 2, length: signatureLength, at: signatureStart)
        else { throw refuse(.damaged, "a frame of its tail is damaged") }
        guard SHA512.digest(of: described + signed).bytes.elementsEqual(payload[48...]) else {
            throw refuse(.damaged, "the digest of its descriptor and signatures is wrong")
        }
        let descriptor = try BundleDescriptor(parsing: described)
        guard descriptor.coveredLength == covered else { throw refuse(.damaged, "descriptor and trailer disagree on its length") }
        guard SHA512.digest(of: table) == descriptor.chunkTableDigest else { throw refuse(.damaged, "its chunk table is damaged") }
        signatures = try MinisignSignature.readAll(String(decoding: signed, as: UTF8.self))
        guard signatures.count <= Self.signatureLimit else { throw refuse(.tooLarge, "more than \(Self.signatureLimit) signatures") }
        self.descriptor = descriptor
        descriptorBytes = described
        chunks = stride(from: 0, to: table.count, by: SHA512Digest.byteCount).compactMap {
            SHA512Digest(bytes: table[$0..<($0 + SHA512Digest.byteCount)])
        }
    }

    /// The chunk table as bytes.
    package var chunkTable: [UInt8] {
        var bytes: [UInt8] = []
        for chunk in chunks { chunk.append(to: &bytes) }
        return bytes
    }

    private static func payload(of source: ArchiveSource, variant: UInt8, length: Int64, at offset: Int64) throws -> [UInt8]? {
        let frame = try source.read(headerLength + Int(length), at: offset)
        guard frame.count == headerLength + Int(length), number(frame, at: 0, width: 4) == 0x184D_2A50 + Int64(variant),
            number(frame, at: 4, width: 4) == length
        else { return nil }
        return Array(frame[headerLength...])
    }

    private static func number(_ bytes: [UInt8], at offset: Int, width: Int) -> Int64 {
        Int64(truncatingIfNeeded: bytes[offset..<(offset + width)].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }
}
