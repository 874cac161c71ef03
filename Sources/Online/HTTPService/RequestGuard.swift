import CanonicalJSON
import HTTPTypes

/// Who may ask: keeps pages of other sites from reading through a name that they rebind, and from changing anything.
package struct RequestGuard: Sendable {
    /// In lower case, without ports; IPv6 addresses in brackets.
    private let hosts: Set<String>

    /// - Parameter hosts: names and addresses by which the service is called, beside those of this machine itself.
    package init(hosts: [String] = []) {
        let bracketed = hosts.map { $0.contains(":") && !$0.hasPrefix("[") ? "[\($0)]" : $0 }
        self.hosts = Set(bracketed.map { $0.lowercased() }).union(["localhost", "127.0.0.1", "[::1]"])
    }

    /// Refuses a request that does not come by an allowed name, or that another site's page made.
    func check(_ head: HTTPRequest) throws(Problem) {
        // A second Host stays among the fields.
        guard let authority = head.authority, !authority.isEmpty, head.headerFields[Self.host] == nil else {
            throw Problem(.malformed, "the request must have exactly one Host field")
        }
        guard let host = Self.host(of: authority) else { throw Problem(.malformed, "the Host field names no host") }
        guard hosts.contains(host) else {
            throw Problem(
                .hostNotAllowed, "this service does not go by that name; name it in the settings if it should",
                members: ["allowed": .string(hosts.sorted().joined(separator: ", "))])
        }
        guard ![.get, .head, .options].contains(head.method) else { return }
        if let site = head.headerFields[Self.fetchSite], site != "same-origin", site != "none" {
            throw Problem(.crossOrigin, "the request was made by a page of another site (\(site.prefix(20)))")
        }
        for origin in head.headerFields[values: .origin] {
            guard origin.lowercased() == "http://\(authority.lowercased())" || origin.lowercased() == "https://\(authority.lowercased())"
            else { throw Problem(.crossOrigin, "the request was made by a page of another origin") }
        }
    }

    /// The host without its port, in lower case; `nil` for what is none.
    static func host(of authority: String) -> String? {
        let text = authority.lowercased()
        let end: String.Index
        if text.hasPrefix("[") {
            guard let bracket = text.firstIndex(of: "]") else { return nil }
            end = text.index(after: bracket)
        } else {
            end = text.firstIndex(of: ":") ?? text.endIndex
        }
        let port = text[end...]
        guard end > text.startIndex, port.isEmpty || (port.first == ":" && port.dropFirst().utf8.allSatisfy { (0x30...0x39).contains($0) })
        else { return nil }
        // A dot at the end names the same host.
        let host = text[..<end]
        return host.last == "." && host.count > 1 ? String(host.dropLast()) : String(host)
    }

    private static let host = fieldName("Host")
    private static let fetchSite = fieldName("Sec-Fetch-Site")
}

/// The name of a header field, which is known to be one.
func fieldName(_ text: String) -> HTTPField.Name {
    guard let name = HTTPField.Name(text) else { preconditionFailure("\"\(text)\" is no name of a header field") }
    return name
}
