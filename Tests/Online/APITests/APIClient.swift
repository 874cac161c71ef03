import CanonicalJSON
import Dispatch
import Foundation
import Platform
import SystemPackage
import Testing

/// A client of the service: `curl`, whose answers are kept and held against the document at the end.
struct APIClient: Sendable {
    let port: Int
    /// Where answers are kept for `validateAnswers`.
    let answers: FilePath

    struct Answer {
        let status: Int
        let fields: [String: String]
        let body: [UInt8]

        var json: JSONObject { (try? JSONParser.parse(body, mode: .strict))?.object ?? JSONObject() }
        var items: [JSONObject] { (json["items"]?.array ?? []).compactMap(\.object) }
        /// The word of the problem; `nil` where it is none.
        var problem: String? {
            guard fields["content-type"] == "application/problem+json" else { return nil }
            return json["type"]?.string.map { String($0.dropFirst("urn:ferry:problem:".count)) }
        }
    }

    /// Asks for an address, which is a path of the document where `template` names none other.
    func get(_ path: String, of template: String? = nil, _ fields: [String] = [], method: String = "GET", body: String? = nil) async throws
        -> Answer
    {
        let arguments = ["--silent", "--show-error", "--path-as-is", "--include"] + fields.flatMap { ["-H", $0] }
        let verb = method == "HEAD" ? ["--head"] : ["-X", method] + (body.map { ["--data-binary", $0] } ?? [])
        let output = try await run("/usr/bin/env", ["curl"] + arguments + verb + ["http://127.0.0.1:\(port)\(path)"])
        let answer = try #require(Self.parse(output.bytes))
        try keep(answer, method, template ?? String(path.prefix { $0 != "?" }))
        return answer
    }

    private static func parse(_ bytes: [UInt8]) -> Answer? {
        guard let end = bytes.indices.dropLast(3).first(where: { bytes[$0...].starts(with: [13, 10, 13, 10]) }) else { return nil }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n")
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            fields[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
        }
        guard let status = lines.first?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else { return nil }
        return Answer(status: status, fields: fields, body: Array(bytes[(end + 4)...]))
    }

    // MARK: The document

    private func keep(_ answer: Answer, _ method: String, _ template: String) throws {
        let body =
            answer.fields["content-type"]?.hasSuffix("json") == true && method != "HEAD"
            ? String(decoding: answer.body, as: UTF8.self) : nil
        let line: JSONValue = [
            "method": .string(method), "path": .string(template), "status": .integer(answer.status),
            "type": answer.fields["content-type"].map { .string($0) } ?? .null, "body": body.map { .string($0) } ?? .null,
        ]
        let file = try FileHandle.appending(to: answers.string)
        try file.write(contentsOf: Data(line.canonicalBytes + [0x0A]))
        try file.close()
    }

    /// Holds every answer so far against the service's document, with Python's jsonschema; what differs is an issue.
    func validateAnswers(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let document = try await run("/usr/bin/env", ["curl", "--silent", "http://127.0.0.1:\(port)/openapi.json"])
        let path = answers.string + ".openapi"
        try Data(document.bytes).write(to: URL(fileURLWithPath: path))
        let result = try await run("/usr/bin/python3", ["-c", Self.validator, path, answers.string])
        #expect(result.status == 0, "\(String(decoding: result.bytes, as: UTF8.self))", sourceLocation: sourceLocation)
    }

    private static let validator = """
        import json, sys, jsonschema
        document = json.load(open(sys.argv[1])); errors = []; count = 0
        for line in open(sys.argv[2]):
            answer = json.loads(line)
            operation = document["paths"].get(answer["path"], {}).get(answer["method"].lower().replace("head", "get"))
            if operation is None:
                if answer["status"] not in (404, 405): errors.append("undocumented: %(method)s %(path)s %(status)s" % answer)
                continue
            response = operation["responses"].get(str(answer["status"]))
            if response is None: errors.append("undocumented status: %(method)s %(path)s %(status)s" % answer); continue
            if answer["type"] is None: continue
            content = response.get("content", {}).get(answer["type"])
            if content is None: errors.append("undocumented type: %(method)s %(path)s %(status)s %(type)s" % answer); continue
            if answer["body"] is None or "schema" not in content: continue
            schema = dict(content["schema"], components=document["components"])
            jsonschema.Draft202012Validator.check_schema(schema)
            checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
            for error in jsonschema.Draft202012Validator(schema, format_checker=checker).iter_errors(json.loads(answer["body"])):
                errors.append("%s %s: %s at %s" % (answer["path"], answer["status"], error.message[:300], list(error.absolute_path)))
            count += 1
        print("\\n".join(errors[:20])); sys.exit(1 if errors or not count else 0)
        """
}

extension FileHandle {
    fileprivate static func appending(to path: String) throws -> FileHandle {
        if !FileManager.default.fileExists(atPath: path) { _ = FileManager.default.createFile(atPath: path, contents: nil) }
        let file = try #require(FileHandle(forWritingAtPath: path))
        try file.seekToEnd()
        return file
    }
}

/// Runs a program to its end, and waits for it without holding one of Swift's threads.
func run(_ program: String, _ arguments: [String], in directory: FilePath? = nil) async throws -> (status: Int32, bytes: [UInt8]) {
    try await withCheckedThrowingContinuation { go in
        DispatchQueue.global().async {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: program)
            process.arguments = arguments
            if let directory { process.currentDirectoryURL = URL(fileURLWithPath: directory.string) }
            let output = Pipe()
            process.standardOutput = output
            process.standardError = output
            do { try process.run() } catch { return go.resume(throwing: error) }
            let bytes = Array(output.fileHandleForReading.readDataToEndOfFile())
            process.waitUntilExit()
            go.resume(returning: (process.terminationStatus, bytes))
        }
    }
}
