/// Where a registry is reached: `http://host[:port][/prefix]`.
package struct RegistryAddress: Sendable, Hashable, CustomStringConvertible {
    package let host: String
    package let port: UInt16
    /// What paths begin with; empty, or a slash and no slash at its end.
    package let prefix: String
    package let description: String

    /// Accepts an address of HTTP; `nil` for anything else, HTTPS among it.
    package init?(_ text: String) {
        guard text.hasPrefix("http://"), !text.contains("@"), !text.utf8.contains(where: { $0 <= 0x20 || $0 >= 0x7F }) else { return nil }
        let rest = text.dropFirst(7)
        let authority = rest.prefix { $0 != "/" }
        var prefix = rest.dropFirst(authority.count)
        while prefix.hasSuffix("/") { prefix = prefix.dropLast() }
        guard !prefix.contains("?"), !prefix.contains("#") else { return nil }
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            host = String(authority[authority.index(after: authority.startIndex)..<end])
            guard let port = Self.port(authority[authority.index(after: end)...]) else { return nil }
            self.port = port
        } else {
            host = String(authority.prefix { $0 != ":" })
            guard let port = Self.port(authority.dropFirst(host.count)) else { return nil }
            self.port = port
        }
        guard !host.isEmpty else { return nil }
        self.prefix = String(prefix)
        description = "http://\(authority)\(prefix)"
    }

    private static func port(_ text: Substring) -> UInt16? {
        if text.isEmpty { return 80 }
        guard text.hasPrefix(":") else { return nil }
        return UInt16(text.dropFirst()).flatMap { $0 > 0 ? $0 : nil }
    }
}
