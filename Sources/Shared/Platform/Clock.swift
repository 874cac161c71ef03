import CPlatform
import Glibc

/// A moment in UTC, in nanoseconds since 1970.
package struct Timestamp: Sendable, Hashable, Comparable, CustomStringConvertible {
    package var nanoseconds: Int64

    package init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// Parses `2026-11-23T21:43:50.000Z`, with or without a fraction; `nil` for anything else, and for what is
    /// centuries away: a moment is from 1678 to 2262.
    package init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes.count <= 30, bytes.last == UInt8(ascii: "Z") else { return nil }
        func number(_ range: Range<Int>) -> Int? {
            var value = 0
            for byte in bytes[range] {
                guard byte >= 0x30, byte <= 0x39 else { return nil }
                value = value * 10 + Int(byte - 0x30)
            }
            return value
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), let hour = number(11..<13),
            let minute = number(14..<16), let second = number(17..<19),
            bytes[4] == 0x2D, bytes[7] == 0x2D, bytes[10] == 0x54, bytes[13] == 0x3A, bytes[16] == 0x3A,
            (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second < 61
        else { return nil }
        var fraction = 0
        if bytes.count > 20 {
            guard bytes[19] == 0x2E, let digits = number(20..<(bytes.count - 1)) else { return nil }
            fraction = digits
            for _ in (bytes.count - 21)..<9 { fraction *= 10 }
        }
        var parts = tm()
        parts.tm_year = Int32(year - 1900)
        parts.tm_mon = Int32(month - 1)
        parts.tm_mday = Int32(day)
        parts.tm_hour = Int32(hour)
        parts.tm_min = Int32(minute)
        parts.tm_sec = Int32(second)
        let (whole, isTooFar) = Int64(timegm(&parts)).multipliedReportingOverflow(by: 1_000_000_000)
        let (moment, isOver) = whole.addingReportingOverflow(Int64(fraction))
        guard !isTooFar, !isOver else { return nil }
        nanoseconds = moment
    }

    /// When this machine was started, by its present clock: a process that did something before is gone.
    package static func ofBoot() -> Timestamp {
        var now = timespec()
        var running = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        clock_gettime(CLOCK_BOOTTIME, &running)
        func nanoseconds(_ time: timespec) -> Int64 { Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec) }
        return Timestamp(nanoseconds: nanoseconds(now) - nanoseconds(running))
    }

    package static func < (left: Timestamp, right: Timestamp) -> Bool { left.nanoseconds < right.nanoseconds }

    /// RFC 3339 with milliseconds: `2026-11-23T21:43:50.000Z`.
    package var description: String {
        let parts = self.parts
        let milliseconds = (nanoseconds % 1_000_000_000 + 1_000_000_000) % 1_000_000_000 / 1_000_000
        return "\(parts.date("-"))T\(parts.time(":")).\(String(milliseconds + 1000).dropFirst())Z"
    }

    /// `20261123T214350Z`, for names.
    package var compact: String { "\(parts.date(""))T\(parts.time(""))Z" }

    /// `202611232143`, for labels.
    package var minuteLabel: String { "\(parts.date(""))\(parts.time("").prefix(4))" }

    /// The minute of a label; `nil` for what is none.
    package init?(minuteLabel text: some StringProtocol) {
        let digits = Array(text.utf8)
        guard digits.count == 12, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        func part(_ range: Range<Int>) -> String { String(decoding: digits[range], as: UTF8.self) }
        self.init("\(part(0..<4))-\(part(4..<6))-\(part(6..<8))T\(part(8..<10)):\(part(10..<12)):00Z")
    }

    /// Whole seconds since 1970.
    package var seconds: Int64 { nanoseconds / 1_000_000_000 }

    /// Whole milliseconds since 1970.
    package var milliseconds: Int64 { nanoseconds / 1_000_000 }

    private var parts: Parts {
        var time = time_t(seconds)
        var result = tm()
        gmtime_r(&time, &result)
        return Parts(result)
    }

    private struct Parts {
        let value: tm
        init(_ value: tm) { self.value = value }

        func date(_ separator: String) -> String {
            let year = String(Int(value.tm_year) + 11900).dropFirst()
            return "\(year)\(separator)\(two(value.tm_mon + 1))\(separator)\(two(value.tm_mday))"
        }

        func time(_ separator: String) -> String {
            "\(two(value.tm_hour))\(separator)\(two(value.tm_min))\(separator)\(two(value.tm_sec))"
        }

        private func two(_ number: Int32) -> String { String(String(number + 100).dropFirst()) }
    }
}

extension Duration {
    /// Whole milliseconds.
    package var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}

/// Where the time comes from; a test gives its own.
package struct WallClock: Sendable {
    /// The present moment.
    package let now: @Sendable () -> Timestamp

    package init(now: @escaping @Sendable () -> Timestamp) {
        self.now = now
    }

    /// The machine's clock as file systems see it: the coarse one that file times are taken from.
    package static let system = WallClock {
        var seconds: Int64 = 0
        var nanoseconds: Int64 = 0
        _ = cplatform_coarse_clock(&seconds, &nanoseconds)
        return Timestamp(nanoseconds: seconds * 1_000_000_000 + nanoseconds)
    }
}
