import CanonicalJSON
import Foundation
import Integrity
import PackageStore
import Platform
import SystemPackage
import Testing

@testable import Snapshots

@Suite struct PackageScannerTests {
    @Test(arguments: [TarballHasher.Outcome.changed, .vanished])
    func `a package that changes while it is read never counts as unchanged`(outcome: TarballHasher.Outcome) throws {
        let storage = try OnePackage()
        var scanner = storage.scanner
        scanner.hash = { jobs in jobs.map { _ in outcome } }
        let first = try storage.scan(with: scanner)
        let second = try storage.scan(with: scanner, after: first)
        #expect(!second.isUnchanged)
        #expect(second.record.findings.contains { $0.code == .changedWhileRead })
        // Once it holds still it is read, and counts as unchanged from then on.
        let third = try storage.scan(with: storage.scanner, after: second)
        #expect(third.record.findings == [] && third.record.files(of: storage.package).count == 2)
        #expect(try storage.scan(with: storage.scanner, after: third).isUnchanged)
    }

    @Test func `a package whose directory vanishes is a finding, and not unchanged`() throws {
        let storage = try OnePackage()
        try storage.files.removeTree(storage.directory)
        let first = try storage.scan(with: storage.scanner)
        #expect(try !storage.scan(with: storage.scanner, after: first).isUnchanged)
        #expect(first.record.findings.map(\.code) == [.changedWhileRead])
    }

