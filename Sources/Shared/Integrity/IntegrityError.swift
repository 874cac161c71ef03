/// A key or signature that cannot be used.
package struct IntegrityError: Error, Equatable, CustomStringConvertible {
    /// The kinds that callers tell apart.
    package enum Code: Sendable, Hashable {
        /// The text is not what minisign writes.
        case malformed
        /// The secret key is encrypted and no passphrase was given.
        case passphraseNeeded
        /// The passphrase does not open the key.
        case wrongPassphrase
        /// The machine lacks the memory to derive the key from its passphrase; nothing is known about either.
        case keyDerivation
        /// A comment that would break the file's lines.
        case unusableComment
    }

    package let code: Code
    /// What it is about, such as `public key`.
    package let subject: String
    package let reason: String

    init(_ code: Code, _ subject: String, _ reason: String) {
        self.code = code
        self.subject = subject
        self.reason = reason
    }

    package var description: String { "the \(subject) cannot be used: \(reason)" }
}
