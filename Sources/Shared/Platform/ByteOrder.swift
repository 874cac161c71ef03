import Glibc

extension String {
    /// Whether its UTF-8 bytes come before those of another text; of a text and its beginning, the beginning does.
    package func precedesByBytes(_ other: String) -> Bool {
        var left = self
        var right = other
        return left.withUTF8 { a in
            right.withUTF8 { b in
                let order = compare(a, b)
                return order == 0 ? a.count < b.count : order < 0
            }
        }
    }

    /// Whether its UTF-8 bytes come before those of another text when one more byte is put to the end of each.
    package func precedesByBytes(_ other: String, endingIn end: UInt8) -> Bool {
        var left = self
        var right = other
        return left.withUTF8 { a in
            right.withUTF8 { b in
                let order = compare(a, b)
                if order != 0 || a.count == b.count { return order < 0 }
                return a.count < b.count ? end <= b[a.count] : a[b.count] < end
            }
        }
    }
}

/// The order of two texts as far as both go.
private func compare(_ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>) -> Int32 {
    guard let a = left.baseAddress, let b = right.baseAddress else { return 0 }
    return memcmp(a, b, min(left.count, right.count))
}
