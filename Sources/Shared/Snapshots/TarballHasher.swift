import Integrity
import PackageStore
import Platform
import SystemPackage

/// Reads tarballs and digests them, small ones several at a time.
enum TarballHasher {
    /// A file to be digested.
    struct Job: Sendable {
        let path: FilePath
        let file: FileName
        /// Bytes, as it was listed.
        let size: Int64
        let needsSHA1: Bool
    }

    /// What came of it.
    enum Outcome: Sendable {
        case hashed(FileIdentity, TarballProof)
        case changed
        case vanished
        case unreadable(FileSystemError)
    }

    /// Files up to this size are read whole and digested side by side.
    private static let smallLimit: Int64 = 1 << 20
    /// Bytes held at once.
    private static let groupLimit: Int64 = 8 << 20

    /// Digests every file; the outcomes are in the order of the jobs.
    static func hash(_ jobs: [Job]) -> [Outcome] {
        var outcomes: [Outcome] = []
        var group: [Job] = []
        var groupBytes: Int64 = 0
        for job in jobs {
            if job.size > smallLimit {
                outcomes += hashGroup(group)
                group = []
                groupBytes = 0
                outcomes.append(hashLarge(job))
                continue
            }
            group.append(job)
            groupBytes += job.size
            if groupBytes >= groupLimit {
                outcomes += hashGroup(group)
                group = []
                groupBytes = 0
            }
        }
        return outcomes + hashGroup(group)
    }

    private static func hashGroup(_ group: [Job]) -> [Outcome] {
        var contents: [Result<(FileIdentity, [UInt8]), Failure>] = []
        for job in group {
            contents.append(Result { () throws(Failure) in try readWhole(job) })
        }
        let digests = SHA512.digests(of: contents.map { (try? $0.get().1) ?? [] })
        return contents.indices.map { index in
            switch contents[index] {
            case .failure(let failure): return failure.outcome
            case .success(let (identity, bytes)):
                var sha1: SHA1Digest?
                if group[index].needsSHA1 {
                    let hasher = SHA1Hasher()
                    bytes.withUnsafeBytes { hasher.update($0) }
                    sha1 = hasher.finalize()
                }
                return .hashed(identity, TarballProof(sha512: digests[index], sha1: sha1, size: identity.size))
            }
        }
    }

    private struct Failure: Error {
        let outcome: Outcome
    }

    private static func readWhole(_ job: Job) throws(Failure) -> (FileIdentity, [UInt8]) {
        do {
            guard let reader = try FileReader(opening: job.path) else { throw Failure(outcome: .vanished) }
            let before = try reader.status().identity
            let bytes = try reader.read(Int(before.size), at: 0)
            guard try reader.status().identity == before, bytes.count == before.size else { throw Failure(outcome: .changed) }
            return (before, bytes)
        } catch let error as FileSystemError {
            throw Failure(outcome: .unreadable(error))
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(outcome: .changed)
        }
    }

    private static func hashLarge(_ job: Job) -> Outcome {
        do {
            guard let reader = try FileReader(opening: job.path) else { return .vanished }
            reader.adviseSequential()
            let before = try reader.status().identity
            let sha512 = SHA512Hasher()
            let sha1 = SHA1Hasher()
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
            defer { buffer.deallocate() }
            var offset: Int64 = 0
            while true {
                let count = try reader.read(into: buffer, at: offset)
                if count == 0 { break }
                let piece = UnsafeRawBufferPointer(rebasing: buffer[..<count])
                sha512.update(piece)
                if job.needsSHA1 { sha1.update(piece) }
                offset += Int64(count)
            }
            guard try reader.status().identity == before, offset == before.size else { return .changed }
            let proof = TarballProof(sha512: sha512.finalize(), sha1: job.needsSHA1 ? sha1.finalize() : nil, size: offset)
            return .hashed(before, proof)
        } catch {
            return .unreadable(error)
        }
    }
}
