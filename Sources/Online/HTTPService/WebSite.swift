/// A page with its files, which stands beside the operations and is no part of their document.
///
/// Operations answer at addresses such as `/jobs`, whoever asks; the page has addresses of its own below one segment, so that neither ever
/// has to guess what a client wants. Every address below it that is no file is the page itself, which knows what to show there. `/` leads to it.
package struct WebSite: Sendable {
    /// A file as it is sent.
    package struct File: Sendable {
        let path: String
        let mediaType: String
        let content: [UInt8]
        let gzipped: [UInt8]
        let isImmutable: Bool
        let tag: EntityTag
        let gzippedTag: EntityTag

        /// - Parameters:
        ///   - path: below the site's segment, such as `assets/main.js`; `index.html` is the page.
        ///   - gzipped: the same content, compressed.
        ///   - isImmutable: whether no other content will ever have that path.
        package init(path: String, mediaType: String, content: [UInt8], gzipped: [UInt8], isImmutable: Bool) {
            self.path = path
            self.mediaType = mediaType
            self.content = content
            self.gzipped = gzipped
            self.isImmutable = isImmutable
            tag = EntityTag(of: content)
            gzippedTag = EntityTag(of: gzipped)
        }
    }

    /// What stands at an address.
    enum Find {
        case file(File)
        /// It is elsewhere.
        case redirect(String)
        /// The address is the site's, and there is nothing.
        case nothing
    }

    let segment: String
    private let page: File
    private let files: [String: File]

    /// The page runs its own scripts and styles, asks its own service, and is shown in no other page.
    static let policy = """
        default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; \
        form-action 'none'; frame-ancestors 'none'
        """

    /// - Parameters:
    ///   - segment: what its addresses begin with.
    ///   - files: no two of a path, and one of them is `index.html`.
    package init(at segment: String, files: [File]) {
        guard let page = files.first(where: { $0.path == "index.html" }) else { preconditionFailure("the site has no page") }
        self.segment = segment
        self.page = page
        self.files = Dictionary(uniqueKeysWithValues: files.map { ($0.path, $0) })
    }

    /// What stands at these segments; `nil` where they are not the site's.
    func find(_ segments: [String]) -> Find? {
        guard segments != [""] else { return .redirect("/\(segment)/") }
        guard segments.first == segment else { return nil }
        guard segments.count > 1 else { return .redirect("/\(segment)/") }
        let path = segments.dropFirst().joined(separator: "/")
        if let file = files[path] { return .file(file) }
        return segments[1] == "assets" ? .nothing : .file(page)
    }
}

/// Whether an `Accept-Encoding` takes gzip (RFC 9110 §12.5.3).
func takesGzip(_ field: String?) -> Bool {
    var others: Bool?
    for part in (field ?? "").lowercased().split(separator: ",") {
        let words = part.split(separator: ";").map { String($0).trimmingSpaces }
        let weight = words.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
        switch words.first {
        case "gzip", "x-gzip": return weight > 0
        case "*": others = weight > 0
        default: break
        }
    }
    return others ?? false
}
