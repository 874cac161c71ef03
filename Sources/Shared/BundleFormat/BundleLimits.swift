import SystemPackage

/// What a writer must not exceed, for no reader would take it (FORMAT.md §2).
package struct BundleLimits: Sendable {
    /// Files, and removed entries, each.
    package var files = Int(BundleCounts.fileLimit)
    /// Bytes of each document of the leading frame.
    package var document: Int64 = 2 << 30
    /// Covered bytes.
    package var covered: Int64 = 16 << 40

    package init() {}

    func check(_ count: Int, _ what: String) throws(BundleError) {
        guard count <= files else { throw BundleError(.tooLarge, "the bundle", "more than \(files) \(what); start from a newer baseline") }
    }

    func check(length: Int64, of path: FilePath) throws(BundleError) {
        guard length <= document else {
            throw BundleError(.tooLarge, "the bundle", "its \"\(path.lastComponent?.string ?? "")\" has more than \(document) bytes")
        }
    }

    /// Checks what an archive may come to: headers and padding of a tar, and what zstd adds to bytes that do not shrink.
    func check(_ counts: BundleCounts, documents: Int64) throws(BundleError) {
        let plain = counts.bytes + documents + Int64(counts.files + 8) * 2048
        guard plain + plain >> 8 <= covered else {
            throw BundleError(.tooLarge, "the bundle", "\(counts.bytes) bytes of files; an archive holds at most \(covered) bytes")
        }
    }
}
