import Synchronization

/// What a tool printed, line by line as it comes; of all of it only the last lines and the first error code are kept.
final class ToolOutput: Sendable {
    private struct State {
        var line: [UInt8] = []
        var lastLines: [String] = []
        var code: String?
    }

    private static let longestLine = 4096
    private static let keptLines = 20

    private let state = Mutex(State())
    private let log: @Sendable (String) -> Void

    init(log: @escaping @Sendable (String) -> Void) {
        self.log = log
    }

    var lastLines: [String] { state.withLock { $0.lastLines } }
    /// The first error code the tool named.
    var code: String? { state.withLock { $0.code } }

    func append(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            extend(rest[..<end])
            finishLine()
            rest = rest[(end + 1)...]
        }
        extend(rest)
    }

    /// Ends a last line that has no end.
    func finish() {
        if !state.withLock({ $0.line.isEmpty }) { finishLine() }
    }

    /// What is longer than a line may be is left out.
    private func extend(_ bytes: Slice<UnsafeRawBufferPointer>) {
        state.withLock { $0.line += bytes.prefix(Self.longestLine - $0.line.count) }
    }

    private func finishLine() {
        let line = state.withLock { state in
            if state.line.last == UInt8(ascii: "\r") { state.line.removeLast() }
            let line = String(decoding: state.line, as: UTF8.self)
            state.line.removeAll(keepingCapacity: true)
            if state.lastLines.count == Self.keptLines { state.lastLines.removeFirst() }
            state.lastLines.append(line)
            if state.code == nil { state.code = Self.code(in: line) }
            return line
        }
        log(line)
    }

    /// `npm error code E404`, of npm before 10 `npm ERR! code E404`; of pnpm ` ERR_PNPM_FETCH_404  GET …` or `[ERR_PNPM_FETCH_404] GET …`.
    static func code(in line: String) -> String? {
        let words = line.split { $0 == " " || $0 == "[" || $0 == "]" }.prefix(4)
        if words.count == 4, words[0] == "npm", words[1] == "error" || words[1] == "ERR!", words[2] == "code" { return String(words[3]) }
        return words.prefix(2).first { $0.hasPrefix("ERR_PNPM_") }.map(String.init)
    }
}
