import CanonicalJSON

/// An answer that is an error, as Verdaccio words it: `{"error": "…"}`.
struct RegistryFailure: Error {
    let status: Int
    let message: String

    static let noSuchFile = RegistryFailure(status: 404, message: "no such file available")
    static let noSuchPackage = RegistryFailure(status: 404, message: "no such package available")
    static let isPresent = RegistryFailure(status: 409, message: "this package is already present")
    static let badData = RegistryFailure(status: 422, message: "bad incoming package data")
    static let unavailable = RegistryFailure(status: 503, message: "resource temporarily unavailable")

    /// Something broke that Verdaccio does not explain either.
    static func unknown(_ message: String = "unknown error") -> RegistryFailure { RegistryFailure(status: 500, message: message) }

    var body: JSONValue { ["error": .string(message)] }
}
