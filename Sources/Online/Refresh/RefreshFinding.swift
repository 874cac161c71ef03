import Registries

/// What a person should know of a refresh.
package struct RefreshFinding: Sendable, Hashable, CustomStringConvertible {
    /// What it means for the cache.
    package enum Severity: String, Sendable {
        /// Good to know.
        case note
        /// It is so upstream, and no later run will make it otherwise by itself.
        case warning
        /// The cache is not complete because of it; running again may help.
        case failure
    }

    /// What was found.
    ///
    /// The raw values are the words used in JSON and never change their meaning.
    package enum Code: String, Sendable, CaseIterable {
        /// Verdaccio gave no answer.
        case verdaccioUnreachable = "verdaccio-unreachable"
        /// Verdaccio wants another token.
        case accessDenied = "access-denied"
        /// Verdaccio answered with an error of its own.
        case verdaccioError = "verdaccio-error"
        /// Upstream is well, and Verdaccio takes its uplink for offline.
        case uplinkOffline = "uplink-offline"
        /// Upstream gives no answer.
        case upstreamUnreachable = "upstream-unreachable"
        /// Upstream's answer is of no use.
        case upstreamFault = "upstream-fault"
        /// Verdaccio answered from its old copy, and nobody says why.
        case oldCopy = "old-copy"
        /// Upstream has the package no more.
        case goneUpstream = "gone-upstream"
        /// Upstream's answer is older than what Verdaccio holds.
        case upstreamBehind = "upstream-behind"
        /// The packument in storage cannot be used.
        case packumentInvalid = "packument-invalid"
        /// A version entry, or a part of one, cannot be used.
        case versionInvalid = "version-invalid"
        /// Nothing satisfies what is asked for.
        case noSuchVersion = "no-such-version"
        /// No registry has the package.
        case noSuchPackage = "no-such-package"
        /// A dependency on a repository, an address or a file.
        case foreignDependency = "foreign-dependency"
        /// A dependency that cannot be understood.
        case invalidDependency = "invalid-dependency"
        /// A version that runs on none of the platforms.
        case wrongPlatform = "wrong-platform"
        /// `overrides` that npm does not heed in a dependency.
        case overridesIgnored = "overrides-ignored"
        /// Upstream has the tarball no more.
        case tarballGone = "tarball-gone"
        /// The bytes are not those that were published; they were removed again.
        case tarballMismatch = "tarball-mismatch"
        /// The tarball broke off or stopped coming.
        case tarballCut = "tarball-cut"
        /// No bytes came.
        case tarballEmpty = "tarball-empty"
        /// Verdaccio serves no file of that name.
        case tarballNameRefused = "tarball-name-refused"
        /// The bytes came and Verdaccio did not keep them.
        case tarballNotKept = "tarball-not-kept"
        /// The packument says nothing the bytes could be proved by.
        case tarballUnproven = "tarball-unproven"

        package var severity: Severity {
            switch self {
            case .wrongPlatform, .overridesIgnored, .tarballUnproven, .upstreamBehind: .note
            case .goneUpstream, .versionInvalid, .noSuchVersion, .noSuchPackage, .foreignDependency, .invalidDependency, .tarballGone,
                .tarballNameRefused:
                .warning
            default: .failure
            }
        }
    }

    package let code: Code
    /// The package, version or file it is about.
    package let subject: String
    /// What was seen, in words.
    package let message: String
    package let severity: Severity

    /// - Parameter severity: where it matters less than it does by itself.
    init(_ code: Code, _ subject: String, _ message: String, severity: Severity? = nil) {
        self.code = code
        self.subject = subject
        self.message = message
        self.severity = severity ?? code.severity
    }

    package var description: String { "\(severity.rawValue): \(subject): \(message) [\(code.rawValue)]" }
}

extension RefreshFinding.Code {
    init(_ code: PackumentFault.Code) {
        self =
            switch code {
            case .verdaccioUnreachable: .verdaccioUnreachable
            case .accessDenied: .accessDenied
            case .verdaccioError: .verdaccioError
            case .uplinkOffline: .uplinkOffline
            case .upstreamUnreachable: .upstreamUnreachable
            case .upstreamFault: .upstreamFault
            case .oldCopy: .oldCopy
            case .goneUpstream: .goneUpstream
            case .noSuchPackage: .noSuchPackage
            }
    }

    init(_ code: TarballFault.Code) {
        self =
            switch code {
            case .verdaccioUnreachable: .verdaccioUnreachable
            case .accessDenied: .accessDenied
            case .verdaccioError: .verdaccioError
            case .uplinkOffline: .uplinkOffline
            case .upstreamFault: .upstreamFault
            case .gone: .tarballGone
            case .mismatch: .tarballMismatch
            case .cut: .tarballCut
            case .empty: .tarballEmpty
            case .nameRefused: .tarballNameRefused
            case .notKept: .tarballNotKept
            }
    }
}
