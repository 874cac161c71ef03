import Foundation
import Settings
import SystemPackage
import Testing
import YAML

/// What is installed beside the programs, and what is said where nothing can be made.
@Suite struct PackagingTests {
    private static let top = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path
    private static let build = Bundle.main.executableURL?.deletingLastPathComponent().path ?? ""

    /// A directory, gone with this value.
    private final class Place {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("ferry-packaging-\(UUID().uuidString)").path

        init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        /// Runs a command over programs of this build and returns its exit code with all it said.
        func run(_ words: String...) throws -> (status: Int32, text: String) {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = words
            process.standardInput = FileHandle.nullDevice
            let output = Pipe()
            process.standardOutput = output
            process.standardError = output
            try process.run()
            let data = output.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            return (process.terminationStatus, String(decoding: data, as: UTF8.self))
        }

        func text(_ name: String) throws -> String { try String(contentsOfFile: "\(path)/\(name)", encoding: .utf8) }
    }

    private let package = "\(top)/package"

    @Test func `man pages, completions and the unit are made, and can be read by whom they are for`() throws {
        let place = try Place()
        let made = try place.run(package, "papers", "--programs", Self.build, "--output", place.path)
        try #require(made.status == 0, "\(made.text)")
        for name in ["ferry-online", "ferry-offline"] {
            let page = "zcat \(place.path)/share/man/man1/\(name).1.gz"
            let checked = try place.run("sh", "-c", "\(page) | preconv -e utf8 | groff -man -Tutf8 -ww -z")
            #expect(checked.status == 0 && checked.text == "", "\(checked.text)")
            let read = try place.run("sh", "-c", "\(page) | preconv -e utf8 | groff -man -Tascii -P-c -P-b -P-u")
            #expect(read.text.contains("--state dir") && read.text.contains("Exit codes: 0"), "\(read.text.prefix(2000))")
            for (shell, path) in [
                ("bash", "bash-completion/completions/\(name)"), ("zsh", "zsh/vendor-completions/_\(name)"),
                ("fish", "fish/vendor_completions.d/\(name).fish"),
            ] {
                let file = "\(place.path)/share/\(path)"
                #expect(try place.text("share/\(path)").contains(name))
                guard try place.run("sh", "-c", "command -v \(shell)").status == 0 else { continue }
                let checked = try place.run(shell, "-n", file)
                #expect(checked.status == 0, "\(checked.text)")
            }
        }
        let unit = try place.text("ferry-online.service")
        for line in [
            "ExecStart=/usr/bin/ferry-online serve --state /var/lib/ferry-online", "User=verdaccio", "ProtectSystem=strict",
            "ReadWritePaths=/var/lib/ferry-online -/var/lib/verdaccio", "NoNewPrivileges=yes", "SystemCallFilter=@system-service",
        ] { #expect(unit.split(separator: "\n").contains(Substring(line)), "\(line)") }
        let settings = try OnlineSettings(
            file: SettingsFile(Array(place.text("ferry.yaml").utf8), path: "/etc/ferry/ferry.yaml"), environment: { _ in nil })
        #expect(settings.state.value == "/var/lib/ferry-online")
    }

    @Test func `the scripts of the packages are such`() throws {
        let place = try Place()
        for side in ["ferry-online", "ferry-offline"] {
            let folder = "\(Self.top)/scripts/packaging/\(side)"
            for name in try FileManager.default.contentsOfDirectory(atPath: folder) where name.hasPrefix("p") {
                let checked = try place.run("sh", "-n", "\(folder)/\(name)")
                let text = try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
                #expect(checked.status == 0 && text.contains("set -e"), "\(checked.text)")
            }
        }
    }

    @Test func `a distribution that is not known is refused, and the tarball is pointed at`() throws {
        let place = try Place()
        try Data("ID=plan9\nPRETTY_NAME=\"Plan 9\"\n".utf8).write(to: URL(fileURLWithPath: "\(place.path)/os-release"))
        let made = try place.run(
            package, "deb", "--programs", Self.build, "--output", "\(place.path)/dist", "--os-release", "\(place.path)/os-release")
        #expect(made.status == 1 && made.text.contains("error: no packages can be made on \"Plan 9\""), "\(made.text)")
        #expect(made.text.contains("hint: make the tarball: ./package tarball"), "\(made.text)")
        #expect(!FileManager.default.fileExists(atPath: "\(place.path)/dist"))
    }

    @Test func `programs that need a library of no package are not packed`() throws {
        let place = try Place()
        let made = try place.run(package, "deb", "--programs", Self.build, "--output", place.path)
        #expect(made.status == 1 && made.text.contains("is of no package, so no package can ask for it"), "\(made.text)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: place.path) == [])
    }

    @Test func `a system library that is missing is named before anything is built`() throws {
        let place = try Place()
        let made = try place.run("env", "PKG_CONFIG_LIBDIR=\(place.path)", package, "tarball", "--output", "\(place.path)/dist")
        #expect(made.status == 1 && made.text.contains("system libraries are missing: libsqlite3-dev, libzstd-dev"), "\(made.text)")
        #expect(made.text.contains("hint: scripts/setup installs them"), "\(made.text)")
    }

    @Test func `without root nothing is installed for a test, and nothing built for it`() throws {
        let place = try Place()
        // A name space of its own, in which this user is nobody.
        guard try place.run("unshare", "-U", "true").status == 0 else { return }
        let made = try place.run("unshare", "-U", package, "tarball", "--test", "--output", "\(place.path)/dist")
        #expect(made.status == 1 && made.text.contains("a system can only be made, and installed into, by root"), "\(made.text)")
        #expect(made.text.contains("hint: sudo ./package --test"), "\(made.text)")
    }

    @Test func `programs that are not there are named`() throws {
        let place = try Place()
        let made = try place.run(package, "tarball", "--programs", place.path, "--output", "\(place.path)/dist")
        #expect(made.status == 1 && made.text.contains("error: there is no ferry-online in \(place.path)"), "\(made.text)")
    }

    @Test func `the containers are told what the settings know`() throws {
        let text = try String(contentsOfFile: "\(Self.top)/scripts/packaging/compose/compose.yaml", encoding: .utf8)
        let root = try #require(try YAMLParser.parse(Array(text.utf8), aliases: .expanded).first)
        func member(_ name: String, of node: YAMLNode?) -> YAMLNode? { node?.members?.first { $0.key.text == name }?.value }
        let service = member("ferry-online", of: member("services", of: root))
        let variables = try #require(member("environment", of: service)?.members)
        let known = Set(try OnlineSettings(file: nil, environment: { _ in nil }).entries.map(\.variable))
        #expect(!variables.isEmpty && variables.allSatisfy { known.contains($0.key.text ?? "") })
        let given = Dictionary(uniqueKeysWithValues: variables.map { ($0.key.text ?? "", $0.value.text ?? "") })
        let settings = try OnlineSettings(file: nil, environment: { given[$0] })
        #expect(settings.service.listen.value.port == 4880 && settings.storage.value == "/verdaccio/storage/data")
    }
}
