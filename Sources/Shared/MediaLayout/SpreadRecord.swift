import CanonicalJSON
package import Platform
package import SystemPackage

/// What was written so far of a bundle that is spread over several media: `spread.json` beside its archive.
package struct SpreadRecord: Sendable, Equatable {
    /// A medium that got some of it.
    package struct Share: Sendable, Equatable {
        /// What tells its file system from others.
        package let fileSystem: String
        package let label: String?
        package var numbers: [Int]
    }

    package let volumeSize: Int64
    package private(set) var shares: [Share] = []

    package init(volumeSize: Int64) { self.volumeSize = volumeSize }

    /// The numbers of the volumes that were written and read back.
    package var written: Set<Int> { Set(shares.flatMap(\.numbers)) }

    /// Notes what a medium carries of the bundle.
    package mutating func note(_ numbers: [Int], on fileSystem: String, label: String?) {
        shares.removeAll { $0.fileSystem == fileSystem }
        shares.append(Share(fileSystem: fileSystem, label: label, numbers: numbers))
    }

    private static let document = "record of a spread bundle"

    /// Reads what was kept beside an archive; `nil` where nothing was.
    ///
    /// - Throws: `DocumentError`, `FileSystemError`.
    package init?(beside directory: FilePath) throws {
        guard let bytes = try DiskFileSystem().contents(of: Self.path(in: directory), limit: 1 << 20) else { return nil }
        var object = try StrictObject(parsing: bytes, document: Self.document)
        try object.header(type: "ferry.spread", version: 1)
        volumeSize = try object.integer("volumeSizeBytes", in: 1...(17 << 40))
        for value in try object.take("media", \.array) {
            var share = try StrictObject(value, document: Self.document)
            let numbers = try share.take("volumes", \.array).compactMap(\.integer).map { Int($0) }
            let label = try share.take("label") { $0.string ?? ($0 == .null ? "" : nil) }
            shares.append(Share(fileSystem: try share.string("fileSystem"), label: label.isEmpty ? nil : label, numbers: numbers))
            try share.finish()
        }
        try object.finish()
    }

    /// Keeps it beside an archive, durably.
    package func keep(beside directory: FilePath, files: any FileSystem = DiskFileSystem()) throws(FileSystemError) {
        let value: JSONValue = [
            "type": "ferry.spread", "formatVersion": 1, "volumeSizeBytes": .integer(volumeSize),
            "media": .array(
                shares.map { share in
                    [
                        "fileSystem": .string(share.fileSystem), "label": share.label.map { .string($0) } ?? .null,
                        "volumes": .array(share.numbers.map { .integer($0) }),
                    ]
                }),
        ]
        try files.replace(Self.path(in: directory), with: value.canonicalBytes + [0x0A])
    }

    /// Forgets what was kept beside an archive.
    package static func forget(beside directory: FilePath) throws(FileSystemError) { _ = try DiskFileSystem().remove(path(in: directory)) }

    private static func path(in directory: FilePath) -> FilePath { directory.appending("spread.json") }
}
