import Jobs
import Scheduling
import SystemPackage

/// Why a text is not a value, in words that follow the key.
struct SettingComplaint: Error {
    let words: String
    /// Which element of a list is meant.
    var element: Int?
}

/// How a value is written, and what is allowed.
struct SettingKind<Value: Sendable> {
    /// What a value looks like, in words that follow "takes".
    let form: String
    /// Reads what was written, one text or the elements of a list; relative paths are below `base`.
    let read: (_ texts: [String], _ base: FilePath?) throws(SettingComplaint) -> Value
    /// Writes the value as a person does; `nil` for none.
    let write: (Value) -> [String]?
    var isList = false
    /// What parts the elements of a list in a variable of the environment.
    var separators: Set<Character> = [",", " "]

    /// A kind that also has a word for "no limit".
    func optional(_ word: String) -> SettingKind<Value?> {
        SettingKind<Value?>(
            form: "\(form), or `\(word)`",
            read: { texts, base throws(SettingComplaint) in texts == [word] ? nil : try read(texts, base) },
            write: { value in value.flatMap { write($0) } ?? [word] })
    }
}

extension SettingKind {
    /// A value that is one text.
    private static func scalar(
        _ form: String, _ read: @escaping (String) throws(SettingComplaint) -> Value, _ write: @escaping (Value) -> String
    ) -> SettingKind {
        SettingKind(
            form: form,
            read: { texts, _ throws(SettingComplaint) in
                guard texts.count == 1 else { throw SettingComplaint(words: "takes one value") }
                return try read(texts[0])
            }, write: { [write($0)] })
    }
}

/// What becomes of bundles that are to travel when a medium is plugged in.
package enum MediaExport: String, Sendable {
    /// Nothing, until a person says so.
    case ask
    /// They are put on it.
    case automatic
}

/// What becomes of bundles on a medium that everybody they were made for has acknowledged.
package enum MediaRemoval: String, Sendable, CaseIterable {
    /// They go when there is no room for a bundle that is to be written.
    case acknowledged
    /// They stay until a person removes them.
    case never
}

extension SettingKind where Value == MediaRemoval {
    static var mediaRemoval: SettingKind {
        scalar("`acknowledged` or `never`") { text throws(SettingComplaint) in
            guard let value = MediaRemoval(rawValue: text) else {
                throw SettingComplaint(words: "\"\(text)\" is neither acknowledged nor never")
            }
            return value
        } _: {
            $0.rawValue
        }
    }
}

extension SettingKind where Value == MediaExport {
    static var mediaExport: SettingKind {
        scalar("`ask` or `automatic`") { text throws(SettingComplaint) in
            guard let value = MediaExport(rawValue: text) else { throw SettingComplaint(words: "\"\(text)\" is neither ask nor automatic") }
            return value
        } _: {
            $0.rawValue
        }
    }
}

extension SettingKind where Value == FilePath? {
    static var path: SettingKind {
        SettingKind(
            form: "a path",
            read: { texts, base throws(SettingComplaint) in
                guard texts.count == 1, !texts[0].isEmpty, !texts[0].contains("\0") else {
                    throw SettingComplaint(words: "takes one path")
                }
                let path = FilePath(texts[0])
                guard let base, !path.isAbsolute else { return path }
                return base.pushing(path).lexicallyNormalized()
            }, write: { $0.map { [$0.string] } })
    }
}

extension SettingKind where Value == [FilePath] {
    static var paths: SettingKind {
        SettingKind(
            form: "a list of paths",
            read: { texts, base throws(SettingComplaint) in
                var paths: [FilePath] = []
                for (index, text) in texts.enumerated() {
                    do throws(SettingComplaint) {
                        if let path = try SettingKind<FilePath?>.path.read([text], base) { paths.append(path) }
                    } catch { throw SettingComplaint(words: "\"\(text)\" is no path", element: index) }
                }
                return paths
            }, write: { $0.map(\.string) }, isList: true, separators: [":"])
    }
}

extension SettingKind where Value == String {
    static var url: SettingKind { scalar("an address, such as `http://localhost:4873`", readURL) { $0 } }

    private static func readURL(_ text: String) throws(SettingComplaint) -> String {
        let host = ["http://", "https://"].first(where: text.hasPrefix).map { text.dropFirst($0.count).prefix { $0 != "/" } }
        guard let host, !host.isEmpty, !text.contains(where: \.isWhitespace) else {
            throw SettingComplaint(words: "\"\(text)\" is not an address, such as http://localhost:4873")
        }
        return text
    }
}

