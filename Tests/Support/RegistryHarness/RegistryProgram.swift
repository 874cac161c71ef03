import Foundation

/// A program that serves a Verdaccio storage: `PROGRAM -c config.yaml -l host:port`.
package struct RegistryProgram: Sendable, CustomStringConvertible {
    /// What it is called in a test's name.
    package let name: String
    let path: String

    /// The stand-in of this package.
    package static let standIn = RegistryProgram(
        name: "stand-in", path: Bundle.main.executableURL.map { beside($0) } ?? "loopback-registry")

    /// The stand-in, and the real Verdaccio where `FERRY_TEST_VERDACCIO` names one (several separated by colons).
    package static let all: [RegistryProgram] =
        [standIn]
        + (ProcessInfo.processInfo.environment["FERRY_TEST_VERDACCIO"] ?? "").split(separator: ":").map {
            RegistryProgram(name: String($0), path: String($0))
        }

    package var description: String { name }

    /// Products of one build lie in one directory, tests' bundles among them.
    private static func beside(_ test: URL) -> String {
        test.deletingLastPathComponent().appendingPathComponent("loopback-registry").path
    }
}
