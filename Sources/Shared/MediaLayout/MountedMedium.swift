import BundleFormat
import Integrity
package import Mounts
package import Platform
package import Snapshots
package import SystemPackage

/// A medium that is plugged in: where it is mounted, what it is, and what lies on it.
package struct MountedMedium: Sendable, Equatable {
    /// What is below its root.
    package enum Content: Sendable, Equatable {
        /// `ferry/` is there, with the bundles that its index lists.
        case ready([MediumEntry])
        /// There is no `ferry/`.
        case uninitialised
        /// Why what is there cannot be used.
        case unusable(String)
    }

    /// Of this file system where it is mounted now: whatever else is mounted there later has another.
    package let id: Identifier
    package let mount: Mount
    package let label: String?
    /// Whether people pull it out, as far as the kernel knows.
    package let isRemovable: Bool
    /// Who made it and what they call it.
    package let model: String?
    package let serial: String?
    package let space: FileSystemSpace
    package let content: Content
    /// The volumes on it of bundles that are spread over several media.
    package let parts: [MediumPart]

    package var medium: Medium { Medium(root: mount.point, label: label, largestVolume: mount.isFAT ? VolumeCut.ofFAT : nil) }

    /// - Throws: `FileSystemError` where it is not there any more, or does not answer.
    init(_ mount: Mount, device: BlockDevice?) throws(FileSystemError) {
        self.mount = mount
        space = try FileSystemSpace(holding: mount.point)
        let facts = "\(mount.number) \(mount.device) \(mount.fileSystem) \(mount.source) \(space.identifier) \(mount.root) \(mount.point)"
        id = Identifier(.medium, random: Array(SHA512.digest(of: Array(facts.utf8)).bytes))
        label = BlockDevice.label(of: mount.device) ?? DiskFileSystem().label(holding: mount.point)
        isRemovable = device?.isRemovable ?? false
        let names = [device?.vendor, device?.model].compactMap { $0 }
        model = names.isEmpty ? nil : names.joined(separator: " ")
        serial = device?.serial
        (content, parts) = Self.look(at: Medium(root: mount.point))
    }

    private static func look(at medium: Medium) -> (Content, [MediumPart]) {
        do {
            guard let folder = try DiskFileSystem().status(of: medium.folder) else { return (.uninitialised, []) }
            guard folder.kind == .directory else { return (.unusable("\(MediumWriter.Refusal.obstructed(medium.folder))"), []) }
            return (.ready(try medium.entries() ?? []), try medium.parts())
        } catch { return (.unusable("\(error)"), []) }
    }
}

extension Medium {
    /// What is mounted at a directory, with its label; of any other directory the label is that of nothing.
    package init(mountedAt root: FilePath) {
        let mount = (try? MountTable())?.mount(holding: root)
        let label = mount.flatMap { $0.point == root ? BlockDevice.label(of: $0.device) ?? DiskFileSystem().label(holding: root) : nil }
        self.init(root: root, label: label, largestVolume: mount?.isFAT == true ? VolumeCut.ofFAT : nil)
    }
}

extension MountedMedium {
    package static func == (left: MountedMedium, right: MountedMedium) -> Bool {
        left.id == right.id && left.label == right.label && left.content == right.content && left.parts == right.parts
            && left.space.freeBytes == right.space.freeBytes && left.mount.isReadOnly == right.mount.isReadOnly
    }
}
