import Integrity
import Testing

struct MinisignSignatureTests {
    private let key: MinisignSecretKey
    private let message = Array("{\"bundle\":\"b-1\"}".utf8)
    private let signature: MinisignSignature

    init() throws {
        key = MinisignSecretKey.generate()
        signature = try key.sign(message, trustedComment: "bundle=b-1 sequence=7", untrustedComment: "u")
    }

    @Test func `a signature comes back from its file and verifies`() throws {
        let again = try MinisignSignature(fileText: signature.fileText)
        #expect(again == signature)
        #expect(again.keyID == key.publicKey.keyID)
        #expect(again.trustedComment == "bundle=b-1 sequence=7")
        #expect(again.untrustedComment == "u")
        #expect(key.publicKey.verifies(again, over: message))
    }

    @Test func `every flipped bit of a signature file fails, but for the comment nobody vouches for`() {
        let bytes = Array(signature.fileText.utf8)
        let unsigned = "untrusted comment: ".utf8.count
        for index in bytes.indices where index != unsigned {
            for bit in 0..<8 {
                var flipped = bytes
                flipped[index] ^= 1 << UInt8(bit)
                guard let text = String(validating: flipped, as: UTF8.self), let read = try? MinisignSignature(fileText: text)
                else {
                    continue
                }
                #expect(!key.publicKey.verifies(read, over: message), "byte \(index), bit \(bit)")
            }
        }
    }

    @Test func `every flipped bit of the message fails`() {
        for index in message.indices {
            for bit in 0..<8 {
                var flipped = message
                flipped[index] ^= 1 << UInt8(bit)
                #expect(!key.publicKey.verifies(signature, over: flipped))
            }
        }
    }

    @Test func `another key fails, even under the same key id`() throws {
        #expect(!MinisignSecretKey.generate().publicKey.verifies(signature, over: message))
        var line = Array(MinisignSecretKey.generate().publicKey.base64)
        // Characters 4..<13 hold nothing but bits of the key id; character 3 and 13 hold its ends.
        line.replaceSubrange(0..<13, with: Array(key.publicKey.base64)[0..<13])
        let impostor = try MinisignPublicKey(text: String(line))
        #expect(!impostor.verifies(signature, over: message))
    }

    @Test func `the right key under another id fails`() throws {
        var line = Array(key.publicKey.base64)
        line[5] = line[5] == "A" ? "B" : "A"
        #expect(!(try MinisignPublicKey(text: String(line)).verifies(signature, over: message)))
    }

    @Test func `signatures that stand one after the other are read in order`() throws {
        let second = try MinisignSecretKey.generate().sign(message, trustedComment: "", untrustedComment: "")
        #expect(try MinisignSignature.readAll("").isEmpty)
        #expect(try MinisignSignature.readAll(signature.fileText + second.fileText) == [signature, second])
        let most = String(repeating: signature.fileText, count: MinisignSignature.countLimit)
        #expect(try MinisignSignature.readAll(most).count == MinisignSignature.countLimit)
        for text in [most + signature.fileText, signature.fileText + "\n", "\n", String(most.dropLast()), "x"] {
            #expect { try MinisignSignature.readAll(text) } throws: { isIntegrityError($0, .malformed) }
        }
    }

    @Test func `a file that is not exactly what minisign writes is malformed`() {
        let text = signature.fileText
        let lines = text.split(separator: "\n").map(String.init)
        let broken = [
            "", "\n\n\n\n", text + "\n", text + text, String(text.dropLast()), " " + text,
            text.replacing("\n", with: "\r\n"),
            text.replacing("sequence", with: "\r\nsequence"),
            text.replacing("sequence", with: "\u{1B}[2Jsequence"),
            text.replacing("sequence", with: "\u{2028}sequence"),
            text.replacing("untrusted comment: ", with: "untrusted comment:"),
            text.replacing("\ntrusted comment: ", with: "\nTrusted comment: "),
            text.replacing("==\n", with: "\n"),
            [lines[0], lines[3], lines[2], lines[1]].joined(separator: "\n") + "\n",
            text.replacing("comment: u\n", with: "comment: \(String(repeating: "u", count: 4000))\n"),
        ]
        for text in broken {
            #expect { try MinisignSignature(fileText: text) } throws: { isIntegrityError($0, .malformed) }
        }
    }

    @Test func `a comment that would break the file's lines is not signed`() throws {
        let tooLong = String(repeating: "c", count: 4096)
        for comment in ["a\nb", "a\rb", "a\r\nb", "a\tb", "\0", "\u{7F}", "\u{85}", "\u{2029}", tooLong] {
            #expect { try key.sign(message, trustedComment: comment, untrustedComment: "") } throws: {
                isIntegrityError($0, .unusableComment)
            }
            #expect { try key.sign(message, trustedComment: "", untrustedComment: comment) } throws: {
                isIntegrityError($0, .unusableComment)
            }
            #expect { try key.publicKey.fileText(comment: comment) } throws: { isIntegrityError($0, .unusableComment) }
            #expect { try key.fileText(passphrase: nil, comment: comment) } throws: { isIntegrityError($0, .unusableComment) }
        }
        let longest = String(repeating: "c", count: 1003)
        let signed = try key.sign(message, trustedComment: longest, untrustedComment: longest)
        #expect(try MinisignSignature(fileText: signed.fileText) == signed)
    }
}
