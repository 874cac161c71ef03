package import Mounts
import Platform
package import SystemPackage

/// Finds the media among what is mounted.
///
/// A medium is a file system that lies below one of the roots, or on a device that people pull out. The file systems that hold storage,
/// state or the system itself are none, wherever they are mounted, nor is what else can be pulled out with the system's disk.
package struct MediaSurvey: Sendable {
    /// Where media are mounted on the systems that people use.
    package static let usualRoots: [FilePath] = ["/media", "/run/media", "/mnt"]

    private let roots: [FilePath]
    private let reserved: [FilePath]
    private let mountNumber: @Sendable (FilePath) -> Int?

    /// - Parameters:
    ///   - roots: directories below which everything that is mounted is a medium.
    ///   - reserved: what lies on no medium, such as storage and state.
    ///   - mountNumber: says which mount a path leads to now; a test with a table of its own knows none.
    package init(
        roots: [FilePath] = usualRoots, reserved: [FilePath] = [],
        mountNumber: @escaping @Sendable (FilePath) -> Int? = { DiskFileSystem().mountNumber(holding: $0) }
    ) {
        self.mountNumber = mountNumber
        self.roots = roots.map { Self.resolved($0) }
        self.reserved = reserved.map { Self.resolved($0) }
    }

    /// The media that are mounted, in the order of mounting; of a file system that is mounted twice the first place.
    ///
    /// What vanishes while it is looked at is left out.
    package func media(in table: MountTable) -> [MountedMedium] {
        let taken = Taken(table, reserved)
        var seen: Set<[String]> = []
        return table.mounts.compactMap { mount in
            let device = BlockDevice(mount.device)
            guard isMedium(mount, device, taken), seen.insert([mount.device.description, mount.source, mount.root]).inserted else {
                return nil
            }
            return look(at: mount, device)
        }
    }

    /// What is mounted at a path, or holds it, as a medium; `nil` where it is none.
    package func medium(holding path: FilePath, in table: MountTable) -> MountedMedium? {
        guard let mount = table.mount(holding: Self.resolved(path)) else { return nil }
        let device = BlockDevice(mount.device)
        return isMedium(mount, device, Taken(table, reserved)) ? look(at: mount, device) : nil
    }

    /// Between the kernel's word and this look it may have gone, and what lies below its mount point is no medium.
    private func look(at mount: Mount, _ device: BlockDevice?) -> MountedMedium? {
        func isThere() -> Bool { mountNumber(mount.point).map { $0 == mount.number } ?? true }
        guard isThere(), let medium = try? MountedMedium(mount, device: device), isThere() else { return nil }
        return medium
    }

    /// What is in use for something else.
    private struct Taken {
        let devices: Set<Mount.Device>
        let systemDisk: FilePath?

        init(_ table: MountTable, _ reserved: [FilePath]) {
            let system = table.mount(holding: "/")
            devices = Set((reserved.compactMap { table.mount(holding: $0) } + (system.map { [$0] } ?? [])).map(\.device))
            systemDisk = system.flatMap { BlockDevice($0.device) }?.disk
        }
    }

    private func isMedium(_ mount: Mount, _ device: BlockDevice?, _ taken: Taken) -> Bool {
        // What mounts others when they are looked at is no place to write to.
        guard mount.fileSystem != "autofs", !taken.devices.contains(mount.device) else { return false }
        if roots.contains(where: { mount.point.starts(with: $0) }) { return true }
        guard let device, device.isRemovable else { return false }
        return device.disk != taken.systemDisk
    }

    /// Links followed as far as there is something.
    private static func resolved(_ path: FilePath) -> FilePath {
        var (path, rest): (FilePath, [FilePath.Component]) = (path, [])
        while true {
            if let resolved = try? DiskFileSystem().resolve(path.isEmpty ? "." : path) { return resolved.appending(rest.reversed()) }
            guard let last = path.lastComponent, path.removeLastComponent() else { return path }
            rest.append(last)
        }
    }
}
