import Foundation
import Integrity
import PackageStore
import Platform
import SystemPackage
import Testing

@testable import Snapshots

@Suite struct TarballHasherTests {
    private let directory: FilePath
    private let portion = 256 << 10

    init() throws {
        directory = FilePath(FileManager.default.temporaryDirectory.path).appending("ferry-hasher-\(UUID().uuidString)")
        try DiskFileSystem().createDirectories(directory)
    }

    @Test(arguments: [false, true])
    func `small and large tarballs of any lengths have the digests of their bytes`(needsSHA1: Bool) throws {
        defer { try? DiskFileSystem().removeTree(directory) }
        let large = 1 << 20
        // Alone, three alike, as many as go together and one more; ends on, before and after a portion and a block.
        let sizes = [
            0, 1, 5_000, large, large + 1, large + 127, large + 128, large + portion, large + portion - 1, large + 3 * portion,
            2 * large, 2 * large + 1, 2 * large + portion + 4_321, 5 * large, 5 * large + 5, 4 * large, 11 * large, large + 77,
        ]
        var jobs: [TarballHasher.Job] = []
        var expected: [TarballProof] = []
        for (index, size) in sizes.enumerated() {
            var bytes = [UInt8](repeating: UInt8(index), count: size)
            for place in stride(from: 0, to: size, by: 4_099) { bytes[place] = UInt8(truncatingIfNeeded: place >> 7) }
            let job = try put(bytes, index, needsSHA1: needsSHA1)
            jobs.append(job)
            let sha1 = SHA1Hasher()
            bytes.withUnsafeBytes { sha1.update($0) }
            expected.append(TarballProof(sha512: SHA512.digest(of: bytes), sha1: needsSHA1 ? sha1.finalize() : nil, size: Int64(size)))
        }
        let proofs = TarballHasher.hash(jobs).map { outcome -> TarballProof? in
            guard case .hashed(_, let proof) = outcome else { return nil }
            return proof
        }
        #expect(proofs == expected)
    }

    @Test func `what cannot be read stops no other`() throws {
        defer { try? DiskFileSystem().removeTree(directory) }
        var jobs = try (0..<5).map { try put([UInt8](repeating: 7, count: 2 << 20), $0, needsSHA1: false) }
        for index in 5..<8 { jobs.append(try put([7], index, needsSHA1: false)) }
        for index in [1, 5] { #expect(unlink(jobs[index].path.string) == 0) }
        for index in [2, 6] {
            #expect(unlink(jobs[index].path.string) == 0)
            try DiskFileSystem().createDirectories(jobs[index].path)
        }
        let words = TarballHasher.hash(jobs).map { outcome in
            switch outcome {
            case .hashed: "hashed"
            case .changed: "changed"
            case .vanished: "vanished"
            case .unreadable: "unreadable"
            }
        }
        #expect(words == ["hashed", "vanished", "unreadable", "hashed", "hashed", "vanished", "unreadable", "hashed"])
    }

    private func put(_ bytes: [UInt8], _ index: Int, needsSHA1: Bool) throws -> TarballHasher.Job {
        let file = try #require(FileName("foo-\(index).0.0.tgz"))
        try DiskFileSystem().replace(directory.appending(file.text), with: bytes)
        return TarballHasher.Job(path: directory.appending(file.text), file: file, size: Int64(bytes.count), needsSHA1: needsSHA1)
    }
}
