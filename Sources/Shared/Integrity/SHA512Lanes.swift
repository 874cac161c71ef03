extension SHA512 {
    /// The digests of independent messages, in their order.
    package static func digests(of messages: [[UInt8]]) -> [SHA512Digest] {
        messages.map { digest(of: $0) }
    }
}
