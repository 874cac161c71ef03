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

    /// A layout that knows where packages lie that are not directly below the root: by configuration, or else by looking.
    package func located() throws(FileSystemError) -> StorageLayout {
        guard configured == nil else { return self }
        var elsewhere: [PackageName: String] = [:]
        for location in try discover().packages where location.directory != root.appending(location.package.text) {
            let depth = location.package.scope == nil ? 1 : 2
            let prefix = location.directory.string.dropFirst(root.string.count).split(separator: "/").dropLast(depth)
            elsewhere[location.package] = prefix.joined(separator: "/")
        }
        guard !elsewhere.isEmpty else { return self }
        return StorageLayout(root: root) { [elsewhere] in elsewhere[$0] }
    }

    /// Finds every package, sorted by name, and what does not belong into a storage.
    ///
    /// Names that start with a dot are skipped. A directory that holds neither a packument nor tarballs nor a scope is taken for a
    /// sub-storage and searched, at most four deep. Symbolic links are never followed, except the root itself. Packages that Verdaccio
    /// would not serve from where they lie, or that lie in two places, are findings.
    ///
    /// - Throws: `FileSystemError` when the root is not a readable directory.
    package func discover() throws(FileSystemError) -> (packages: [Location], findings: [Finding]) {
        guard let reader = try DirectoryReader(opening: root, followingLink: true) else {
            throw FileSystemError("open the storage", root, .noSuchFileOrDirectory)
        }
        var search = Search(storages: Set(subdirectories.map { root.appending($0) }))
        try search.visit(reader, prefix: "", depth: 0)
        for subdirectory in subdirectories { try search.visitStorage(at: root.appending(subdirectory), subject: subdirectory) }
        var packages: [Location] = []
        var byName: [PackageName: [FilePath]] = [:]
        for location in search.locations { byName[location.package, default: []].append(location.directory) }
        let served = configured == nil ? [] : Set(byName.keys.map { directory(of: $0) })
        for (package, directories) in byName {
            if configured != nil {
                let expected = directory(of: package)
                for directory in directories where directory != expected && !served.contains(directory) {
                    let message = "verdaccio's configuration serves \(package) from \"\(expected)\""
                    search.findings.append(Finding(.misplacedPackage, directory.string, message))
                }
                if directories.contains(expected) { packages.append(Location(package: package, directory: expected)) }
            } else if let directory = directories.first, directories.count == 1 {
                packages.append(Location(package: package, directory: directory))
            } else {
                let places = directories.map { "\"\($0)\"" }.joined(separator: " and ")
                let message = "lies in \(places); name verdaccio's configuration to tell which one is served"
                search.findings.append(Finding(.ambiguousPackage, package.text, message))
            }
        }
        packages.sort { $0.package < $1.package }
        search.findings.sort { $0.subject.utf8.lexicographicallyPrecedes($1.subject.utf8) }
        return (packages, search.findings)
    }
}

/// The walk of one storage.
private struct Search {
    /// Directories that are storages of their own by configuration.
    let storages: Set<FilePath>
    var locations: [StorageLayout.Location] = []
    var findings: [Finding] = []
    private var visited: Set<FilePath> = []
    private static let depthLimit = 4

    init(storages: Set<FilePath>) { self.storages = storages }

    /// Visits a sub-directory that the configuration names; it may be a package's directory or a scope's, too.
    mutating func visitStorage(at path: FilePath, subject: String) throws(FileSystemError) {
        guard let reader = try open(path, subject: subject) else { return }
        try visit(reader, prefix: "\(subject)/", depth: 0)
    }

    mutating func visit(_ reader: DirectoryReader, prefix: String, depth: Int) throws(FileSystemError) {
        guard visited.insert(reader.path).inserted else { return }
        let isPackageToo = locations.contains { $0.directory == reader.path }
        for name in try reader.names() where !name.hasPrefix(".") && !(isPackageToo && FileName(name) != nil) {
            let subject = prefix + name
            switch try reader.status(of: name)?.kind {
            case nil: noticeUnspeakable(name, subject)
            case .directory: try visitDirectory(named: name, of: reader, subject: subject, depth: depth)
            case .symbolicLink: findings.append(Finding(.symbolicLink, subject, "symbolic links are not followed"))
            case .file, .other:
                findings.append(Finding(.strayEntry, subject, "not a package; verdaccio's search ends at such an entry"))
            }
        }
    }

    private mutating func visitDirectory(
        named name: String, of reader: DirectoryReader, subject: String, depth: Int
    ) throws(FileSystemError) {
        if name.hasPrefix("@") {
            guard let scope = try open(reader.path.appending(name), subject: subject) else { return }
            let isStorageToo = storages.contains(scope.path)
            for part in try scope.names() where !part.hasPrefix(".") && !(isStorageToo && part.hasPrefix("@")) {
                let subject = "\(subject)/\(part)"
                switch try scope.status(of: part)?.kind {
                case nil: noticeUnspeakable(part, subject)
                case .directory: add("\(name)/\(part)", at: scope.path.appending(part), subject: subject)
                case .symbolicLink: findings.append(Finding(.symbolicLink, subject, "symbolic links are not followed"))
                case .file, .other:
                    findings.append(Finding(.strayEntry, subject, "not a package; verdaccio's search ends at such an entry"))
                }
            }
            return
        }
        do throws(FileSystemError) {
            if try reader.status(of: "\(name)/package.json") != nil {
                add(name, at: reader.path.appending(name), subject: subject)
                return
            }
        } catch {
            try noticeUnreadable(error, subject)
            return
        }
        guard let directory = try open(reader.path.appending(name), subject: subject) else { return }
        if storages.contains(directory.path) { return }
        let names = try directory.names()
        let visible = names.filter { !$0.hasPrefix(".") }
        if names.contains(where: { $0.hasSuffix(".tgz") || $0.contains(".tgz.tmp-") || $0.hasPrefix("package.json") }) {
            add(name, at: directory.path, subject: subject)
        } else if visible.isEmpty {
            findings.append(Finding(.emptyDirectory, subject, "an empty directory; verdaccio's search ends at such an entry"))
        } else if depth < Self.depthLimit {
            try visit(directory, prefix: "\(subject)/", depth: depth + 1)
        } else {
            findings.append(Finding(.strayEntry, subject, "nested too deep to be a storage of its own"))
        }
    }

    private mutating func open(_ path: FilePath, subject: String) throws(FileSystemError) -> DirectoryReader? {
        do throws(FileSystemError) {
            return try DirectoryReader(opening: path)
        } catch {
            try noticeUnreadable(error, subject)
            return nil
        }
    }

    private mutating func noticeUnreadable(_ error: FileSystemError, _ subject: String) throws(FileSystemError) {
        guard error.errno == .permissionDenied else { throw error }
        findings.append(Finding(.unreadable, subject, error.description))
    }

    /// A name that is not UTF-8 comes with replacement characters and cannot be asked for.
    private mutating func noticeUnspeakable(_ name: String, _ subject: String) {
        if name.contains("\u{FFFD}") { findings.append(Finding(.invalidName, subject, "the name is not UTF-8; it does not travel")) }
    }

    private mutating func add(_ name: String, at directory: FilePath, subject: String) {
        guard let package = PackageName(name) else {
            findings.append(Finding(.invalidName, subject, "\"\(name)\" is not a package name"))
            return
        }
        locations.append(StorageLayout.Location(package: package, directory: directory))
    }
}
