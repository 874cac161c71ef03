import CanonicalJSON
package import PackageStore
package import VerdaccioSettings

/// Where a proxying Verdaccio is, and what it fetches from.
package struct ProxyRegistry: Sendable {
    /// Verdaccio's address, without a slash at its end.
    package let url: String
    /// The uplinks of a package, in their order; empty for one that lives here alone, `nil` where nobody knows.
    package let uplinks: @Sendable (PackageName) -> [VerdaccioUplink]?
    /// What is sent with each request to Verdaccio.
    package let headers: [(String, String)]

    /// - Parameter authorization: sent as `Authorization`, such as `Bearer …`.
    package init(url: String, authorization: String?, uplinks: @escaping @Sendable (PackageName) -> [VerdaccioUplink]?) {
        self.url = url.hasSuffix("/") ? String(url.dropLast()) : url
        self.uplinks = uplinks
        headers = authorization.map { [("Authorization", $0)] } ?? []
    }
}

/// The text of Verdaccio's `{"error": …}`, or the beginning of whatever it is.
func verdaccioMessage(_ text: String) -> String {
    let error = try? JSONParser.parse(Array(text.utf8), mode: .likeJavaScript).object?["error"]?.string
    return String((error ?? text).split(separator: "\n").joined(separator: " ").prefix(120))
}
