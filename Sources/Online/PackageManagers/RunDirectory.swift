import Platform
import SystemPackage

/// The one directory below the work directory in which all that the tools write lies: `ferry-installs`.
///
/// It is made anew for every run, for a cache of an earlier run would answer in the registry's place. Whoever makes it holds the work
/// directory's lock, so that what stands there at the beginning is the rest of a killed run.
struct RunDirectory: Sendable {
    let path: FilePath
    private let files = DiskFileSystem()

    /// Removes the rest of a killed run and makes the directory.
    ///
    /// - Throws: `PackageManagerError.inTheWay`, and nothing is removed; `FileSystemError`.
    init(below workDirectory: FilePath) throws {
        path = (try files.resolve(workDirectory) ?? workDirectory).appending("ferry-installs")
        try removeLeftover()
        do {
            _ = try files.createDirectory(path)
            try files.write(Array("temporary: removed at the end of the run, or at the start of the next\n".utf8), to: mark)
            for directory in [home, temporary, cache, projects] { _ = try files.createDirectory(directory) }
            for file in [userSettings, globalSettings] { try files.write([], to: file) }
        } catch {
            remove()
            throw error
        }
    }

    var home: FilePath { path.appending("home") }
    var temporary: FilePath { path.appending("tmp") }
    /// The caches of the run, which all its installs share: what one of them fetched went through the registry just now.
    var cache: FilePath { path.appending("cache") }
    /// An empty npmrc in the place of the user's.
    var userSettings: FilePath { path.appending("user-npmrc") }
    /// An empty npmrc in the place of the machine's.
    var globalSettings: FilePath { path.appending("global-npmrc") }

    /// Makes the directory of one install: a package of its own, so that the tool looks for none above it.
    func makeProject(_ number: Int) throws -> FilePath {
        let project = projects.appending(String(number))
        _ = try files.createDirectory(project)
        try files.write(Array(#"{"private":true}"#.utf8), to: project.appending("package.json"))
        return project
    }

    /// Removes the directory of one install; what cannot be removed goes with the run.
    func remove(_ project: FilePath) { try? removeTree(project) }

    /// Removes the directory; what cannot be removed is a leftover for the next run.
    func remove() { try? removeTree(path) }

    private var projects: FilePath { path.appending("projects") }
    private var mark: FilePath { path.appending(".ferry-installs") }

    private func removeLeftover() throws {
        guard let status = try files.status(of: path) else { return }
        // Killed between the two steps, a run leaves the directory without its mark.
        let isOurs = try files.status(of: mark)?.kind == .file || (status.kind == .directory && files.names(in: path)?.isEmpty == true)
        guard status.kind == .directory, isOurs else { throw PackageManagerError.inTheWay(path) }
        try removeTree(path)
    }

    /// The last step of a process that was just killed may still add a name, hence a second and a third try.
    private func removeTree(_ path: FilePath) throws {
        for _ in 0..<2 {
            do { return try files.removeTree(path) } catch {}
        }
        try files.removeTree(path)
    }
}
