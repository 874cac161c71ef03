import BundleFormat
import CanonicalJSON
import Catalog
import Destinations
import Documents
package import HTTPService
import Integrity
import Jobs
import PackageStore
import Platform
import Replies
import Service
import Snapshots

extension Problem.Kind {
    package static let otherFingerprint = Problem.Kind("other-fingerprint", 409, "The fingerprint is not that of the destination's key")
}

extension FerryAPI {
    private static let destinationID = Parameter.path("id", .destinationID, "The destination's id.") { Identifier($0, .destination) }
    private static let requestID = Parameter.path("id", .requestID, "The request's id.") { Identifier($0, .request) }

    /// Whom bundles are for, what each has, and what came back from there.
    package static func destinations(_ context: APIContext, _ jobs: JobContext) -> [HTTPOperation] {
        [
            destinationList(context), destinationShow(context), nextBundle(context), confirmation(context, jobs),
            policy(context, jobs), removal(context, jobs), requestList(context), requestShow(context), approval(context, jobs),
            refusal(context, jobs),
        ]
    }

    /// Tells everybody who looks that a person has changed how a destination, or a request of it, stands.
    private static func tell(of destination: Identifier, _ jobs: JobContext) async {
        await jobs.feed.post("destinations", ["destination": .string(destination.text)])
    }

    // MARK: Destinations

    private static func destinationList(_ context: APIContext) -> HTTPOperation {
        HTTPOperation(
            .get, "/destinations", id: "listDestinations", tag: "destinations", "List whom bundles were made for, and who is known.",
            parameters: [limit.declaration, offset.declaration],
            success: [HTTPOperation.Success(pageSchema(.destinationSummary), "A page of destinations.")], problems: commonProblems
        ) { request in
            try await request.blocking {
                let now = context.clock.now()
                let made = try context.catalog.destinations()
                let known = try context.catalog.knownDestinations()
                var items: [JSONValue] = []
                for record in known {
                    let bundles = made.first { $0.destination == .only(record.id) }
                    items.append(
                        [
                            "destination": .string(record.id.text), "bundles": .integer(bundles?.bundles ?? 0),
                            "lastBundle": bundles?.newest.json ?? .null,
                            "standing": try DestinationStanding(record, catalog: context.catalog, now: now).json,
                        ])
                }
                for entry in made where !known.contains(where: { .only($0.id) == entry.destination }) {
                    items.append(
                        [
                            "destination": .string(entry.destination.description), "bundles": .integer(entry.bundles),
                            "lastBundle": entry.newest.json, "standing": .null,
                        ])
                }
                return .json(try page(of: items, request))
            }
        }
    }

    private static func known(_ id: Identifier, _ context: APIContext) throws -> DestinationRecord {
        guard let record = try context.catalog.knownDestination(id) else {
            throw Problem(.notFound, "there is no destination \(id)", members: ["parameter": "id"])
        }
        return record
    }

    private static func standing(of id: Identifier, _ context: APIContext) throws -> Answer {
        .json(try DestinationStanding(known(id, context), catalog: context.catalog, now: context.clock.now()).json)
    }

    private static func destinationShow(_ context: APIContext) -> HTTPOperation {
        HTTPOperation(
            .get, "/destinations/{id}", id: "getDestination", tag: "destinations", "Get a destination with its receipts.",
            parameters: [destinationID.declaration],
            success: [HTTPOperation.Success(.destinationDetail, "The destination.")], problems: commonProblems
        ) { request in
            let id = try request.value(of: destinationID)
            return try await request.blocking {
                let record = try known(id, context)
                var members =
                    try DestinationStanding(record, catalog: context.catalog, now: context.clock.now()).json.object ?? JSONObject()
                members["receipts"] = .array(try context.catalog.receipts(of: id).prefix(Schema.receiptsListed).map(\.json))
                return .json(.object(members))
            }
        }
    }

