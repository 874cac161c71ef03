package import Platform
package import SystemPackage

/// What is mounted.
package struct MountTable: Sendable, Equatable {
    /// Those that a path leads to, in the order in which they were mounted.
    package let mounts: [Mount]

    /// Reads what `/proc/self/mountinfo` holds; lines that are none are passed over.
    ///
    /// A mount that others were put over is left out.
    package init(parsing bytes: [UInt8]) {
        let all = bytes.split(separator: UInt8(ascii: "\n")).compactMap { Mount(line: $0) }
        let byNumber = Dictionary(all.map { ($0.number, $0) }) { first, _ in first }
        let children = Dictionary(grouping: all) { $0.parent }
        var known: [Int: Bool] = [:]
        /// Whether a path leads to it, or to what covers it.
        func isReachable(_ mount: Mount) -> Bool {
            if let known = known[mount.number] { return known }
            // For a line that names itself as what it is mounted on.
            known[mount.number] = true
            // On the way to it lies another that is mounted on the same one.
            let isCutOff = children[mount.parent, default: []].contains {
                $0.number != mount.number && $0.point != mount.point && mount.point.starts(with: $0.point)
            }
            let result = !isCutOff && (byNumber[mount.parent].map(isReachable) ?? true)
            known[mount.number] = result
            return result
        }
        mounts = all.filter { mount in
            isReachable(mount)
                && !children[mount.number, default: []].contains { $0.number != mount.number && $0.point == mount.point }
        }
    }

    /// Reads what is mounted for this process now.
    ///
    /// - Throws: `FileSystemError` where `/proc` is not there.
    package init() throws(FileSystemError) {
        self.init(parsing: try AlertingFile(opening: Self.source).contents())
    }

    /// The mount that a path lies on; the path is absolute, and taken as it is written.
    package func mount(holding path: FilePath) -> Mount? {
        mounts.filter { path.starts(with: $0.point) }.max { $0.point.components.count < $1.point.components.count }
    }

    /// Hands over what is mounted now, and anew after each change, until the body says that it was enough, on the caller's thread.
    ///
    /// - Parameter body: returns whether to go on.
    /// - Throws: `FileSystemError` where `/proc` is not there; what the body throws.
    package static func follow(_ body: (MountTable) throws -> Bool) throws {
        let file = try AlertingFile(opening: source)
        while try body(MountTable(parsing: file.contents())) {
            while !file.wait() {}
        }
    }

    private static let source = FilePath("/proc/self/mountinfo")

    /// What is mounted now, and anew after each change; of several changes that nobody waited for, what they came to.
    ///
    /// Ends where the kernel tells no more.
    /// - Throws: `FileSystemError` where `/proc` is not there.
    package static func watch() throws(FileSystemError) -> AsyncThrowingStream<MountTable, any Error> {
        try AlertingFile(opening: source).changes { MountTable(parsing: $0) }
    }
}
