package import CanonicalJSON
package import Integrity

/// A document of the isolated side (FORMAT.md §14).
package protocol Reply: Sendable, Hashable {
    /// The document without its line feed.
    var value: JSONValue { get }
    /// What its signature vouches for beside its bytes.
    var trustedComment: String { get }
    /// The name of its file.
    var fileName: String { get }

    /// Reads a document that is in its canonical form.
    ///
    /// - Throws: `DocumentError` for anything else.
    init(parsing bytes: [UInt8]) throws(DocumentError)
}

extension Reply {
    /// The bytes of its file.
    package var bytes: [UInt8] { value.canonicalBytes + [0x0A] }

    /// Throws unless these are the bytes of its file.
    func refuse(unlessCanonical bytes: [UInt8], _ document: String) throws(DocumentError) {
        guard self.bytes == bytes else { throw DocumentError(document, "it is not canonical") }
    }
}

/// A document and the signature beside it, as they lie in their files; nothing is trusted yet.
package struct SignedReply: Sendable, Hashable {
    /// Largest signature file in bytes.
    static let signatureLimit = 4096

    package let fileName: String
    package let bytes: [UInt8]
    /// The text of `<fileName>.minisig`; empty where there is none.
    package let signature: String

    package init(fileName: String, bytes: [UInt8], signature: String) {
        self.fileName = fileName
        self.bytes = bytes
        self.signature = signature
    }

    /// Signs a document.
    package init(_ reply: some Reply, by key: MinisignSecretKey) throws(IntegrityError) {
        let bytes = reply.bytes
        let signature = try key.sign(bytes, trustedComment: reply.trustedComment, untrustedComment: "signature of \(reply.fileName)")
        self.init(fileName: reply.fileName, bytes: bytes, signature: signature.fileText)
    }

    /// The document, where the key has signed it and vouches for what it is.
    ///
    /// - Throws: `ReplyError` for one that is not signed so; `DocumentError` for one that is none.
    package func open<Document: Reply>(_ type: Document.Type, signedBy key: MinisignPublicKey) throws -> Document {
        let document = try Document(parsing: bytes)
        guard let signature = try? MinisignSignature(fileText: signature) else { throw ReplyError.unsigned(fileName) }
        guard key.verifies(signature, over: bytes), signature.trustedComment == document.trustedComment else {
            throw ReplyError.forged(fileName, key: key.keyID.description)
        }
        return document
    }
}

/// Why a document of the isolated side is not taken for what it says.
package enum ReplyError: Error, Hashable, CustomStringConvertible {
    case unsigned(String)
    /// Not signed by the key that is known of its destination.
    case forged(String, key: String)

    package var description: String {
        switch self {
        case .unsigned(let name): "\"\(name)\" has no signature beside it"
        case .forged(let name, let key): "\"\(name)\" is not signed by key \(key), which is the one of its destination"
        }
    }
}
