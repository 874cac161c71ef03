import Archives
package import Integrity
package import PackageStore
package import Platform
package import Snapshots
package import SystemPackage

/// Writes one bundle: the difference of two snapshots as a signed archive (FORMAT.md §5, §6).
package struct BundleWriter: Sendable {
    /// What differs from bundle to bundle and lives in the descriptor only.
    package struct Envelope: Sendable {
        package let bundle: Identifier
        package let created: Timestamp
        package let destination: BundleDestination
        package let sequence: Int64
        /// Who signs; none for an unsigned bundle.
        package let keys: [MinisignSecretKey]
        /// Program and version, for people.
        package let program: String

        package init(
            bundle: Identifier, created: Timestamp, destination: BundleDestination, sequence: Int64, keys: [MinisignSecretKey],
            program: String
        ) {
            self.bundle = bundle
            self.created = created
            self.destination = destination
            self.sequence = sequence
            self.keys = keys
            self.program = program
        }
    }

    /// A bundle that was written.
    package struct Written: Sendable {
        package let descriptor: BundleDescriptor
        package let path: FilePath
        /// Bytes of the archive, its tail included.
        package let size: Int64

        package init(descriptor: BundleDescriptor, path: FilePath, size: Int64) {
            self.descriptor = descriptor
            self.path = path
            self.size = size
        }
    }

    private let layout: StorageLayout
    private let store: SnapshotStore
    private let limits: BundleLimits
    /// Told after every batch: files packed, files in all, bytes packed.
    private let progress: @Sendable (Int, Int, Int64) -> Void

    private static let textLevel: Int32 = 5
    private static let windowLog: Int32 = 21

    package init(
        layout: StorageLayout, store: SnapshotStore, limits: BundleLimits = BundleLimits(),
        progress: @escaping @Sendable (Int, Int, Int64) -> Void = { _, _, _ in }
    ) {
        self.layout = layout
        self.store = store
        self.limits = limits
        self.progress = progress
    }

    /// Writes `<label>.tar.zst` into a directory that exists and is the bundle's alone.
    ///
    /// - Parameter lacking: what of the baseline is carried all the same (FORMAT.md §5.2).
    /// - Throws: `BundleError.Code.sourceChanged` naming the file when a tarball or form is gone or not what the snapshot says;
    ///   `.tooLarge`, before the archive is begun, for one that no reader would take; `FileSystemError`. What was written by then is garbage in that directory.
    package func write(
        from baseline: SnapshotReader?, to target: SnapshotReader, lacking: LackingFiles = LackingFiles(), into directory: FilePath,
        envelope: Envelope
    ) throws -> Written {
        let work = directory.appending(".work")
        let files = DiskFileSystem()
        _ = try files.createDirectory(work)
        let texts = try LeadingTexts(
            baseline: baseline, target: target, lacking: lacking, withheld: store.withheldPaths(of: target.header.id),
            withdrawn: store.withdrawnPaths(of: target.header.id), limits: limits, work: work)
        try limits.check(texts.header.counts, documents: texts.length())
        let label = "diff-\(envelope.created.minuteLabel)"
        let path = directory.appending("\(label).tar.zst")
        let writer = try FileWriter(creating: path)
        let output = ChunkedOutput(writer)
        let leadingLength = try pack(texts, modified: target.header.created.seconds, into: output)
        var descriptor = BundleDescriptor(
            bundle: envelope.bundle, label: label, created: envelope.created, origin: target.header.origin,
            destination: envelope.destination, sequence: envelope.sequence, baselineRoot: texts.header.baseline.root,
            targetRoot: texts.header.target.root, counts: texts.header.counts, manifestDigest: texts.manifestDigest,
            leadingLength: leadingLength, coveredLength: output.length, chunkTableDigest: SHA512.digest(of: output.table), writer: "")
        descriptor.writer = "\(envelope.program), \(ZstdFrameWriter.libraryVersion)"
        let described = descriptor.bytes
        let signatures = try envelope.keys.map {
            try $0.sign(
                described, trustedComment: descriptor.trustedComment, untrustedComment: "signature of ferry bundle \(envelope.bundle)")
        }
        try writer.write(BundleTail.bytes(descriptor: descriptor, signatures: signatures, chunkTable: output.table))
        try writer.sync()
        let size = writer.count
        try writer.close()
        try files.removeTree(work)
        try files.syncDirectory(directory)
        return Written(descriptor: descriptor, path: path, size: size)
    }

    /// Writes the frames and returns the length of the leading one.
    private func pack(_ texts: LeadingTexts, modified: Int64, into output: ChunkedOutput) throws -> Int64 {
        let zstd = try ZstdFrameWriter { try output.write($0) }
        let tar = try TarWriter { try zstd.write($0) }
        try zstd.beginFrame(level: Self.textLevel, workers: 1, windowLog: Self.windowLog)
        for name in LeadingTexts.names {
            let reader = try texts.open(name)
            try tar.addFile(path: name, size: reader.status().identity.size, modified: modified) { write in
                try forEachPiece(of: reader) { try write($0) }
            }
        }
        var manifest = try BundleManifestReader(texts.open(LeadingTexts.manifestName))
        let sources = FileSources(layout: layout, store: store)
        var isInPackuments: Bool?
        var leadingLength: Int64 = 0
        var packed = 0
        var packedBytes: Int64 = 0
        let pipeline = OrderedPipeline<[SnapshotFile], [FileSources.Content]>(
            width: 2, window: 3, pull: { try Self.nextBatch(&manifest) }, transform: { try sources.read($0) })
        while let batch = try pipeline.next() {
            for content in batch {
                let file = content.file
                if file.path.file.isPackument != isInPackuments {
                    try zstd.endFrame()
                    if isInPackuments == nil { leadingLength = output.length }
                    isInPackuments = file.path.file.isPackument
                    try Self.beginFrame(zstd, of: file.path.file)
                }
                try tar.addFile(path: "storage/\(file.path)", size: file.size, modified: modified) { write in
                    try sources.forEachPiece(of: content) { try write($0) }
                }
                packed += 1
                packedBytes += file.size
            }
            progress(packed, texts.header.counts.files, packedBytes)
        }
        try tar.finish()
        try zstd.endFrame()
        try output.finish()
        return isInPackuments == nil ? output.length : leadingLength
    }

    /// Begins the frame of packuments, which shrink to a tenth, or that of tarballs, which do not shrink and keep two workers busy.
    private static func beginFrame(_ zstd: ZstdFrameWriter, of file: FileName) throws {
        if file.isPackument {
            try zstd.beginFrame(level: textLevel, workers: 1, windowLog: windowLog)
        } else {
            try zstd.beginFrame(level: ZstdFrameWriter.fastestLevel, workers: 2, jobSize: 1 << 20, windowLog: windowLog)
        }
    }

    private static func nextBatch(_ manifest: inout BundleManifestReader) throws -> [SnapshotFile]? {
        var batch: [SnapshotFile] = []
        var bytes: Int64 = 0
        while bytes < 2 << 20, batch.count < 256, let file = try manifest.nextFile() {
            batch.append(file)
            bytes += file.size
        }
        return batch.isEmpty ? nil : batch
    }
}

/// Hands the bytes of an open file over in pieces.
func forEachPiece(of reader: FileReader, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
    defer { buffer.deallocate() }
    var offset: Int64 = 0
    while true {
        let count = try reader.read(into: buffer, at: offset)
        if count == 0 { return }
        try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        offset += Int64(count)
    }
}