    private static func nextBundle(_ context: APIContext) -> HTTPOperation {
        HTTPOperation(
            .get, "/destinations/{id}/next", id: "getNextBundle", tag: "destinations", "Say what its next bundle would carry.",
            explanation: "To the newest snapshot, from what is known of the destination. Nothing is made.",
            parameters: [destinationID.declaration],
            success: [HTTPOperation.Success(.nextBundle, "The next bundle, in numbers.")], problems: commonProblems
        ) { request in
            let id = try request.value(of: destinationID)
            return try await request.blocking {
                let next = try NextBaseline(for: known(id, context), catalog: context.catalog, snapshots: context.snapshots)
                let newest = try context.snapshots.headers().last.flatMap { try context.snapshots.open($0.id) }
                var counts = BundleCounts(files: 0, bytes: 0, packages: 0, removed: 0)
                var versions = 0
                var last: PackageName?
                if let newest {
                    try forEachChange(from: next.snapshot, to: newest, lacking: next.lacking) { change in
                        guard let file = change.target else { return counts.removed += 1 }
                        counts.files += 1
                        counts.bytes += file.size
                        if !file.path.file.isPackument { versions += 1 }
                        if last != file.path.package { counts.packages += 1 }
                        last = file.path.package
                    }
                }
                return .json(
                    [
                        "baseline": next.snapshot.map { .string($0.header.id.text) } ?? .null,
                        "target": newest.map { .string($0.header.id.text) } ?? .null, "reason": .string(next.reason),
                        "ground": .string(next.ground.rawValue), "state": next.sequence.map { .integer($0) } ?? .null,
                        "counts": counts.json, "versions": .integer(versions), "again": .integer(next.lacking.count),
                    ])
            }
        }
    }

    private static func confirmation(_ context: APIContext, _ jobs: JobContext) -> HTTPOperation {
        let fingerprint = Parameter.query(
            required: "fingerprint", .string(minLength: 1, maxLength: 64), "The fingerprint that its people say, with or without spaces."
        ) { $0 }
        return HTTPOperation(
            .post, "/destinations/{id}/confirm", id: "confirmDestination", tag: "destinations", "Trust what a destination signs.",
            parameters: [destinationID.declaration, fingerprint.declaration],
            success: [HTTPOperation.Success(.standing, "It is confirmed.")], problems: commonProblems + [.otherFingerprint]
        ) { request in
            let (id, told) = (try request.value(of: destinationID), try request.value(of: fingerprint))
            let answer = try await request.blocking {
                _ = try known(id, context)
                do { try context.correspondence().confirm(id, fingerprint: told) } catch let error as OtherFingerprint {
                    throw Problem(.otherFingerprint, "\(error)")
                }
                return try standing(of: id, context)
            }
            await tell(of: id, jobs)
            return answer
        }
    }

    private static func policy(_ context: APIContext, _ jobs: JobContext) -> HTTPOperation {
        let baseline = Parameter<DestinationRecord.BaselinePolicy?>.optional(
            "baseline", .choice(DestinationRecord.BaselinePolicy.allCases.map(\.rawValue)), "What its bundles start from."
        ) { DestinationRecord.BaselinePolicy(rawValue: $0) }
        let requests = Parameter<String?>.optional("requests", .choice(["ask", "approve"]), "What becomes of its requests.") { $0 }
        let quiet = Parameter.value("quietDays", .integer(1...3650), "Days without a receipt after which it is called quiet.")
        return HTTPOperation(
            .post, "/destinations/{id}/policy", id: "setDestinationPolicy", tag: "destinations", "Say how a destination is treated.",
            explanation: "What is not given stays as it is.",
            parameters: [destinationID.declaration, baseline.declaration, requests.declaration, quiet.declaration],
            success: [HTTPOperation.Success(.standing, "How it stands now.")], problems: commonProblems
        ) { request in
            let id = try request.value(of: destinationID)
            let (baseline, requests) = (try request.value(of: baseline), try request.value(of: requests))
            let days = try request.value(of: quiet)
            let answer = try await request.blocking {
                var record = try known(id, context)
                if let baseline { record.baseline = baseline }
                if let requests { record.approvesRequests = requests == "approve" }
                if let days = days?.integer { record.quietDays = Int(days) }
                try context.catalog.keep(record)
                return try standing(of: id, context)
            }
            await tell(of: id, jobs)
            return answer
        }
    }

    private static func removal(_ context: APIContext, _ jobs: JobContext) -> HTTPOperation {
        HTTPOperation(
            .delete, "/destinations/{id}", id: "removeDestination", tag: "destinations",
            "Forget a destination, its receipts and its requests.", parameters: [destinationID.declaration],
            success: [HTTPOperation.Success(.standing, "How it stood.")], problems: commonProblems
        ) { request in
            let id = try request.value(of: destinationID)
            let answer = try await request.blocking {
                let answer = try standing(of: id, context)
                _ = try context.catalog.forgetDestination(id)
                return answer
            }
            await tell(of: id, jobs)
            return answer
        }
    }