extension SettingKind where Value == JobRequest {
    /// A job with its parameters: `delta_refresh minutes=2880`.
    static var request: SettingKind {
        scalar(
            "a job with its parameters, such as `delta_refresh minutes=2880`", { text throws(SettingComplaint) in try readRequest(text) },
            { $0.description })
    }

    fileprivate static func readRequest(_ text: String) throws(SettingComplaint) -> JobRequest {
        do throws(JobParameterError) { return try JobRequest(text) } catch { throw SettingComplaint(words: "\(error)") }
    }
}

extension SettingKind where Value == [JobRequest] {
    static var requests: SettingKind {
        SettingKind(
            form: "a list of jobs with their parameters",
            read: { texts, _ throws(SettingComplaint) in
                var requests: [JobRequest] = []
                for (index, text) in texts.enumerated() {
                    do throws(SettingComplaint) {
                        requests.append(try SettingKind<JobRequest>.readRequest(text))
                    } catch { throw SettingComplaint(words: error.words, element: index) }
                }
                return requests
            }, write: { $0.map(\.description) }, isList: true, separators: [";"])
    }
}

extension SettingKind where Value == JobKind {
    static var jobKind: SettingKind {
        scalar(
            "a kind of job",
            { text throws(SettingComplaint) in
                guard let kind = JobKind(rawValue: text) else {
                    let kinds = JobKind.allCases.map(\.rawValue).joined(separator: ", ")
                    throw SettingComplaint(words: "\"\(text)\" is no kind of job; there are: \(kinds)")
                }
                return kind
            }, { $0.rawValue })
    }
}

extension SettingKind where Value == ScheduleZone {
    static var zone: SettingKind {
        scalar(
            "a time zone, such as `Europe/Berlin`",
            { text throws(SettingComplaint) in
                do throws(ScheduleError) { return try ScheduleZone(text) } catch { throw SettingComplaint(words: "\(error)") }
            }, { $0.identifier })
    }
}

extension SettingKind where Value == Recurrence {
    /// When something comes again.
    ///
    /// - Parameter zone: whose clocks are meant where none is named.
    static func recurrence(in zone: ScheduleZone) -> SettingKind {
        scalar(
            "`every` with a length of time, or a cron expression",
            { text throws(SettingComplaint) in
                do throws(ScheduleError) { return try Recurrence(text, zone: zone) } catch { throw SettingComplaint(words: "\(error)") }
            }, { $0.description })
    }
}

extension SettingKind where Value == Schedule.Missed {
    static var missed: SettingKind {
        scalar(
            Schedule.Missed.allCases.map { "`\($0.rawValue)`" }.joined(separator: " or "),
            { text throws(SettingComplaint) in
                guard let missed = Schedule.Missed(rawValue: text) else {
                    throw SettingComplaint(words: "must be \(Schedule.Missed.allCases.map(\.rawValue).joined(separator: " or "))")
                }
                return missed
            }, { $0.rawValue })
    }
}

extension SettingKind where Value == Bool {
    static var flag: SettingKind {
        scalar(
            "`true` or `false`",
            { text throws(SettingComplaint) in
                guard let value = Bool(text) else { throw SettingComplaint(words: "must be true or false") }
                return value
            }, { "\($0)" })
    }
}

extension SettingKind where Value == [String] {
    /// Names of hosts, without ports.
    static var hosts: SettingKind {
        SettingKind(
            form: "a list of names of hosts",
            read: { texts, _ throws(SettingComplaint) in
                for (index, text) in texts.enumerated() where text.isEmpty || text.contains(where: { $0.isWhitespace || $0 == "/" }) {
                    throw SettingComplaint(words: "\"\(text)\" is not the name of a host, such as ferry.example", element: index)
                }
                return texts
            }, write: { $0 }, isList: true)
    }
}

extension SettingKind where Value == ListenAddress {
    static var address: SettingKind {
        scalar(
            "an address to listen at, such as `127.0.0.1:4880`",
            { text throws(SettingComplaint) in
                guard let address = ListenAddress(text) else {
                    throw SettingComplaint(words: "\"\(text)\" is not an address to listen at, such as 127.0.0.1:4880 or [::1]:4880")
                }
                return address
            }, { $0.description })
    }
}

