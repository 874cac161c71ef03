import Platform
package import SystemPackage

/// What the kernel's `/sys` says of the device behind a mount (Documentation/ABI/stable/sysfs-block).
package struct BlockDevice: Sendable, Equatable {
    /// The whole disk, such as `/sys/devices/…/block/sdb`; several partitions have it in common.
    package let disk: FilePath
    /// Whether people pull it out: the kernel says so, or it is on USB, or an SD card.
    package let isRemovable: Bool
    package let vendor: String?
    package let model: String?
    /// That of the device which people hold in their hands.
    package let serial: String?

    /// Looks a device up; `nil` for one that is no block device, or that `/sys` does not know.
    ///
    /// What is encrypted is looked up by the device that it lies on.
    package init?(_ number: Mount.Device, system: FilePath = "/sys") {
        let files = DiskFileSystem()
        let link = system.appending("dev").appending("block").appending(number.description)
        guard number.major != 0, var device = try? files.resolve(link) else { return nil }
        while let names = try? files.names(in: device.appending("slaves")), names.count == 1,
            let below = try? files.resolve(device.appending("slaves").appending(names[0])), below != device
        {
            device = below
        }
        let isPartition = (try? files.status(of: device.appending("partition"))) != nil
        let disk = isPartition ? device.removingLastComponent() : device
        func text(_ path: FilePath, _ name: String) -> String? {
            guard let bytes = try? files.contents(of: path.appending(name), limit: 64 << 10) else { return nil }
            let text = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace).joined(separator: " ")
            return text.isEmpty ? nil : text
        }
        let isOnUSB = disk.components.contains { $0.string.hasPrefix("usb") && $0.string.dropFirst(3).allSatisfy(\.isNumber) }
        let hardware = disk.appending("device")
        self.disk = disk
        isRemovable = text(disk, "removable") == "1" || isOnUSB || text(hardware, "type") == "SD"
        vendor = text(hardware, "vendor")
        model = text(hardware, "model") ?? text(hardware, "name")
        // A USB device has its number some directories above the disk that it shows.
        var above = (try? files.resolve(hardware)) ?? disk
        var serial: String?
        while serial == nil, above.components.count > system.components.count {
            serial = text(above, "serial")
            above.removeLastComponent()
        }
        self.serial = serial
    }

    /// The label that udev found on a device's file system; `nil` where it found none.
    ///
    /// - Parameter devices: the directory of device files.
    package static func label(of number: Mount.Device, devices: FilePath = "/dev", system: FilePath = "/sys") -> String? {
        let files = DiskFileSystem()
        let directory = devices.appending("disk").appending("by-label")
        let link = system.appending("dev").appending("block").appending(number.description)
        guard let names = try? files.names(in: directory), let device = try? files.resolve(link)?.lastComponent else { return nil }
        let name = names.first { name in (try? files.resolve(directory.appending(name))?.lastComponent) == device }
        return name.map(unescaped)
    }

    /// udev writes what is special in a name as `\x` and two digits.
    private static func unescaped(_ name: String) -> String {
        var bytes: [UInt8] = []
        var rest = Array(name.utf8)[...]
        while let byte = rest.popFirst() {
            let digits = rest.dropFirst().prefix(2)
            if byte == UInt8(ascii: "\\"), rest.first == UInt8(ascii: "x"), digits.count == 2,
                let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
