package import Integrity
import Platform
package import SystemPackage

/// The keys below `keys` of the state: `<id>.key`, readable by the owner alone, and `<id>.pub`.
package struct KeyRing: Sendable {
    private let directory: FilePath
    private static let sizeLimit = 4096

    package init(state: FilePath) {
        directory = state.appending("keys")
    }

    /// Keeps a new key and returns where its public half lies.
    package func add(_ key: MinisignSecretKey, passphrase: String?) throws -> FilePath {
        let files = DiskFileSystem()
        try files.createDirectories(directory)
        try files.setAttributes(of: directory, owner: UInt32.max, group: UInt32.max, mode: 0o700)
        let name = key.publicKey.keyID.description
        let secret = directory.appending("\(name).key")
        let draft = directory.appending(".\(name).key.draft")
        // The mode is set before there is anything to read.
        try files.write([], to: draft)
        try files.setAttributes(of: draft, owner: UInt32.max, group: UInt32.max, mode: 0o600)
        try files.write(Array(key.fileText(passphrase: passphrase).utf8), to: draft)
        try files.sync(draft)
        try files.rename(draft, to: secret)
        let open = directory.appending("\(name).pub")
        try files.replace(open, with: Array(key.publicKey.fileText.utf8))
        return open
    }

    /// Every secret key, opened with the passphrase where one is needed.
    package func secretKeys(passphrase: String?) throws -> [MinisignSecretKey] {
        try read(ending: ".key") { try MinisignSecretKey(fileText: $0, passphrase: passphrase) }
    }

    /// Every public key.
    package func publicKeys() throws -> [MinisignPublicKey] {
        try read(ending: ".pub") { try MinisignPublicKey(text: $0) }
    }

    private func read<Key>(ending suffix: String, _ parse: (String) throws -> Key) throws -> [Key] {
        let files = DiskFileSystem()
        var keys: [Key] = []
        for name in try files.names(in: directory) ?? [] where name.hasSuffix(suffix) && !name.hasPrefix(".") {
            let path = directory.appending(name)
            guard let bytes = try files.contents(of: path, limit: Self.sizeLimit) else { continue }
            do { keys.append(try parse(String(decoding: bytes, as: UTF8.self))) } catch let error as IntegrityError {
                throw KeyFileError(path: path, cause: error)
            }
        }
        return keys
    }
}

/// A file of the key ring that cannot be used.
package struct KeyFileError: Error, CustomStringConvertible {
    package let path: FilePath
    package let cause: IntegrityError

    package var description: String { "\"\(path)\": \(cause)" }
}
