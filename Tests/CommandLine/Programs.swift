import Foundation

/// What a program did.
struct Run {
    let status: Int32
    let output: String
    let messages: String
}

/// Both programs of this build, run as a person runs them, over a connected and an isolated side in a temporary directory.
final class Programs {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("ferry-programs-\(UUID().uuidString)").path

    var connected: String { "\(root)/connected" }
    var isolated: String { "\(root)/isolated" }
    var stick: String { "\(root)/stick" }

    init() throws {
        for name in ["connected", "isolated", "stick"] { try makeDirectory("\(root)/\(name)") }
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    /// Names the destination, makes a key and trusts it.
    func prepare() throws {
        _ = try online("keys", "generate")
        _ = try offline("init")
        let origin = try online("keys", "show").output.split(separator: "\n")[0].split(separator: " ")[1]
        let keys = try FileManager.default.contentsOfDirectory(atPath: "\(root)/online-state/keys").filter { $0.hasSuffix(".pub") }
        for key in keys { _ = try offline("trust", "add", "\(root)/online-state/keys/\(key)", "--origin", String(origin)) }
    }

    /// Takes a snapshot, makes a full bundle of it and exports it to a medium; returns the bundle's id.
    @discardableResult
    func carry(to medium: String? = nil) throws -> String {
        _ = try online("snapshot")
        let bundle = try online("bundle").output.split(separator: "\n").last.map(String.init) ?? ""
        let id = bundle.split { $0 == " " || $0 == "/" }.first { $0.hasPrefix("b-") }.map(String.init) ?? ""
        _ = try online("export", id, "--to", medium ?? stick)
        return id
    }

    /// - Parameter file: where standard output goes; nothing is read back from there.
    func online(_ arguments: String..., into file: String? = nil) throws -> Run {
        try run("ferry-online", arguments, into: file, ["FERRY_STORAGE": connected, "FERRY_ONLINE_STATE": "\(root)/online-state"])
    }

    /// - Parameter variables: of the environment, beside those that name storage and state, or in place of them.
    func online(_ arguments: [String], _ variables: [String: String] = [:]) throws -> Run {
        let names = ["FERRY_STORAGE": connected, "FERRY_ONLINE_STATE": "\(root)/online-state"]
        return try run("ferry-online", arguments, names.merging(variables) { $1 })
    }

    func offline(_ arguments: [String]) throws -> Run {
        try run("ferry-offline", arguments, ["FERRY_STORAGE": isolated, "FERRY_OFFLINE_STATE": "\(root)/offline-state"])
    }

    func offline(_ arguments: String..., state: String? = nil, storage: String? = nil) throws -> Run {
        try run(
            "ferry-offline", arguments,
            ["FERRY_STORAGE": storage ?? isolated, "FERRY_OFFLINE_STATE": state ?? "\(root)/offline-state"])
    }

    func offline(_ arguments: [String], _ variables: [String: String]) throws -> Run {
        let names = ["FERRY_STORAGE": isolated, "FERRY_OFFLINE_STATE": "\(root)/offline-state"]
        return try run("ferry-offline", arguments, names.merging(variables) { $1 })
    }

    /// - Parameter program: one of ours by its name, any other by its path.
    func run(
        _ program: String, _ arguments: [String], into file: String? = nil, _ variables: [String: String] = [:]
    ) throws -> Run {
        let process = Process()
        let build = Bundle.main.executableURL?.deletingLastPathComponent() ?? URL(fileURLWithPath: ".")
        process.executableURL = program.hasPrefix("/") ? URL(fileURLWithPath: program) : build.appendingPathComponent(program)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(variables) { $1 }
        // Files, not pipes: whoever waits for a full pipe waits for ever.
        let names = ["output", "messages"].map { "\(root)/.\($0)-\(UUID().uuidString)" }
        for name in names { try write("", to: name) }
        process.standardOutput = FileHandle(forWritingAtPath: file ?? names[0])
        process.standardError = FileHandle(forWritingAtPath: names[1])
        process.standardInput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        let texts = try names.map { try String(contentsOfFile: $0, encoding: .utf8) }
        return Run(status: process.terminationStatus, output: texts[0], messages: texts[1])
    }

    /// Starts a program, which goes on; what it says goes to a file.
    func start(
        _ arguments: [String], _ variables: [String: String], messages: String, program: String = "ferry-online"
    ) throws -> Process {
        let process = Process()
        let build = Bundle.main.executableURL?.deletingLastPathComponent() ?? URL(fileURLWithPath: ".")
        process.executableURL = build.appendingPathComponent(program)
        process.arguments = arguments
        let names = ["FERRY_STORAGE": connected, "FERRY_ONLINE_STATE": "\(root)/online-state"]
        process.environment = ProcessInfo.processInfo.environment.merging(names) { $1 }.merging(variables) { $1 }
        try write("", to: messages)
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle(forWritingAtPath: messages)
        process.standardInput = FileHandle.nullDevice
        try process.run()
        return process
    }

    /// Starts a program of ours before a terminal, over both sides' storages and states.
    ///
    /// - Parameters:
    ///   - keys: where what is typed comes from; its end is that of the input. `nil` where nobody types.
    ///   - said: a file for what the terminal shows.
    func startAttended(_ command: String, _ variables: [String: String], typing keys: Pipe?, said: String) throws -> Process {
        let build = Bundle.main.executableURL?.deletingLastPathComponent().path ?? "."
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/script")
        process.arguments = ["-qefc", "\(build)/\(command)", said]
        let isOffline = command.hasPrefix("ferry-offline")
        let names = [
            "FERRY_STORAGE": isOffline ? isolated : connected, "FERRY_ONLINE_STATE": "\(root)/online-state",
            "FERRY_OFFLINE_STATE": "\(root)/offline-state",
        ]
        process.environment = ProcessInfo.processInfo.environment.merging(names) { $1 }.merging(variables) { $1 }
        process.standardOutput = FileHandle.nullDevice
        if let keys { process.standardInput = keys } else { process.standardInput = FileHandle.nullDevice }
        try process.run()
        return process
    }

    // MARK: Files

    func makeDirectory(_ path: String) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    func write(_ text: String, to path: String) throws { try Data(text.utf8).write(to: URL(fileURLWithPath: path)) }

    func names(in path: String) throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }

    func remove(_ path: String) throws { try FileManager.default.removeItem(atPath: path) }

    /// A package of one version in a storage, as Verdaccio keeps it; its tarball's digest is not declared.
    ///
    /// - Parameter content: of the tarball; a few words by default.
    func put(_ name: String, _ version: String = "1.0.0", in storage: String? = nil, content: Data? = nil) throws {
        let directory = "\(storage ?? connected)/\(name)"
        try makeDirectory(directory)
        let file = "\(name.split(separator: "/").last ?? "")-\(version).tgz"
        try (content ?? Data("tarball of \(name) \(version)".utf8)).write(to: URL(fileURLWithPath: "\(directory)/\(file)"))
        let entry = #"{"name":"\#(name)","version":"\#(version)","dist":{"tarball":"http://localhost/\#(name)/-/\#(file)"}}"#
        try write(
            #"{"name":"\#(name)","versions":{"\#(version)":\#(entry)},"dist-tags":{"latest":"\#(version)"},"_attachments":{}}"#,
            to: "\(directory)/package.json")
    }
}
