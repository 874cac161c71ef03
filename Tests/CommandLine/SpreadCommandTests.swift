import Foundation
import LoopMedia
import Testing

/// A bundle that goes over several small sticks, as a person carries it.
@Suite(.enabled(if: LoopMedium.isAllowed, "mounting is not allowed here: no bundle is spread")) struct SpreadCommandTests {
    /// Programs with a bundle of three volumes, and as many sticks that have room for one.
    private final class Place {
        let programs: Programs
        let sticks: [LoopMedium]
        let bundle: String
        var variables: [String: String] { ["FERRY_MEDIA_ROOTS": "\(programs.root)/media"] }

        init() throws {
            programs = try Programs()
            try programs.prepare()
            var random = SystemRandomNumberGenerator()
            try programs.put("foo", content: Data((0..<10_000_000 / 8).flatMap { _ in withUnsafeBytes(of: random.next(), Array.init) }))
            _ = try programs.online("snapshot")
            let path = try programs.online("bundle").output
            bundle = path.split { $0 == "/" || $0 == "\n" }.first { $0.hasPrefix("b-") }.map(String.init) ?? ""
            let media = "\(programs.root)/media"
            sticks = try (1...3).map { try LoopMedium(label: "STICK \($0)", at: "\(media)/\($0)", megabytes: 8) }
        }

        func export(_ arguments: String...) throws -> Run {
            try programs.online(["export", "--spread", "--volume-size", "4"] + arguments, variables)
        }
        func offline(_ arguments: String...) throws -> Run { try programs.offline(arguments, variables) }

        /// Writes each stick and unmounts it.
        func spread() throws {
            for (number, stick) in sticks.enumerated() {
                try stick.mount()
                let run = try export("--eject")
                #expect(run.status == (number < 2 ? 5 : 0), "\(run)")
            }
        }

        /// Starts a program before a terminal; what it says there goes to the file.
        func attended(_ command: String) throws -> (process: Process, said: String) {
            let said = "\(programs.root)/said"
            try programs.write("", to: said)
            return (try programs.startAttended(command, variables, typing: nil, said: said), said)
        }

        var spool: [String] { (try? programs.names(in: "\(programs.root)/offline-state/spool/ferry/parts")) ?? [] }
    }

    @Test func `a bundle goes over sticks one after the other, and comes in from them in any order`() throws {
        let place = try Place()
        for (number, stick) in place.sticks.enumerated() {
            try stick.mount()
            let run = try place.export("--eject")
            let lines = run.messages.split(separator: "\n")
            #expect(run.messages.contains("\"STICK \(number + 1)\" at \"\(stick.point)\" carries the volumes \(number + 1) of 3"))
            #expect(lines.contains { $0.hasSuffix("is unmounted: it is safe to pull the medium out") })
            if number == 0 {
                #expect(run.status == 5 && run.messages.contains("2 of 3 volumes are to come: 2, 3; plug in the next medium"))
                // The same one again has no room for another, and says so; what it carries stays.
                try stick.mount()
                let again = try place.export()
                #expect(again.status == 1 && again.messages.contains("the medium \"STICK 1\" at \"\(stick.point)\" is full: "), "\(again)")
                #expect(try place.programs.names(in: "\(stick.point)/ferry/parts/\(place.bundle)").contains { $0.hasSuffix(".zst.001") })
                try stick.unmount()
            }
            if number == 2 {
                #expect(run.status == 0 && run.messages.contains("is whole, over 3 media: STICK 1, STICK 2, STICK 3"))
            }
        }
        for (order, missing) in zip([1, 2], ["1, 3", "1"]) {
            try place.sticks[order].mount()
            let run = try place.offline(order == 1 ? "verify" : "import")
            #expect(run.status == 5 && run.messages.contains("missing: \(missing)"), "\(run)")
            #expect(place.spool == [place.bundle])
            #expect(try place.programs.names(in: place.programs.isolated).isEmpty)
            try place.sticks[order].unmount()
        }
        try place.sticks[0].mount()
        let imported = try place.offline("import")
        #expect(imported.status == 0 && imported.output.contains("applied, signed"), "\(imported)")
        #expect(try place.programs.names(in: place.programs.isolated).contains("foo") && place.spool.isEmpty)
        #expect(
            try place.offline("history").output.contains(place.bundle) || place.offline("history", "--json").output.contains(place.bundle))
    }

    @Test func `sticks that are all plugged in are read where they are`() throws {
        let place = try Place()
        try place.spread()
        for stick in place.sticks { try stick.mount() }
        let verified = try place.offline("verify")
        #expect(verified.status == 0 && verified.output.contains("sound, signed") && place.spool.isEmpty, "\(verified)")
        let named = try place.offline("verify", place.sticks[2].point, place.sticks[0].point, place.sticks[1].point)
        #expect(named.status == 0)
        let partly = try place.offline("import", place.sticks[2].point, place.sticks[0].point)
        #expect(partly.status == 5 && partly.messages.contains("one is missing: 2"), "\(partly)")
    }

    @Test func `a volume that is damaged is named, and not kept`() throws {
        let place = try Place()
        try place.spread()
        let stick = place.sticks[1]
        try stick.mount()
        let folder = "\(stick.point)/ferry/parts/\(place.bundle)"
        let name = try #require(try place.programs.names(in: folder).first { $0.hasSuffix(".zst.002") })
        let file = try #require(FileHandle(forUpdatingAtPath: "\(folder)/\(name)"))
        try file.seek(toOffset: 1_000_000)
        try file.write(contentsOf: Data([0, 1, 2, 3]))
        try file.close()
        let run = try place.offline("import")
        #expect(run.status == 3 && run.messages.contains("\(folder)/\(name)"), "\(run)")
        #expect(
            (try? place.programs.names(in: "\(place.programs.root)/offline-state/spool/ferry/parts/\(place.bundle)"))?.contains(name)
                != true)
        // The next export of that bundle begins a new set, and writes anew what is not whole.
        let again = try place.export("--to", stick.point)
        #expect(again.status == 5 && again.messages.contains("carries the volumes 2 of 3"), "\(again)")
        let healed = try place.offline("import")
        #expect(healed.status == 5 && healed.messages.contains("missing: 1, 3"), "\(healed)")
    }

    @Test func `where a person is there, the next stick is asked for and written when it is plugged in`() async throws {
        let place = try Place()
        try place.sticks[0].mount()
        let (process, said) = try place.attended("ferry-online export --spread --volume-size 4 --eject")
        for stick in place.sticks.dropFirst() {
            let number = place.sticks.firstIndex { $0 === stick } ?? 0
            while try String(contentsOfFile: said, encoding: .utf8).components(separatedBy: "insert the next medium").count <= number {
                try #require(process.isRunning)
                await Task.yield()
            }
            try stick.mount()
        }
        process.waitUntilExit()
        let text = try String(contentsOfFile: said, encoding: .utf8)
        #expect(process.terminationStatus == 0 && text.contains("is whole, over 3 media"), "\(text)")
    }

    @Test func `where a person is there, the next stick is asked for and brought in when it is plugged in`() async throws {
        let place = try Place()
        try place.spread()
        try place.sticks[1].mount()
        let (process, said) = try place.attended("ferry-offline import")
        for (asked, next) in [(1, 2), (2, 0)] {
            while try String(contentsOfFile: said, encoding: .utf8).components(separatedBy: "plug in the next medium").count <= asked {
                try #require(process.isRunning)
                await Task.yield()
            }
            // There is one port.
            try place.sticks[asked].unmount()
            try place.sticks[next].mount()
        }
        process.waitUntilExit()
        let text = try String(contentsOfFile: said, encoding: .utf8)
        #expect(process.terminationStatus == 0 && text.contains("missing: 1, 3") && text.contains("one is missing: 1"), "\(text)")
        #expect(text.contains("applied, signed") && place.spool.isEmpty, "\(text)")
        #expect(try place.programs.names(in: place.programs.isolated).contains("foo"))
    }
}