extension SettingKind where Value == Int {
    static func count(in range: ClosedRange<Int>) -> SettingKind {
        SettingKind.scalar(
            "a whole number from \(range.lowerBound) to \(range.upperBound)",
            { text throws(SettingComplaint) in try readCount(text, range) }, { "\($0)" })
    }

    private static func readCount(_ text: String, _ range: ClosedRange<Int>) throws(SettingComplaint) -> Int {
        guard let number = Int(text), !text.hasPrefix("+") else { throw SettingComplaint(words: "\"\(text)\" is not a whole number") }
        guard range.contains(number) else {
            throw SettingComplaint(words: "\(number) is out of range; from \(range.lowerBound) to \(range.upperBound) is allowed")
        }
        return number
    }
}

extension SettingKind where Value == Double {
    static var percent: SettingKind { scalar("a number from 0 to 100", readPercent) { $0 == $0.rounded() ? "\(Int($0))" : "\($0)" } }

    private static func readPercent(_ text: String) throws(SettingComplaint) -> Double {
        guard let number = decimal(text) else { throw SettingComplaint(words: "\"\(text)\" is not a number of percent, such as 10") }
        guard (0...100).contains(number) else { throw SettingComplaint(words: "\(text) is out of range; from 0 to 100 is allowed") }
        return number
    }
}

extension SettingKind where Value == Int64 {
    /// Bytes: `512 MiB`, `1.5 TiB`.
    static var size: SettingKind { quantity(.size) }

    /// Seconds: `12 hours`, `90 days`.
    static var age: SettingKind { quantity(.age) }

    private static func quantity(_ quantity: Quantity) -> SettingKind {
        scalar("a \(quantity.name), such as `\(quantity.example)`", quantity.read, quantity.write)
    }
}

/// Something measured: what it is called, and its units.
private struct Quantity {
    let name: String
    let example: String
    /// Largest first; the first name is written for more than one.
    let units: [(names: [String], factor: Int64)]
    let limit: Int64

    static var size: Quantity {
        Quantity(
            name: "size", example: "10 GiB",
            units: [(["TiB"], 1 << 40), (["GiB"], 1 << 30), (["MiB"], 1 << 20), (["KiB"], 1 << 10), (["B", "bytes", "byte"], 1)],
            limit: 1 << 60)
    }

    static var age: Quantity {
        Quantity(
            name: "length of time", example: "90 days",
            units: [
                (["weeks", "week"], 604_800), (["days", "day"], 86_400), (["hours", "hour"], 3600), (["minutes", "minute"], 60),
                (["seconds", "second"], 1),
            ], limit: 36_500 * 86_400)
    }

    func read(_ text: String) throws(SettingComplaint) -> Int64 {
        let digits = text.prefix { $0.isNumber || $0 == "." || $0 == "-" }
        let unit = String(text.dropFirst(digits.count).drop { $0 == " " })
        guard let number = decimal(digits) else { throw SettingComplaint(words: "\"\(text)\" is not a \(name), such as \(example)") }
        let known = units.map { $0.names[0] }.reversed().joined(separator: ", ")
        guard !unit.isEmpty else { throw SettingComplaint(words: "\"\(text)\" has no unit, such as \(example); there are \(known)") }
        guard let factor = units.first(where: { $0.names.contains(unit) })?.factor else {
            throw SettingComplaint(words: "\"\(text)\" has an unknown unit \"\(unit)\"; there are \(known)")
        }
        let amount = number * Double(factor)
        guard amount >= 0, amount <= Double(limit) else { throw SettingComplaint(words: "\"\(text)\" is out of range") }
        return Int64(amount.rounded())
    }

    /// In the largest unit that leaves no rest.
    func write(_ amount: Int64) -> String {
        let unit = units.first { amount >= $0.factor && amount % $0.factor == 0 } ?? units[units.count - 1]
        let number = amount / unit.factor
        return "\(number) \((number == 1 ? unit.names.last : unit.names.first) ?? "")"
    }
}

/// Digits with at most one point among them; `nil` for anything else that Swift would take for a number.
private func decimal(_ text: some StringProtocol) -> Double? {
    let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
    let isPlain = digits.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }
    return isPlain && digits.utf8.first != UInt8(ascii: ".") ? Double(String(text)) : nil
}
