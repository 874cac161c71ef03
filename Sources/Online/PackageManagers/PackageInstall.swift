package import PackageStore
package import SystemPackage

/// What became of one package.
package struct PackageInstall: Sendable, Hashable {
    package enum Outcome: Sendable, Hashable {
        /// The tool ended with 0: the registry was asked for the newest version and all that it depends on here.
        case installed
        /// The tool ended with anything else, or could not be started.
        case failed(Failure)
        /// The tool did not end in its time, and was ended.
        case timedOut
        /// The surrounding task was cancelled: the tool was ended, or not started.
        case cancelled
    }

    /// How the tool ended, and what it said of it.
    package struct Failure: Sendable, Hashable {
        package enum Ending: Sendable, Hashable {
            case exited(Int32)
            case signaled(Int32)
            case notStarted
        }

        package let ending: Ending
        /// The tool's own code, such as `E404`, `ETARGET`, `EINTEGRITY`, `ERR_PNPM_FETCH_404`; `nil` where it named none.
        package let code: String?
        /// The last lines of its output, at most 20, each cut to 4 KiB.
        package let lastLines: [String]

        package init(ending: Ending, code: String?, lastLines: [String]) {
            self.ending = ending
            self.code = code
            self.lastLines = lastLines
        }
    }

    package let package: PackageName
    package let outcome: Outcome

    package init(package: PackageName, outcome: Outcome) {
        self.package = package
        self.outcome = outcome
    }
}

/// Why no package was asked for at all.
///
/// Nothing was started.
package enum PackageManagerError: Error, Equatable, CustomStringConvertible {
    /// A program is not where it was looked for.
    case notFound(program: String, lookedIn: String)
    /// Something that no run made stands where the run's directory would.
    case inTheWay(FilePath)

    package var description: String {
        switch self {
        case .notFound(let program, let places): "cannot find the program \"\(program)\": looked in \(places)"
        case .inTheWay(let path): "\"\(path)\" is in the way, and no run of ours made it; move it"
        }
    }
}
