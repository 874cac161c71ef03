import LoopMedia
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

    @Test(arguments: [("vfat", true), ("msdos", true), ("exfat", false), ("ext4", false), ("fuseblk", false)])
    func `a file system that counts in 32 bits is known`(name: String, isFAT: Bool) {
        #expect(table("40 22 8:17 / /media/stick rw - \(name) /dev/sdb1 rw\n").mounts.map(\.isFAT) == [isFAT])
    }

    @Test func `this machine's own table has a root`() throws {
        #expect(try MountTable().mount(holding: "/")?.point == "/")
    }

    @Test(.enabled(if: LoopMedium.isAllowed, "mounting is not allowed here: mounts are not tried"))
    func `mounting and unmounting are told as they happen`() async throws {
        let image = try LoopMedium(label: "FERRY TEST")
        let tables = try MountTable.watch()
        func holdsImage(_ table: MountTable) -> Bool { table.mounts.contains { $0.point == FilePath(image.point) } }
        #expect(try await tables.first { !holdsImage($0) } != nil)
        try image.mount()
        let mounted = try await tables.first(where: holdsImage)
        let mount = try #require(mounted?.mount(holding: FilePath(image.point).appending("ferry")))
        #expect(mount.fileSystem == "ext4" && mount.point == FilePath(image.point) && !mount.isReadOnly)
        #expect(DiskFileSystem().label(holding: FilePath(image.point)) == "FERRY TEST")
        #expect(BlockDevice(mount.device)?.isRemovable == false)
        #expect(try FileSystemSpace(holding: FilePath(image.point)).identifier != 0)
        try image.unmount()
        #expect(try await tables.first { !holdsImage($0) } != nil)
    }
}
