import Foundation
import Glibc

/// A small file system in a file, which is mounted as a stick is.
package final class LoopMedium: Sendable {
    /// Whether this machine lets us mount.
    package static let isAllowed = geteuid() == 0 && (try? run("losetup", ["-f"])) != nil

    /// Whether it lets us mount exFAT, too, by a program where its kernel has none.
    package static let isExFATAllowed =
        isAllowed && FileManager.default.fileExists(atPath: "/dev/fuse") && (try? run("which", ["mkfs.exfat", "mount.exfat-fuse"])) != nil

    package enum Kind: Sendable {
        case ext4
        /// What sticks come with: no owners, no modes, no links, and names that differ in more than their case.
        case exFAT
    }

    /// Where it is mounted.
    package let point: String
    private let image: String
    private let kind: Kind

    /// - Parameters:
    ///   - point: a directory to mount it on, made where it is missing; one of its own by default.
    ///   - megabytes: its size.
    ///   - kind: what is made on it.
    ///   - files: how many files it can hold; as many as such a stick usually does by default.
    package init(label: String, at point: String? = nil, megabytes: Int = 8, kind: Kind = .ext4, files: Int? = nil) throws {
        let own = FileManager.default.temporaryDirectory.appendingPathComponent("ferry-medium-\(UUID().uuidString)").path
        self.point = point ?? "\(own).point"
        image = own
        self.kind = kind
        try FileManager.default.createDirectory(atPath: self.point, withIntermediateDirectories: true)
        try Self.run("truncate", ["-s", "\(megabytes)M", image])
        switch kind {
        case .ext4: try Self.run("mkfs.ext4", ["-q", "-L", label] + (files.map { ["-N", "\($0)"] } ?? []) + [image])
        case .exFAT: try Self.run("mkfs.exfat", ["-L", label, image])
        }
    }

    deinit {
        try? unmount()
        try? FileManager.default.removeItem(atPath: image)
        try? FileManager.default.removeItem(atPath: "\(image).point")
    }

    package func mount(_ options: String = "rw") throws {
        switch kind {
        case .ext4: try Self.run("mount", ["-o", "loop,\(options)", image, point])
        // A loop device is freed by whoever holds it last, once it was told to. What serves the medium from then on must not hold what we wait
        // for this process by.
        case .exFAT:
            let script = """
                for descriptor in /proc/self/fd/*; do
                    [ "${descriptor##*/}" -le 2 ] || eval "exec ${descriptor##*/}>&-"
                done
                device=$(losetup -f --show "$1") || exit
                mount -t exfat-fuse -o "$2" "$device" "$3"
                status=$?
                losetup -d "$device"
                exit $status
                """
            try Self.run("bash", ["-c", script, "bash", image, options, point])
        }
    }
    package func unmount() throws { try Self.run("umount", [point]) }
    /// Pulls it out, whoever uses it.
    package func pull() throws { try Self.run("umount", ["-l", point]) }

    private struct Failure: Error { let command: [String] }

    private static func run(_ program: String, _ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        process.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(command: [program] + arguments) }
    }
}
