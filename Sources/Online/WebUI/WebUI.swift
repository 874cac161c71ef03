import Foundation
package import HTTPService

/// The page that people use the service by: `app`, which `build.sh` bundles into `builtFiles` when this module is built.
package enum WebUI {
    /// The page and its files, for a web server.
    package static let site = WebSite(
        at: "ui",
        files: builtFiles.map { file in
            WebSite.File(
                path: file.path, mediaType: mediaType(of: file.path), content: bytes(file.content), gzipped: bytes(file.gzipped),
                // The name of a bundle holds a digest of its content.
                isImmutable: file.path.contains("-"))
        })

    private static func mediaType(of path: String) -> String {
        switch path.split(separator: ".").last {
        case "html": "text/html; charset=utf-8"
        case "js": "text/javascript; charset=utf-8"
        case "css": "text/css; charset=utf-8"
        case "svg": "image/svg+xml"
        default: preconditionFailure("\"\(path)\" is of no known type")
        }
    }

    private static func bytes(_ base64: String) -> [UInt8] {
        guard let data = Data(base64Encoded: base64) else { preconditionFailure("what the build wrote is no base64") }
        return Array(data)
    }
}

/// A file of the page as the build writes it into this program: its content in base64, plain and as gzip.
struct BuiltFile {
    let path: String
    let content: String
    let gzipped: String
}
