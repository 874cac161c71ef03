import BundleFormat
import CanonicalJSON
import Catalog
import Dispatch
import Jobs
import MediaLayout
import Platform
import Snapshots
import SystemPackage
import Testing

@testable import API

/// What is plugged in, and what can be written to it, over a socket; each answer is held against the document.
@Suite(.serialized) struct MediaTests {
    private static let export = "/media/{id}/export"

    @Test func `media are listed with what lies on them`() async throws {
        let world = try APIWorld()
        let bundle = try world.fill().bundles[0]
        let stick = try world.plug("stick")
        _ = try world.plug("empty")
        let archive = try ArchiveSource(volumes: [world.archive(of: bundle)])
        _ = try MediumWriter(medium: Medium(root: stick)).export(archive, volumeSize: nil)
        try await world.serving { client in
            let answer = try await client.get("/media")
            #expect(answer.items.map { $0["root"] } == [.string(stick.string), .string(world.root.appending("media/empty").string)])
            let first = try #require(answer.items.first)
            #expect(first["state"] == "ready" && first["bundleCount"] == 1)
            #expect(first["bundles"]?.array?.first?.object?["bundle"] == .string(bundle.id.text))
            #expect(answer.items.last?["state"] == "uninitialised")
            let id = try #require(first["id"]?.string)
            let same = try await client.get("/media/\(id)", of: "/media/{id}").json
            #expect(same["id"] == first["id"] && same["bundles"] == first["bundles"])
            #expect(try await client.get("/media/m-00000000000000000000", of: "/media/{id}").problem == "not-found")
            try await client.validateAnswers()
        }
    }

    @Test func `an export is queued for this medium, and for no other that takes its place`() async throws {
        let world = try APIWorld()
        let bundle = try world.fill().bundles[0]
        let stick = try world.plug("stick")
        try await world.serving { client in
            let id = try #require(try await client.get("/media").items.first?["id"]?.string)
            let path = "/media/\(id)/export?artifact=\(bundle.id)"
            let refused = try await client.get(path, of: Self.export, method: "POST")
            #expect(refused.problem == "medium-uninitialised")
            let asked = try await client.get("\(path)&initialise=true&volumeSize=4092", of: Self.export, method: "POST")
            #expect(asked.status == 201 && asked.fields["location"] != nil)
            let parameters: JSONValue = [
                "artifact": .string(bundle.id.text), "medium": .string(stick.string), "mediumId": .string(id), "volumeSize": 4092,
            ]
            #expect(asked.json["kind"] == "export" && asked.json["parameters"] == parameters)
            #expect(try await client.get("\(path)&initialise=true&volumeSize=4092", of: Self.export, method: "POST").problem == "job-open")
            try await client.validateAnswers()
        }
    }

    @Test func `what cannot be written is refused before a job is queued`() async throws {
        let world = try APIWorld()
        let bundles = try world.fill().bundles
        _ = try world.plug("closed", isReadOnly: true)
        let strange = try world.plug("strange")
        try world.files.write([], to: strange.appending("ferry"))
        let lying = try world.plug("lying")
        try world.files.createDirectories(lying.appending("ferry"))
        try world.files.write(Array("{}".utf8), to: lying.appending("ferry/index.json"))
        try await world.serving { client in
            let media = try await client.get("/media").items
            #expect(media.map { $0["state"] } == ["uninitialised", "unusable", "unusable"])
            let ids = media.compactMap { $0["id"]?.string }
            func ask(_ index: Int, _ query: String) async throws -> APIClient.Answer {
                try await client.get("/media/\(ids[index])/export?\(query)", of: Self.export, method: "POST")
            }
            let good = "artifact=\(bundles[0].id)"
            for index in 0...2 { #expect(try await ask(index, "\(good)&initialise=true").problem == "medium-unusable") }
            #expect(try await ask(1, "artifact=\(bundles[2].id)").problem == "archive-gone")
            #expect(try await ask(1, "artifact=b-00000000000000000000").json["parameter"] == "artifact")
            #expect(try await ask(1, "artifact=../x").problem == "invalid-parameter")
            #expect(try await ask(1, "").problem == "invalid-parameter")
            #expect(try await ask(1, "\(good)&volumeSize=5").json["parameter"] == "volumeSize")
            #expect(try await client.get("/jobs?kind=export").json["total"] == 0)
            try await client.validateAnswers()
        }
    }

    @Test func `a device that hangs holds up nobody but those who ask for media, and they are told`() async throws {
        let world = try APIWorld()
        _ = try world.plug("stick")
        let hang = DispatchSemaphore(value: 0)
        try await world.serving(hanging: hang) { client in
            for _ in 1...10 {
                let answer = try await client.get("/media")
                #expect(answer.status == 503 && answer.problem == "busy" && answer.fields["retry-after"] != nil)
            }
            #expect(try await client.get("/packages").status == 200)
            hang.signal()
            var answer = try await client.get("/media")
            while answer.status == 503 { answer = try await client.get("/media") }
            #expect(answer.items.count == 1)
            try await client.validateAnswers()
        }
    }
}
