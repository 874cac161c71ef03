import Foundation
import LoopMedia
import PackageStore
import Platform
import SystemPackage
import Testing

@testable import Repair

@Suite struct QuarantineTests {
    @Test(.enabled(if: LoopMedium.isAllowed, "mounting is not allowed here: a full disk is not tried"))
    func `on a full disk nothing is taken out of the storage, and half a copy does not stay`() throws {
        let disk = try LoopMedium(label: "STATE")
        try disk.mount()
        let directory = FilePath(FileManager.default.temporaryDirectory.path).appending("ferry-quarantine-\(UUID().uuidString)")
        let files = DiskFileSystem()
        try files.createDirectories(directory)
        defer { try? files.removeTree(directory) }
        let (small, large) = (directory.appending("foo-1.0.0.tgz"), directory.appending("foo-2.0.0.tgz"))
        try files.write([1, 2, 3], to: small)
        try files.write([UInt8](repeating: 7, count: 16 << 20), to: large)
        let quarantine = Quarantine(directory: FilePath(disk.point).appending("quarantine"))
        let package = try #require(PackageName("@scope/foo"))
        let error = #expect(throws: FileSystemError.self) { try quarantine.take(large, of: package) { _ in Issue.record("it was noted") } }
        #expect(error?.errno == .noSpace)
        #expect(try files.status(of: large)?.identity.size == 16 << 20)
        #expect(try files.names(in: quarantine.directory.appending("@scope")) == [])
        // Where there is room for it, a file leaves.
        var noted: FilePath?
        let copy = try quarantine.take(small, of: package) { noted = $0 }
        #expect(try copy == noted && copy != nil && files.status(of: small) == nil)
    }
}
