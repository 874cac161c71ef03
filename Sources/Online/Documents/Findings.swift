package import CanonicalJSON
package import PackageStore
package import Refresh

private func findingJSON(_ severity: String, _ code: String, _ subject: String, _ message: String) -> JSONValue {
    ["severity": .string(severity), "code": .string(code), "subject": .string(subject), "message": .string(message)]
}

extension Finding {
    /// What machines are told of a finding.
    package var json: JSONValue { findingJSON(severity.rawValue, code.rawValue, subject, message) }
}

extension RefreshFinding {
    /// What machines are told of a finding.
    package var json: JSONValue { findingJSON(severity.rawValue, code.rawValue, subject, message) }
}
