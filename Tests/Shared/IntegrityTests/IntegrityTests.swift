import Foundation
import Integrity
import Testing

@Suite struct DigestTests {
    @Test func `the digest is that of fips 180-4`() {
        let expected =
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
        #expect(SHA512.digest(of: Array("abc".utf8)).hex == expected)
        #expect(SHA512Digest(hex: expected)?.hex == expected)
        #expect(SHA512Digest(hex: expected.uppercased()) == nil)
        #expect(SHA512Digest(hex: expected.dropLast()) == nil)
    }

    @Test(arguments: [
        ("sha1-qZk+NkcGgWq6PiVxeFDCbJzQ2J0=", 0, 1),
        ("sha512-3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4qmslPpUyknw==?x sha384-x", 1, 0),
    ])
    func `npm's integrity strings are read`(text: String, sha512: Int, sha1: Int) throws {
        let integrity = try #require(SubresourceIntegrity(text))
        #expect(integrity.sha512.count == sha512)
        #expect(integrity.sha1.count == sha1)
    }

    @Test(arguments: ["", "sha512-", "sha512-AAAA", "md5-abc", "sha512"])
    func `what proves nothing is no integrity`(text: String) {
        #expect(SubresourceIntegrity(text) == nil)
    }
}

@Suite struct MinisignTests {
    private let key = MinisignSecretKey.generate()
    private let message = Array("the bytes that are signed".utf8)

    private func signature() throws -> MinisignSignature {
        try key.sign(message, trustedComment: "ferry bundle=1", untrustedComment: "a signature")
    }

    @Test func `a signature verifies and survives its file`() throws {
        let read = try MinisignSignature(fileText: signature().fileText)
        #expect(key.publicKey.verifies(read, over: message))
        #expect(read.trustedComment == "ferry bundle=1")
        #expect(try MinisignSignature.readAll(signature().fileText + signature().fileText).count == 2)
        #expect(try MinisignSignature.readAll("").isEmpty)
    }

    @Test func `no flipped bit of the signed lines verifies`() throws {
        let text = Array(try signature().fileText.utf8)
        let firstLineEnd = try #require(text.firstIndex(of: 0x0A))
        for position in (firstLineEnd + 1)..<text.count {
            for bit in 0..<8 {
                var damaged = text
                damaged[position] ^= 1 << UInt8(bit)
                let read = try? MinisignSignature(fileText: String(decoding: damaged, as: UTF8.self))
                #expect(read.map { key.publicKey.verifies($0, over: message) } != true, "byte \(position), bit \(bit)")
            }
        }
    }

    @Test func `no other message and no other key verifies`() throws {
        let signature = try signature()
        for position in message.indices {
            var other = message
            other[position] ^= 1
            #expect(!key.publicKey.verifies(signature, over: other))
        }
        #expect(!MinisignSecretKey.generate().publicKey.verifies(signature, over: message))
    }

    @Test func `a key survives its file, with and without a passphrase`() throws {
        let plain = try MinisignSecretKey(fileText: key.fileText(passphrase: nil), passphrase: nil)
        #expect(plain.publicKey == key.publicKey)
        let locked = try key.fileText(passphrase: "correct horse")
        #expect(try MinisignSecretKey(fileText: locked, passphrase: "correct horse").publicKey == key.publicKey)
        #expect { try MinisignSecretKey(fileText: locked, passphrase: nil) } throws: { ($0 as? IntegrityError)?.code == .passphraseNeeded }
        #expect { try MinisignSecretKey(fileText: locked, passphrase: "wrong") } throws: {
            ($0 as? IntegrityError)?.code == .wrongPassphrase
        }
    }

    @Test func `a comment of two lines is refused`() {
        #expect(throws: IntegrityError.self) { try key.sign(message, trustedComment: "a\nb", untrustedComment: "c") }
    }

    @Test(
        .enabled(
            if: FileManager.default.isExecutableFile(atPath: "/usr/bin/minisign"), "minisign is not installed: interoperation is NOT tested"
        ))
    func `minisign and we verify one another`() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("ferry-minisign-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
        try Data(message).write(to: folder.appendingPathComponent("m"))
        try key.publicKey.fileText.write(toFile: path("our.pub"), atomically: true, encoding: .utf8)
        try key.fileText(passphrase: nil).write(toFile: path("our.key"), atomically: true, encoding: .utf8)
        try signature().fileText.write(toFile: path("m.minisig"), atomically: true, encoding: .utf8)
        #expect(try minisign(["-V", "-m", path("m"), "-p", path("our.pub")]) == 0)

        #expect(try minisign(["-S", "-s", path("our.key"), "-m", path("m"), "-x", path("ours.minisig"), "-t", "with our key"]) == 0)
        let byOurKey = try MinisignSignature(fileText: String(contentsOfFile: path("ours.minisig"), encoding: .utf8))
        #expect(key.publicKey.verifies(byOurKey, over: message))

        #expect(try minisign(["-G", "-W", "-f", "-p", path("their.pub"), "-s", path("their.key")]) == 0)
        #expect(try minisign(["-S", "-s", path("their.key"), "-m", path("m"), "-x", path("theirs.minisig")]) == 0)
        let theirs = try MinisignPublicKey(text: String(contentsOfFile: path("their.pub"), encoding: .utf8))
        let byThem = try MinisignSignature(fileText: String(contentsOfFile: path("theirs.minisig"), encoding: .utf8))
        #expect(theirs.verifies(byThem, over: message))
    }

    private func minisign(_ arguments: [String]) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/minisign")
        process.arguments = arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }
}
