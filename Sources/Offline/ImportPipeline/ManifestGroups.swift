import Activation
import BundleFormat
import Integrity
import PackageStore
import Snapshots
import Verification

/// The tarballs that a manifest says have left their origin, package by package, without those that are to be kept.
struct Departures {
    private var manifest: BundleManifestReader
    private let policy: (RemovalReason) -> RemovalPolicy
    private var pending: (file: SnapshotFile, policy: RemovalPolicy)?

    init(_ manifest: BundleManifestReader, policy: @escaping (RemovalReason) -> RemovalPolicy) throws {
        self.manifest = manifest
        self.policy = policy
        try advance()
    }

    mutating func next() throws -> (package: PackageName, files: [(file: SnapshotFile, policy: RemovalPolicy)])? {
        guard let first = pending else { return nil }
        var files: [(file: SnapshotFile, policy: RemovalPolicy)] = []
        while let entry = pending, entry.file.path.package == first.file.path.package {
            files.append(entry)
            try advance()
        }
        return (first.file.path.package, files)
    }

    private mutating func advance() throws {
        pending = nil
        while let (file, reason) = try manifest.nextRemoved() {
            guard !file.path.file.isPackument, policy(reason) != .keep else { continue }
            pending = (file, policy(reason))
            return
        }
    }
}

/// One group of a manifest, tarballs or packuments, taken package by package in order.
struct ManifestGroup {
    private var manifest: BundleManifestReader
    private let packuments: Bool
    private(set) var pending: SnapshotFile?

    /// - Parameter manifest: opened where the group begins.
    init(_ manifest: BundleManifestReader, packuments: Bool) throws {
        self.manifest = manifest
        self.packuments = packuments
        try advance()
    }

    mutating func take(_ package: PackageName) throws -> [SnapshotFile] {
        var files: [SnapshotFile] = []
        while let file = pending, file.path.package == package {
            files.append(file)
            try advance()
        }
        return files
    }

    private mutating func advance() throws {
        pending = try manifest.nextFile().flatMap { $0.path.file.isPackument == packuments ? $0 : nil }
    }
}

/// The packages that a bundle carries, in pieces.
struct ImportBatches {
    /// A package to be applied.
    struct Task: Sendable {
        let package: PackageName
        let target: [FileName: SHA512Digest]
        let carried: [SnapshotFile]
    }

    private var tarballs: ManifestGroup
    private var packuments: ManifestGroup
    private var cursor: TargetCursor
    private let limit: Int
    /// Of packuments, in bytes.
    private static let bytesLimit: Int64 = 8 << 20

    init(_ reader: BundleReader, cursor: TargetCursor, limit: Int) throws {
        tarballs = try ManifestGroup(reader.manifest(), packuments: false)
        packuments = try ManifestGroup(reader.packuments(), packuments: true)
        self.cursor = cursor
        self.limit = limit
    }

    /// The next piece; empty after the last.
    mutating func next() throws -> [Task] {
        var tasks: [Task] = []
        var bytes: Int64 = 0
        while tasks.count < limit, bytes < Self.bytesLimit, let (package, target) = try cursor.next() {
            let carried = try tarballs.take(package) + packuments.take(package)
            bytes += carried.last?.size ?? 0
            if !carried.isEmpty { tasks.append(Task(package: package, target: target, carried: carried)) }
        }
        return tasks
    }
}
