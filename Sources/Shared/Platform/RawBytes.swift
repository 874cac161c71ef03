import Glibc

extension UnsafeRawBufferPointer {
    /// Whether both hold the same bytes, as fast as memory is read.
    package func isEqual(to other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count, let left = baseAddress, let right = other.baseAddress else { return count == other.count }
        return memcmp(left, right, count) == 0
    }
}
