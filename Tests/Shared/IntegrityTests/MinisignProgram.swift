import Foundation

/// The real `minisign`, run in a directory of its own that goes away with this value.
final class MinisignProgram {
    /// Where `minisign` is installed; `nil` where it is not.
    static let path = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/minisign" }
        .first { FileManager.default.isExecutableFile(atPath: $0) }

    private let directory: URL

    init() throws {
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("minisign-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(at: directory) }

    func write(_ bytes: some Sequence<UInt8>, to name: String) throws {
        try Data(bytes).write(to: directory.appendingPathComponent(name))
    }

    func text(of name: String) throws -> String {
        try String(contentsOf: directory.appendingPathComponent(name), encoding: .utf8)
    }

    /// Runs it, hands it `input` as its standard input, and returns how it ended and what it said.
    func run(_ arguments: [String], input: String = "") throws -> (status: Int32, output: String) {
        try write(input.utf8, to: "stdin")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Self.path ?? "")
        process.arguments = arguments
        process.currentDirectoryURL = directory
        process.standardInput = try FileHandle(forReadingFrom: directory.appendingPathComponent("stdin"))
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let said = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: said, as: UTF8.self))
    }
}
