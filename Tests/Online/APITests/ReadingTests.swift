import BundleFormat
import CanonicalJSON
import Catalog
import Documents
import Foundation
import HTTPService
import Integrity
import PackageStore
import Platform
import Settings
import Snapshots
import SystemPackage
import Testing

@testable import API

/// What can be read of catalog and state, over a socket; each answer is held against the document.
@Suite(.serialized) struct ReadingTests {
    @Test func `an empty state has empty lists and no errors`() async throws {
        let world = try APIWorld()
        try await world.serving(naming: world.root.appending("never-made")) { client in
            for path in ["/packages", "/snapshots", "/artifacts", "/broken-archives", "/destinations"] {
                let answer = try await client.get(path)
                #expect(answer.status == 200 && answer.items.isEmpty && answer.json["total"] == 0, "\(path)")
                #expect(answer.json["limit"] == 50 && answer.json["offset"] == 0)
            }
            let statistics = try await client.get("/statistics")
            #expect(statistics.status == 200 && statistics.json["latest"] == .null && statistics.json["growth"] == .null)
            let space = try await client.get("/space")
            #expect(space.status == 200 && space.json["disks"]?.array?.count == 1 && space.json["measurements"] == [])
            #expect(try await client.get("/settings").status == 200)
            #expect(try await client.get("/packages/react", of: "/packages/{name}").problem == "not-found")
            #expect(try await client.get("/snapshots/20260101T000000Z", of: "/snapshots/{id}").problem == "not-found")
            try await client.validateAnswers()
        }
        // To read is to leave no trace: no measurement was kept.
        #expect(try world.catalog.measurements(since: Timestamp(nanoseconds: 0)).isEmpty)
    }

    @Test func `every address of the document is answered as it says, and it has no other`() async throws {
        let world = try APIWorld()
        let made = try world.fill()
        try await world.serving { client in
            let document = try await client.get("/openapi.json").json
            let documented = (document["paths"]?.object?.members ?? []).flatMap { path, item in
                (item.object?.members ?? []).map { "\($0.name.uppercased()) \(path)" }
            }
            let declared = try world.operations().map { "\($0.method.rawValue) \($0.path)" } + ["GET /openapi.json"]
            #expect(documented.sorted() == declared.sorted())
            // Jobs, streams and health have answers of their own kinds.
            let tags = ["jobs", "schedules", "service", "media", "destinations"]
            for entry in try world.operations().filter({ !tags.contains($0.tag) }).map({ "\($0.method.rawValue) \($0.path)" }) {
                let template = try #require(entry.split(separator: " ").last.map(String.init))
                let id = template.hasPrefix("/artifacts") ? made.bundles[0].id.text : made.second.text
                var path = template.replacingOccurrences(of: "{name}", with: "own").replacingOccurrences(of: "{id}", with: id)
                if path.hasSuffix("/diff") { path += "?baseline=empty" }
                let answer = try await client.get(path, of: template)
                #expect(answer.status == 200, "\(path) \(answer.status)")
                let head = try await client.get(path, of: template, method: "HEAD")
                #expect(head.status == 200 && head.fields["content-length"] == answer.fields["content-length"] && head.body.isEmpty)
                let tag = try #require(answer.fields["etag"])
                if !path.hasSuffix("/space") {
                    #expect(try await client.get(path, of: template, ["If-None-Match: \(tag)"]).status == 304, "\(path)")
                }
                for method in ["POST", "PUT", "DELETE", "PATCH"] {
                    let refused = try await client.get(path, of: template, method: method)
                    #expect(refused.status == 405 && refused.fields["allow"] == "GET, HEAD, OPTIONS", "\(method) \(path)")
                }
                let unknown = try await client.get(path + (path.contains("?") ? "&" : "?") + "unknown=1", of: template)
                #expect(unknown.problem == "invalid-parameter" && unknown.json["parameter"] == "unknown")
            }
            try await client.validateAnswers()
        }
    }

    // MARK: Packages

