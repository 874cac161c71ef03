import PackageStore
import Platform

/// The files of a package's directory as they look, unread.
struct PackageListing: Sendable {
    /// Packument and tarballs, sorted by name.
    private(set) var files: [(name: FileName, identity: FileIdentity)] = []
    /// What is there and does not travel.
    private(set) var findings: [Finding] = []
    /// The entries that vanished while they were looked at.
    private(set) var vanished: [String] = []

    /// Looks at a directory and all that is in it; `nil` where there is none.
    ///
    /// - Throws: `FileSystemError` where it cannot be read.
    init?(of location: StorageLayout.Location) throws(FileSystemError) {
        let name = location.package.text
        guard let reader = try DirectoryReader(opening: location.directory) else { return nil }
        for entry in try reader.names() {
            guard let file = FileName(entry) else {
                try notice(entry, of: name, reader.status(of: entry)?.kind)
                continue
            }
            switch try reader.status(of: entry) {
            case nil: vanished.append("\(name)/\(entry)")
            case let status? where status.kind == .file: files.append((file, status.identity))
            case let status?:
                let code = status.kind == .symbolicLink ? Finding.Code.symbolicLink : .strayEntry
                findings.append(Finding(code, "\(name)/\(entry)", "not a regular file; it does not travel"))
            }
        }
    }

    /// Two listings differ in this, but for one chance in 2^64, where a file was added, removed, replaced, or written to.
    ///
    /// It is another number in every run of the program.
    var fingerprint: Int {
        var hasher = Hasher()
        for (name, identity) in files {
            hasher.combine(name)
            hasher.combine(identity)
        }
        return hasher.finalize()
    }

    private mutating func notice(_ entry: String, of name: String, _ kind: FileStatus.Kind?) {
        if kind == nil, entry.contains("\u{FFFD}") { findings.append(.notUTF8("\(name)/\(entry)")) }
        if kind == nil || entry.hasPrefix(".") || entry.hasPrefix("package.json.lock") { return }
        if entry.contains(".tgz.tmp-") || entry.hasPrefix("package.json.tmp") {
            findings.append(Finding(.leftover, "\(name)/\(entry)", "a download under way, or the rest of one"))
        } else {
            findings.append(Finding(.strayEntry, "\(name)/\(entry)", "not a file of a package; it does not travel"))
        }
    }
}
