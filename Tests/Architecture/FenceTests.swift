import Foundation
import Testing

/// Holds the lines that SwiftPM does not: who may depend on whom, and that an import is declared.
@Suite struct FenceTests {
    /// What each side may reach: its own targets, those of the named sides, and these products.
    static let sides: [(side: String, sees: Set<String>, products: Set<String>)] = [
        ("Shared", ["Shared"], ["SystemPackage", "GRDB", "Yams"]),
        (
            "Online", ["Shared", "Online"],
            [
                "SystemPackage", "GRDB", "ArgumentParser", "AsyncHTTPClient", "NIOCore", "NIOPosix", "NIOHTTP1", "NIOHTTPTypes",
                "NIOHTTPCompression", "HTTPTypes", "Hummingbird", "HummingbirdCore", "AsyncAlgorithms", "ServiceLifecycle", "Logging",
                "UnixSignals", "Subprocess",
            ]
        ),
        ("Offline", ["Shared", "Offline"], ["SystemPackage", "ArgumentParser"]),
    ]

    /// One module per big dependency: nobody else imports it.
    static let owners: [(product: String, targets: Set<String>)] = [
        ("GRDB", ["Databases", "Catalog", "Jobs", "ImportLedger", "CompatibilityTests"]),
        ("Yams", ["YAML"]),
        ("Subprocess", ["Service", "PackageManagers"]),
        ("CArchive", ["Archives"]),
        ("CISAL", ["Archives"]),
        ("CZstd", ["Archives"]),
        ("CCrypto", ["Integrity"]),
        ("CSodium", ["Integrity"]),
        ("CPlatform", ["Platform"]),
        ("CSHA512Lanes", ["Integrity"]),
        ("AsyncHTTPClient", ["Registries", "loopback-registry", "RegistryHarness"]),
        ("Hummingbird", ["HTTPService", "HTTPServiceTests", "loopback-registry", "RegistryHarness"]),
        ("HummingbirdCore", ["HTTPService"]),
        ("NIOCore", ["Registries", "HTTPService", "HTTPServiceTests", "loopback-registry", "RegistryHarness"]),
        ("NIOPosix", ["HTTPService"]),
        ("NIOHTTP1", ["Registries", "HTTPService", "HTTPServiceTests", "loopback-registry", "RegistryHarness"]),
        ("NIOHTTPTypes", ["HTTPService", "HTTPServiceTests"]),
        ("AsyncAlgorithms", ["HTTPService"]),
        ("NIOHTTPCompression", ["Registries"]),
        ("ArgumentParser", ["ferry-online", "ferry-offline", "loopback-registry"]),
    ]

    @Test(arguments: sides)
    func `a side reaches only what it may`(side: String, sees: Set<String>, products: Set<String>) throws {
        let targets = try Manifest.ofThisPackage().targets
        let sideOf = Dictionary(uniqueKeysWithValues: targets.map { ($0.name, $0.side) })
        for target in targets where target.side == side {
            for dependency in target.dependencyNames {
                let isAllowed = sideOf[dependency].map(sees.contains) ?? products.contains(dependency)
                #expect(isAllowed, "\(target.name) of \(side) depends on \(dependency)")
            }
        }
    }

    @Test func `a target depends only on targets above it`() throws {
        var above: Set<String> = []
        let targets = try Manifest.ofThisPackage().targets
        let names = Set(targets.map(\.name))
        for target in targets {
            for dependency in target.dependencyNames where names.contains(dependency) {
                #expect(above.contains(dependency), "\(target.name) depends on \(dependency), which stands below it")
            }
            above.insert(target.name)
        }
    }

    @Test func `a target imports just what it declares`() throws {
        let targets = try Manifest.ofThisPackage().targets
        // A test that runs a program depends on it, and cannot import it.
        let programs = Set(targets.filter { $0.type == "executable" }.map(\.name))
        for target in targets where target.isSwift {
            let imported = try target.imports().subtracting(Self.toolchain)
            #expect(imported == Set(target.dependencyNames).subtracting(programs), "\(target.name)")
        }
    }

    @Test(arguments: owners)
    func `a big dependency stays in its module`(product: String, targets: Set<String>) throws {
        let users = try Manifest.ofThisPackage().targets.filter { $0.dependencyNames.contains(product) }.map(\.name)
        #expect(Set(users) == targets)
    }

    private static let toolchain: Set<String> = ["Foundation", "Glibc", "Dispatch", "Synchronization", "Testing", "PackagePlugin"]
}

/// What `swift package dump-package` says.
private struct Manifest: Decodable {
    struct Target: Decodable {
        struct Dependency: Decodable {
            var byName: [String?]?
            var product: [String?]?
        }

        let name: String
        let type: String
        let path: String?
        let dependencies: [Dependency]

        var side: String { path.map { $0.hasPrefix("Tests") ? "Tests" : String($0.split(separator: "/")[1]) } ?? "" }
        var dependencyNames: [String] { dependencies.compactMap { ($0.byName ?? $0.product ?? []).first ?? nil } }
        var isSwift: Bool { type != "system" && name != "CPlatform" }

        func imports() throws -> Set<String> {
            let folder = Manifest.root.appendingPathComponent(path ?? "")
            var found: Set<String> = []
            let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            for file in files where file.pathExtension == "swift" {
                for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
                    let words = line.split(separator: " ")
                    guard let index = words.firstIndex(of: "import"), index <= 1, words.count == index + 2, !line.hasPrefix(" ") else {
                        continue
                    }
                    found.insert(String(words[index + 1].prefix { $0 != "." }))
                }
            }
            return found
        }
    }

    let targets: [Target]

    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static func ofThisPackage() throws -> Manifest {
        let scratch = FileManager.default.temporaryDirectory.appendingPathComponent("ferry-fence-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: scratch) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["swift", "package", "--package-path", root.path, "--scratch-path", scratch.path, "dump-package"]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return try JSONDecoder().decode(Manifest.self, from: data)
    }
}
