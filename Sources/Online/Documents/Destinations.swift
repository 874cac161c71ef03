package import CanonicalJSON
package import Catalog
package import Destinations
import Integrity
import Platform
import Snapshots

extension DestinationStanding {
    package var json: JSONValue {
        [
            "destination": .string(destination.id.text), "name": .string(destination.name),
            "fingerprint": .string(destination.key.fingerprint), "keyId": .string(destination.key.keyID.description),
            "firstSeen": .string(destination.firstSeen.description),
            "confirmed": destination.confirmed.map { .string($0.description) } ?? .null,
            "baseline": .string(destination.baseline.rawValue), "approvesRequests": .bool(destination.approvesRequests),
            "quietDays": .integer(destination.quietDays), "receipt": receipt?.json ?? .null,
            "pending": .array(
                pending.map { ["bundle": .string($0.id.text), "sequence": .integer($0.sequence), "label": .string($0.label)] }),
            "lastExport": lastExport.map {
                ["bundle": .string($0.bundle.text), "medium": .string($0.medium), "written": .string($0.written.description)]
            } ?? .null,
            "openRequests": .integer(openRequests), "quietFor": quietFor.map { .integer($0) } ?? .null,
        ]
    }
}

extension ReceiptRecord {
    package var json: JSONValue {
        [
            "destination": .string(destination.text), "counter": .integer(counter), "created": .string(created.description),
            "read": .string(read.description), "bundle": bundle.map { .string($0.text) } ?? .null,
            "sequence": sequence.map { .integer($0) } ?? .null, "targetRoot": targetRoot.map { .string($0.hex) } ?? .null,
            "missing": .integer(missing), "refused": .integer(refused),
        ]
    }
}

extension RequestRecord {
    package var json: JSONValue {
        [
            "request": .string(id.text), "destination": .string(destination.text), "kind": .string(kind.rawValue),
            "created": .string(created.description), "read": .string(read.description), "state": .string(state.rawValue),
            "changed": .string(changed.description), "bundle": bundle.map { .string($0.text) } ?? .null, "items": .integer(items),
        ]
    }
}

extension Correspondence.Outcome {
    package var json: JSONValue {
        switch self {
        case .introduced(let record):
            [
                "event": "introduced", "destination": .string(record.id.text), "name": .string(record.name),
                "fingerprint": .string(record.key.fingerprint),
            ]
        case .receipt(let record, let behind): .object(Self.json(of: record, behind))
        case .request(let record): ["event": "request", "request": record.json]
        case .known(let name): ["event": "known", "name": .string(name)]
        case .refused(let name, let refusal):
            [
                "event": "refused", "name": .string(name), "refusal": .string(refusal.word.rawValue), "reason": .string("\(refusal)"),
            ]
        }
    }

    private static func json(of receipt: ReceiptRecord, _ behind: Int64?) -> JSONObject {
        var members = JSONObject(uniqueMembers: [("event", "receipt"), ("receipt", receipt.json)])
        members["behind"] = behind.map { .integer($0) }
        return members
    }
}
