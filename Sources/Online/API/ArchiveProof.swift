import BundleFormat
import CanonicalJSON
import Integrity
import PackageStore
import Platform
import Snapshots
import SystemPackage

/// What was found of an archive that was read to its last byte.
struct ArchiveProof {
    private let bundle: Identifier
    private var bytes: Int64 = 0
    private var chunks = 0
    private var files = 0
    private var signatures: [(key: String, isKnown: Bool, isValid: Bool)] = []
    private var problem: (code: String, subject: String, reason: String)?

    /// Reads the archive and compares it with itself, with the bundle it should be, and with the public keys below `keys` of the state.
    ///
    /// - Parameter isCancelled: asked now and then.
    /// - Throws: `CancellationError`; `FileSystemError` where the archive cannot be read. Damage is not thrown.
    init(of archive: ArchiveSource, bundle: Identifier, state: FilePath, isCancelled: @escaping () -> Bool) throws {
        self.bundle = bundle
        do {
            let tail = try BundleTail(of: archive)
            let keys = try Self.publicKeys(of: state)
            signatures = tail.signatures.map { signature in
                let known = keys.filter { $0.keyID == signature.keyID }
                let isValid =
                    signature.trustedComment == tail.descriptor.trustedComment
                    && known.contains { $0.verifies(signature, over: tail.descriptorBytes) }
                return (signature.keyID.description, !known.isEmpty, isValid)
            }
            guard tail.descriptor.bundle == bundle else {
                throw BundleError(.malformed, "the archive", "it is bundle \(tail.descriptor.bundle)")
            }
            let sink = Sink(isCancelled: isCancelled)
            var passed: Int64 = 0
            try FerryAPI.withWorkDirectory(below: state) { work in
                let reader = try BundleReader(source: archive, tail: tail, work: work, progress: { done, _ in passed = done })
                _ = try reader.readLeading()
                try reader.readFiles(into: sink)
            }
            bytes = passed
            chunks = tail.chunks.count
            files = sink.files
        } catch let error as BundleError {
            problem = (error.code.rawValue, error.subject, error.reason)
        } catch let error as DocumentError {
            problem = ("malformed", "the archive", "\(error)")
        } catch let error as IntegrityError {
            problem = ("malformed", "the archive", "\(error)")
        }
    }

    var json: JSONValue {
        let signatures: [JSONValue] = signatures.map { ["key": .string($0.key), "known": .bool($0.isKnown), "valid": .bool($0.isValid)] }
        return [
            "bundle": .string(bundle.text), "intact": .bool(problem == nil),
            "signed": .bool(problem == nil && self.signatures.contains(where: \.isValid)), "bytes": .integer(bytes),
            "chunks": .integer(chunks), "files": .integer(files), "signatures": .array(signatures),
            "problem": problem.map { ["code": .string($0.code), "subject": .string($0.subject), "reason": .string($0.reason)] } ?? .null,
        ]
    }

    /// A file that is no key is passed over: it signs nothing.
    private static func publicKeys(of state: FilePath) throws -> [MinisignPublicKey] {
        let files = DiskFileSystem()
        let directory = state.appending("keys")
        return try (files.names(in: directory) ?? []).filter { $0.hasSuffix(".pub") && !$0.hasPrefix(".") }.compactMap { name in
            try files.contents(of: directory.appending(name), limit: 4096).flatMap { bytes in
                try? MinisignPublicKey(text: String(decoding: bytes, as: UTF8.self))
            }
        }
    }

    /// Compares each file with the manifest.
    private final class Sink: BundleReader.Sink {
        private let isCancelled: () -> Bool
        private var file: SnapshotFile?
        private var hasher = SHA512Hasher()
        private(set) var files = 0

        init(isCancelled: @escaping () -> Bool) {
            self.isCancelled = isCancelled
        }

        func begin(_ file: SnapshotFile) {
            self.file = file
            hasher = SHA512Hasher()
        }

        func write(_ bytes: UnsafeRawBufferPointer) throws {
            guard !isCancelled() else { throw CancellationError() }
            hasher.update(bytes)
        }

        func end() throws {
            guard let file, hasher.finalize() == file.digest else {
                throw BundleError(.damaged, "\"\(file?.path.description ?? "")\"", "its bytes are not those that its manifest names")
            }
            files += 1
        }
    }
}
