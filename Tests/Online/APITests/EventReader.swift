import CanonicalJSON
import Dispatch
import Foundation

/// Follows a stream of server-sent events with `curl`, as long as it lives.
final class EventReader: @unchecked Sendable {
    struct Event: Equatable {
        var id: String?
        var name: String?
        var data: JSONObject
    }

    private let process = Process()
    /// What comes: events, and `nil` for a sign of life.
    private let stream: AsyncStream<Event?>

    init(_ client: APIClient, _ path: String, after lastID: String? = nil) throws {
        let (stream, continuation) = AsyncStream<Event?>.makeStream()
        self.stream = stream
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            ["curl", "--silent", "--no-buffer", "http://127.0.0.1:\(client.port)\(path)"]
            + (lastID.map { ["-H", "Last-Event-ID: \($0)"] } ?? [])
        process.standardOutput = output
        try process.run()
        DispatchQueue.global().async {
            var rest: [UInt8] = []
            while true {
                let bytes = output.fileHandleForReading.availableData
                if bytes.isEmpty { break }
                rest += bytes
                while let end = rest.indices.dropLast().first(where: { rest[$0] == 10 && rest[$0 + 1] == 10 }) {
                    continuation.yield(Self.parse(String(decoding: rest[..<end], as: UTF8.self)))
                    rest.removeFirst(end + 2)
                }
            }
            continuation.finish()
        }
    }

    deinit { end() }

    func end() { process.terminate() }

    private static func parse(_ block: String) -> Event? {
        var event = Event(data: JSONObject())
        for line in block.split(separator: "\n") where !line.hasPrefix(":") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            switch line[..<colon] {
            case "id": event.id = value
            case "event": event.name = value
            case "data": event.data = (try? JSONParser.parse(Array(value.utf8), mode: .strict))?.object ?? JSONObject()
            default: break
            }
        }
        return event.name == nil ? nil : event
    }

    /// Waits for the first sign of life: from then on nothing is missed.
    func begun() async { _ = await stream.first { _ in true } }

    /// Waits for the next event; `nil` where the stream is over.
    func next() async -> Event? { await stream.first { $0 != nil } ?? nil }

    /// All that come until the stream is over.
    func rest() async -> [Event] { await stream.reduce(into: []) { events, event in event.map { events.append($0) } } }
}
