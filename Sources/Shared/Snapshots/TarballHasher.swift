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

    /// Files up to this size are read whole.
    private static let smallLimit: Int64 = 1 << 20
    /// Bytes held at once.
    private static let groupLimit: Int64 = 8 << 20
    /// Bytes that are read of a larger file at once.
    private static let portion = 256 << 10

    /// Digests every file; the outcomes are in the order of the jobs.
    ///
    /// All processors take part: a few large files are what one thread has still to do when the others have ended.
    static func hash(_ jobs: [Job]) -> [Outcome] {
        let groups = smallGroups(jobs) + largeGroups(jobs)
        let found = groups.concurrentMap(slice: 1) { group in
            let members = group.map { jobs[$0] }
            return members.allSatisfy { $0.size <= smallLimit } ? hashWhole(members) : hashPieces(members)
        }
        var outcomes = [Outcome](repeating: .vanished, count: jobs.count)
        for (job, outcome) in zip(groups.joined(), found.joined()) { outcomes[job] = outcome }
        return outcomes
    }

    /// The places of small files, as many in a group as may be held.
    private static func smallGroups(_ jobs: [Job]) -> [[Int]] {
        var groups: [[Int]] = []
        var bytes = groupLimit
        for (place, job) in jobs.enumerated() where job.size <= smallLimit {
            if bytes >= groupLimit {
                groups.append([])
                bytes = 0
            }
            groups[groups.count - 1].append(place)
            bytes += job.size
        }
        return groups
    }

    /// The places of large files: three or more together of which none is twice as large as another, and each other one alone.
    private static func largeGroups(_ jobs: [Job]) -> [[Int]] {
        var rest = jobs.indices.filter { jobs[$0].size > smallLimit }.sorted { jobs[$0].size > jobs[$1].size }[...]
        var groups: [[Int]] = []
        while let largest = rest.first {
            let alike = rest.prefix(min(SHA512Streams.limit, SHA512.lanes)).prefix { jobs[$0].size >= jobs[largest].size / 2 }
            groups.append(Array(alike.count < 3 ? rest.prefix(1) : alike))
            rest = rest.dropFirst(groups[groups.count - 1].count)
        }
        return groups
    }

    private static func hashWhole(_ group: [Job]) -> [Outcome] {
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
            let before = reader.opened.identity
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

    /// A large file on its way through the digests.
    private struct Large {
        let reader: FileReader
        let sha1: SHA1Hasher?
        var offset: Int64 = 0
        /// Bytes that were read from there and not taken yet.
        var filled = 0

        init?(_ job: Job) throws(FileSystemError) {
            guard let reader = try FileReader(opening: job.path) else { return nil }
            reader.adviseSequential()
            self.reader = reader
            sha1 = job.needsSHA1 ? SHA1Hasher() : nil
        }

        mutating func take(_ bytes: UnsafeRawBufferPointer) {
            sha1?.update(bytes)
            offset += Int64(bytes.count)
        }

        func outcome(_ sha512: SHA512Digest) throws(FileSystemError) -> Outcome {
            guard try reader.status().identity == reader.opened.identity, offset == reader.opened.identity.size else { return .changed }
            return .hashed(reader.opened.identity, TarballProof(sha512: sha512, sha1: sha1?.finalize(), size: offset))
        }
    }

    /// Digests large files a portion at a time, side by side where there are several.
    private static func hashPieces(_ group: [Job]) -> [Outcome] {
        guard group.count > 1 else { return group.map(hashAlone) }
        var outcomes = [Outcome](repeating: .vanished, count: group.count)
        var files: [Int: Large] = [:]
        for (place, job) in group.enumerated() {
            do throws(FileSystemError) { files[place] = try Large(job) } catch { outcomes[place] = .unreadable(error) }
        }
        var streams = SHA512Streams(count: group.count)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: portion * group.count, alignment: 64)
        defer { buffer.deallocate() }
        func piece(of place: Int) -> UnsafeMutableRawBufferPointer {
            UnsafeMutableRawBufferPointer(rebasing: buffer[place * portion..<(place + 1) * portion])
        }
        while !files.isEmpty {
            for (place, file) in files {
                do throws(FileSystemError) {
                    files[place]?.filled = try file.reader.read(into: piece(of: place), at: file.offset)
                } catch {
                    outcomes[place] = .unreadable(error)
                    files[place] = nil
                }
            }
            let places = files.keys.sorted()
            let blocks = (places.compactMap { files[$0]?.filled }.min() ?? 0) / SHA512Streams.blockSize
            let taken = blocks * SHA512Streams.blockSize
            streams.update(places, places.compactMap { piece(of: $0).baseAddress.map { UnsafeRawPointer($0) } }, blocks: blocks)
            for place in places {
                guard var file = files[place] else { continue }
                let bytes = UnsafeRawBufferPointer(rebasing: piece(of: place)[..<file.filled])
                file.take(UnsafeRawBufferPointer(rebasing: bytes[..<taken]))
                files[place] = file
                // What is not taken of a portion is read once more; the end of a file is where it does not fill one.
                guard bytes.count < portion else { continue }
                let last = UnsafeRawBufferPointer(rebasing: bytes[taken...])
                file.take(last)
                files[place] = nil
                let digest = streams.finalize(place, last)
                do throws(FileSystemError) { outcomes[place] = try file.outcome(digest) } catch { outcomes[place] = .unreadable(error) }
            }
        }
        return outcomes
    }

    private static func hashAlone(_ job: Job) -> Outcome {
        do {
            guard var file = try Large(job) else { return .vanished }
            let sha512 = SHA512Hasher()
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
            defer { buffer.deallocate() }
            while true {
                let count = try file.reader.read(into: buffer, at: file.offset)
                if count == 0 { break }
                let piece = UnsafeRawBufferPointer(rebasing: buffer[..<count])
                sha512.update(piece)
                file.take(piece)
            }
            return try file.outcome(sha512.finalize())
        } catch {
            return .unreadable(error)
        }
    }
}