    @Test func `packages are searched, filtered, sorted and paged`() async throws {
        let world = try APIWorld()
        _ = try world.fill()
        try await world.serving { client in
            func names(_ query: String) async throws -> [String] {
                try await client.get("/packages?\(query)").items.compactMap { $0["name"]?.string }
            }
            let all = try await client.get("/packages?limit=1000")
            #expect(all.json["total"] == 32 && all.items.count == 32)
            #expect(all.items.first == (try world.catalog.packages(PackageQuery()).elements[0].json.object))
            #expect(try await names("search=scope") == ["@scope/thing"])
            #expect(try await names("search=f&limit=1") == ["filler-0"])
            #expect(try await names("sort=cached&limit=1").count == 1)
            #expect(try await names("sort=-cached&limit=1") == ["filler-1"])
            #expect(try await names("source=local") == ["own"])
            #expect(try await names("source=unknown") == [])
            let damaged = try await names("damaged=true")
            let whole = try await names("damaged=false&limit=1000")
            #expect(!damaged.isEmpty && Set(damaged).isDisjoint(with: whole) && damaged.count + whole.count == 32)
            #expect(try await client.get("/packages?damaged=false").json["total"] == .integer(whole.count))
            #expect(try await client.get("/packages?damaged=false&source=proxied").json["total"] == .integer(whole.count - 1))
            #expect(try await client.get("/packages?damaged=true&source=proxied").json["total"] == .integer(damaged.count))
            #expect(try await client.get("/packages?damaged=true&source=local").json["total"] == 0)
            var paged: [String] = []
            for offset in stride(from: 0, to: 40, by: 7) { paged += try await names("sort=-bytes&limit=7&offset=\(offset)") }
            #expect(paged == (try await names("sort=-bytes&limit=1000")) && Set(paged).count == 32)
            #expect(try await names("offset=9007199254740991") == [])
            for query in ["limit=0", "limit=1001", "offset=-1", "sort=+bytes", "sort=size", "search=\(String(repeating: "x", count: 215))"]
            {
                #expect(try await client.get("/packages?\(query)").problem == "invalid-parameter", "\(query)")
            }
            try await client.validateAnswers()
        }
    }

    @Test func `a package with a scope is found by either spelling, with the bundles that carried it`() async throws {
        let world = try APIWorld()
        let made = try world.fill()
        try await world.serving { client in
            for path in ["@scope/thing", "@scope%2Fthing", "@scope%2fthing", "%40scope%2Fthing"] {
                let answer = try await client.get("/packages/\(path)", of: "/packages/{name}")
                #expect(answer.json["name"] == "@scope/thing" && answer.json["tags"] == ["latest": "1.0.0", "next": "1.0.0"])
                let bundles = answer.json["bundles"]?.array?.compactMap { $0.object?["bundle"]?.string }
                #expect(bundles == [made.bundles[0].id.text])
                let tarball = answer.json["versions"]?.array?.first?.object?["tarball"]?.object
                #expect(tarball?["bundles"] == [.integer(made.bundles[0].sequence)])
            }
            try await client.validateAnswers()
        }
    }

    @Test func `a name that is none never reaches a file`() async throws {
        let world = try APIWorld()
        _ = try world.fill()
        try await world.serving { client in
            for name in [
                "..", "%2e%2e", "..%2f..%2fetc%2fpasswd", "%00", "own%00", "%c0%ae%c0%ae", "%ff", "%", "%zz", "@scope%2F..",
                "@scope%252Fthing", "-%2F..",
                ".hidden", "a%2Fb", "@a%2Fb%2Fc", "own/package.json", "own%20", "%e2%80%ae", "node_modules", "__proto__",
            ] {
                let answer = try await client.get("/packages/\(name)", of: "/packages/{name}")
                #expect([400, 404].contains(answer.status) && answer.problem != nil, "\(name) \(answer.status)")
            }
            for id in ["..", "..%2Fkeys", "20260101T000000Z%00", "20260101T000000Z%2F..%2F..", "objects", "b-00000000000000000000"] {
                let answer = try await client.get("/snapshots/\(id)", of: "/snapshots/{id}")
                #expect([400, 404].contains(answer.status) && answer.problem != nil, "\(id) \(answer.status)")
                let bundle = try await client.get("/artifacts/\(id)/download", of: "/artifacts/{id}/download")
                #expect([400, 404].contains(bundle.status) && bundle.problem != nil, "\(id) \(bundle.status)")
            }
            try await client.validateAnswers()
        }
    }

