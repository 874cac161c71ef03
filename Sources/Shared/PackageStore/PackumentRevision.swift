package import CanonicalJSON
package import Integrity

/// The `_rev` of a stored packument, `<count>-<hex digits>`: Verdaccio makes the count one higher with every write.
///
/// It tells whether a packument goes back to one that was written before: a later one, or one restored from a backup.
package struct PackumentRevision: Sendable, Hashable {
    package let text: String
    private let count: UInt64

    /// Reads any text; what does not begin with a number below 2^53 counts as 0.
    package init(_ text: String) {
        self.text = text
        count = UInt64(text.prefix { $0 != "-" }).flatMap { $0 < 1 << 53 ? $0 : nil } ?? 0
    }

    /// The revision of a packument with that content, written over this one.
    package func next(content: SHA512Digest) -> PackumentRevision {
        PackumentRevision("\(count + 1)-\(content.hex.prefix(16))")
    }

    /// Whether this is that revision, or one written later over it.
    package func follows(_ other: PackumentRevision) -> Bool { self == other || count > other.count }
}

extension JSONObject {
    /// The revision a packument says it is.
    package var revision: PackumentRevision { PackumentRevision(self["_rev"]?.string ?? "") }
}
