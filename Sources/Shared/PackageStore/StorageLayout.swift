package import Platform
package import SystemPackage

/// Where the packages of a Verdaccio storage lie: its root, and the sub-directory each package's configuration names.
package struct StorageLayout: Sendable {
    /// Where a package's directory is.
    package struct Location: Sendable, Hashable {
        package let package: PackageName
        package let directory: FilePath
    }

    /// The storage directory.
    package let root: FilePath
    /// The per-package `storage:` of Verdaccio's configuration; `nil` when no configuration is known, and then packages are looked for.
    private let configured: (@Sendable (PackageName) -> String?)?
    /// Every sub-directory that the configuration names.
    private let subdirectories: [String]

    /// - Parameters:
    ///   - root: the storage directory.
    ///   - subdirectories: every sub-directory that `configured` can name; they are searched whatever they are called.
    ///   - configured: for a package, the sub-directory that Verdaccio's configuration names, or `nil` for the root itself.
    package init(root: FilePath, subdirectories: [String] = [], configured: (@Sendable (PackageName) -> String?)? = nil) {
        self.root = root
        self.subdirectories = subdirectories
        self.configured = configured
    }

    /// The directory Verdaccio serves a package from, by its configuration; directly below the root where none is known.
    package func directory(of package: PackageName) -> FilePath {
        storageRoot(of: package).appending(package.text)
    }

    /// The physical storage a package belongs to: the root, or a sub-directory with a `storage:` of its own.
    package func storageRoot(of package: PackageName) -> FilePath {
        guard let subdirectory = configured?(package) else { return root }
        return root.appending(subdirectory)
    }

    /// The sub-directory that a physical storage is; empty for the storage itself.
    package func subdirectory(of storageRoot: FilePath) -> String {
        String(storageRoot.string.dropFirst(root.string.count).drop { $0 == "/" })
    }

    /// The physical storage of a sub-directory.
    package func storageRoot(ofSubdirectory subdirectory: String) -> FilePath {
        subdirectory.isEmpty ? root : root.appending(subdirectory)
    }

    /// A layout that knows where packages lie that are not directly below the root: by configuration, or else by looking.
    package func located() throws(FileSystemError) -> StorageLayout {
        configured == nil ? located(by: try discover().packages) : self
    }

    /// A layout that knows where packages lie: by configuration, or else by what was found.
    package func located(by found: [Location]) -> StorageLayout {
        guard configured == nil else { return self }
        var elsewhere: [PackageName: String] = [:]
        for location in found where location.directory != root.appending(location.package.text) {
            let depth = location.package.scope == nil ? 1 : 2
            let prefix = location.directory.string.dropFirst(root.string.count).split(separator: "/").dropLast(depth)
            elsewhere[location.package] = prefix.joined(separator: "/")
        }
        guard !elsewhere.isEmpty else { return self }
        return StorageLayout(root: root) { [elsewhere] in elsewhere[$0] }
    }

    /// Finds every package, sorted by name, and what does not belong into a storage.
    ///
    /// Names that start with a dot are skipped, unless the configuration names them. A directory that holds neither a packument nor
    /// tarballs nor a scope is taken for a sub-storage and searched, at most four deep. Symbolic links are never followed, except the
    /// root itself. Packages that Verdaccio would not serve from where they lie, or that lie in two places, are findings, and so is what
    /// cannot be read below the root.
    ///
    /// - Throws: `FileSystemError` that is about the storage when the root is not a readable directory.
    package func discover() throws(FileSystemError) -> (packages: [Location], findings: [Finding]) {
        let opened: DirectoryReader?
        do { opened = try DirectoryReader(opening: root, followingLink: true) } catch { throw .storage(root, error.errno) }
        guard let reader = opened else { throw .storage(root, .noSuchFileOrDirectory) }
        var search = Search(configured: Set(subdirectories.map { root.appending($0) }))
        try search.visit(reader, prefix: "", depth: 0)
        for subdirectory in subdirectories { search.visit(subdirectory, of: root) }
        let packages = configured == nil ? search.onlyPackages() : search.packages { directory(of: $0) }
        func key(_ finding: Finding) -> String { "\(finding.subject)\0\(finding.message)" }
        return (packages, search.findings.sorted { key($0).precedesByBytes(key($1)) })
    }
}

extension FileSystemError {
    private static let opening = "open the storage"

    /// A storage that cannot be opened as one.
    package static func storage(_ root: FilePath, _ errno: Errno) -> FileSystemError { FileSystemError(opening, root, errno) }

    /// Whether it is the storage that cannot be opened, so that another path may be meant.
    package var isAboutStorage: Bool { operation == Self.opening }
}

/// The walk of one storage.
private struct Search {
    /// The directories that the configuration makes storages of their own.
    let configured: Set<FilePath>
    private var locations: [StorageLayout.Location] = []
    private(set) var findings: Set<Finding> = []
    private static let depthLimit = 4

    init(configured: Set<FilePath>) {
        self.configured = configured
    }

    /// The packages that lie in one place; for those in several, nobody says which is served.
    mutating func onlyPackages() -> [StorageLayout.Location] {
        let found = distinctLocations()
        var places: [PackageName: [FilePath]] = [:]
        for (one, other) in zip(found, found.dropFirst()) where one.package == other.package {
            places[one.package, default: [one.directory]].append(other.directory)
        }
        for (package, directories) in places {
            let words = directories.map { "\"\($0)\"" }.joined(separator: " and ")
            let message = "lies in \(words); name verdaccio's configuration to tell which one is served"
            findings.insert(Finding(.ambiguousPackage, package.text, message))
        }
        return places.isEmpty ? found : found.filter { places[$0.package] == nil }
    }

