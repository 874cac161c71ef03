import Foundation
import SystemPackage
import Testing
import VerdaccioSettings

@Suite struct VerdaccioSettingsTests {
    private func settings(_ yaml: String, environment: String? = nil) throws -> VerdaccioSettings {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("ferry-settings-\(UUID().uuidString).yaml")
        defer { try? FileManager.default.removeItem(at: file) }
        try yaml.write(to: file, atomically: true, encoding: .utf8)
        return try VerdaccioSettings(contentsOf: FilePath(file.path), environmentStoragePath: environment)
    }

    @Test func `the first pattern that matches gives the sub-directory`() throws {
        let settings = try settings(
            """
            storage: ./storage
            packages:
              '@corp/*': {storage: corpstore, access: $all}
              '{left,right}-*': {storage: /abs/zz}
              '!(x)': {}
              '**': {storage: rest}
            """)
        #expect(settings.storage.string.hasSuffix("/storage") && !settings.storage.string.contains("/./"))
        #expect(settings.storageSubdirectory(for: "@corp/a") == "corpstore")
        #expect(settings.storageSubdirectory(for: "left-pad") == "abs/zz")
        #expect(settings.rules.map(\.pattern).first == "@corp/*")
    }

    @Test(arguments: [
        ("@*/*", "@a/b", true), ("@*/*", "a", false), ("**", "@a/b", true), ("*", "a", true), ("*", "@a/b", false),
        ("a?c", "abc", true), ("a[b-d]c", "acc", true), ("a[!b-d]c", "acc", false), ("{a,b}*", "bx", true), ("lodash", "lodash", true),
        ("@corp/x-*", "@corp/x-y", true), ("@corp/**", "@corp/x", true), ("!a", "b", true), ("!a", "a", false), ("a*c", "abbc", true),
    ])
    func `patterns match as minimatch does`(pattern: String, name: String, isMatch: Bool) throws {
        let settings = try settings("storage: s\npackages:\n  '\(pattern)': {storage: hit}\n")
        #expect((settings.storageSubdirectory(for: name) == "hit") == isMatch)
    }

    @Test func `an uplink has what is written and the defaults for the rest`() throws {
        let settings = try settings(
            """
            storage: s
            packages:
            uplinks:
              near: &near {url: "http://near.example/", maxage: 1h 30m, max_fails: 0x10, cache: no}
              far: {url: http://far.example, max_fails: "3", cache: "no"}
              alias: *near
            """)
        #expect(settings.uplinks.map(\.name) == ["near", "far", "alias"] && settings.rules.isEmpty)
        #expect(settings.uplinks.map(\.url) == ["http://near.example", "http://far.example", "http://near.example"])
        #expect(settings.uplinks.map(\.maxFails) == [16, 2, 16] && settings.uplinks.map(\.caches) == [false, true, false])
        #expect(settings.uplinks.map(\.maxAge) == [.seconds(5400), .seconds(120), .seconds(5400)])
    }

    @Test func `the environment overrides the storage`() throws {
        #expect(try settings("storage: s\n", environment: "/data").storage == "/data")
    }

    @Test(arguments: [
        ("4873", "http://localhost:4873"), ("localhost:4000", "http://localhost:4000"), ("0.0.0.0:80", "http://127.0.0.1:80"),
        ("https://registry.lan:443/", "https://registry.lan:443"), ("'[::]:4873'", "http://[::1]:4873"),
        ("'http://[fd00::7]:4873'", "http://[fd00::7]:4873"), ("[unix:/run/v.sock, 10.0.0.1:4873]", "http://10.0.0.1:4873"),
        ("unix:/run/v.sock", nil), ("http:unix:/v:4873", nil), ("'::1:4873'", nil), ("localhost", nil), ("[]", nil), ("a:70000", nil),
    ])
    func `verdaccio is found where it listens`(listen: String, url: String?) throws {
        #expect(try settings("storage: s\nlisten: \(listen)\n").url == url)
        #expect(try settings("storage: s\n").url == nil)
    }

    @Test(arguments: [
        "packages: {}\n", "- a\n", "storage: [\n", "storage: s\npackages:\n  a: {storage: ../../etc}\n", "storage: s\npackages: 3\n", "",
        "storage: s\n---\nstorage: t\n",
    ])
    func `a configuration that cannot be used is refused`(yaml: String) {
        #expect(throws: VerdaccioSettingsError.self) { try settings(yaml) }
    }
}
