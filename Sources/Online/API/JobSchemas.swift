import HTTPService
import Jobs

extension Schema {
    /// A number in a path, as people write it.
    static let jobNumber = Schema.string(pattern: "^[1-9][0-9]{0,17}$")
    private static let number = Schema.integer(1...9_007_199_254_740_991)

    static let job = Schema.named(
        "Job",
        .object([
            Member("id", number), Member("kind", .choice(JobKind.allCases.map(\.rawValue))),
            Member("state", .choice(JobState.allCases.map(\.rawValue))), Member("parameters", .anyObject, "Those that were given."),
            Member("askedBy", .string(pattern: "^(api|cli|mount|(schedule|chain|resumption):.+)$")), Member("created", timestamp),
            Member("started", timestamp.orNull), Member("ended", timestamp.orNull),
            Member("seconds", Schema.number(minimum: 0).orNull, "How long it ran, or has been running."),
            Member("timeLimitSeconds", number.orNull), Member("waitsFor", text.orNull, "What a queued job waits for."),
            Member("progress", progress.orNull), Member("exitCode", Schema.integer(-1...255).orNull, "Of the command."),
            Member("reason", text.orNull, "What came out, or why not."), Member("report", Schema.anyObject.orNull, "Sums."),
            Member("touchedPackages", .count), Member("resumptions", .count, "How often in a row it was begun again."),
            Member("chain", chain.orNull), Member("revision", .count, "Grows with every change of any job."),
        ]))

    private static let progress = Schema.object([
        Member("phase", text), Member("done", .count), Member("total", .count), Member("unit", text), Member("item", text),
        Member("ratePerSecond", .number(minimum: 0)), Member("secondsLeft", Schema.count.orNull),
    ])

    private static let chain = Schema.object([
        Member("name", text), Member("root", number, "The job that set it off."), Member("step", .count), Member("steps", .array(text)),
    ])

    static let schedule = Schema.named(
        "Schedule",
        .object([
            Member("name", text), Member("job", text, "The kind with its parameters."),
            Member("kind", .choice(JobKind.allCases.map(\.rawValue))), Member("when", text), Member("jitterSeconds", .count),
            Member("paused", .boolean), Member("next", .array(timestamp), "The next starts; none while it is paused."),
            Member("lastJob", number.orNull),
        ]))
}
