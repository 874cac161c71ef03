import CanonicalJSON
import PackageStore
import Refresh
import Terminal

/// Says the first findings to people.
func say(_ findings: [some CustomStringConvertible]) {
    for finding in findings.prefix(50) { Terminal.say("\(finding)") }
    if findings.count > 50 { Terminal.say("… and \(findings.count - 50) more; --json lists them all") }
}

private func findingJSON(_ severity: String, _ code: String, _ subject: String, _ message: String) -> JSONValue {
    ["severity": .string(severity), "code": .string(code), "subject": .string(subject), "message": .string(message)]
}

extension Finding {
    /// What `--json` prints of a finding.
    var json: JSONValue { findingJSON(severity.rawValue, code.rawValue, subject, message) }
}

extension RefreshFinding {
    /// What `--json` prints of a finding.
    var json: JSONValue { findingJSON(severity.rawValue, code.rawValue, subject, message) }
}
