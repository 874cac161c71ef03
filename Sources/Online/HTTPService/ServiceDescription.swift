/// What a service says of itself, and what it goes by.
package struct ServiceDescription: Sendable {
    package var title: String
    package var version: String
    /// Text for people at the head of the document, in CommonMark.
    package var explanation: String
    /// What the word of a problem follows in its `type`.
    package var problemBase: String

    package init(title: String, version: String, explanation: String, problemBase: String) {
        self.title = title
        self.version = version
        self.explanation = explanation
        self.problemBase = problemBase
    }
}

/// How much a client may take of the service.
package struct ServiceLimits: Sendable {
    /// Of a request's path and query, in bytes.
    package var targetLength = 8 << 10
    /// Of all header fields of a request together, in bytes.
    package var headerBytes = 16 << 10
    package var headerCount = 64
    /// Of a request's body, in bytes.
    package var bodyBytes = 64 << 10
    /// Connections at once; more wait until one ends.
    package var connections = 1024
    /// In which the head of a first request must have come.
    package var headTime = Duration.seconds(10)
    /// In which the next request must have come, with its head.
    package var idleTime = Duration.seconds(60)
    /// In which a request's body must have come.
    package var bodyTime = Duration.seconds(30)
    /// In which a client must take something of what is sent to it.
    package var stallTime = Duration.seconds(60)
    /// For which a client that is answered may go on to send a body that nobody wants.
    package var lingerTime = Duration.seconds(2)

    package init() {}
}
