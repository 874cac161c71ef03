import Terminal

/// Says the first findings to people.
func say(_ findings: [some CustomStringConvertible]) {
    for finding in findings.prefix(50) { Terminal.say("\(finding)") }
    if findings.count > 50 { Terminal.say("… and \(findings.count - 50) more; --json lists them all") }
}
