import ArchiveCheck
import ArchiveSamples
import CanonicalJSON
import Catalog
import Foundation
import Integrity
import PackageStore
import Platform
import SystemPackage
import Testing

@Suite struct TarballInspectorTests {
    @Test func `a tarball as it was published is proven, and not damaged`() throws {
        let folder = try Folder()
        let bytes = try Gzip.compressed(TarImage(package: "foo").bytes)
        let verdict = try folder.inspect(bytes, declared: declared(bytes))
        #expect(verdict.isAsPublished == true && verdict.damage == nil && verdict.note == nil && verdict.isUnpackable)
        #expect(verdict.proof == TarballProof(sha512: SHA512.digest(of: bytes), sha1: nil, size: Int64(bytes.count)))
        #expect(verdict.entries == 2 && verdict.inflatedBytes == 3072)
    }

    @Test func `a well-formed archive that is not the one published is a digest mismatch`() throws {
        let folder = try Folder()
        let published = try Gzip.compressed(TarImage(package: "foo").bytes)
        let other = try Gzip.compressed(TarImage(package: "bar").bytes)
        for algorithm in ["sha512", "sha1"] {
            let entry = try declared(published, by: algorithm)
            #expect(try folder.inspect(published, declared: entry).isAsPublished == true)
            let verdict = try folder.inspect(other, declared: entry)
            #expect(verdict.isAsPublished == false && verdict.damage?.kind == .digestMismatch && verdict.isUnpackable)
            #expect(verdict.damage?.words.contains("\(algorithm) ") == true)
        }
        for entry in [nil, try declared(published, by: nil)] {
            let verdict = try folder.inspect(other, declared: entry)
            #expect(verdict.isAsPublished == nil && verdict.damage == nil)
        }
    }
}

/// The entry of a packument that publishes these bytes, with its SHA-512, its SHA-1, or neither.
func declared(_ bytes: [UInt8], by algorithm: String? = "sha512") throws -> DeclaredVersion {
    var dist = JSONObject(uniqueMembers: [("tarball", "http://localhost:4873/foo/-/foo-1.0.0.tgz")])
    if algorithm == "sha512" {
        dist["integrity"] = .string("sha512-\(Data(SHA512.digest(of: bytes).bytes).base64EncodedString())")
    } else if algorithm == "sha1" {
        let hasher = SHA1Hasher()
        bytes.withUnsafeBytes { hasher.update($0) }
        dist["shasum"] = .string(hasher.finalize().hex)
    }
    return try DeclaredVersion.read("1.0.0", .object(JSONObject(uniqueMembers: [("dist", .object(dist))]))).get()
}

/// A folder with tarballs in it, and an inspector of them.
final class Folder {
    let files = DiskFileSystem()
    let path = FilePath(FileManager.default.temporaryDirectory.path).appending("ferry-archives-\(UUID().uuidString)")
    let inspector = TarballInspector()

    init() throws { try files.createDirectories(path) }

    deinit { try? files.removeTree(path) }

    func inspect(_ bytes: [UInt8], declared: DeclaredVersion? = nil, keepsManifest: Bool = false) throws -> TarballVerdict {
        let file = path.appending("tarball.tgz")
        try files.write(bytes, to: file)
        guard
            case .judged(let verdict) = inspector.inspect(
                .init(path: file, declared: declared?.digests ?? DeclaredDigests(), keepsManifest: keepsManifest))
        else {
            throw FileSystemError("judge", file, .ioError)
        }
        return verdict
    }
}
