/// Why a bundle cannot be read or written.
///
/// Reading a bundle changes nothing but drafts; whoever gets this error still has the storage as it was.
package struct BundleError: Error, Equatable, CustomStringConvertible {
    /// The kinds that callers tell apart.
    package enum Code: String, Sendable, Hashable {
        /// No bundle's tail at the end of the file: cut off, or another kind of file.
        case notABundle = "not-a-bundle"
        /// A digest or length is wrong.
        case damaged
        /// A document is not what FORMAT.md says.
        case malformed
        /// A newer program wrote it, in a form that this one does not know.
        case newer
        /// Something no bundle of ours holds: links, devices, names, undeclared or missing entries, bombs.
        case hostile
        /// A limit of FORMAT.md §2 is exceeded.
        case tooLarge = "too-large"
        /// While writing: a file of the snapshot is gone, or is not what it was.
        case sourceChanged = "source-changed"
    }

    package let code: Code
    /// The file, entry or byte range it is about.
    package let subject: String
    package let reason: String

    package init(_ code: Code, _ subject: String, _ reason: String) {
        self.code = code
        self.subject = subject
        self.reason = reason
    }

    package var description: String { "\(subject): \(reason)" }
}
