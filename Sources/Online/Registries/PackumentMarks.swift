package import CanonicalJSON
package import Platform
package import VerdaccioSettings

/// What a packument in storage says of when, and from where, it was fetched.
package struct PackumentMarks: Sendable {
    /// Milliseconds by uplink.
    private(set) var fetched: [String: Int64] = [:]
    /// What each uplink calls the state it gave.
    private(set) var etags: [String: String] = [:]
    /// When upstream had changed it last; `nil` where nobody says, or a publication here has overwritten that.
    package let modified: Timestamp?
    /// Whether none of it came from an uplink.
    package let isLocal: Bool

    package init(of object: JSONObject) {
        for (name, value) in object["_uplinks"]?.object?.members ?? [] {
            fetched[name] = value.object?["fetched"]?.integer
            etags[name] = value.object?["etag"]?.string
        }
        isLocal = ["_uplinks", "_distfiles"].allSatisfy { object[$0]?.object?.members.isEmpty ?? true }
        let isPublishedHere = object["_attachments"]?.object?.members.contains { $0.value.object?["version"] != nil } ?? false
        modified = isPublishedHere ? nil : object["time"]?.object?["modified"]?.string.flatMap { Timestamp($0) }
    }

    /// Whether a packument that was asked for is what its uplinks have.
    package enum Proof: Equatable {
        /// Each uplink was asked, or its copy is younger than its `maxage`; `isMoved` where one was.
        case fetched(isMoved: Bool)
        case none
        /// It says, and said before, that it was fetched at a moment that is still to come: Verdaccio asks nobody until then.
        case future(uplink: String)
    }

    /// Compares the marks with those from before; the clocks of Verdaccio's machine and of this one count only where none has moved.
    ///
    /// - Parameters:
    ///   - before: the marks from before it was asked for; `nil` where there was no packument.
    ///   - asked: when that was, in milliseconds.
    ///   - uplinks: those that are configured; one without a name stands for whichever there is.
    package func proof(since before: PackumentMarks?, asked: Int64, now: Int64, uplinks: [VerdaccioUplink]) -> Proof {
        // Of several uplinks, those that do not have the package leave no mark.
        let isNamed = !uplinks.isEmpty && uplinks.allSatisfy { !$0.name.isEmpty }
        let names = isNamed ? uplinks.map(\.name).filter { uplinks.count == 1 || fetched[$0] != nil } : Array(fetched.keys)
        guard !names.isEmpty else { return .none }
        var isMoved = false
        for name in names {
            guard let moment = fetched[name] else { return .none }
            if moment != before?.fetched[name] {
                isMoved = true
                continue
            }
            let maxAge = uplinks.first { $0.name == name || !isNamed }?.maxAge ?? .seconds(120)
            // A minute is what clocks may differ by.
            if moment > now + 60_000 { return .future(uplink: name) }
            if max(0, asked - moment) >= maxAge.milliseconds { return .none }
        }
        return .fetched(isMoved: isMoved)
    }
}
