import BundleFormat
import CanonicalJSON
import Catalog
import Integrity
import MediaLayout
import Platform
import Replies
import Snapshots
import Testing

@testable import API

/// What destinations have and ask for, over a socket; each answer is held against the document.
@Suite(.serialized) struct DestinationTests {
    /// A destination that has what the first of two states holds.
    private func world(isConfirmed: Bool = true) throws -> (world: APIWorld, id: Identifier, requests: [Identifier]) {
        let world = try APIWorld()
        let made = try world.fill()
        guard case .only(let id) = made.bundles[1].destination else { throw NoDestination() }
        return (world, id, try world.introduce(id, having: made.bundles[0], isConfirmed: isConfirmed))
    }

    private struct NoDestination: Error {}

    @Test func `a destination is listed with what it has, and shown with its receipts`() async throws {
        let (world, id, _) = try world()
        try await world.serving { client in
            let items = try await client.get("/destinations").items
            #expect(items.map { $0["destination"] } == [.string(id.text), "any"])
            let standing = try #require(items.first?["standing"]?.object)
            #expect(standing["name"] == "Plant 7" && standing["openRequests"] == 2 && standing["quietFor"] == .null)
            #expect(standing["receipt"]?.object?["sequence"] == 1 && standing["receipt"]?.object?["missing"] == 1)
            #expect(standing["pending"]?.array?.count == 2)
            let detail = try await client.get("/destinations/\(id)", of: "/destinations/{id}").json
            #expect(detail["receipts"]?.array?.count == 1)
            let next = try await client.get("/destinations/\(id)/next", of: "/destinations/{id}/next").json
            #expect(next["baseline"] != .null && next["again"] == 1 && next["counts"]?.object?["removed"] == 3, "\(next)")
            #expect(try await client.get("/destinations/d-00000000000000000000", of: "/destinations/{id}").problem == "not-found")
            try await client.validateAnswers()
        }
    }

    @Test func `nothing counts before its key is confirmed by fingerprint`() async throws {
        let (world, id, _) = try world(isConfirmed: false)
        try await world.serving { client in
            let path = "/destinations/\(id)/confirm?fingerprint="
            let of = "/destinations/{id}/confirm"
            #expect(try await client.get("\(path)0000", of: of, method: "POST").problem == "other-fingerprint")
            let shown = try await client.get("/destinations/\(id)", of: "/destinations/{id}").json
            #expect(shown["confirmed"] == .null)
            let digits = world.key.publicKey.fingerprint.replacing(" ", with: "%20")
            #expect(try await client.get("\(path)\(digits)", of: of, method: "POST").json["confirmed"] != .null)
            try await client.validateAnswers()
        }
    }

    @Test func `a medium is read again once its destination is confirmed, and an older receipt where a person says so`() async throws {
        let (world, id, _) = try world(isConfirmed: false)
        let bundle = try #require(try world.catalog.bundles().last)
        let medium = Medium(root: try world.plug("stick"))
        _ = try MediumWriter(medium: medium).export(ArchiveSource(volumes: [world.archive(of: bundle)]), volumeSize: nil)
        let box = ReplyBox(root: medium.folder)
        try box.put(world.receipt(of: id, having: bundle, counter: 2), in: .receipts)
        try await world.serving { client in
            let stick = try #require(try await client.get("/media").items.first?["id"]?.string)
            func read(_ query: String = "") async throws -> [JSONObject] {
                try await client.get("/media/\(stick)/read\(query)", of: "/media/{id}/read", method: "POST").items
            }
            #expect(try await read().map { $0["refusal"] } == ["unconfirmed"])
            let digits = world.key.publicKey.fingerprint.replacing(" ", with: "%20")
            _ = try await client.get("/destinations/\(id)/confirm?fingerprint=\(digits)", of: "/destinations/{id}/confirm", method: "POST")
            #expect(try await read().map { $0["event"] } == ["receipt"])
            #expect(try await read().map { $0["event"] } == ["known"])
            try box.put(world.receipt(of: id, having: bundle, counter: 1), in: .receipts) { _ in true }
            #expect(try await read().map { $0["refusal"] } == ["older"])
            #expect(try await read("?acceptOlder=true").map { $0["event"] } == ["receipt"])
            let standing = try await client.get("/destinations/\(id)", of: "/destinations/{id}").json
            #expect(standing["receipt"]?.object?["counter"] == 1)
            try await client.validateAnswers()
        }
    }

