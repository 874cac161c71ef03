import Platform

/// How Verdaccio is restarted after an import.
///
/// Verdaccio reads packuments and tarballs from the disk with every request, so what an import brings is served without a restart; only
/// the list of its own web page is read at its start.
package enum Restart: Sendable, Hashable, CustomStringConvertible {
    case none
    /// A unit of systemd.
    case systemd(String)
    /// A container of docker.
    case docker(String)
    /// A command of the user's, for a shell.
    case command(String)

    /// What was not restarted, and why.
    package struct Failure: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    /// Accepts `none`, `systemd`, `systemd:UNIT`, `docker:CONTAINER`, `command:WORDS`.
    package init?(_ text: String) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        switch (parts.first, parts.count > 1 ? parts[1] : nil) {
        case ("none", nil): self = .none
        case ("systemd", nil): self = .systemd("verdaccio.service")
        case ("systemd", let unit?) where Self.isName(unit): self = .systemd(unit)
        case ("docker", let container?) where Self.isName(container): self = .docker(container)
        case ("command", let words?) where !words.isEmpty: self = .command(words)
        default: return nil
        }
    }

    /// Whether a text is a name that no program takes for an option.
    private static func isName(_ text: String) -> Bool {
        !text.isEmpty && !text.hasPrefix("-") && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }

    package var description: String {
        switch self {
        case .none: "none"
        case .systemd(let unit): "systemd:\(unit)"
        case .docker(let container): "docker:\(container)"
        case .command(let words): "command:\(words)"
        }
    }

    /// The words of the command; `nil` where nothing is restarted.
    package var arguments: [String]? {
        switch self {
        case .none: nil
        case .systemd(let unit): ["systemctl", "restart", unit]
        case .docker(let container): ["docker", "restart", container]
        case .command(let words): ["/bin/sh", "-c", words]
        }
    }

    /// Restarts, and waits until the command has ended.
    package func run(seconds: Int = 120) throws(Failure) {
        guard let arguments else { return }
        let result: ChildProcess.Result
        do throws(ChildProcess.Failure) { result = try ChildProcess.run(arguments, seconds: seconds) } catch {
            throw Failure(description: error.description)
        }
        guard result.status == 0 else {
            let words = result.output.split(separator: "\n").suffix(3).joined(separator: "; ")
            throw Failure(
                description: "\"\(arguments.joined(separator: " "))\" ended with \(result.status)\(words.isEmpty ? "" : ": \(words)")")
        }
    }
}
