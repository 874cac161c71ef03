import Integrity
import Testing

@Suite(
    .enabled(if: MinisignProgram.path != nil, "minisign is not installed: nothing was proven about the real program"), .serialized
)
struct MinisignInteroperabilityTests {
    private let program: MinisignProgram
    private let message = Array("what crosses the air gap\n".utf8)

    init() throws {
        program = try MinisignProgram()
        try program.write(message, to: "m")
    }

    @Test func `minisign verifies what we sign and shows our key id and trusted comment`() throws {
        let key = MinisignSecretKey.generate()
        let signature = try key.sign(message, trustedComment: "bundle=ü 1", untrustedComment: "ours")
        try program.write(signature.fileText.utf8, to: "m.minisig")
        try program.write(key.publicKey.fileText.utf8, to: "k.pub")
        let byFile = try program.run(["-V", "-p", "k.pub", "-m", "m", "-Q"])
        #expect(byFile.status == 0)
        #expect(byFile.output == "bundle=ü 1\n")
        #expect(try program.run(["-V", "-P", key.publicKey.base64, "-m", "m"]).status == 0)

        let stranger = MinisignSecretKey.generate().publicKey
        let refused = try program.run(["-V", "-P", stranger.base64, "-m", "m"])
        #expect(refused.status == 1)
        #expect(refused.output.contains("\(key.publicKey.keyID)\n"))
        #expect(refused.output.contains("\(stranger.keyID)\n"))
    }

    @Test(arguments: [["-S"], ["-S", "-l"]]) func `we verify what minisign signs, pre-hashed and legacy`(mode: [String]) throws {
        #expect(try program.run(["-G", "-W", "-p", "k.pub", "-s", "k.key"]).status == 0)
        #expect(try program.run(mode + ["-s", "k.key", "-m", "m", "-c", "theirs"]).status == 0)
        let key = try MinisignPublicKey(text: program.text(of: "k.pub"))
        let text = try program.text(of: "m.minisig")
        let signature = try MinisignSignature(fileText: text)
        #expect(signature.fileText == text)
        #expect(signature.untrustedComment == "theirs")
        #expect(signature.trustedComment.contains("file:m"))
        #expect(key.verifies(signature, over: message))
        #expect(!key.verifies(signature, over: message + [0]))
    }

    @Test func `a secret key that minisign left in the clear is read, and written again byte for byte`() throws {
        #expect(try program.run(["-G", "-W", "-p", "k.pub", "-s", "k.key"]).status == 0)
        let text = try program.text(of: "k.key")
        let key = try MinisignSecretKey(fileText: text, passphrase: nil)
        #expect(key.publicKey.fileText == (try program.text(of: "k.pub")))
        #expect(try key.fileText(passphrase: nil, comment: "minisign encrypted secret key") == text)
    }

    @Test func `minisign signs with a key that we left in the clear`() throws {
        let key = MinisignSecretKey.generate()
        try program.write(key.fileText(passphrase: nil).utf8, to: "k.key")
        #expect(try program.run(["-S", "-W", "-s", "k.key", "-m", "m"]).status == 0)
        #expect(key.publicKey.verifies(try MinisignSignature(fileText: program.text(of: "m.minisig")), over: message))
    }

    @Test func `a key that minisign encrypted opens with its passphrase`() throws {
        #expect(try program.run(["-G", "-p", "k.pub", "-s", "k.key"], input: "correct horse\ncorrect horse\n").status == 0)
        let key = try MinisignSecretKey(fileText: program.text(of: "k.key"), passphrase: "correct horse")
        #expect(key.publicKey.fileText == (try program.text(of: "k.pub")))
    }

    @Test func `minisign signs with a key that we encrypted`() throws {
        let key = MinisignSecretKey.generate()
        try program.write(key.fileText(passphrase: "correct hörse").utf8, to: "k.key")
        #expect(try program.run(["-S", "-s", "k.key", "-m", "m"], input: "correct hörse\n").status == 0)
        #expect(key.publicKey.verifies(try MinisignSignature(fileText: program.text(of: "m.minisig")), over: message))
    }
}