    // MARK: Requests

    private static func requestList(_ context: APIContext) -> HTTPOperation {
        let state = Parameter<RequestRecord.State?>.optional(
            "state", .choice(RequestRecord.State.allCases.map(\.rawValue)), "Only requests in that state."
        ) { RequestRecord.State(rawValue: $0) }
        return HTTPOperation(
            .get, "/requests", id: "listRequests", tag: "destinations", "List what destinations ask for, the last first.",
            parameters: [state.declaration, limit.declaration, offset.declaration],
            success: [HTTPOperation.Success(pageSchema(.request), "A page of requests.")], problems: commonProblems
        ) { request in
            let wanted = try request.value(of: state)
            return try await request.blocking {
                .json(try page(of: context.catalog.requests(in: wanted.map { [$0] }).map(\.json), request))
            }
        }
    }

    private static func recorded(_ id: Identifier, _ context: APIContext) throws -> (record: RequestRecord, document: [UInt8]) {
        guard let found = try context.catalog.request(id) else {
            throw Problem(.notFound, "there is no request \(id)", members: ["parameter": "id"])
        }
        return found
    }

    private static func requestShow(_ context: APIContext) -> HTTPOperation {
        HTTPOperation(
            .get, "/requests/{id}", id: "getRequest", tag: "destinations", "Get a request with what it asks for.",
            parameters: [requestID.declaration], success: [HTTPOperation.Success(.requestDetail, "The request.")], problems: commonProblems
        ) { request in
            let id = try request.value(of: requestID)
            return try await request.blocking {
                let (record, document) = try recorded(id, context)
                let asked: [String] =
                    switch record.kind {
                    case .want: try WantRequest(parsing: document).specs
                    case .gap: try GapRequest(parsing: document).missing.map { "\($0.path)" }
                    }
                var members = record.json.object ?? JSONObject()
                members["asked"] = .array(asked.prefix(Schema.askedListed).map { .string($0) })
                return .json(.object(members))
            }
        }
    }

    private static func approval(_ context: APIContext, _ jobs: JobContext) -> HTTPOperation {
        HTTPOperation(
            .post, "/requests/{id}/approve", id: "approveRequest", tag: "destinations", "Approve a request.",
            explanation: """
                What is wanted is wanted from then on, and a delta refresh that fetches it is asked for; for a request for a filler, the job \
                that makes it. `job` is null where such a job waits already.
                """, parameters: [requestID.declaration],
            success: [HTTPOperation.Success(.decision, "It is approved.")], problems: commonProblems
        ) { request in
            let id = try request.value(of: requestID)
            let (answer, destination) = try await request.blocking {
                let (record, _) = try recorded(id, context)
                try context.correspondence().decide(id, .approved)
                let parameters: JobParameters =
                    record.kind == .want ? .none : try JobParameters(["request": .string(id.text)], for: .diffBuild)
                var job: JSONValue = .null
                do {
                    let queued = try jobs.store.add(
                        record.kind == .want ? .deltaRefresh : .diffBuild, parameters, by: .api, isUnique: true, timeLimit: jobs.timeLimit)
                    job = queued.json(now: jobs.clock.now())
                } catch is JobStore.Refusal {}
                return (Answer.json(["request": try recorded(id, context).record.json, "job": job]), record.destination)
            }
            await tell(of: destination, jobs)
            return answer
        }
    }

    private static func refusal(_ context: APIContext, _ jobs: JobContext) -> HTTPOperation {
        HTTPOperation(
            .post, "/requests/{id}/decline", id: "declineRequest", tag: "destinations", "Decline a request.",
            parameters: [requestID.declaration], success: [HTTPOperation.Success(.decision, "It is declined.")], problems: commonProblems
        ) { request in
            let id = try request.value(of: requestID)
            let (answer, destination) = try await request.blocking {
                let destination = try recorded(id, context).record.destination
                try context.correspondence().decide(id, .declined)
                return (Answer.json(["request": try recorded(id, context).record.json, "job": .null]), destination)
            }
            await tell(of: destination, jobs)
            return answer
        }
    }
}

extension APIContext {
    /// What reads and answers destinations.
    func correspondence() throws -> Correspondence {
        Correspondence(catalog: catalog, snapshots: snapshots, origin: try catalog.origin { randomBytes(20) }, clock: clock)
    }
}