    @Test(arguments: ["/packages/@scope/thing/dependents", "/packages/@scope%2Fthing/dependents"])
    func `who needs a package is listed`(path: String) async throws {
        let world = try APIWorld()
        _ = try world.fill()
        let template = "/packages/{name}/dependents"
        try await world.serving { client in
            #expect(try await client.get(path, of: template).items.isEmpty)
            #expect(try await client.get("/packages/nobody/dependents?limit=1", of: template).json["total"] == 0)
            #expect(try await client.get("/packages/@scope/dependents", of: "/packages/{name}").problem == "not-found")
            try await client.validateAnswers()
        }
    }

    // MARK: Snapshots

    @Test func `a comparison says what came, changed and went`() async throws {
        let world = try APIWorld()
        let made = try world.fill()
        try await world.serving { client in
            func changes(_ query: String) async throws -> APIClient.Answer {
                try await client.get("/snapshots/\(made.second)/diff?\(query)", of: "/snapshots/{id}/diff")
            }
            let all = try await changes("baseline=\(made.first)")
            let paths = all.items.compactMap { item in item["change"]?.string.map { "\($0) \(item["path"]?.string ?? "")" } }
            #expect(
                paths == [
                    "added filler-1/filler-1-2.0.0.tgz", "changed filler-1/package.json", "removed filler-2/filler-2-1.0.0.tgz",
                    "removed filler-2/filler-2-1.1.0.tgz", "removed filler-2/package.json", "added fresh/fresh-1.0.0.tgz",
                    "added fresh/package.json",
                ])
            #expect(all.json["counts"] == ["added": 3, "changed": 1, "removed": 3, "withdrawn": 0, "withheld": 0, "left-out": 0])
            let sizes = all.items.filter { $0["change"] != "removed" }.compactMap { $0["sizeBytes"]?.integer }
            let carries: JSONValue = ["packages": 2, "versions": 2, "bytes": .integer(sizes.reduce(0, +))]
            #expect(all.json["carries"] == carries)
            let removed = try await changes("baseline=\(made.first)&change=removed&limit=1&offset=2")
            #expect(removed.items.map { $0["path"] } == ["filler-2/package.json"] && removed.json["total"] == 3)
            #expect(removed.json["counts"] == all.json["counts"] && removed.json["carries"] == carries)
            #expect(
                try await changes("baseline=empty&limit=1").json["total"]
                    == .integer(try world.snapshots.open(made.second)?.header.counts.files ?? 0))
            var paged: [JSONObject] = []
            for offset in stride(from: 0, to: 200, by: 13) { paged += try await changes("baseline=empty&limit=13&offset=\(offset)").items }
            #expect(paged == (try await changes("baseline=empty&limit=1000").items) && paged.count > 90)
            #expect(try await changes("").json["parameter"] == "baseline")
            #expect(try await changes("baseline=nothing").problem == "invalid-parameter")
            #expect(try await changes("baseline=20000101T000000Z").problem == "not-found")
            try await client.validateAnswers()
        }
        // The lists lie in files that have no name.
        #expect(try world.files.names(in: world.state.appending("work"))?.isEmpty == true)
    }

    // MARK: Artifacts

    @Test func `a bundle's contents are what its manifest says`() async throws {
        let world = try APIWorld()
        let made = try world.fill()
        try await world.serving { client in
            let template = "/artifacts/{id}/contents"
            let files = try await client.get("/artifacts/\(made.bundles[1].id)/contents", of: template)
            #expect(
                files.items.compactMap { $0["path"]?.string } == [
                    "filler-1/filler-1-2.0.0.tgz", "fresh/fresh-1.0.0.tgz", "filler-1/package.json", "fresh/package.json",
                ])
            let removed = try await client.get("/artifacts/\(made.bundles[1].id)/contents?list=removed&limit=2", of: template)
            #expect(removed.json["total"] == 3 && removed.items.allSatisfy { $0["reason"] == "absent" && $0["sizeBytes"] == .null })
            #expect(try await client.get("/artifacts/\(made.bundles[2].id)/contents", of: template).problem == "archive-gone")
            let archive = try world.archive(of: made.bundles[0])
            try world.files.write(Array("no bundle".utf8), to: archive)
            #expect(try await client.get("/artifacts/\(made.bundles[0].id)/contents", of: template).problem == "archive-damaged")
            try await client.validateAnswers()
        }
    }

    @Test func `an archive is downloaded byte by byte as it is, whole, in parts and over volumes`() async throws {
        let world = try APIWorld()
        let made = try world.fill()
        let record = made.bundles[0]
        let archive = try world.archive(of: record)
        let bytes = try #require(try world.files.contents(of: archive, limit: 1 << 24))
        // Volumes of uneven sizes, as a medium would have them.
        let cuts = [0, 1, 4096, bytes.count / 2, bytes.count]
        for (number, (start, end)) in zip(cuts, cuts.dropFirst()).enumerated() {
            try world.files.write(Array(bytes[start..<end]), to: FilePath("\(archive).00\(number + 1)"))
        }
        try world.files.removeTree(archive)
        try await world.serving { client in
            let template = "/artifacts/{id}/download"
            let path = "/artifacts/\(record.id)/download"
            let whole = try await client.get(path, of: template)
            #expect(whole.body == bytes && whole.fields["content-type"] == "application/zstd")
            #expect(whole.fields["content-disposition"] == "attachment; filename=\"\(record.label).tar.zst\"")
            for (first, last) in [(0, 0), (0, 1), (1, 4095), (4095, 4096), (1, bytes.count - 1), (bytes.count / 2 - 1, bytes.count / 2)] {
                let part = try await client.get(path, of: template, ["Range: bytes=\(first)-\(last)"])
                #expect(part.status == 206 && part.body == Array(bytes[first...last]), "\(first)-\(last)")
                #expect(part.fields["content-range"] == "bytes \(first)-\(last)/\(bytes.count)")
            }
            #expect(try await client.get(path, of: template, ["Range: bytes=-5"]).body == Array(bytes.suffix(5)))
            #expect(try await client.get(path, of: template, ["Range: bytes=\(bytes.count)-"]).problem == "range-not-satisfiable")
            let gone = try await client.get("/artifacts/\(made.bundles[2].id)/download", of: template)
            #expect(gone.status == 410 && gone.problem == "archive-gone")
            try await client.validateAnswers()
        }
    }

    @Test func `an archive is proved, and what is wrong with it is named`() async throws {
        let world = try APIWorld()
        let made = try world.fill()
        try await world.serving { client in
            func prove(_ record: BundleRecord) async throws -> JSONObject {
                try await client.get("/artifacts/\(record.id)/verification", of: "/artifacts/{id}/verification").json
            }
            let good = try await prove(made.bundles[0])
            #expect(good["intact"] == true && good["signed"] == true && good["problem"] == .null)
            #expect(good["files"] == .integer(made.bundles[0].counts.files))
            // Every part of the archive is looked at.
            let archive = try world.archive(of: made.bundles[1])
            let bytes = try #require(try world.files.contents(of: archive, limit: 1 << 24))
            for position in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 23)) {
                var spoilt = bytes
                spoilt[position] ^= 1
                try world.files.write(spoilt, to: archive)
                let found = try await prove(made.bundles[1])
                #expect(
                    found["intact"] == false && found["signed"] == false && found["problem"]?.object?["reason"] != nil, "byte \(position)")
            }
            try world.files.write(Array(bytes.dropLast(7)), to: archive)
            #expect(try await prove(made.bundles[1])["intact"] == false)
            try world.files.write(bytes, to: archive)
            #expect(try await prove(made.bundles[1])["intact"] == true)
            // Another origin's bundle in its place.
            try world.files.write(#require(try world.files.contents(of: world.archive(of: made.bundles[0]), limit: 1 << 24)), to: archive)
            #expect(try await prove(made.bundles[1])["intact"] == false)
            // A key that is not ours is not known.
            let strange = try world.bundle(keys: [MinisignSecretKey.generate()])
            let found = try await prove(strange)
            #expect(found["intact"] == true && found["signed"] == false)
            #expect(found["signatures"]?.array?.first?.object?["known"] == false)
            try await client.validateAnswers()
        }
        #expect(try world.files.names(in: world.state.appending("work"))?.isEmpty == true)
    }

    @Test func `the place of a proof is free as soon as it is left, whoever still holds it`() throws {
        let desk = ProofDesk()
        var place: ProofDesk.Place? = try desk.take()
        #expect(throws: Problem.self) { try desk.take() }
        place?.leave()
        let next = try desk.take()
        // What is left does not free what another has taken.
        place = nil
        #expect(throws: Problem.self) { try desk.take() }
        next.leave()
        _ = try desk.take()
    }

    @Test func `bundles are listed for a destination, and destinations with their newest`() async throws {
        let world = try APIWorld()
        let made = try world.fill()
        try await world.serving { client in
            let all = try await client.get("/artifacts")
            #expect(
                all.items
                    == made.bundles.reversed().compactMap { $0.json.object }.map { item in
                        var item = item
                        if item["bundle"]?.string == made.bundles[2].id.text { item["pruned"] = all.items[0]["pruned"] }
                        return item
                    })
            #expect(try await client.get("/artifacts?sort=sequence&limit=1").items.first?["bundle"]?.string == made.bundles[0].id.text)
            let destination = made.bundles[1].destination
            #expect(try await client.get("/artifacts?destination=\(destination)").json["total"] == 1)
            #expect(try await client.get("/artifacts?destination=any").json["total"] == 2)
            #expect(try await client.get("/artifacts?destination=everyone").problem == "invalid-parameter")
            let destinations = try await client.get("/destinations").items
            #expect(destinations.map { $0["destination"] } == ["any", .string(destination.description)])
            #expect(destinations.first?["bundles"] == 2 && destinations.first?["standing"] == .null)
            #expect(destinations.first?["lastBundle"]?.object?["bundle"]?.string == made.bundles[2].id.text)
            try await client.validateAnswers()
        }
    }

    // MARK: Storage

    @Test func `damage is listed by state and kind`() async throws {
        let world = try APIWorld()
        _ = try world.fill()
        try await world.serving { client in
            let open = try await client.get("/broken-archives")
            #expect(open.items.count == 2 && open.items.contains { $0["attempts"]?.array?.count == 1 })
            #expect(open.items == (try world.catalog.brokenArchives().compactMap { $0.json.object }))
            for (query, count) in [
                ("state=missing", 1), ("state=damaged", 1), ("state=all", 2), ("state=repaired", 0), ("state=cleared", 0),
                ("kind=not-gzip", 1),
                ("kind=orphan", 0), ("limit=1", 1), ("offset=2", 0),
            ] {
                #expect(try await client.get("/broken-archives?\(query)").items.count == count, "\(query)")
            }
            let sorted = try await client.get("/broken-archives?sort=-path")
            #expect(sorted.items == open.items.reversed() && sorted.json["total"] == 2)
            #expect(try await client.get("/broken-archives?state=broken").problem == "invalid-parameter")
            try await client.validateAnswers()
        }
    }

    @Test func `growth is from the first day to the last`() async throws {
        let world = try APIWorld()
        _ = try world.fill()
        try await world.serving { client in
            let answer = try await client.get("/statistics?days=1")
            #expect(answer.json["latest"]?.object?["packages"] == 32 && answer.items.count >= 1)
            try await client.validateAnswers()
        }
    }
}
