package import CanonicalJSON
package import Jobs
package import Platform

extension JobRecord {
    /// A job.
    package func json(now: Timestamp) -> JSONValue {
        [
            "id": .integer(id), "kind": .string(kind.rawValue), "state": .string(state.rawValue), "parameters": parameters.json,
            "askedBy": .string(asker.description), "created": .string(created.description), "started": .text(started?.description),
            "ended": .text(ended?.description), "seconds": duration(now: now).map { .number(($0 * 1000).rounded() / 1000) } ?? .null,
            "timeLimitSeconds": timeLimit.map { .integer($0) } ?? .null, "waitsFor": .text(waiting),
            "progress": progress?.json ?? .null, "exitCode": exitCode.map { .integer($0) } ?? .null, "reason": .text(reason),
            "report": report ?? .null, "touchedPackages": .integer(touched), "resumptions": .integer(resumptions),
            "chain": chain?.json ?? .null, "revision": .integer(revision),
        ]
    }
}

extension JobProgress {
    fileprivate var json: JSONValue {
        [
            "phase": .string(phase), "done": .integer(done), "total": .integer(total), "unit": .string(unit), "item": .string(item),
            "ratePerSecond": .number((rate * 1000).rounded() / 1000), "secondsLeft": secondsLeft.map { .integer($0) } ?? .null,
        ]
    }
}

extension JobRecord.ChainPlace {
    fileprivate var json: JSONValue {
        [
            "name": .string(name), "root": .integer(root), "step": .integer(step),
            "steps": .array(steps.map { .string($0.description) }),
        ]
    }
}
