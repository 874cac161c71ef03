import BundleFormat
import CanonicalJSON
import Catalog
import Foundation
import HTTPService
import PackageStore
import Platform
import Snapshots
import SystemPackage
import Testing

@testable import API

/// Schemathesis makes requests out of the document, good and bad, and holds every answer against it.
@Suite(.serialized) struct SchemathesisTests {
    private static let program = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
        .removingLastComponent().appending(".build/schemathesis/bin/schemathesis")

    /// Runs it against the service and returns its exit status and what it says.
    private func check(_ client: APIClient, in world: APIWorld, examples: Int, _ more: [String] = []) async throws -> (Int32, String) {
        try #require(
            try world.files.status(of: Self.program) != nil, "schemathesis is missing; \"scripts/setup\" installs it below .build")
        let directory = world.root.appending("schemathesis")
        try world.files.createDirectories(directory)
        let arguments = [
            "run", "http://127.0.0.1:\(client.port)/openapi.json", "--checks", "all", "--max-examples", "\(examples)", "--seed", "20261124",
            // DELETE ends a job, which stays in the record.
            "--exclude-checks", "use_after_free",
            // Streams do not end; ReadingTests follow them.
            "--exclude-path", "/events", "--exclude-path", "/jobs/{id}/log", "--generation-database", "none", "--request-timeout", "20",
            "--continue-on-failure", "--no-color", "--workers", "1",
        ]
        let result = try await run(Self.program.string, arguments + more, in: directory)
        return (result.status, String(decoding: result.bytes, as: UTF8.self))
    }

    @Test func `the service does what its document says, whatever is asked of it`() async throws {
        let world = try APIWorld()
        let made = try world.fill()
        if case .only(let id) = made.bundles[1].destination { _ = try world.introduce(id, having: made.bundles[0]) }
        try await world.serving { client in
            let (status, words) = try await check(client, in: world, examples: 60)
            // It does not ask for the document again.
            let count = try world.operations().count - 2
            #expect(status == 0 && words.contains("Tested: \(count)\n"), "\(words.suffix(6000))")
        }
    }

    @Test func `it does so for what is there, too`() async throws {
        let world = try APIWorld()
        let made = try world.fill()
        _ = try world.plug("stick")
        guard case .only(let destination) = made.bundles[1].destination else { return }
        let request = try world.introduce(destination, having: made.bundles[0])[0]
        let places = [
            ("^/destinations/", destination.text), ("^/requests/", request.text),
            ("^/snapshots/", made.second.text), ("^/artifacts/", made.bundles[1].id.text), ("^/packages/", "@scope/thing"),
            ("^/jobs/", "1"), ("^/schedules/", "retention"), ("^/media/", try world.mediumID()),
        ]
        let settings = places.map { pattern, id in
            """
            [[operations]]
            include-path-regex = "\(pattern)"
            parameters = { "path.id" = "\(id)", "path.name" = "\(id)", "query.baseline" = "\(pattern == "^/destinations/" ? "acknowledged" : made.first.text)", "query.artifact" = "\(made.bundles[0].id)" }

            """
        }
        try world.files.createDirectories(world.root.appending("schemathesis"))
        try world.files.write(Array(settings.joined().utf8), to: world.root.appending("schemathesis/schemathesis.toml"))
        try await world.serving { client in
            let (status, words) = try await check(client, in: world, examples: 25, ["--include-path-regex", "[{]"])
            let count = try world.operations().count { $0.path.description.contains("{") } - 1
            #expect(status == 0 && words.contains("Tested: \(count)\n"), "\(words.suffix(6000))")
        }
    }

    @Test func `an answer that is not what the document says is found`() async throws {
        let world = try APIWorld()
        try await world.serving(changing: { operations in
            operations.map { operation in
                guard operation.path == "/destinations" else { return operation }
                return HTTPOperation(
                    operation.method, operation.path, id: operation.id, tag: operation.tag, operation.summary,
                    parameters: operation.parameters, success: operation.success
                ) { _ in .json(["items": [], "total": -1, "limit": 50, "offset": 0]) }
            }
        }) { client in
            let (status, words) = try await check(client, in: world, examples: 5, ["--include-path", "/destinations"])
            #expect(status == 1 && words.contains("/destinations"), "\(words.suffix(2000))")
        }
    }
}
