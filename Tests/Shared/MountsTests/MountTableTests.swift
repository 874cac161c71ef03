import Foundation
import Glibc
import Mounts
import Platform
import SystemPackage
import Testing

@Suite struct MountTableTests {
    private static let usual = """
        22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro
        25 22 0:21 / /proc rw,nosuid - proc proc rw
        40 22 8:17 / /media/stick rw,nosuid shared:20 master:3 - vfat /dev/sdb1 rw,uid=1000
        41 22 8:33 / /media/read\\040only rw - ext4 /dev/sdc1 ro
        42 22 8:1 /srv/npm /srv/copy ro - ext4 /dev/sda1 rw

        """

    private func table(_ text: String) -> MountTable { MountTable(parsing: Array(text.utf8)) }

    @Test func `a line gives device, root, mount point, type and source`() throws {
        let stick = try #require(table(Self.usual).mounts.first { $0.number == 40 })
        let expected = Mount(
            number: 40, parent: 22, device: Mount.Device(major: 8, minor: 17), root: "/", point: "/media/stick", isReadOnly: false,
            fileSystem: "vfat", source: "/dev/sdb1")
        #expect(stick == expected)
    }

    @Test func `a space in a mount point is written in octal`() {
        #expect(table(Self.usual).mounts.contains { $0.point == "/media/read only" })
    }

    @Test func `read-only is what the mount or the file system says`() {
        let readOnly = table(Self.usual).mounts.filter(\.isReadOnly).map(\.number)
        #expect(readOnly == [41, 42])
    }

    @Test func `a directory that is mounted elsewhere keeps its root`() {
        #expect(table(Self.usual).mounts.last?.root == "/srv/npm")
    }

    @Test(arguments: [
        "", "garbage\n", "40 22 8:17 / /media/stick rw\n", "x 22 8:17 / /m rw - ext4 /dev/sdb1 rw\n",
        "40 22 8-17 / /m rw - ext4 /dev/sdb1 rw\n", "40 22 8:17 / /m rw - ext4\n",
    ])
    func `what is no line is passed over`(text: String) {
        #expect(table(text + Self.usual) == table(Self.usual))
    }

    @Test func `a mount at the same place covers the one below`() {
        let covered = table(Self.usual + "50 40 8:49 / /media/stick rw - ext4 /dev/sdd1 rw\n")
        #expect(covered.mounts.filter { $0.point == "/media/stick" }.map(\.number) == [50])
        #expect(covered.mount(holding: "/media/stick/ferry")?.number == 50)
    }

    @Test func `a mount further up hides those below it`() {
        let hidden = table(Self.usual + "51 22 0:60 / /media rw - tmpfs tmpfs rw\n")
        #expect(hidden.mounts.map(\.number) == [22, 25, 42, 51])
        #expect(hidden.mount(holding: "/media/stick/ferry")?.number == 51)
    }

    @Test func `what is mounted on a covered mount is hidden with it`() {
        let text = Self.usual + "52 40 8:65 / /media/stick/inner rw - ext4 /dev/sde1 rw\n53 40 8:81 / /media/stick rw - ext4 /dev/sdf1 rw\n"
        #expect(table(text).mounts.filter { $0.point.starts(with: "/media/stick") }.map(\.number) == [53])
    }

    @Test func `a name that another begins with holds nothing of it`() {
        let text = Self.usual + "54 22 8:97 / /media/st rw - ext4 /dev/sdg1 rw\n"
        #expect(table(text).mount(holding: "/media/stick/ferry")?.number == 40)
    }

    @Test func `this machine's own table has a root`() throws {
        #expect(try MountTable().mount(holding: "/")?.point == "/")
    }

    @Test(.enabled(if: MountedImage.isAllowed, "mounting is not allowed here: mounts are not tried"))
    func `mounting and unmounting are told as they happen`() async throws {
        let image = try MountedImage(label: "FERRY TEST")
        let tables = try MountTable.watch()
        func holdsImage(_ table: MountTable) -> Bool { table.mounts.contains { $0.point == image.point } }
        #expect(try await tables.first { !holdsImage($0) } != nil)
        try image.mount()
        let mounted = try await tables.first(where: holdsImage)
        let mount = try #require(mounted?.mount(holding: image.point.appending("ferry")))
        #expect(mount.fileSystem == "ext4" && mount.point == image.point && !mount.isReadOnly)
        #expect(DiskFileSystem().label(holding: image.point) == "FERRY TEST")
        #expect(BlockDevice(mount.device)?.isRemovable == false)
        #expect(try FileSystemSpace(holding: image.point).identifier != 0)
        try image.unmount()
        #expect(try await tables.first { !holdsImage($0) } != nil)
    }
}

/// A file with an ext4 file system, to be mounted by a test.
final class MountedImage {
    let point: FilePath
    private let directory: FilePath

    static let isAllowed = geteuid() == 0 && (try? run("/sbin/losetup", ["-f"])) != nil

    init(label: String) throws {
        directory = FilePath(FileManager.default.temporaryDirectory.path).appending("ferry-mount-\(UUID().uuidString)")
        point = directory.appending("point")
        try FileManager.default.createDirectory(atPath: point.string, withIntermediateDirectories: true)
        try Self.run("/usr/bin/truncate", ["-s", "8M", directory.appending("image").string])
        try Self.run("/sbin/mkfs.ext4", ["-q", "-L", label, directory.appending("image").string])
    }

    deinit {
        try? unmount()
        try? FileManager.default.removeItem(atPath: directory.string)
    }

    func mount() throws { try Self.run("/bin/mount", ["-o", "loop", directory.appending("image").string, point.string]) }
    func unmount() throws { try Self.run("/bin/umount", [point.string]) }

    private struct Failure: Error { let command: [String] }

    private static func run(_ program: String, _ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(command: [program] + arguments) }
    }
}
