import Foundation
import Glibc
import LoopMedia
import Testing

/// `ferry-online serve` as a service manager and a person meet it.
@Suite struct ServeCommandTests {
    /// The server, until it is told to end.
    private final class Server {
        private let process: Process
        private let messages: String

        init(_ programs: Programs, _ arguments: [String] = [], _ variables: [String: String] = [:]) throws {
            messages = "\(programs.root)/.serve-\(UUID().uuidString)"
            process = try programs.start(["serve", "--listen", "127.0.0.1:0"] + arguments, variables, messages: messages)
        }

        deinit { end() }

        /// The address, once it serves; `nil` where it has ended before.
        func url() throws -> String? {
            while process.isRunning {
                if let url = try said().split(whereSeparator: \.isWhitespace).first(where: { $0.hasPrefix("http://") }) {
                    return String(url)
                }
                sched_yield()
            }
            return nil
        }

        var isRunning: Bool { process.isRunning }

        func said() throws -> String { try String(contentsOfFile: messages, encoding: .utf8) }

        @discardableResult
        func end() -> Int32 {
            if process.isRunning { process.terminate() }
            process.waitUntilExit()
            return process.terminationStatus
        }
    }

    @Test func `jobs go by what flags have told the server`() throws {
        let programs = try Programs()
        try programs.put("foo")
        let server = try Server(programs, ["--storage", programs.connected], ["FERRY_STORAGE": ""])
        let url = try #require(try server.url())
        let asked = try programs.run("/usr/bin/curl", ["--silent", "-X", "POST", "\(url)/jobs/metadata-scan"]).output
        let id = try #require(asked.firstMatch(of: /"id":(\d+)/)?.1)
        // The log goes on for as long as the job does.
        let log = try programs.run("/usr/bin/curl", ["--silent", "--no-buffer", "\(url)/jobs/\(id)/log"]).output
        let job = try programs.run("/usr/bin/curl", ["--silent", "\(url)/jobs/\(id)"]).output
        #expect(job.contains("\"state\":\"succeeded\""), "\(log)")
    }

