import CanonicalJSON
import Integrity
import PackageStore
import Platform
import Replies
import Snapshots
import Testing

/// The documents of the isolated side: what is written is read, and nothing else is.
@Suite struct RepliesTests {
    private let key = MinisignSecretKey.generate()
    private let destination = Identifier(.destination, random: Array(1...20))
    private let origin = Identifier(.origin, random: Array(2...21))
    private let moment = Timestamp(nanoseconds: 1_800_000_000_000_000_000)

    private func file(_ path: String) throws -> FileReference {
        FileReference(try #require(StorePath(path)), SHA512.digest(of: Array(path.utf8)))
    }

    private func receipt(_ missing: [String] = ["a/a-1.0.0.tgz", "a/package.json"], counter: Int64 = 3) throws -> Receipt {
        let bundle = Identifier(.bundle, random: Array(3...22))
        return Receipt(
            destination: destination, origin: origin, counter: counter, created: moment,
            applied: Receipt.Applied(bundle: bundle, sequence: 7, targetRoot: .ofNothing),
            imports: [Receipt.Import(bundle: bundle, sequence: 7, result: .applied)], missing: try missing.map(file),
            refused: [Receipt.Refusal(try file("@s/b/b-2.0.0.tgz"), outcome: "conflict")])
    }

    private func gap() throws -> GapRequest {
        GapRequest(
            request: Identifier(.request, random: Array(4...23)), destination: destination, origin: origin, created: moment,
            bundle: Identifier(.bundle, random: Array(5...24)), sequence: 8, baselineRoot: .ofNothing, targetRoot: .ofNothing,
            missing: [try file("a/a-1.0.0.tgz")])
    }

    private func want() -> WantRequest {
        WantRequest(
            request: Identifier(.request, random: Array(6...25)), destination: destination, origin: origin, created: moment,
            specs: ["react@18", "@types/node"])
    }

    private var card: DestinationCard {
        DestinationCard(destination: destination, name: "Завод 7", key: key.publicKey, created: moment)
    }

    /// Signs a document, and reads it back from its bytes.
    private func again<Document: Reply>(_ document: Document) throws -> Document {
        try SignedReply(document, by: key).open(Document.self, signedBy: key.publicKey)
    }

    @Test func `what is written is read`() throws {
        #expect(try again(receipt()) == receipt())
        #expect(try again(gap()) == gap())
        #expect(try again(want()) == want())
        #expect(try again(card) == card)
        let nothing = Receipt(
            destination: destination, origin: origin, counter: 1, created: moment, applied: nil, imports: [], missing: [], refused: [])
        #expect(try again(nothing) == nothing)
    }

    @Test func `no byte can be changed, left out or added`() throws {
        let signed = try SignedReply(receipt(), by: key)
        for index in signed.bytes.indices {
            var flipped = signed.bytes
            flipped[index] ^= 1
            for bytes in [flipped, Array(signed.bytes[..<index]), signed.bytes[...index] + [0x20] + signed.bytes[(index + 1)...]] {
                let altered = SignedReply(fileName: signed.fileName, bytes: bytes, signature: signed.signature)
                #expect(throws: (any Error).self) { try altered.open(Receipt.self, signedBy: key.publicKey) }
            }
        }
    }

    @Test func `one kind does not pass for another, nor one destination's word for another's`() throws {
        let signed = try SignedReply(gap(), by: key)
        #expect(throws: DocumentError.self) { try signed.open(WantRequest.self, signedBy: key.publicKey) }
        #expect(throws: ReplyError.self) {
            try signed.open(GapRequest.self, signedBy: MinisignSecretKey.generate().publicKey)
        }
        // The same bytes, with a signature that vouches for something else.
        let bytes = try receipt().bytes
        let comment = try key.sign(bytes, trustedComment: "ferry receipt", untrustedComment: "x").fileText
        let other = SignedReply(fileName: "x.json", bytes: bytes, signature: comment)
        #expect(throws: ReplyError.self) { try other.open(Receipt.self, signedBy: key.publicKey) }
        #expect(throws: ReplyError.unsigned("x.json")) {
            try SignedReply(fileName: "x.json", bytes: bytes, signature: "").open(Receipt.self, signedBy: key.publicKey)
        }
    }

    @Test func `a time that cannot be counted is no time`() throws {
        #expect(Timestamp("9026-11-28T00:00:00.000Z") == nil && Timestamp("0026-11-28T00:00:00.000Z") == nil)
        #expect(Timestamp("2262-04-11T23:47:16.854Z") != nil && Timestamp("2262-04-11T23:47:16.855Z") == nil)
        let text = String(decoding: try receipt().bytes, as: UTF8.self).replacing("2027-", with: "9027-")
        #expect(throws: DocumentError.self) { try Receipt(parsing: Array(text.utf8)) }
    }

    @Test func `lists that are out of order, repeated or too long are refused`() throws {
        #expect(throws: DocumentError.self) { try Receipt(parsing: receipt(["b/package.json", "a/package.json"]).bytes) }
        #expect(throws: DocumentError.self) { try Receipt(parsing: receipt(["a/package.json", "a/package.json"]).bytes) }
        let text = String(decoding: want().bytes, as: UTF8.self)
        for specs in [
            "[]", "[\"react@18\",\"@types/node\"]", "[\"a\",\"a\"]", "[\"a\\u0007\"]", "[\"\(String(repeating: "a", count: 501))\"]",
        ] {
            let altered = text.replacing("[\"@types/node\",\"react@18\"]", with: specs)
            #expect(altered != text)
            #expect(throws: DocumentError.self) { try WantRequest(parsing: Array(altered.utf8)) }
        }
    }
}
