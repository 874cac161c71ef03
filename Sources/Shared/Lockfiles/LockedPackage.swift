package import Integrity
package import PackageStore

/// A version of a package that a lockfile wants from a registry.
package struct LockedPackage: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let name: PackageName
    package let version: PackageVersion
    /// What the tarball must be; `nil` where the file does not say so in npm's notation, as Yarn berry never does.
    package let integrity: SubresourceIntegrity?
    /// Whether an install goes on without it, as npm and pnpm mark what only optional dependencies need; Yarn never does.
    package let isOptional: Bool

    package var description: String { "\(name)@\(version)" }

    package static func < (left: LockedPackage, right: LockedPackage) -> Bool {
        left.name == right.name ? left.version < right.version : left.name < right.name
    }
}

/// An entry of a lockfile that is not among its packages, and why.
package struct LockfileFinding: Sendable, Hashable, CustomStringConvertible {
    /// What was found; the raw values are the words used in JSON and never change their meaning.
    package enum Code: String, Sendable, Hashable, CaseIterable {
        case git
        case url
        case local
        case unknownSource = "unknown-source"
        case invalidName = "invalid-name"
        case invalidVersion = "invalid-version"
        case integrityConflict = "integrity-conflict"

        fileprivate var message: String {
            switch self {
            case .git: "comes from a git repository, not from a registry"
            case .url: "comes from a url of its own, not from a registry"
            case .local: "comes from a local file or directory, not from a registry"
            case .unknownSource: "does not come from a registry"
            case .invalidName: "is not a name that a registry can have"
            case .invalidVersion: "has no version that a registry can have"
            case .integrityConflict: "is the same version as another entry with another integrity; the first counts"
            }
        }
    }

    package let code: Code
    /// The entry's key in the file.
    package let entry: String

    package var description: String { "\(entry) \(code.message) [\(code.rawValue)]" }

    /// What is to be said of a version that comes from this place; `nil` where that is a registry's tarball.
    static func code(ofSource source: some StringProtocol) -> Code? {
        let path = source.prefix { $0 != "#" && $0 != "?" }
        let git = ["git+", "git:", "git@", "ssh:", "github:", "gitlab:", "bitbucket:", "gist:", "https://codeload.github.com/"]
        let local = ["file:", "link:", "portal:", "exec:", ".", "/", "~"]
        if git.contains(where: path.hasPrefix) || path.hasSuffix(".git") { return .git }
        if local.contains(where: path.hasPrefix) { return .local }
        guard path.hasPrefix("https://") || path.hasPrefix("http://") else { return path.contains(":") ? .unknownSource : .git }
        return isRegistryTarball(path) ? nil : .url
    }

    /// Whether an address ends like `/-/name-1.2.3.tgz` or, as some registries have it, `/-/@scope/name-1.2.3.tgz`.
    ///
    /// GitHub's registry alone gives addresses of another form.
    private static func isRegistryTarball(_ path: some StringProtocol) -> Bool {
        if path.hasPrefix("https://npm.pkg.github.com/download/") { return true }
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard let dash = parts.lastIndex(of: "-"), let file = parts.last, file.hasSuffix(".tgz") else { return false }
        let behind = parts[(dash + 1)...]
        return behind.count == 1 || behind.count == 2 && behind.first?.hasPrefix("@") == true
    }
}

extension StringProtocol {
    /// The parts before and behind the first `@` that is not a scope's; `nil` where there is none.
    var nameAndRest: (name: SubSequence, rest: SubSequence)? {
        dropFirst().firstIndex(of: "@").map { (self[..<$0], self[index(after: $0)...]) }
    }
}
