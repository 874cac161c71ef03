import Glibc
import Synchronization

/// What both programs say to people: messages on standard error, progress where somebody watches.
package enum Terminal {
    /// A text without characters that a terminal would obey: names and messages come from strangers.
    static func harmless(_ text: String) -> String {
        func isHarmful(_ scalar: Unicode.Scalar) -> Bool {
            scalar.properties.generalCategory == .control && scalar != "\n" && scalar != "\t"
        }
        guard text.unicodeScalars.contains(where: isHarmful) else { return text }
        return text.unicodeScalars.reduce(into: "") { $0 += isHarmful($1) ? "\\u{\(String($1.value, radix: 16))}" : String($1) }
    }

    /// Somebody who is told what people are told, such as the log of a job.
    package struct Audience: Sendable {
        /// Whether nobody else listens: then nothing is written to standard output and standard error.
        package let isAlone: Bool
        package let hear: @Sendable (_ line: String) -> Void
        /// Told of progress twice a second at most.
        package let follow: @Sendable (Progress) -> Void

        package init(
            isAlone: Bool, hear: @escaping @Sendable (_ line: String) -> Void, follow: @escaping @Sendable (Progress) -> Void
        ) {
            self.isAlone = isAlone
            self.hear = hear
            self.follow = follow
        }
    }

    /// How far a phase of some work is.
    package struct Progress: Sendable {
        /// The phase, such as `checking`.
        package let title: String
        /// What is counted: `bytes`, or a noun.
        package let unit: String
        package let done: Int64
        package let total: Int64
        package let details: String
    }

    private static let listener = Mutex<Audience?>(nil)

    package static var audience: Audience? { listener.withLock { $0 } }

    /// Lets an audience hear everything from now on; `nil` sends it away.
    package static func admit(_ audience: Audience?) { listener.withLock { $0 = audience } }

    /// Writes a line to standard error.
    package static func say(_ line: String) {
        if let audience {
            audience.hear(harmless(line))
            if audience.isAlone { return }
        }
        let bytes = Array("\(harmless(line))\n".utf8)
        _ = write(2, bytes, bytes.count)
    }

    /// Standard output took less than it was given.
    package struct OutputLost: Error, CustomStringConvertible {
        package let description: String
    }

    /// Writes a line to standard output, which is for data only.
    ///
    /// - Throws: `OutputLost`. A reader that went away is no error: nobody misses the rest.
    package static func output(_ line: String) throws(OutputLost) {
        audience?.hear(harmless(line))
        try output(Array("\(harmless(line))\n".utf8))
    }

    /// Writes bytes to standard output; throws as the other does.
    package static func output(_ bytes: [UInt8]) throws(OutputLost) {
        if let audience, audience.isAlone { return }
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
            if written < 0, errno == EPIPE { return }
            if written < 0, errno != EINTR {
                throw OutputLost(description: "cannot write to standard output: \(String(cString: strerror(errno)))")
            }
            rest = rest.dropFirst(max(0, written))
        }
    }

    /// Bytes for people: `1.4 GiB`.
    package static func bytes(_ count: Int64) -> String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB"]
        var value = Double(count)
        var unit = 0
        while value >= 1024, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        return unit == 0 ? "\(count) B" : "\(Double(Int(value * 10)) / 10) \(units[unit])"
    }
}

/// A line of progress with rate and time left: drawn again in place on a terminal, every ten seconds as a plain line in a pipe.
package final class ProgressLine: Sendable {
    /// What is counted, which decides how amounts are printed.
    package enum Unit: Sendable {
        case bytes, items(String)

        fileprivate var name: String {
            switch self {
            case .bytes: "bytes"
            case .items(let name): name
            }
        }
    }

    private struct State {
        var drawnAt: Int64 = 0
        var isDrawn = false
        /// When the audience was last told; the first time it is told at once.
        var toldAt = Int64.min / 2
    }

    private let title: String
    private let unit: Unit
    private let isTerminal: Bool
    private let isQuiet: Bool
    private let startedAt: Int64
    private let state = Mutex(State())

    package init(_ title: String, unit: Unit, isQuiet: Bool = false) {
        self.title = title
        self.unit = unit
        self.isQuiet = isQuiet
        isTerminal = isatty(2) == 1
        startedAt = Self.milliseconds()
    }

    /// Tells how far the work is; the details follow the rate and the time left.
    package func update(_ done: Int64, of total: Int64, details: @autoclosure () -> String = "") {
        let audience = Terminal.audience
        guard !isQuiet || audience != nil else { return }
        state.withLock { state in
            let now = Self.milliseconds()
            if let audience, now - state.toldAt >= 500 || done == total {
                state.toldAt = now
                audience.follow(Terminal.Progress(title: title, unit: unit.name, done: done, total: total, details: details()))
            }
            guard !isQuiet, audience?.isAlone != true else { return }
            let interval: Int64 = isTerminal ? 100 : 10_000
            guard now - max(state.drawnAt, isTerminal ? 0 : startedAt) >= interval else { return }
            state.drawnAt = now
            state.isDrawn = true
            let details = details()
            write(line(done, total, elapsed: now - startedAt) + (details.isEmpty ? "" : ": \(details)"))
        }
    }

    /// Takes the line away from a terminal.
    package func finish() {
        state.withLock { state in
            if state.isDrawn, isTerminal { write("") }
        }
    }

    private func line(_ done: Int64, _ total: Int64, elapsed: Int64) -> String {
        let rate = elapsed > 0 ? done * 1000 / elapsed : 0
        let left = rate > 0 ? (total - done) / rate : 0
        let percent = total > 0 ? done * 100 / total : 100
        return "\(title): \(amount(done)) of \(amount(total)), \(percent) %, \(amount(rate))/s, \(left) s left"
    }

    private func amount(_ count: Int64) -> String {
        switch unit {
        case .bytes: Terminal.bytes(count)
        case .items(let name): "\(count) \(name)"
        }
    }

    private func write(_ line: String) {
        let bytes = Array((isTerminal ? "\r\(line)\u{1B}[K" : "\(line)\n").utf8)
        _ = Glibc.write(2, bytes, bytes.count)
    }

    private static func milliseconds() -> Int64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
    }
}
