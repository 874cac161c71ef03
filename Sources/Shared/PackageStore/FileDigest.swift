package import Integrity
package import Platform

extension SHA512 {
    /// The digest of an open file from its start to its end, read in pieces.
    package static func digest(of reader: FileReader) throws(FileSystemError) -> SHA512Digest {
        let hasher = SHA512Hasher()
        var offset: Int64 = 0
        while true {
            let piece = try reader.read(1 << 20, at: offset)
            if piece.isEmpty { return hasher.finalize() }
            hasher.update(piece)
            offset += Int64(piece.count)
        }
    }
}
