import CSodium

/// Random bytes for keys and identifiers, from the kernel through libsodium.
package func randomBytes(_ count: Int) -> [UInt8] {
    prepareSodium()
    var bytes = [UInt8](repeating: 0, count: count)
    randombytes_buf(&bytes, count)
    return bytes
}

/// Makes libsodium ready, once for the process and from any thread.
func prepareSodium() {
    _ = readySodium
}

private let readySodium: Void = {
    precondition(sodium_init() >= 0, "libsodium cannot be initialised")
}()
