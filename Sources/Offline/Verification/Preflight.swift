import BundleFormat
import Glibc
import Integrity
package import PackageStore
package import Platform
package import Snapshots
package import SystemPackage

/// Whether a bundle can be written into this storage, asked before anything is: room on each file system, permission, what stands in
/// the way.
package struct Preflight {
    /// What an import needs of one file system, and what that has.
    package struct Room: Sendable, Hashable {
        /// A physical storage on it.
        package let root: FilePath
        /// Bytes of the files that come in.
        package let stagedBytes: Int64
        /// Bytes of packuments that are replaced, of what takes their place, and of what is kept of both.
        package let backupBytes: Int64
        /// Bytes that are left untouched.
        package let reserveBytes: Int64
        /// Bytes that so many files take beside their content.
        package let overheadBytes: Int64
        package let freeBytes: Int64
        package let files: Int64
        /// `nil` where the file system does not count them.
        package let freeFiles: Int64?

        package var neededBytes: Int64 { stagedBytes + backupBytes + reserveBytes + overheadBytes }
    }

    private struct Need {
        let root: FilePath
        var staged: Int64 = 0
        var backup: Int64 = 0
        var files: Int64 = 0
    }

    private let layout: StorageLayout
    private let files: any FileSystem
    private var needs: [FilePath: Need] = [:]
    private var foldedNames: [String: String]?

    /// Free space that is left untouched on each file system, in bytes.
    private static let reserve: Int64 = 64 << 20

    /// - Parameter mayProbe: an empty file may be made for a moment where nothing else tells whether names are folded.
    /// - Throws: `BundleRefusal.notWritable`, `FileSystemError`.
    package init(layout: StorageLayout, files: any FileSystem, mayProbe: Bool) throws {
        self.layout = layout
        self.files = files
        try refuseUnwritable(layout.root)
        foldedNames = try foldsNames(mayProbe: mayProbe) ? [:] : nil
    }

    /// Takes account of a package of the target state.
    ///
    /// - Parameter carried: what the bundle brings of it.
    /// - Returns: whether the package is new here.
    package mutating func add(_ package: PackageName, target: some Sequence<FileName>, carried: [SnapshotFile]) throws -> Bool {
        if foldedNames != nil {
            try refuseFolded(package.text)
            for file in target { try refuseFolded("\(package)/\(file)") }
        }
        guard !carried.isEmpty else { return false }
        let root = layout.storageRoot(of: package)
        if needs[root] == nil {
            needs[root] = Need(root: root)
            if root != layout.root, try files.status(of: root) != nil { try refuseUnwritable(root) }
        }
        needs[root]?.staged += carried.reduce(0) { $0 + $1.size }
        needs[root]?.files += Int64(carried.count) + 2
        let directory = layout.directory(of: package)
        if package.scope != nil { try refuseObstruction(directory.removingLastComponent()) }
        let isNew = try refuseObstruction(directory)
        if !isNew, let here = try files.status(of: directory.appending("package.json"))?.identity.size {
            // What stands there is kept, beside what is written in its place and a copy of that.
            let form = carried.last { $0.path.file.isPackument }?.size ?? 0
            needs[root]?.backup += here + 2 * (here + form)
            needs[root]?.files += 3
        }
        return isNew
    }

    /// Takes account of a package of which versions are taken away: what goes is linked, its packument is kept and written anew.
    package mutating func addRemoval(of package: PackageName) throws {
        let root = layout.storageRoot(of: package)
        if needs[root] == nil { needs[root] = Need(root: root) }
        let here = try files.status(of: layout.directory(of: package).appending("package.json"))?.identity.size ?? 0
        needs[root]?.backup += 4 * here
        needs[root]?.files += 8
    }

    /// Compares what the packages take with the room there is, file system by file system.
    ///
    /// - Returns: what each file system needs and has.
    /// - Throws: `BundleRefusal.noSpace`, `.noFiles`.
    package func finish() throws -> [Room] {
        var rooms: [Room] = []
        var perDevice: [UInt64: Need] = [:]
        for need in needs.values.sorted(by: { $0.root.string < $1.root.string }) {
            let device = try deviceHolding(need.root)
            perDevice[device, default: Need(root: need.root)].staged += need.staged
            perDevice[device]?.backup += need.backup
            perDevice[device]?.files += need.files
        }
        for need in perDevice.values.sorted(by: { $0.root.string < $1.root.string }) {
            let space = try FileSystemSpace(wouldHold: need.root)
            let room = Room(
                root: need.root, stagedBytes: need.staged, backupBytes: need.backup, reserveBytes: Self.reserve,
                overheadBytes: need.files * space.blockSize, freeBytes: space.freeBytes, files: need.files, freeFiles: space.freeFiles)
            guard space.freeBytes >= room.neededBytes else { throw BundleRefusal.noSpace(room) }
            let count = need.files + 16
            if let free = space.freeFiles, free < count {
                throw BundleRefusal.noFiles(needed: count, free: free, at: need.root.string)
            }
            rooms.append(room)
        }
        return rooms
    }

    private func deviceHolding(_ path: FilePath) throws -> UInt64 {
        var path = path
        while true {
            if let status = try files.status(of: path) { return status.identity.device }
            guard path.removeLastComponent() else { return 0 }
        }
    }

    /// Whoever imports must be able to write here and to give files to the storage's owner.
    private func refuseUnwritable(_ root: FilePath) throws {
        let isWritable = root.withPlatformString { access($0, W_OK | X_OK) } == 0
        if !isWritable, errno == EROFS { throw BundleRefusal.readOnly(root.string) }
        guard let status = try files.status(of: root) else { return }
        guard isWritable, geteuid() == 0 || geteuid() == status.owner else {
            throw BundleRefusal.notWritable(root.string, owner: status.owner, user: geteuid())
        }
    }

    /// Whether nothing stands at a path where a directory is to be; something else than one is refused.
    @discardableResult
    private func refuseObstruction(_ directory: FilePath) throws -> Bool {
        guard let status = try files.status(of: directory) else { return true }
        guard status.kind == .directory else { throw BundleRefusal.obstructed(directory.string) }
        return false
    }

    /// Whether names that differ in case only are one: asked of a name that is there, else of one that is made.
    private func foldsNames(mayProbe: Bool) throws -> Bool {
        for name in try files.names(in: layout.root) ?? [] {
            let swapped = String(name.map { $0.isUppercase ? Character($0.lowercased()) : Character($0.uppercased()) })
            guard swapped != name, swapped.utf8.count == name.utf8.count else { continue }
            guard let status = try files.status(of: layout.root.appending(name)) else { continue }
            return try files.status(of: layout.root.appending(swapped))?.identity.inode == status.identity.inode
        }
        guard mayProbe else { return false }
        let probe = layout.root.appending(".ferry-case-Probe")
        _ = try files.createExclusively(probe)
        defer { _ = try? files.remove(probe) }
        return try files.status(of: layout.root.appending(".ferry-case-pROBE")) != nil
    }

    private mutating func refuseFolded(_ path: String) throws {
        if let other = foldedNames?.updateValue(path, forKey: path.lowercased()), other != path {
            throw BundleRefusal.foldedNames(other, path)
        }
    }
}