    @Test func `a receipt of a later state than was ever made here says how far behind this side is, once`() async throws {
        let (world, id, _) = try world()
        let bundle = try #require(try world.catalog.bundles().last)
        let medium = Medium(root: try world.plug("stick"))
        _ = try MediumWriter(medium: medium).export(ArchiveSource(volumes: [world.archive(of: bundle)]), volumeSize: nil)
        let box = ReplyBox(root: medium.folder)
        try await world.serving { client in
            let stick = try #require(try await client.get("/media").items.first?["id"]?.string)
            func read() async throws -> [JSONObject] {
                try await client.get("/media/\(stick)/read", of: "/media/{id}/read", method: "POST").items
            }
            let newest = try #require(try world.catalog.bundles().map(\.sequence).max())
            try box.put(world.receipt(of: id, having: bundle, at: newest + 8, counter: 2), in: .receipts) { _ in true }
            #expect(try await read().map { $0["behind"] } == [.integer(newest)])
            try box.put(world.receipt(of: id, having: bundle, at: newest + 8, counter: 3), in: .receipts) { _ in true }
            let told = try await read()
            #expect(told.map { $0["event"] } == ["receipt"] && told.allSatisfy { $0["behind"] == nil })
            try await client.validateAnswers()
        }
    }

    @Test func `how it is treated can be said, and it can be forgotten`() async throws {
        let (world, id, _) = try world()
        try await world.serving { client in
            let of = "/destinations/{id}/policy"
            let set = try await client.get(
                "/destinations/\(id)/policy?baseline=assume-applied&requests=approve&quietDays=7", of: of, method: "POST"
            ).json
            #expect(set["baseline"] == "assume-applied" && set["approvesRequests"] == true && set["quietDays"] == 7)
            let kept = try await client.get("/destinations/\(id)/policy", of: of, method: "POST").json
            #expect(kept["baseline"] == "assume-applied" && kept["quietDays"] == 7)
            #expect(try await client.get("/destinations/\(id)/policy?quietDays=0", of: of, method: "POST").problem == "invalid-parameter")
            #expect(try await client.get("/destinations/\(id)", of: "/destinations/{id}", method: "DELETE").status == 200)
            #expect(try await client.get("/destinations/\(id)", of: "/destinations/{id}").problem == "not-found")
            #expect(try await client.get("/requests").items.isEmpty)
            try await client.validateAnswers()
        }
    }

    @Test func `requests are shown, approved with the job that answers them, and declined`() async throws {
        let (world, _, requests) = try world()
        try await world.serving { client in
            #expect(try await client.get("/requests?state=new").items.count == 2)
            let want = try await client.get("/requests/\(requests[0])", of: "/requests/{id}").json
            #expect(want["kind"] == "want" && want["asked"] == ["absent", "react@18"])
            let of = "/requests/{id}/approve"
            let approved = try await client.get("/requests/\(requests[0])/approve", of: of, method: "POST").json
            #expect(approved["request"]?.object?["state"] == "approved" && approved["job"]?.object?["kind"] == "delta_refresh")
            #expect(try world.catalog.wants().map(\.spec) == ["absent", "react@18"])
            // Asked again, while the refresh waits.
            #expect(try await client.get("/requests/\(requests[0])/approve", of: of, method: "POST").json["job"] == .null)
            let filler = try await client.get("/requests/\(requests[1])/approve", of: of, method: "POST").json
            #expect(filler["job"]?.object?["parameters"] == ["request": .string(requests[1].text)])
            let declined = try await client.get("/requests/\(requests[0])/decline", of: "/requests/{id}/decline", method: "POST").json
            #expect(declined["request"]?.object?["state"] == "declined")
            #expect(try world.catalog.wants().isEmpty)
            #expect(try await client.get("/requests/r-00000000000000000000/approve", of: of, method: "POST").problem == "not-found")
            try await client.validateAnswers()
        }
    }
}
