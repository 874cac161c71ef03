/// Why a packument in storage was not refreshed.
package struct PackumentFault: Sendable, Equatable {
    package enum Code: Sendable {
        /// Verdaccio gave no answer.
        case verdaccioUnreachable
        /// Verdaccio wants another token.
        case accessDenied
        /// Verdaccio answered with an error of its own.
        case verdaccioError
        /// Upstream is well, and Verdaccio takes its uplink for offline.
        case uplinkOffline
        /// Upstream gives no answer.
        case upstreamUnreachable
        /// Upstream's answer is of no use.
        case upstreamFault
        /// Verdaccio answered from its old copy.
        case oldCopy
        /// Upstream has the package no more; what is in storage stays.
        case goneUpstream
        /// No registry has the package.
        case noSuchPackage
    }

    package let code: Code
    /// What was seen, in words.
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}

/// Why a tarball is not in storage, though Verdaccio was asked for it.
package struct TarballFault: Sendable, Equatable {
    package enum Code: Sendable {
        /// Verdaccio gave no answer.
        case verdaccioUnreachable
        /// Verdaccio wants another token.
        case accessDenied
        /// Verdaccio answered with an error of its own.
        case verdaccioError
        /// Verdaccio takes its uplink for offline.
        case uplinkOffline
        /// Upstream's answer is of no use.
        case upstreamFault
        /// Upstream has it no more, or nobody knows where it would be.
        case gone
        /// The bytes are not those that were published; what lay in storage of them was removed.
        case mismatch
        /// It broke off or stopped coming.
        case cut
        /// No bytes came.
        case empty
        /// Verdaccio serves no file of that name.
        case nameRefused
        /// The bytes came and Verdaccio did not keep them.
        case notKept
    }

    package let code: Code
    /// What was seen, in words.
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}

/// When trying again may help.
package enum Retry: Sendable {
    case never, atOnce
    /// After everything else: it may be this one alone, or upstream as a whole.
    case later
    /// When Verdaccio is back.
    case whenVerdaccioAnswers
    /// When Verdaccio no longer takes its uplink for offline.
    case whenUplinkIsBack
}
