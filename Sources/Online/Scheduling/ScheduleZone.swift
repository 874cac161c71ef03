import Foundation
import Platform
package import SystemPackage

/// A time zone: how clocks on walls differ from UTC, and when that changes.
package struct ScheduleZone: Sendable, Hashable, CustomStringConvertible {
    /// Its name in the tz database, as it was written.
    package let identifier: String
    private let zone: TimeZone

    /// A zone by its name in the tz database, such as `Europe/Berlin`; `UTC` is one, too.
    ///
    /// Abbreviations are none: `EST` has no summer time, and `GMT+5` means one thing here and the opposite there.
    ///
    /// - Throws: `ScheduleError` for a name that is none.
    package init(_ identifier: String) throws(ScheduleError) {
        let isName = identifier == "UTC" || (identifier.contains("/") && !identifier.hasPrefix("Etc/GMT"))
        guard isName, let zone = TimeZone(identifier: identifier) else {
            let lowercased = identifier.lowercased()
            let meant = TimeZone.knownTimeZoneIdentifiers.first { $0.lowercased() == lowercased }
            let reason = meant.map { "it is written \($0)" } ?? "there is none of this name; names are such as Europe/Berlin, and UTC"
            throw ScheduleError(identifier, wanted: "a time zone", reason: reason)
        }
        self.identifier = identifier
        self.zone = zone
    }

    private init() {
        identifier = "UTC"
        zone = .gmt
    }

    package static let utc = ScheduleZone()

    /// The zone of the machine's own clock: that of `TZ`, else of the file that `/etc/localtime` leads to; UTC where neither names one.
    ///
    /// - Parameters:
    ///   - variable: what `TZ` says.
    ///   - link: the link into the tz database.
    package static func ofMachine(
        variable: String? = ProcessInfo.processInfo.environment["TZ"], link: FilePath = "/etc/localtime"
    ) -> ScheduleZone {
        /// A name, or a file of the tz database, whose directories `posix` and `right` hold all of it again.
        func zone(_ text: String) -> ScheduleZone? {
            var name = text.hasPrefix(":") ? String(text.dropFirst()) : text
            if let database = name.range(of: "/zoneinfo/") { name = String(name[database.upperBound...]) }
            for copy in ["posix/", "right/"] where name.hasPrefix(copy) { name.removeFirst(copy.count) }
            return try? ScheduleZone(name)
        }
        if let variable, !variable.isEmpty { return zone(variable) ?? .utc }
        guard let file = try? DiskFileSystem().resolve(link) else { return .utc }
        return zone(file.string) ?? .utc
    }

    package var description: String { identifier }

    /// How far its clocks are ahead of UTC, in seconds, at a second since 1970.
    func offset(at second: Int64) -> Int64 {
        Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval(second))))
    }

    /// The first second after this one from which its clocks may be set otherwise; `nil` where they never are.
    func change(after second: Int64) -> Int64? {
        let moment = Date(timeIntervalSince1970: TimeInterval(second))
        guard let change = zone.nextDaylightSavingTimeTransition(after: moment)?.timeIntervalSince1970 else { return nil }
        let next = Int64(change.rounded(.up))
        return next > second ? next : nil
    }
}