    @Test(arguments: [nil, "cut"])
    func `a transfer form that was lost or cut off is made again`(left: String?) throws {
        let storage = try OnePackage()
        let first = try storage.scan(with: storage.scanner)
        let object = storage.scanner.store.object(try #require(first.record.form).digest)
        let bytes = try storage.files.contents(of: object, limit: 1 << 20)
        _ = try storage.files.remove(object)
        if let left { try storage.files.write(Array(left.utf8), to: object) }
        let second = try storage.scan(with: storage.scanner, after: first)
        #expect(try storage.files.contents(of: object, limit: 1 << 20) == bytes)
        #expect(second.isUnchanged && second.record.form == first.record.form)
    }

    @Test func `a package that could not be read is looked at again`() throws {
        let storage = try OnePackage()
        try storage.files.removeTree(storage.directory)
        try storage.files.createDirectories(storage.directory)
        let record = PackageRecord(
            scannedAt: Int64.max, packument: nil, form: nil, tarballs: [], findings: [Finding(.unreadable, "foo", "permission denied")])
        let scan = try #require(try storage.scanner.scan([ScanInput(location: storage.location, previous: record)]).first)
        #expect(scan.record.findings.map(\.code) == [.packumentMissing])
    }

    /// An overlay that deprecates the package's only version, or withdraws it.
    private func overlay(_ storage: OnePackage, withdraws: Bool = false) throws -> UpstreamOverlay {
        let bytes = try #require(try storage.files.contents(of: storage.directory.appending("package.json"), limit: 1 << 20))
        let versions: JSONValue = withdraws ? ["9.0.0": [:]] : ["1.0.0": ["deprecated": "old"]]
        let upstream = JSONObject(uniqueMembers: [("name", "foo"), ("versions", versions)])
        return try UpstreamOverlay(of: StoredPackument(parsing: bytes, of: storage.package), upstream: upstream)
    }

    @Test func `another overlay makes another form, and no tarball is read for it`() throws {
        let storage = try OnePackage()
        let first = try storage.scan(with: storage.scanner)
        let second = try storage.scan(with: storage.scanner, after: first, overlay: overlay(storage))
        #expect(!second.isUnchanged && second.isNewRecord && second.hashedFiles == 0)
        let object = storage.scanner.store.object(try #require(second.record.form).digest)
        let form = String(decoding: try #require(try storage.files.contents(of: object, limit: 1 << 20)), as: UTF8.self)
        #expect(form.contains("\"deprecated\":\"old\"") && second.record.form != first.record.form)
        let third = try storage.scan(with: storage.scanner, after: second)
        #expect(!third.isUnchanged && third.record.form == first.record.form && third.hashedFiles == 0)
    }

    @Test func `what has not changed is not read, upstream's answer being the same`() throws {
        let storage = try OnePackage()
        let overlay = try overlay(storage)
        let first = try storage.scan(with: storage.scanner, overlay: overlay)
        let record = try #require(PackageRecord(decoding: first.record.encoded))
        #expect(record == first.record)
        let second = try storage.scan(with: storage.scanner, after: first, overlay: overlay)
        #expect(second.isUnchanged && !second.isNewRecord && second.record == record)
        // What a program wrote that knew nothing of upstream is read again.
        #expect(PackageRecord(decoding: [1] + first.record.encoded.dropFirst()) == nil)
    }

    @Test func `what upstream has withdrawn is a finding, and not in the snapshot`() throws {
        let storage = try OnePackage()
        let overlay = try overlay(storage, withdraws: true)
        let scan = try storage.scan(with: storage.scanner, overlay: overlay)
        #expect(scan.record.findings.map(\.code) == [.versionWithdrawn] && scan.record.files(of: storage.package) == [])
        #expect(scan.record.withdrawnPaths(of: storage.package).map(\.file.text) == ["foo-1.0.0.tgz", "package.json"])
        #expect(PackageRecord(decoding: scan.record.encoded) == scan.record)
        // Beside what is withdrawn there is something that could not be taken: the packument is not withdrawn.
        try storage.files.write(Array("stray".utf8), to: storage.directory.appending("foo-3.0.0.tgz"))
        let later = try storage.scan(with: storage.scanner, after: scan, overlay: overlay)
        #expect(later.record.withdrawnPaths(of: storage.package).map(\.file.text) == ["foo-1.0.0.tgz"])
    }

    @Test func `a transfer form above the limit is a finding`() throws {
        let storage = try OnePackage()
        var scanner = storage.scanner
        scanner.formLimit = 100
        let scan = try storage.scan(with: scanner)
        #expect(scan.record.form == nil && scan.record.findings.map(\.code) == [.packumentTooLarge])
    }

    @Test func `a name that is not utf-8 is a finding`() throws {
        let storage = try OnePackage()
        let name = storage.directory.string.utf8CString.dropLast() + [0x2F, 0x66, CChar(bitPattern: 0xFF), 0]
        let descriptor = Array(name).withUnsafeBufferPointer { open($0.baseAddress!, O_CREAT | O_WRONLY, 0o644) }
        close(descriptor)
        #expect(try storage.scan(with: storage.scanner).passingFindings.map(\.code) == [.invalidName])
    }
}

/// A storage that holds `foo` with one version.
private final class OnePackage {
    let files = DiskFileSystem()
    let root: FilePath
    var package: PackageName { location.package }
    var directory: FilePath { location.directory }
    let location: StorageLayout.Location
    var scanner: PackageScanner {
        PackageScanner(store: SnapshotStore(directory: root.appending("snapshots")), scanStart: Int64.max)
    }

    init() throws {
        root = FilePath(FileManager.default.temporaryDirectory.path).appending("ferry-scanner-\(UUID().uuidString)")
        let directory = root.appending("storage/foo")
        let content = Array("foo one".utf8)
        let sum = Data(SHA512.digest(of: content).bytes).base64EncodedString()
        let document: JSONValue = [
            "name": "foo", "dist-tags": ["latest": "1.0.0"], "time": [:], "_distfiles": ["foo-1.0.0.tgz": ["url": "x"]],
            "versions": [
                "1.0.0": [
                    "name": "foo", "version": "1.0.0",
                    "dist": ["integrity": .string("sha512-\(sum)"), "tarball": "http://127.0.0.1:4873/foo/-/foo-1.0.0.tgz"],
                ]
            ],
        ]
        try files.createDirectories(root.appending("snapshots/objects"))
        try files.createDirectories(directory)
        try files.write(content, to: directory.appending("foo-1.0.0.tgz"))
        try files.write(document.canonicalBytes, to: directory.appending("package.json"))
        location = try #require(try StorageLayout(root: root.appending("storage")).discover().packages.first)
    }

    deinit { try? files.removeTree(root) }

    func scan(
        with scanner: PackageScanner, after earlier: PackageScan? = nil, overlay: UpstreamOverlay = UpstreamOverlay()
    ) throws -> PackageScan {
        try #require(try scanner.scan([ScanInput(location: location, previous: earlier?.record, overlay: overlay)]).first)
    }
}
