import CPlatform

/// Looks for bytes in bytes, as fast as the C library does.
package enum ByteSearch {
    /// Where a part stands first from an offset on; `nil` where it does not stand there.
    package static func first(_ part: [UInt8], in bytes: [UInt8], from offset: Int) -> Int? {
        bytes.withUnsafeBufferPointer { buffer in
            guard offset >= 0, offset < buffer.count, let base = buffer.baseAddress else { return nil }
            let found = cplatform_find(base + offset, Int64(buffer.count - offset), part, Int64(part.count))
            return found < 0 ? nil : offset + Int(found)
        }
    }
}
