package import SystemPackage

/// A file system that is mounted somewhere, as `/proc/self/mountinfo` lists it (proc_pid_mountinfo(5)).
package struct Mount: Sendable, Hashable {
    /// A device, as the kernel numbers it; of major number 0 where no block device is behind it.
    package struct Device: Sendable, Hashable, CustomStringConvertible {
        package let major: UInt32
        package let minor: UInt32

        package init(major: UInt32, minor: UInt32) {
            self.major = major
            self.minor = minor
        }

        /// Reads `major:minor`.
        package init?(_ text: some StringProtocol) {
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2, let major = UInt32(parts[0]), let minor = UInt32(parts[1]) else { return nil }
            self.init(major: major, minor: minor)
        }

        package var description: String { "\(major):\(minor)" }
    }

    /// Unique while it is mounted, and used again later.
    package let number: Int
    /// What it is mounted on.
    package let parent: Int
    package let device: Device
    /// The directory of the file system that is seen at the mount point; `/` unless it is a bind mount.
    package let root: String
    package let point: FilePath
    /// Whether it, or the file system itself, may not be written to.
    package let isReadOnly: Bool
    /// Such as `ext4`.
    package let fileSystem: String
    /// Such as `/dev/sdb1`.
    package let source: String

    package init(
        number: Int, parent: Int, device: Device, root: String, point: FilePath, isReadOnly: Bool, fileSystem: String, source: String
    ) {
        self.number = number
        self.parent = parent
        self.device = device
        self.root = root
        self.point = point
        self.isReadOnly = isReadOnly
        self.fileSystem = fileSystem
        self.source = source
    }

    /// Whether its file system counts the bytes of a file in 32 bits.
    package var isFAT: Bool { ["vfat", "msdos"].contains(fileSystem) }

    /// Reads a line; `nil` for one that is none.
    init?(line: ArraySlice<UInt8>) {
        let words = line.split(separator: UInt8(ascii: " "))
        guard let dash = words.dropFirst(6).firstIndex(where: { $0.elementsEqual("-".utf8) }), words.count >= dash + 4,
            let number = Int(Self.text(words[0])), let parent = Int(Self.text(words[1])), let device = Device(Self.text(words[2]))
        else { return nil }
        let options = [words[5], words[dash + 3]].flatMap { $0.split(separator: UInt8(ascii: ",")) }
        let point = Self.unescaped(words[4]).map { CChar(bitPattern: $0) } + [0]
        self.init(
            number: number, parent: parent, device: device, root: Self.text(words[3]), point: FilePath(platformString: point),
            isReadOnly: options.contains { $0.elementsEqual("ro".utf8) }, fileSystem: Self.text(words[dash + 1]),
            source: Self.text(words[dash + 2]))
    }

    private static func text(_ word: ArraySlice<UInt8>) -> String { String(decoding: unescaped(word), as: UTF8.self) }

    /// Space, tab, line feed and backslash are written as `\` and three octal digits.
    private static func unescaped(_ word: ArraySlice<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = word
        while let byte = rest.popFirst() {
            let digits = rest.prefix(3)
            if byte == UInt8(ascii: "\\"), digits.count == 3, let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 8) {
                bytes.append(value)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return bytes
    }
}