    /// The packages that lie where they are expected.
    ///
    /// A directory that can be read as two packages, `@scope/name` of one storage and `name` of the storage `@scope`, is the expected one.
    mutating func packages(expected: (PackageName) -> FilePath) -> [StorageLayout.Location] {
        let found = distinctLocations()
        let served = found.filter { expected($0.package) == $0.directory }
        guard served.count < found.count else { return served }
        let places = Set(served.map(\.directory))
        for location in found where !places.contains(location.directory) {
            let message = "verdaccio's configuration serves \(location.package) from \"\(expected(location.package))\""
            findings.insert(Finding(.misplacedPackage, location.directory.string, message))
        }
        return served
    }

    /// What was found, sorted by package and then by directory.
    private func distinctLocations() -> [StorageLayout.Location] {
        let sorted = locations.sorted {
            $0.package == $1.package ? $0.directory.string.precedesByBytes($1.directory.string) : $0.package < $1.package
        }
        var distinct: [StorageLayout.Location] = []
        distinct.reserveCapacity(sorted.count)
        for location in sorted where location != distinct.last { distinct.append(location) }
        return distinct
    }

    /// Visits a storage, or a directory that is taken for one.
    mutating func visit(_ reader: DirectoryReader, prefix: String, depth: Int) throws(FileSystemError) {
        let entries = try reader.kinds().filter { !$0.name.hasPrefix(".") }
        let packages = entries.concurrentMap { [path = reader.path] name, kind in
            kind == .directory && !name.hasPrefix("@") && (try? DiskFileSystem().status(of: path.appending("\(name)/package.json"))) != nil
        }
        for ((name, kind), isPackage) in zip(entries, packages) {
            look(at: name, of: reader, subject: prefix + name, kind) { search throws(FileSystemError) in
                if isPackage { return search.add(name, at: reader.path.appending(name), subject: prefix + name) }
                try search.visitDirectory(named: name, of: reader, subject: prefix + name, depth: depth)
            }
        }
    }

    /// Visits a sub-directory that the configuration names, where there is one.
    mutating func visit(_ subdirectory: String, of root: FilePath) {
        var parents = root
        for part in subdirectory.split(separator: "/") {
            parents.append(String(part))
            switch try? DiskFileSystem().status(of: parents)?.kind {
            case .directory: continue
            case .symbolicLink: findings.insert(.link(subdirectory))
            default: break
            }
            return
        }
        readable(subdirectory) { search throws(FileSystemError) in
            guard let reader = try DirectoryReader(opening: parents) else { return }
            try search.visit(reader, prefix: "\(subdirectory)/", depth: 1)
        }
    }

    /// Looks at one entry: a directory is handed to `body`, anything else is a finding.
    private mutating func look(
        at name: String, of reader: DirectoryReader, subject: String,
        _ kind: FileStatus.Kind?, _ body: (inout Search) throws(FileSystemError) -> Void
    ) {
        readable(subject) { search throws(FileSystemError) in
            switch kind {
            case nil: if name.contains("\u{FFFD}") { search.findings.insert(.notUTF8(subject)) }
            case .directory: try body(&search)
            case .symbolicLink: search.findings.insert(.link(subject))
            // A storage may lie in the directory of a package; the package's files are no strays there.
            case .file where FileName(name) != nil && search.configured.contains(reader.path): break
            case .file, .other:
                search.findings.insert(Finding(.strayEntry, subject, "not a package; verdaccio's search ends at such an entry"))
            }
        }
    }

    /// Visits a directory without a packument.
    private mutating func visitDirectory(
        named name: String, of reader: DirectoryReader, subject: String, depth: Int
    ) throws(FileSystemError) {
        let path = reader.path.appending(name)
        if name.hasPrefix("@") {
            guard let scope = try DirectoryReader(opening: path) else { return }
            // One that can be listed and not entered is not readable, either.
            _ = try scope.status(of: ".")
            for (part, kind) in try scope.kinds() where !part.hasPrefix(".") {
                // Where the scope's directory is a storage, too, a scope below it is that storage's.
                if part.hasPrefix("@"), configured.contains(path) { continue }
                look(at: part, of: scope, subject: "\(subject)/\(part)", kind) { search in
                    search.add("\(name)/\(part)", at: path.appending(part), subject: "\(subject)/\(part)")
                }
            }
            return
        }
        guard let directory = try DirectoryReader(opening: path) else { return }
        let names = try directory.names()
        let visible = names.filter { !$0.hasPrefix(".") }
        if names.contains(where: { $0.hasSuffix(".tgz") || $0.contains(".tgz.tmp-") || $0.hasPrefix("package.json") }) {
            add(name, at: path, subject: subject)
        } else if visible.isEmpty {
            findings.insert(Finding(.emptyDirectory, subject, "an empty directory; verdaccio's search ends at such an entry"))
        } else if depth < Self.depthLimit {
            try visit(directory, prefix: "\(subject)/", depth: depth + 1)
        } else {
            findings.insert(Finding(.strayEntry, subject, "nested too deep to be a storage of its own"))
        }
    }

    /// Runs a body; what it cannot read is a finding.
    private mutating func readable(_ subject: String, _ body: (inout Search) throws(FileSystemError) -> Void) {
        do throws(FileSystemError) { try body(&self) } catch {
            findings.insert(Finding(.unreadable, subject, error.description))
        }
    }

    private mutating func add(_ name: String, at directory: FilePath, subject: String) {
        guard let package = PackageName(name) else {
            findings.insert(Finding(.invalidName, subject, "\"\(name)\" is not a package name"))
            return
        }
        locations.append(StorageLayout.Location(package: package, directory: directory))
    }
}

extension Finding {
    fileprivate static func link(_ subject: String) -> Finding { Finding(.symbolicLink, subject, "symbolic links are not followed") }
}
