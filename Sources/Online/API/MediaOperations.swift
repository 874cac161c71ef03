import BundleFormat
import CanonicalJSON
import Catalog
import Destinations
import Documents
package import HTTPService
import Jobs
import MediaLayout
import Mounts
import Platform
import Service
import Snapshots
import SystemPackage

extension Problem.Kind {
    package static let mediumUninitialised = Problem.Kind("medium-uninitialised", 409, "The medium is not one of ours yet")
    package static let mediumUnusable = Problem.Kind("medium-unusable", 409, "The medium cannot be written to")
}

extension FerryAPI {
    private static let mediumID = Parameter.path("id", .mediumID, "The medium's id.") { Identifier($0, .medium) }

    /// What is plugged in, and what can be written to it.
    package static func media(_ context: APIContext, _ jobs: JobContext) -> [HTTPOperation] {
        [
            HTTPOperation(
                .get, "/media", id: "listMedia", tag: "media", "List the media that are plugged in.",
                explanation: """
                    Looks at what is mounted now. `/events` tells of arrivals and removals. The id of a medium is that of this file system \
                    where it is mounted now.
                    """, parameters: [limit.declaration, offset.declaration],
                success: [HTTPOperation.Success(pageSchema(.medium), "A page of media, in the order of mounting.")],
                problems: commonProblems
            ) { request in
                .json(try page(of: try await context.media.media().map(\.json), request))
            },
            HTTPOperation(
                .get, "/media/{id}", id: "getMedium", tag: "media", "Get a medium.", parameters: [mediumID.declaration],
                success: [HTTPOperation.Success(.medium, "The medium.")], problems: commonProblems
            ) { request in
                let id = try request.value(of: mediumID)
                return .json(try await medium(id, context).json)
            },
            replies(context, jobs), export(context, jobs),
        ]
    }

    private static func medium(_ id: Identifier, _ context: APIContext) async throws -> MountedMedium {
        guard let medium = try await context.media.media().first(where: { $0.id == id }) else {
            throw Problem(.notFound, "there is no medium \(id); it may have been pulled out", members: ["parameter": "id"])
        }
        return medium
    }

    private static func replies(_ context: APIContext, _ jobs: JobContext) -> HTTPOperation {
        let acceptsOlder = Parameter.boolean(
            "acceptOlder", default: false, "Take a receipt that is no newer than the last: its destination was restored from a backup.")
        return HTTPOperation(
            .post, "/media/{id}/read", id: "readMedium", tag: "media", "Read what came back on a medium.",
            explanation: """
                The cards, receipts and requests of destinations. They are read by themselves when the medium is plugged in; what was refused \
                since its destination was not confirmed counts when it is read again. `/events` tells everybody of it.
                """, parameters: [mediumID.declaration, acceptsOlder.declaration],
            success: [HTTPOperation.Success(.object([Schema.Member("items", .array(.reply))]), "What came of each document, cards first.")],
            problems: commonProblems + [.mediumUnusable]
        ) { request in
            let medium = try await medium(request.value(of: mediumID), context)
            let accepts = try request.value(of: acceptsOlder)
            if case .unusable(let words) = medium.content { throw Problem(.mediumUnusable, words) }
            let items = try await request.blocking {
                guard case .ready = medium.content else { return [JSONValue]() }
                return try context.correspondence().read(medium.medium.folder, acceptsOlder: accepts).map(\.json)
            }
            await jobs.feed.post("replies", ["medium": .string(medium.id.text), "items": .array(items)])
            return .json(["items": .array(items)])
        }
    }

    private static func export(_ context: APIContext, _ jobs: JobContext) -> HTTPOperation {
        let artifact = Parameter.query(required: "artifact", .bundleID, "The bundle to write.") { Identifier($0, .bundle) }
        let volumeSize = Parameter.value(
            "volumeSize", .integer(4...16_777_216, multipleOf: 4), "Cut the archive into volumes of so many MiB.")
        let spread = Parameter.boolean(
            "spread", default: false,
            "Write as many volumes as fit, and those that are missing to the next medium that is asked for.")
        let eject = Parameter.boolean("eject", default: false, "Unmount it when it is written.")
        let initialise = Parameter.boolean("initialise", default: false, "Make it one of ours where it is not.")
        return HTTPOperation(
            .post, "/media/{id}/export", id: "exportToMedium", tag: "media", "Ask for a job: export.",
            explanation:
                "Writes a bundle to the medium, and reads it back. A medium that another has taken the place of is not written to.",
            parameters: [
                mediumID.declaration, artifact.declaration, volumeSize.declaration, spread.declaration, eject.declaration,
                initialise.declaration,
            ],
            success: [HTTPOperation.Success(.job, "It is queued; `Location` says where it is.", status: 201)],
            problems: commonProblems + [.jobOpen, .archiveGone, .mediumUninitialised, .mediumUnusable]
        ) { request in
            let (id, bundle) = (try request.value(of: mediumID), try request.value(of: artifact))
            let (size, makesOurs) = (try request.value(of: volumeSize), try request.value(of: initialise))
            let (isSpread, isEjected) = (try request.value(of: spread), try request.value(of: eject))
            let medium = try await medium(id, context)
            return try await request.blocking {
                guard let record = try context.catalog.bundle(bundle) else {
                    throw Problem(.notFound, "there is no bundle \(bundle)", members: ["parameter": "artifact"])
                }
                if let pruned = record.pruned { throw Problem(.archiveGone, "the archive of bundle \(bundle) was removed at \(pruned)") }
                if medium.mount.isReadOnly { throw Problem(.mediumUnusable, "\"\(medium.mount.point)\" is mounted read-only") }
                switch medium.content {
                case .unusable(let words): throw Problem(.mediumUnusable, words)
                case .uninitialised where !makesOurs:
                    throw Problem(.mediumUninitialised, "there is no ferry/ on \"\(medium.mount.point)\"; ask with initialise=true")
                case .uninitialised, .ready: break
                }
                let values: [String: JSONValue?] = [
                    "artifact": .string(bundle.text), "medium": .string(medium.mount.point.string), "mediumId": .string(id.text),
                    "volumeSize": size, "spread": isSpread ? true : nil, "eject": isEjected ? true : nil,
                ]
                let parameters: JobParameters
                do throws(JobParameterError) { parameters = try JobParameters(values.compactMapValues { $0 }, for: .export) } catch {
                    // A mount point with control characters.
                    throw Problem(.mediumUnusable, "\(error)")
                }
                return try queue(.export, parameters, timeLimit: jobs.timeLimit, jobs)
            }
        }
    }
}
