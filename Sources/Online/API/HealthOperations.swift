import CanonicalJSON
import Catalog
import Documents
package import HTTPService
import Jobs
import Platform
import Service
import Settings
import SystemPackage
import Upkeep

/// What is asked of the service's surroundings when its health is asked for.
package struct HealthContext: Sendable {
    let reading: APIContext
    let jobs: JobContext
    /// Asks Verdaccio for a sign of life; `nil` where it gives one, else why not.
    let verdaccio: @Sendable () async -> String?

    package init(_ reading: APIContext, _ jobs: JobContext, verdaccio: @escaping @Sendable () async -> String?) {
        self.reading = reading
        self.jobs = jobs
        self.verdaccio = verdaccio
    }
}

extension FerryAPI {
    /// Whether the service can do its work, and its figures for Prometheus.
    package static func health(_ context: HealthContext) -> [HTTPOperation] {
        let status = Schema.choice(["ok", "degraded", "failed"])
        let document = Schema.named(
            "Health",
            .object([
                Schema.Member("status", status, "The worst of the checks."),
                Schema.Member(
                    "checks",
                    .array(
                        .object([
                            Schema.Member("name", .choice(HealthCheck.names)), Schema.Member("status", status),
                            Schema.Member("detail", Schema.string().orNull, "Why it is not ok."),
                        ]))),
            ]))
        return [
            HTTPOperation(
                .get, "/health", id: "getHealth", tag: "service", "Ask whether the service can do its work.",
                explanation: "`degraded`: it works, and something should be seen to. `failed`: it cannot do what it is for.",
                success: [
                    HTTPOperation.Success(document, "It works."), HTTPOperation.Success(document, "It does not.", status: 503),
                ]
            ) { request in
                let checks = try await HealthCheck.all(context, request)
                let worst = checks.map(\.status).max() ?? .ok
                let list: [JSONValue] = checks.map {
                    ["name": .string($0.name), "status": .string($0.status.word), "detail": .text($0.detail)]
                }
                return .json(["status": .string(worst.word), "checks": .array(list)], status: worst == .failed ? 503 : 200)
            },
            HTTPOperation(
                .get, "/metrics", id: "getMetrics", tag: "service", "Get the figures for Prometheus.",
                success: [HTTPOperation.Success(mediaType: "text/plain", "Prometheus' text format.")], problems: commonProblems
            ) { request in
                let audience = await context.jobs.feed.audience
                let text = try await request.blocking { try Metrics.text(context, listeners: audience) }
                return .bytes(Array(text.utf8), mediaType: "text/plain")
            },
        ]
    }
}

/// One thing that the service needs.
private struct HealthCheck: Sendable {
    enum Status: Int, Comparable, Sendable {
        case ok, degraded, failed

        var word: String { "\(self)" }
        static func < (left: Status, right: Status) -> Bool { left.rawValue < right.rawValue }
    }

    let name: String
    let status: Status
    let detail: String?

    static let names = ["database", "storage", "disk", "scheduler", "verdaccio"]

    /// Seconds after which a scheduler that has not looked is taken for dead.
    private static let silence: Int64 = 60

    static func all(_ context: HealthContext, _ request: OperationRequest) async throws -> [HealthCheck] {
        let now = context.jobs.clock.now()
        let turned = await context.jobs.scheduler.lastTurn
        let silence = turned.map { now.seconds - $0.seconds }
        let scheduler = HealthCheck(
            name: "scheduler", status: silence.map { $0 <= Self.silence } ?? true ? .ok : .failed,
            detail: silence.flatMap { $0 > Self.silence ? "it has not looked for \($0) seconds" : nil })
        let answer = await context.verdaccio()
        let verdaccio = HealthCheck(name: "verdaccio", status: answer == nil ? .ok : .degraded, detail: answer)
        return try await request.blocking { [database(context), storage(context), disk(context)] } + [scheduler, verdaccio]
    }

    private static func database(_ context: HealthContext) -> HealthCheck {
        do {
            _ = try context.jobs.store.jobs(in: .running)
            _ = try context.reading.catalog.bundles()
            return HealthCheck(name: "database", status: .ok, detail: nil)
        } catch { return HealthCheck(name: "database", status: .failed, detail: "\(error)") }
    }

