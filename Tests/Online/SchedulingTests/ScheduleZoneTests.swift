import Foundation
import Platform
import Scheduling
import SystemPackage
import Testing

/// The zone of the machine's own clock.
@Suite struct ScheduleZoneTests {
    @Test(arguments: [
        ("Europe/Berlin", "Europe/Berlin"), (":Asia/Tokyo", "Asia/Tokyo"), ("/usr/share/zoneinfo/Europe/Paris", "Europe/Paris"),
        ("posix/Europe/Rome", "Europe/Rome"), ("UTC", "UTC"), ("CET-1CEST", "UTC"), ("No/Where", "UTC"), ("../../etc/passwd", "UTC"),
    ])
    func `the environment names it, and what names none is UTC`(variable: String, zone: String) {
        #expect(ScheduleZone.ofMachine(variable: variable, link: "/no/such/file").identifier == zone)
    }

    @Test(arguments: [nil, ""])
    func `where the environment is silent, it is the one that the link leads to`(variable: String?) throws {
        let files = DiskFileSystem()
        let root = FilePath(FileManager.default.temporaryDirectory.path).appending("ferry-zone-\(UUID().uuidString)")
        defer { try? files.removeTree(root) }
        try files.createDirectories(root.appending("zoneinfo/right/Europe"))
        let (file, link) = (root.appending("zoneinfo/right/Europe/Madrid"), root.appending("localtime"))
        #expect(ScheduleZone.ofMachine(variable: variable, link: link) == .utc)
        try files.write([], to: file)
        try FileManager.default.createSymbolicLink(atPath: link.string, withDestinationPath: file.string)
        #expect(ScheduleZone.ofMachine(variable: variable, link: link).identifier == "Europe/Madrid")
        try files.write([], to: root.appending("copy"))
        #expect(ScheduleZone.ofMachine(variable: variable, link: root.appending("copy")) == .utc)
    }
}
