import Foundation
import Mounts
import SystemPackage
import Testing

/// Over directories laid out as the kernel lays out `/sys`, and udev `/dev`.
@Suite final class BlockDeviceTests {
    private let root = FileManager.default.temporaryDirectory.appendingPathComponent("ferry-sys-\(UUID().uuidString)")
        .resolvingSymlinksInPath()
    private var system: FilePath { FilePath(root.path).appending("sys") }

    deinit { try? FileManager.default.removeItem(at: root) }

    /// Makes a disk at a path below `devices`, with what its files hold.
    private func disk(_ path: String, _ files: [String: String] = [:], number: String, partition: (name: String, number: String)? = nil)
        throws
    {
        let disk = root.appendingPathComponent("sys/devices/\(path)")
        try FileManager.default.createDirectory(at: disk, withIntermediateDirectories: true)
        for (name, text) in files {
            let file = disk.appendingPathComponent(name).standardizedFileURL
            try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data("\(text)\n".utf8).write(to: file)
        }
        try link("sys/dev/block/\(number)", to: disk)
        if let partition {
            let inner = disk.appendingPathComponent(partition.name)
            try FileManager.default.createDirectory(at: inner, withIntermediateDirectories: true)
            try Data("1\n".utf8).write(to: inner.appendingPathComponent("partition"))
            try link("sys/dev/block/\(partition.number)", to: inner)
        }
    }

    private func link(_ path: String, to target: URL) throws {
        let file = root.appendingPathComponent(path)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(at: file, withDestinationURL: target)
    }

    private func device(_ major: UInt32, _ minor: UInt32) -> BlockDevice? {
        BlockDevice(Mount.Device(major: major, minor: minor), system: system)
    }

    @Test func `a partition of a stick is removable, and names what people hold in their hands`() throws {
        let stick = "pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0/host6/target6:0:0/6:0:0:0/block/sdb"
        try disk(
            stick, ["removable": "1", "../../vendor": "SanDisk ", "../../model": "Ultra  Fit"], number: "8:16", partition: ("sdb1", "8:17"))
        let hardware = root.appendingPathComponent("sys/devices/\(stick)").deletingLastPathComponent().deletingLastPathComponent()
        try link("sys/devices/\(stick)/device", to: hardware)
        try Data("4C530001\n".utf8).write(to: root.appendingPathComponent("sys/devices/pci0000:00/0000:00:14.0/usb1/1-2/serial"))
        let found = try #require(device(8, 17))
        #expect(found.isRemovable && found.vendor == "SanDisk" && found.model == "Ultra Fit" && found.serial == "4C530001")
        #expect(found.disk.lastComponent == "sdb")
        #expect(found == device(8, 16))
    }

    @Test func `a disk on USB is removable, though it does not say so`() throws {
        try disk("pci0000:00/usb2/2-1/2-1:1.0/host7/block/sdc", ["removable": "0"], number: "8:32")
        #expect(device(8, 32)?.isRemovable == true)
    }

    @Test func `a built-in disk and a loop device are not removable`() throws {
        try disk("pci0000:00/ata1/host0/block/sda", ["removable": "0"], number: "8:0")
        try disk("virtual/block/loop0", ["removable": "0"], number: "7:0")
        #expect(device(8, 0)?.isRemovable == false && device(7, 0)?.isRemovable == false)
    }

    @Test func `an encrypted stick is what it lies on`() throws {
        try disk("pci0000:00/usb1/1-3/block/sdd", ["removable": "1"], number: "8:48", partition: ("sdd1", "8:49"))
        try disk("virtual/block/dm-0", ["removable": "0"], number: "253:0")
        try link(
            "sys/devices/virtual/block/dm-0/slaves/sdd1", to: root.appendingPathComponent("sys/devices/pci0000:00/usb1/1-3/block/sdd/sdd1"))
        #expect(device(253, 0)?.isRemovable == true)
    }

    @Test func `what has no device, or is unknown, is none`() {
        #expect(device(0, 44) == nil && device(8, 99) == nil)
    }

    @Test func `a label is the one that udev found`() throws {
        try disk("pci0000:00/usb1/block/sdb", number: "8:16", partition: ("sdb1", "8:17"))
        let devices = root.appendingPathComponent("dev")
        try FileManager.default.createDirectory(at: devices, withIntermediateDirectories: true)
        try Data().write(to: devices.appendingPathComponent("sdb1"))
        try link("dev/disk/by-label/NPM\\x20STICK", to: devices.appendingPathComponent("sdb1"))
        let path = FilePath(devices.path)
        #expect(BlockDevice.label(of: Mount.Device(major: 8, minor: 17), devices: path, system: system) == "NPM STICK")
        #expect(BlockDevice.label(of: Mount.Device(major: 8, minor: 16), devices: path, system: system) == nil)
    }
}
