import Integrity
import Testing

@Suite(.serialized) struct MinisignKeyTests {
    /// Made by minisign 0.11.
    private static let publicText = """
        untrusted comment: minisign public key F1EAADCD1ED75C03
        RWQDXNceza3q8foS153jBO5tIjMvWO1wCmUnvoysFSvDAgy7itl+LwAF

        """
    private static let secretLine =
        "RWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA1zXHs2t6vHvEKA9IFPyWNYYUle8icy+aN9RSeBlRIuavcSX"
        + "cd4sEvoS153jBO5tIjMvWO1wCmUnvoysFSvDAgy7itl+LwAFAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    private static let secretText = "untrusted comment: minisign encrypted secret key\n\(secretLine)\n"

    @Test func `a public key is read from its file and from its bare line`() throws {
        let key = try MinisignPublicKey(text: Self.publicText)
        #expect(key.keyID.description == "F1EAADCD1ED75C03")
        #expect(key.fileText == Self.publicText)
        #expect(try MinisignPublicKey(text: key.base64) == key)
        #expect(try MinisignPublicKey(text: key.base64 + "\n") == key)
        #expect(try MinisignPublicKey(text: key.fileText(comment: "the exporter's")) == key)
        #expect(key.fingerprint.split(separator: " ").map(\.count) == [4, 4, 4, 4, 4, 4, 4, 4])
    }

    @Test(arguments: [
        "", "\n",
        "RWQDXNceza3q8foS153jBO5tIjMvWO1wCmUnvoysFSvDAgy7itl+LwA=",
        "RWQDXNceza3q8foS153jBO5tIjMvWO1wCmUnvoysFSvDAgy7itl+LwAF ",
        "RUQDXNceza3q8foS153jBO5tIjMvWO1wCmUnvoysFSvDAgy7itl+LwAF",
        "comment\nRWQDXNceza3q8foS153jBO5tIjMvWO1wCmUnvoysFSvDAgy7itl+LwAF",
        publicText + "\n", publicText + publicText, secretText,
    ]) func `what is not a public key is malformed`(text: String) {
        #expect { try MinisignPublicKey(text: text) } throws: { isIntegrityError($0, .malformed) }
    }

    @Test func `a secret key in the clear comes back as it was`() throws {
        let key = MinisignSecretKey.generate()
        let text = try key.fileText(passphrase: nil, comment: "kept")
        #expect(text.hasPrefix("untrusted comment: kept\nRWQAAEIy"))
        let again = try MinisignSecretKey(fileText: text, passphrase: "not used")
        #expect(again.publicKey == key.publicKey)
        #expect(try again.fileText(passphrase: nil, comment: "kept") == text)
        #expect(try MinisignSecretKey(fileText: Self.secretText, passphrase: nil).publicKey.fileText == Self.publicText)
    }

    @Test func `an encrypted secret key opens with its passphrase and with no other`() throws {
        let key = MinisignSecretKey.generate()
        let text = try key.fileText(passphrase: "p")
        #expect { try MinisignSecretKey(fileText: text, passphrase: nil) } throws: { isIntegrityError($0, .passphraseNeeded) }
        #expect { try MinisignSecretKey(fileText: text, passphrase: "q") } throws: { isIntegrityError($0, .wrongPassphrase) }
        #expect(try MinisignSecretKey(fileText: text, passphrase: "p").publicKey == key.publicKey)
    }

    @Test func `a secret key whose halves do not belong together is malformed`() {
        // The last six bits of the public half, then a checksum that is there and wrong.
        for (place, letter) in [(166, "B"), (174, "B")] {
            var line = Array(Self.secretLine)
            #expect(line[place] != Character(letter))
            line[place] = Character(letter)
            let text = "untrusted comment: x\n\(String(line))\n"
            #expect { try MinisignSecretKey(fileText: text, passphrase: nil) } throws: { isIntegrityError($0, .malformed) }
        }
    }

    @Test func `a secret key that asks for more memory than minisign does is malformed`() throws {
        var line = Array(Self.secretLine)
        line.replaceSubrange(0..<8, with: Array("RWRTY0Iy"))
        line[71] = "/"
        let text = "untrusted comment: x\n\(String(line))\n"
        #expect { try MinisignSecretKey(fileText: text, passphrase: "p") } throws: { isIntegrityError($0, .malformed) }
    }

    @Test func `a secret key prints nothing but its id`() throws {
        let key = try MinisignSecretKey(fileText: Self.secretText, passphrase: nil)
        var dumped = ""
        dump(key, to: &dumped)
        #expect("\(key)" == "secret key F1EAADCD1ED75C03")
        #expect(String(reflecting: key) == "secret key F1EAADCD1ED75C03")
        #expect(!dumped.contains("- 239"))
        #expect(dumped.contains("publicKey"))
    }

    @Test func `random bytes are as many as asked for and differ`() {
        #expect(randomBytes(0).isEmpty)
        #expect(randomBytes(33).count == 33)
        #expect(randomBytes(32) != randomBytes(32))
    }
}

/// Whether an error is the module's, of this code.
func isIntegrityError(_ error: any Error, _ code: IntegrityError.Code) -> Bool {
    (error as? IntegrityError)?.code == code
}
