import ArgumentParser
import CanonicalJSON
import Mounts
import PackageStore
import Platform
import Provenance
import SystemPackage

/// What is recorded of an import beside its bundle: where it ran, and what it came from, as far as that can be known.
func importDetails(from path: String, into layout: StorageLayout) -> JSONObject {
    var details = runDetails(layout)
    details["medium"] = mediumDetails(path).map { .object($0) }
    return details
}

/// What is recorded of everything that is done to a storage.
func runDetails(_ layout: StorageLayout) -> JSONObject {
    JSONObject(uniqueMembers: [
        (name: "host", value: .string(hostName())), (name: "program", value: .string(FerryOffline.version.line)),
        (name: "storage", value: .string(layout.root.string)),
    ])
}

/// The file system that a bundle lies on, and the device behind it.
private func mediumDetails(_ path: String) -> JSONObject? {
    let files = DiskFileSystem()
    guard let resolved = try? files.resolve(FilePath(path)), let mount = try? MountTable().mount(holding: resolved) else { return nil }
    let device = BlockDevice(mount.device)
    let label = BlockDevice.label(of: mount.device) ?? files.label(holding: mount.point)
    let members: [(name: String, value: String?)] = [
        ("path", resolved.string), ("fileSystem", mount.fileSystem), ("label", label), ("vendor", device?.vendor), ("model", device?.model),
        ("serial", device?.serial),
    ]
    return JSONObject(uniqueMembers: members.compactMap { name, value in value.map { (name: name, value: .string($0)) } })
}
