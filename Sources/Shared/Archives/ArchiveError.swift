/// What is wrong with an archive, or what kept one from being written.
package struct ArchiveError: Error, Equatable, CustomStringConvertible {
    /// The kinds that callers tell apart.
    package enum Code: Sendable, Hashable {
        /// The bytes end too early.
        case truncated
        /// The bytes are not what the format says.
        case malformed
        /// Something that a transfer archive never holds: a hostile entry, data after the end.
        case refused
        /// The library has no memory, or was called wrongly.
        case library
    }

    package let code: Code
    /// The entry or frame it is about, or the format.
    package let subject: String
    package let reason: String

    package init(_ code: Code, _ subject: String, _ reason: String) {
        self.code = code
        self.subject = subject
        self.reason = reason
    }

    package var description: String { "\(subject): \(reason)" }
}