    @Test func `an address that is in use is named, and nothing is left behind`() throws {
        let programs = try Programs()
        let first = try Server(programs)
        let url = try #require(try first.url())
        let port = try #require(url.split(separator: ":").last)
        let other = try Programs()
        let refused = try other.online("serve", "--listen", "127.0.0.1:\(port)")
        #expect(
            refused.status == 1 && refused.messages.contains("127.0.0.1:\(port)") && refused.messages.contains("in use"),
            "\(refused.messages)")
        #expect(first.end() == 0)
        let again = try Server(other)
        #expect(try again.url() != nil)
    }

    @Test func `two servers do not run on one state`() throws {
        let programs = try Programs()
        let first = try Server(programs)
        _ = try first.url()
        let refused = try programs.online("serve", "--listen", "127.0.0.1:0")
        #expect(refused.status == 11 && refused.messages.contains("ferry-online serve by process"))
    }

    @Test(arguments: ["127.0.0.1:99999", "nowhere:", "[::1", "1.2.3.4.5:x"])
    func `what is no address is wrong usage`(address: String) throws {
        let refused = try Programs().online("serve", "--listen", address)
        #expect(refused.status == 64 && refused.messages.contains(address))
    }

    @Test func `an address of another machine is refused in words`() throws {
        let refused = try Programs().online("serve", "--listen", "192.0.2.1:4880")
        #expect(refused.status == 1 && refused.messages.contains("192.0.2.1:4880"), "\(refused.messages)")
    }

    @Test func `a service manager hears that it is ready, alive and stopping`() throws {
        let programs = try Programs()
        let ear = try #require(NotifySocket("\(programs.root)/notify"))
        let variables = ["NOTIFY_SOCKET": ear.path, "WATCHDOG_USEC": "30000000"]
        let server = try Server(programs, [], variables)
        var heard: [String] = []
        while !Set(heard).isSuperset(of: ["READY=1", "WATCHDOG=1"]) { heard.append(try #require(ear.next())) }
        #expect(try server.url() != nil)
        #expect(server.end() == 0)
        while heard.last != "STOPPING=1" { heard.append(try #require(ear.next())) }
    }

    @Test(
        .enabled(
            if: FileManager.default.fileExists(atPath: "/usr/bin/systemd-analyze"), "systemd-analyze is missing: the unit is not checked"))
    func `the unit is one that systemd takes, and exposes little`() throws {
        let programs = try Programs()
        try programs.makeDirectory("\(programs.root)/online-state")
        try programs.write("media: {roots: ['/media', '/mnt/with space']}\n", to: "\(programs.root)/online-state/ferry.yaml")
        let unit = try programs.online("config", "unit")
        #expect(unit.status == 0)
        #expect(unit.output.contains("ReadWritePaths=\(programs.root)/online-state \(programs.connected)\n"))
        #expect(unit.output.contains(#"ReadWritePaths=-/media "-/mnt/with space""#))
        let path = "\(programs.root)/ferry-online.service"
        try programs.write(unit.output, to: path)
        let verdict = try programs.run("/usr/bin/systemd-analyze", ["verify", "--man=no", path])
        #expect(verdict.status == 0 && verdict.messages.isEmpty, "\(verdict)")
        let security = try programs.run("/usr/bin/systemd-analyze", ["security", "--offline=yes", "--threshold=30", "--no-pager", path])
        #expect(security.status == 0, "\(security.output.suffix(400))")
    }

    @Test(
        .enabled(if: LoopMedium.isAllowed, "mounting is not allowed here: no medium is plugged into a server"),
        arguments: ["ask", "automatic"])
    func `a medium of ours that is plugged in gets what is to travel once, where the settings say so, and no other does`(
        policy: String
    ) async throws {
        let programs = try Programs()
        try programs.prepare()
        try programs.put("foo")
        let (ours, other) = (
            try LoopMedium(label: "OURS", at: "\(programs.root)/media/ours"),
            try LoopMedium(label: "OTHER", at: "\(programs.root)/media/other")
        )
        try ours.mount()
        #expect(try programs.online("media", "init", ours.point).status == 0)
        try ours.unmount()
        _ = try programs.online("snapshot")
        #expect(try programs.online("bundle").status == 0)
        let server = try Server(
            programs, [], ["FERRY_MEDIA_ROOTS": "\(programs.root)/media", "FERRY_MEDIA_EXPORT": policy])
        let url = try #require(try server.url())
        func get(_ path: String) throws -> String { try programs.run("/usr/bin/curl", ["--silent", "--no-buffer", url + path]).output }
        /// Waits until the server has said something so often.
        func hear(_ words: String, _ count: Int = 1) async throws {
            while try server.said().components(separatedBy: words).count <= count {
                try #require(server.isRunning)
                await Task.yield()
            }
        }
        /// The jobs for media, by their ids; each is at its end.
        func jobs() throws -> [String] {
            let ids = try get("/jobs?kind=export").matches(of: /"id":(\d+)/).map { String($0.1) }
            // The log goes on for as long as the job does.
            for id in ids { _ = try get("/jobs/\(id)/log") }
            return ids
        }
        try ours.mount()
        try await hear("at \(ours.point): OURS")
        let first = try jobs()
        #expect(first.count == (policy == "automatic" ? 1 : 0))
        for id in first {
            let job = try get("/jobs/\(id)")
            #expect(job.contains(#""state":"succeeded""#) && job.contains("read back and equal") && job.contains(#""mount""#), "\(job)")
        }
        #expect(try programs.names(in: "\(ours.point)/ferry/bundles").count == first.count)
        try other.mount()
        try await hear("at \(other.point): OTHER")
        try ours.unmount()
        try await hear("at \(ours.point) is gone")
        try ours.mount()
        try await hear("at \(ours.point): OURS", 2)
        #expect(try jobs() == first)
        #expect(try programs.names(in: other.point) == ["lost+found"])
        #expect(server.end() == 0)
    }

    @Test(.enabled(if: LoopMedium.isAllowed, "mounting is not allowed here: a full disk is not tried"))
    func `on a full disk jobs are refused in words, and go on when there is room`() throws {
        let programs = try Programs()
        let disk = try LoopMedium(label: "STATE", megabytes: 24)
        try disk.mount()
        let state = "\(disk.point)/state"
        let server = try Server(programs, ["--state", state])
        let url = try #require(try server.url())
        func ask(_ path: String, _ method: String = "POST") throws -> String {
            try programs.run("/usr/bin/curl", ["--silent", "--include", "-X", method, url + path]).output
        }
        #expect(try ask("/jobs/broken-rescan").contains(" 201 "))
        let filler = "\(disk.point)/filler"
        _ = try programs.run("/bin/dd", ["if=/dev/zero", "of=\(filler)", "bs=64k"])
        let refused = try ask("/jobs/metadata-scan")
        #expect(refused.contains(" 507 ") && refused.contains("urn:ferry:problem:no-space"), "\(refused)")
        // What can be read can be read.
        #expect(try ask("/jobs", "GET").contains(" 200 "))
        let health = try ask("/health", "GET")
        #expect(health.contains(" 503 ") && health.contains(#""name":"disk","status":"failed""#) || health.contains("failed"), "\(health)")
        try programs.remove(filler)
        #expect(try ask("/jobs/metadata-scan").contains(" 201 "))
        #expect(server.end() == 0)
    }
}

/// The end of systemd that hears.
private final class NotifySocket {
    let path: String
    private let descriptor: Int32

    init?(_ path: String) {
        self.path = path
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let isBound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) == 0 }
        }
        guard isBound else { return nil }
    }

    deinit { close(descriptor) }

    func next() -> String? {
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = recv(descriptor, &bytes, bytes.count, 0)
        return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
    }
}
