import BundleFormat
package import Catalog
import Integrity
package import Platform

/// How a destination stands: what it has, what is on its way to it, and since when it is quiet.
package struct DestinationStanding: Sendable, Hashable {
    package let destination: DestinationRecord
    /// The last receipt; `nil` before the first.
    package let receipt: ReceiptRecord?
    /// Bundles for it that lead beyond what it has acknowledged, oldest first.
    package let pending: [BundleRecord]
    /// The last time that a bundle of those was put on a medium.
    package let lastExport: ExportRecord?
    /// Requests that nobody has decided upon, or that are approved and not fulfilled.
    package let openRequests: Int
    /// Whole days since it was heard of, where that is longer than it should be and something is on its way.
    package let quietFor: Int?

    package init(_ destination: DestinationRecord, catalog: Catalog, now: Timestamp) throws {
        self.destination = destination
        receipt = try catalog.receipts(of: destination.id).first
        let acknowledged = receipt?.sequence ?? 0
        let bundles = try catalog.bundles().filter { $0.destination == .any || $0.destination == .only(destination.id) }
        pending = bundles.filter { $0.sequence > acknowledged }.reversed()
        let waiting = Set(pending.map(\.id))
        let exports = try catalog.exports().filter { waiting.contains($0.bundle) }
        lastExport = exports.first
        openRequests = try catalog.requests(in: [.new, .approved], of: destination.id).count
        // Whoever was sent nothing has nothing to say.
        let since = [receipt?.read, exports.last?.written].compactMap { $0 }.max()
        let days = since.map { Int((now.seconds - $0.seconds) / 86_400) }
        quietFor = days.flatMap { !exports.isEmpty && destination.baseline == .acknowledged && $0 >= destination.quietDays ? $0 : nil }
    }

    /// What people are told, the warnings last.
    package var lines: [String] {
        var lines = ["\(destination.id)  \(destination.name)  baseline \(destination.baseline.rawValue)"]
        if destination.confirmed == nil {
            lines.append("  its key is not confirmed; fingerprint \(destination.key.fingerprint)")
        }
        if let receipt {
            let missing = receipt.missing > 0 ? " without \(receipt.missing) files" : ""
            lines.append(
                "  " + (receipt.sequence.map { "has state #\($0)\(missing)" } ?? "acknowledges nothing")
                    + ", receipt \(receipt.counter) read \(receipt.read)")
        } else {
            lines.append("  no receipt yet")
        }
        if !pending.isEmpty {
            lines.append(
                "  \(pending.count) bundle(s) beyond that: \(pending.map { "#\($0.sequence)" }.joined(separator: " "))"
                    + (lastExport.map { "; last on a medium \($0.written) (\($0.medium))" } ?? "; on no medium yet"))
        }
        if openRequests > 0 { lines.append("  \(openRequests) open request(s); \"ferry-online requests\" lists them") }
        if let quietFor { lines.append("  warning: no receipt for \(quietFor) days, and bundles went there") }
        return lines
    }
}
