import BundleFormat

/// How an archive is cut into volumes (FORMAT.md §8).
package struct VolumeCut: Sendable, Hashable {
    /// A piece of the archive, under the name that it has on a medium.
    package struct Volume: Sendable, Hashable {
        /// The first is 1.
        package let number: Int
        package let name: String
        /// Where it begins in the archive.
        package let offset: Int64
        /// Bytes.
        package let size: Int64
    }

    /// Of FAT32, which counts the bytes of a file in 32 bits, in whole chunks.
    package static let ofFAT: Int64 = 4 << 30 - BundleDescriptor.chunkSize

    package let label: String
    /// Bytes of the archive.
    package let length: Int64
    /// Bytes of every volume but the last.
    package let volumeSize: Int64

    /// - Parameter volumeSize: `nil` for an archive that is not cut.
    /// - Throws: `MediumWriter.Refusal.badVolumeSize`.
    package init(_ label: String, length: Int64, volumeSize: Int64?) throws(MediumWriter.Refusal) {
        let size = volumeSize ?? length
        guard length > 0, size > 0, volumeSize == nil || size % BundleDescriptor.chunkSize == 0,
            (length - 1) / size < Medium.volumeLimit
        else { throw .badVolumeSize(size) }
        self.label = label
        self.length = length
        self.volumeSize = size
    }

    /// A size of volumes that wastes little of each of several media, and is the same whenever it is asked for.
    package static func spreading(_ length: Int64, largestVolume: Int64?) -> Int64 {
        let chunk = BundleDescriptor.chunkSize
        func whole(_ bytes: Int64) -> Int64 { Int64(chunks(of: bytes)) * chunk }
        let size = max(min(whole(length / 64), 1 << 30), whole(length / Int64(Medium.volumeLimit)), chunk)
        return min(size, largestVolume ?? size)
    }

    /// How many chunks so many bytes are, the last of which may be short.
    package static func chunks(of bytes: Int64) -> Int { Int((bytes + BundleDescriptor.chunkSize - 1) / BundleDescriptor.chunkSize) }

    package var isCut: Bool { volumeSize < length }
    package var count: Int { Int((length - 1) / volumeSize) + 1 }

    package var volumes: [Volume] { (1...count).map { volume($0) } }

    /// The volume of a number from 1 to `count`.
    package func volume(_ number: Int) -> Volume {
        let offset = Int64(number - 1) * volumeSize
        let digits = String(String(number + 1000).dropFirst())
        return Volume(
            number: number, name: "\(label).tar.zst\(isCut ? ".\(digits)" : "")", offset: offset, size: min(volumeSize, length - offset))
    }
}
