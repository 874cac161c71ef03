import Foundation
import Glibc

/// A small ext4 file system in a file, which is mounted as a stick is.
package final class LoopMedium: Sendable {
    /// Whether this machine lets us mount.
    package static let isAllowed = geteuid() == 0 && (try? run("losetup", ["-f"])) != nil

    /// Where it is mounted.
    package let point: String
    private let image: String

    /// - Parameters:
    ///   - point: a directory to mount it on, made where it is missing; one of its own by default.
    ///   - megabytes: its size.
    ///   - files: how many files it can hold; as many as such a stick usually does by default.
    package init(label: String, at point: String? = nil, megabytes: Int = 8, files: Int? = nil) throws {
        let own = FileManager.default.temporaryDirectory.appendingPathComponent("ferry-medium-\(UUID().uuidString)").path
        self.point = point ?? "\(own).point"
        image = own
        try FileManager.default.createDirectory(atPath: self.point, withIntermediateDirectories: true)
        try Self.run("truncate", ["-s", "\(megabytes)M", image])
        try Self.run("mkfs.ext4", ["-q", "-L", label] + (files.map { ["-N", "\($0)"] } ?? []) + [image])
    }

    deinit {
        try? unmount()
        try? FileManager.default.removeItem(atPath: image)
        try? FileManager.default.removeItem(atPath: "\(image).point")
    }

    package func mount(_ options: String = "rw") throws { try Self.run("mount", ["-o", "loop,\(options)", image, point]) }
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
