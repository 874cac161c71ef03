import SystemPackage
import YAML

/// One entry of Verdaccio's `uplinks`: another registry that packages are fetched from.
package struct VerdaccioUplink: Sendable, Equatable {
    /// The name it has in `uplinks`, in `proxy` and in packuments' `_uplinks`.
    package let name: String
    /// The address, without a slash at its end.
    package let url: String
    /// How long a packument counts as fresh.
    package var maxAge: Duration = .seconds(120)
    /// How long Verdaccio waits for an answer.
    package var timeout: Duration = .seconds(30)
    /// After this many failures in a row the uplink counts as offline.
    package var maxFails = 2
    /// How long it counts as offline.
    package var failTimeout: Duration = .seconds(300)
    /// Whether fetched tarballs are kept.
    package var caches = true
    /// What Verdaccio sends with each request, credentials among it.
    package var headers: [String: String] = [:]
    /// Where the configuration names a variable of Verdaccio's environment for its token: that, and the scheme it is sent with.
    package var tokenVariable: TokenVariable?

    package struct TokenVariable: Sendable, Equatable {
        package let name: String
        /// `Bearer` or `Basic`.
        package let scheme: String
    }

    /// An uplink with Verdaccio's defaults for all else.
    package init(name: String, url: String) {
        self.name = name
        self.url = url.hasSuffix("/") ? String(url.dropLast()) : url
    }

    /// Reads one entry; what is absent has Verdaccio's default.
    init(name: String, _ node: YAMLNode, in path: FilePath) throws(VerdaccioSettingsError) {
        guard let url = node["url"]?.text else {
            throw VerdaccioSettingsError(path: path, line: node.line, reason: "uplink \"\(name)\" has no \"url\"")
        }
        self.init(name: name, url: url)
        func interval(_ key: String, _ absent: Duration) throws(VerdaccioSettingsError) -> Duration {
            guard let value = node[key] else { return absent }
            guard let interval = Self.interval(value.text ?? "") else {
                throw VerdaccioSettingsError(path: path, line: value.line, reason: "\"\(key)\" of uplink \"\(name)\" is not a time")
            }
            return interval
        }
        maxAge = try interval("maxage", maxAge)
        timeout = try interval("timeout", timeout)
        failTimeout = try interval("fail_timeout", failTimeout)
        maxFails = node["max_fails"]?.integer ?? maxFails
        caches = node["cache"]?.bool ?? caches
        for (key, value) in node["headers"]?.members ?? [] {
            if let name = key.text, let value = value.text { headers[name] = value }
        }
        guard let auth = node["auth"] else { return }
        let scheme = auth["type"]?.text?.lowercased() == "basic" ? "Basic" : "Bearer"
        if let token = auth["token"]?.text {
            headers["authorization"] = "\(scheme) \(token)"
        } else if let variable = auth["token_env"], variable.bool != false {
            tokenVariable = TokenVariable(name: variable.bool == true ? "NPM_TOKEN" : variable.text ?? "NPM_TOKEN", scheme: scheme)
        }
    }

    /// The uplink with its token, where it is one that a variable holds.
    package func resolvingToken(_ variable: (String) -> String?) -> VerdaccioUplink {
        guard let tokenVariable, let token = variable(tokenVariable.name) else { return self }
        var uplink = self
        uplink.headers["authorization"] = "\(tokenVariable.scheme) \(token)"
        return uplink
    }

    /// `2m`, `1h 30m`, `500ms`, `30` (seconds).
    private static func interval(_ text: String) -> Duration? {
        let units: [String: Double] = [
            "": 1, "s": 1, "ms": 0.001, "m": 60, "h": 3600, "d": 86400, "w": 604_800, "M": 2_592_000, "y": 31_536_000,
        ]
        var total = 0.0
        let parts = text.split(separator: " ")
        for part in parts {
            guard let seconds = quantity(part, units) else { return nil }
            total += seconds
        }
        return parts.isEmpty ? nil : .milliseconds(Int64((total * 1000).rounded()))
    }
}
