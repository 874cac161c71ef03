package import Platform

/// What was learnt of a package from its upstream, and when.
package struct UpstreamRecord: Sendable, Equatable {
    /// The address that was asked.
    package var url: String
    /// What makes the next question conditional; `nil` where upstream gave none.
    package var etag: String?
    /// When upstream last answered, if only that nothing had changed.
    package var checked: Timestamp
    package var overlay: UpstreamOverlay

    package init(url: String, etag: String?, checked: Timestamp, overlay: UpstreamOverlay) {
        self.url = url
        self.etag = etag
        self.checked = checked
        self.overlay = overlay
    }
}
