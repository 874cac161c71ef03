import ArgumentParser
import CanonicalJSON
import Catalog
import Lockfiles
import Platform
import Resolution
import SystemPackage
import Terminal

struct WantCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "want",
        abstract: "Say what the cache must hold beside what is in storage, or list it.",
        discussion: """
            The next refresh brings it with all that it needs. A lockfile's versions come exactly as they are; naming the file again \
            replaces what it wanted before. Understood are package-lock.json and npm-shrinkwrap.json, pnpm-lock.yaml, and yarn.lock of \
            Yarn 1 and of Berry.

              ferry-online want react@18 typescript@~5.4 @types/node
              ferry-online want --lockfile ~/project/package-lock.json
              ferry-online want                        (lists what is wanted)
              ferry-online want --remove react
            """)

    @Argument(help: ArgumentHelp("A package, with a version, range or tag where any will not do.", valueName: "name[@range]"))
    var specs: [String] = []

    @Option(help: ArgumentHelp("A lockfile whose versions are wanted; repeat it for each.", valueName: "file"))
    var lockfile: [String] = []

    @Flag(help: "Take back what is named.") var remove = false
    @OptionGroup var state: StateOptions

    func validate() throws {
        guard !remove || !specs.isEmpty || !lockfile.isEmpty else { throw ValidationError("name what to remove") }
        guard !remove else { return }
        for spec in specs {
            if case .failure(let problem) = RegistryDependency.read(argument: spec) { throw ValidationError("\(problem)") }
        }
    }

    func run() throws {
        try reporting {
            let catalog = try state.catalog()
            if remove { try forget(catalog) } else { try add(to: catalog) }
            if specs.isEmpty, lockfile.isEmpty { try list(catalog.wants()) }
        }
    }

    private func add(to catalog: Catalog) throws {
        // Every file is read before anything is kept.
        let read = try lockfile.map { name in
            let path = try path(name)
            guard let bytes = try DiskFileSystem().contents(of: path, limit: Lockfile.sizeLimit) else {
                throw FileSystemError("read", path, .noSuchFileOrDirectory)
            }
            return (path: path, file: try Lockfile(parsing: bytes, name: name))
        }
        if !specs.isEmpty {
            try catalog.want(specs)
            Terminal.say("wanted: \(specs.joined(separator: " "))")
        }
        for (path, file) in read {
            try catalog.want(file.packages.map(\.description), ofLockfile: path.string)
            for finding in file.findings { Terminal.say("warning: \(path): \(finding)") }
            Terminal.say("wanted: \(file.packages.count) versions of \"\(path)\" (\(file.format))")
        }
    }

    private func forget(_ catalog: Catalog) throws {
        for spec in specs {
            let count = try catalog.forget(spec)
            Terminal.say(count > 0 ? "no longer wanted: \(spec)" : "\"\(spec)\" was not wanted; nothing was changed")
        }
        for name in lockfile {
            let count = try catalog.forget(lockfile: path(name).string)
            Terminal.say(
                count > 0 ? "no longer wanted: \(count) versions of \"\(name)\"" : "\"\(name)\" was not known; nothing was changed")
        }
    }

    /// The file's absolute path, by which it is known.
    private func path(_ name: String) throws -> FilePath {
        let path = FilePath(name)
        return path.isAbsolute ? path.lexicallyNormalized() : try workingDirectory().pushing(path).lexicallyNormalized()
    }

    private func list(_ wants: [Want]) throws {
        if state.json {
            let values: [JSONValue] = wants.map { ["spec": .string($0.spec), "lockfile": $0.lockfile.map { .string($0) } ?? .null] }
            return try Terminal.output(JSONValue.array(values).canonicalBytes + [0x0A])
        }
        for want in wants where want.lockfile == nil { try Terminal.output(want.spec) }
        let files = Dictionary(grouping: wants.filter { $0.lockfile != nil }, by: \.lockfile)
        for (file, versions) in files.sorted(by: { $0.key ?? "" < $1.key ?? "" }) {
            try Terminal.output("\(file ?? ""): \(versions.count) versions")
        }
    }
}
