import Platform
import Testing

@testable import Services

@Suite struct OptionTests {
    @Test(arguments: [
        ("http://localhost:4873", "localhost", 4873, ""), ("http://registry.corp/", "registry.corp", 80, ""),
        ("http://[::1]:4873/npm/", "::1", 4873, "/npm"), ("http://10.0.0.1:1/a/b", "10.0.0.1", 1, "/a/b"),
    ])
    func `an address of HTTP is taken apart`(text: String, host: String, port: UInt16, prefix: String) throws {
        let address = try #require(RegistryAddress(text))
        #expect(address.host == host && address.port == port && address.prefix == prefix)
    }

    @Test(arguments: [
        "https://localhost", "localhost:4873", "http://", "http://:80", "http://a:0", "http://a:70000", "http://u@a", "http://a b",
        "http://[::1",
        "http://a/?x", "http://a\r\nX: y",
    ])
    func `anything else is none`(text: String) {
        #expect(RegistryAddress(text) == nil)
    }

    @Test(
        arguments: [
            ("none", nil), ("systemd", ["systemctl", "restart", "verdaccio.service"]), ("systemd:npm", ["systemctl", "restart", "npm"]),
            ("docker:registry", ["docker", "restart", "registry"]),
            ("command:rc-service verdaccio restart", ["/bin/sh", "-c", "rc-service verdaccio restart"]),
        ] as [(String, [String]?)])
    func `a way to restart is a command`(text: String, arguments: [String]?) throws {
        let restart = try #require(Restart(text))
        #expect(restart.arguments == arguments)
    }

    @Test(arguments: ["", "docker", "docker:", "docker:-f", "systemd:", "systemd:--force", "command:", "kill"])
    func `what is no way to restart is refused`(text: String) {
        #expect(Restart(text) == nil)
    }

    @Test func `a command that fails says with what, and one that does not end is killed`() {
        #expect(throws: Never.self) { try Restart.command("true").run() }
        #expect { try Restart.command("echo port in use >&2; exit 7").run() } throws: { error in
            "\(error)".contains("ended with 7") && "\(error)".contains("port in use")
        }
        #expect { try Restart.docker("no-such-container-\(UInt64.random(in: 0...UInt64.max))").run() } throws: { $0 is Restart.Failure }
        #expect { try Restart.command("sleep 600").run(seconds: 0) } throws: { "\($0)".contains("killed") }
        // What it leaves running does not keep it from having ended.
        #expect(throws: Never.self) { try Restart.command("sleep 3 & exit 0").run(seconds: 60) }
    }

    @Test func `a sample is spread over all of them`() {
        #expect(ServiceCheck.chosen(Array(0..<100), .sample(4)) == [0, 25, 50, 75])
        #expect(ServiceCheck.chosen([1, 2], .sample(4)) == [1, 2])
        #expect(ServiceCheck.chosen([1, 2], .all) == [1, 2])
        #expect(ServiceCheck.chosen([1, 2], .none) == [])
        #expect(ServiceCheck.Extent("7") == .sample(7) && ServiceCheck.Extent("0") == nil && ServiceCheck.Extent("some") == nil)
    }
}
