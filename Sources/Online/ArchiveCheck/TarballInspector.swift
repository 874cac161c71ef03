import Integrity
package import PackageStore
package import Platform
import Synchronization
package import SystemPackage

/// Judges tarballs, reading each file once: its digests, its compression, and the tar inside.
///
/// May be used by any number of threads at once. Each call takes a workbench of about 4 MiB, whatever the size of the tarballs, which
/// is kept for the calls that follow.
package final class TarballInspector: Sendable {
    /// A tarball to be judged.
    package struct Job: Sendable {
        package let path: FilePath
        /// What the packument says was published; empty where it says nothing of this tarball.
        package let declared: DeclaredDigests
        /// Whether the verdict is to hold the package's own `package.json`.
        package let keepsManifest: Bool

        package init(path: FilePath, declared: DeclaredDigests = DeclaredDigests(), keepsManifest: Bool = false) {
            self.path = path
            self.declared = declared
            self.keepsManifest = keepsManifest
        }
    }

    /// What came of it.
    package enum Outcome: Sendable {
        case judged(TarballVerdict)
        /// The file changed while it was read; nothing is known of it.
        case changed
        case vanished
        case unreadable(FileSystemError)
    }

    private let benches = Mutex<[Workbench]>([])

    package init() {}

    /// Judges every tarball; the outcomes are in the order of the jobs.
    ///
    /// Small files are digested several at a time, so that a few hundred jobs make a good batch.
    package func inspect(_ jobs: [Job]) -> [Outcome] {
        let bench = benches.withLock { $0.popLast() } ?? Workbench()
        defer { benches.withLock { $0.append(bench) } }
        return bench.inspect(jobs)
    }

    /// Judges one tarball.
    package func inspect(_ job: Job) -> Outcome { inspect([job])[0] }
}

/// The buffers of one call at a time, which is what makes it safe to hand from thread to thread.
private final class Workbench: @unchecked Sendable {
    /// Files up to this size are read whole and digested side by side.
    private static let smallLimit: Int64 = 1 << 20
    /// Bytes read at once from larger files.
    private static let pieceSize = 256 * 1024

    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4 << 20, alignment: 64)
    private let structure = StructureReader()

    /// A small file that was read whole and waits for its digests.
    private struct Read {
        let index: Int
        let identity: FileIdentity
        let bytes: UnsafeRawBufferPointer
        let structure: Structure
    }

    private struct Failure: Error {
        let outcome: TarballInspector.Outcome
    }

    deinit { buffer.deallocate() }

    func inspect(_ jobs: [TarballInspector.Job]) -> [TarballInspector.Outcome] {
        var outcomes = [TarballInspector.Outcome](repeating: .vanished, count: jobs.count)
        var group: [Read] = []
        var used = 0
        func finishGroup() {
            for (read, verdict) in zip(group, verdicts(of: group, jobs)) { outcomes[read.index] = .judged(verdict) }
            group = []
            used = 0
        }
        for (index, job) in jobs.enumerated() {
            do throws(FileSystemError) {
                guard let reader = try FileReader(opening: job.path) else { continue }
                let identity = reader.opened.identity
                let isSmall = identity.size <= Self.smallLimit
                // One byte of room more tells a file that grows.
                if !isSmall || buffer.count - used <= Int(identity.size) { finishGroup() }
                if !isSmall {
                    outcomes[index] = try inspectLarge(reader, identity, job)
                    continue
                }
                let room = UnsafeMutableRawBufferPointer(rebasing: buffer[used..<used + Int(identity.size) + 1])
                let bytes = UnsafeRawBufferPointer(rebasing: room[..<(try reader.read(into: room, at: 0))])
                guard bytes.count == identity.size, try reader.status().identity == identity else {
                    outcomes[index] = .changed
                    continue
                }
                used += bytes.count
                structure.begin()
                structure.take(bytes)
                let found = structure.finish(keepingManifest: job.keepsManifest)
                group.append(Read(index: index, identity: identity, bytes: bytes, structure: found))
            } catch {
                outcomes[index] = .unreadable(error)
            }
        }
        finishGroup()
        return outcomes
    }

    private func verdicts(of group: [Read], _ jobs: [TarballInspector.Job]) -> [TarballVerdict] {
        zip(group, SHA512.digests(of: group.map(\.bytes))).map { read, sha512 in
            let job = jobs[read.index]
            var sha1: SHA1Digest?
            if job.declared.needsSHA1 {
                let hasher = SHA1Hasher()
                hasher.update(read.bytes)
                sha1 = hasher.finalize()
            }
            let proof = TarballProof(sha512: sha512, sha1: sha1, size: read.identity.size)
            return TarballVerdict(job, read.identity, proof, read.structure)
        }
    }

    private func inspectLarge(
        _ reader: FileReader, _ identity: FileIdentity, _ job: TarballInspector.Job
    ) throws(FileSystemError) -> TarballInspector.Outcome {
        reader.adviseSequential()
        let sha512 = SHA512Hasher()
        let sha1 = job.declared.needsSHA1 ? SHA1Hasher() : nil
        let room = UnsafeMutableRawBufferPointer(rebasing: buffer[..<Self.pieceSize])
        var offset: Int64 = 0
        structure.begin()
        while offset <= identity.size {
            let count = try reader.read(into: room, at: offset)
            if count == 0 { break }
            let piece = UnsafeRawBufferPointer(rebasing: room[..<count])
            sha512.update(piece)
            sha1?.update(piece)
            structure.take(piece)
            offset += Int64(count)
        }
        guard offset == identity.size, try reader.status().identity == identity else { return .changed }
        let proof = TarballProof(sha512: sha512.finalize(), sha1: sha1?.finalize(), size: offset)
        return .judged(TarballVerdict(job, identity, proof, structure.finish(keepingManifest: job.keepsManifest)))
    }
}
