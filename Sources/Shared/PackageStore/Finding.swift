/// Something in a storage that a person should know, and that did not stop the work.
package struct Finding: Sendable, Hashable, CustomStringConvertible {
    /// How bad it is.
    package enum Severity: String, Sendable, Hashable {
        /// Good to know; nothing is left out because of it.
        case note
        /// A file or version is left out.
        case warning
        /// A whole package is left out.
        case error
    }

    /// What was found.
    ///
    /// The raw values are the words used in JSON and never change their meaning.
    package enum Code: String, Sendable, Hashable, CaseIterable {
        case strayEntry = "stray-entry"
        case emptyDirectory = "empty-directory"
        case symbolicLink = "symbolic-link"
        case invalidName = "invalid-name"
        case misplacedPackage = "misplaced-package"
        case ambiguousPackage = "ambiguous-package"
        case unreadable = "unreadable"
        case changedWhileRead = "changed-while-read"
        case leftover = "leftover"
        case packumentMissing = "packument-missing"
        case packumentEmpty = "packument-empty"
        case packumentInvalid = "packument-invalid"
        case packumentTooLarge = "packument-too-large"
        case nameMismatch = "name-mismatch"
        case versionInvalid = "version-invalid"
        case tarballUndeclared = "tarball-undeclared"
        case tarballMismatch = "tarball-mismatch"
        case tarballDamaged = "tarball-damaged"
        case tarballTooLarge = "tarball-too-large"
        case tarballUnproven = "tarball-unproven"
        case tarballOdd = "tarball-odd"
        case tarballShared = "tarball-shared"
        case versionWithdrawn = "version-withdrawn"

        /// How bad it is wherever it is found.
        package var severity: Severity {
            switch self {
            case .strayEntry, .emptyDirectory, .leftover, .tarballUnproven, .tarballOdd: .note
            case .symbolicLink, .versionInvalid, .tarballUndeclared, .tarballMismatch, .tarballDamaged, .tarballTooLarge, .tarballShared,
                .versionWithdrawn, .changedWhileRead, .unreadable, .invalidName:
                .warning
            case .misplacedPackage, .ambiguousPackage, .packumentMissing, .packumentEmpty, .packumentInvalid, .packumentTooLarge,
                .nameMismatch:
                .error
            }
        }
    }

    package let code: Code
    /// The file, directory or version it is about.
    package let subject: String
    /// What was seen, in words.
    package let message: String

    package init(_ code: Code, _ subject: String, _ message: String) {
        self.code = code
        self.subject = subject
        self.message = message
    }

    /// An entry whose name is not UTF-8: it is listed with replacement characters, and nothing stands at that name.
    package static func notUTF8(_ subject: String) -> Finding {
        Finding(.invalidName, subject, "the name is not UTF-8; it does not travel")
    }

    package var severity: Severity { code.severity }

    package var description: String { "\(severity.rawValue): \(subject): \(message) [\(code.rawValue)]" }
}
