import Glibc

/// A variable of the environment; `nil` where it is unset or empty.
func environment(_ name: String) -> String? {
    guard let value = getenv(name) else { return nil }
    let text = String(cString: value)
    return text.isEmpty ? nil : text
}

/// Who runs this program, for the ledger: the login behind `sudo` where there is one.
func operatorName() -> String {
    environment("SUDO_USER") ?? environment("USER") ?? "uid \(getuid())"
}
