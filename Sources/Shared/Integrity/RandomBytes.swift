import CSodium

/// Random bytes for keys and identifiers, from the kernel through libsodium.
package func randomBytes(_ count: Int) -> [UInt8] {
    prepareSodium()
    var bytes = [UInt8](repeating: 0, count: count)
    randombytes_buf(&bytes, count)
    return bytes
}

/// Initialises libsodium; calling it again, from any thread, does nothing.
func prepareSodium() {
    precondition(sodium_init() >= 0, "libsodium cannot be initialised")
}