    private static func storage(_ context: HealthContext) -> HealthCheck {
        func degraded(_ words: String) -> HealthCheck { HealthCheck(name: "storage", status: .degraded, detail: words) }
        guard let root = context.reading.settings.storage(context.reading.verdaccio).value else { return degraded("no storage is named") }
        do {
            guard try DiskFileSystem().status(of: root) != nil else { return degraded("there is no directory \"\(root)\"") }
            guard try FileSystemSpace(holding: root).totalBytes > 0, isWritable(root) else {
                return degraded("\"\(root)\" cannot be written to")
            }
            return HealthCheck(name: "storage", status: .ok, detail: nil)
        } catch { return degraded("\(error)") }
    }

    private static func disk(_ context: HealthContext) -> HealthCheck {
        let (settings, reading) = (context.reading.settings, context.reading)
        let watch = SpaceWatch(
            state: reading.state, storage: settings.storage(reading.verdaccio).value, warning: settings.warning, critical: settings.critical
        )
        do {
            let report = try watch.look(reading.catalog, keeps: false)
            let reasons = report.disks.flatMap(\.verdict.reasons)
            return HealthCheck(
                name: "disk", status: report.level == .critical ? .failed : report.level == .warning ? .degraded : .ok,
                detail: reasons.isEmpty ? nil : reasons.joined(separator: "; "))
        } catch { return HealthCheck(name: "disk", status: .degraded, detail: "\(error)") }
    }
}

/// Figures in Prometheus' text format.
private enum Metrics {
    static func text(_ context: HealthContext, listeners: Int) throws -> String {
        var lines: [String] = []
        func family(_ name: String, _ help: String, _ values: [(labels: String, value: Double)], kind: String = "gauge") {
            guard !values.isEmpty else { return }
            lines += ["# HELP ferry_\(name) \(help)", "# TYPE ferry_\(name) \(kind)"]
            lines += values.map { "ferry_\(name)\($0.labels) \($0.value == $0.value.rounded() ? "\(Int64($0.value))" : "\($0.value)")" }
        }
        let sums = try context.jobs.store.sums()
        func labels(_ sum: JobStore.Sum) -> String { "{kind=\"\(sum.kind.rawValue)\",state=\"\(sum.state.rawValue)\"}" }
        family("jobs", "Jobs by kind and state.", sums.map { (labels($0), Double($0.count)) })
        family(
            "job_last_ended_seconds", "When a job of that kind last ended so, since 1970.",
            sums.compactMap { sum in sum.lastEnded.map { (labels(sum), Double($0.seconds)) } })
        family(
            "job_last_duration_seconds", "How long that one ran.", sums.compactMap { sum in sum.lastSeconds.map { (labels(sum), $0) } })
        if let totals = try context.reading.catalog.totals(since: Timestamp(nanoseconds: 0)).last {
            family("packages", "Packages in storage, as of the last scan.", [("", Double(totals.packages))])
            family("versions_cached", "Versions whose tarball lies in storage.", [("", Double(totals.cachedVersions))])
            family("tarball_bytes", "Bytes of all tarballs.", [("", Double(totals.tarballBytes))])
            family("damaged_files", "Files known to be damaged.", [("", Double(totals.damaged))])
            family("scan_seconds", "When the last scan began, since 1970.", [("", Double(totals.taken.seconds))])
        }
        let settings = context.reading.settings
        let places = [("state", context.reading.state), ("storage", settings.storage(context.reading.verdaccio).value)]
        let spaces = places.compactMap { name, path in path.flatMap { try? FileSystemSpace(holding: $0) }.map { (name, $0) } }
        family("disk_free_bytes", "What is free.", spaces.map { ("{holds=\"\($0.0)\"}", Double($0.1.freeBytes)) })
        family("disk_total_bytes", "What the disk holds.", spaces.map { ("{holds=\"\($0.0)\"}", Double($0.1.totalBytes)) })
        family("bundles", "Bundles that were made.", [("", Double(try context.reading.catalog.bundles().count))])
        family("event_listeners", "Who follows events.", [("", Double(listeners))])
        return lines.joined(separator: "\n") + "\n"
    }
}
