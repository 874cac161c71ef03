/// The pieces of a version's text, as node-semver's regular expressions capture them (node-semver 7, internal/re.js).
struct VersionGrammar {
    typealias Bytes = Slice<UnsafeBufferPointer<UInt8>>

    /// The three numbers; `nil` for one that is absent or written `x`, `X` or `*`.
    var major: Bytes?
    var minor: Bytes?
    var patch: Bytes?
    /// The prerelease without its hyphen; `nil` where there is none.
    var prerelease: Bytes?

    /// A whole version: `v1.2.3-pre+build`; loosely also `= v1.02.3pre`.
    init?(version text: Bytes, isLoose: Bool) {
        var rest = text
        if isLoose {
            rest = rest.drop(while: Self.isDecoration)
        } else if rest.first == UInt8(ascii: "v") {
            rest = rest.dropFirst()
        }
        guard let major = Self.number(rest, isLoose), let afterMajor = Self.afterDot(rest, major),
            let minor = Self.number(afterMajor, isLoose), let afterMinor = Self.afterDot(afterMajor, minor),
            let patch = Self.number(afterMinor, isLoose), let end = Self.end(afterMinor, patch, isLoose)
        else { return nil }
        self.major = major
        self.minor = minor
        self.patch = end.patch
        prerelease = end.prerelease
    }

    /// A version of which parts may be absent or `x`: `1`, `1.x`, `1.2.*`, `=1.2.3-pre`.
    init?(partial text: Bytes, isLoose: Bool) {
        let rest = text.drop(while: Self.isDecoration)
        guard let major = Self.placeOrNumber(rest, isLoose) else { return nil }
        self.major = Self.isPlace(major) ? nil : major
        guard major.endIndex < rest.endIndex else { return }
        guard let afterMajor = Self.afterDot(rest, major), let minor = Self.placeOrNumber(afterMajor, isLoose) else { return nil }
        self.minor = Self.isPlace(minor) ? nil : minor
        guard minor.endIndex < rest.endIndex else {
            if self.major == nil { self.minor = nil }
            return
        }
        guard let afterMinor = Self.afterDot(afterMajor, minor), let patch = Self.placeOrNumber(afterMinor, isLoose),
            let end = Self.end(afterMinor, patch, isLoose)
        else { return nil }
        // Behind an open place, nothing is fixed.
        if self.major == nil { self.minor = nil }
        guard self.minor != nil, !Self.isPlace(end.patch) else { return }
        self.patch = end.patch
        prerelease = end.prerelease
    }

    /// What may follow the patch: a prerelease and build metadata, to the end of the text.
    ///
    /// Loosely the hyphen may be absent, so that digits may belong to either; as few as possible go to the prerelease.
    private static func end(_ text: Bytes, _ patch: Bytes, _ isLoose: Bool) -> (patch: Bytes, prerelease: Bytes?)? {
        let rest = text[patch.endIndex...]
        if rest.isEmpty || isBuild(rest) { return (patch, nil) }
        guard isLoose else {
            guard rest.first == UInt8(ascii: "-"), let prerelease = prerelease(rest.dropFirst(), isLoose) else { return nil }
            return (patch, prerelease)
        }
        for length in stride(from: patch.count, through: 1, by: -1) {
            let rest = text[(patch.startIndex + length)...]
            let found =
                rest.first == UInt8(ascii: "-") ? prerelease(rest.dropFirst(), true) ?? prerelease(rest, true) : prerelease(rest, true)
            if let found { return (patch.prefix(length), found) }
            guard !isPlace(patch) else { return nil }
        }
        return nil
    }

    /// The identifiers at the start of a text that holds nothing else but build metadata behind them.
    private static func prerelease(_ text: Bytes, _ isLoose: Bool) -> Bytes? {
        let identifiers = text.prefix { $0 != UInt8(ascii: "+") }
        let rest = text[identifiers.endIndex...]
        guard rest.isEmpty || isBuild(rest), areWords(identifiers) else { return nil }
        if !isLoose {
            for word in identifiers.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            where word.count > 1 && word.first == UInt8(ascii: "0") && word.allSatisfy(isDigit) {
                return nil
            }
        }
        return identifiers
    }

    private static func isBuild(_ text: Bytes) -> Bool { text.first == UInt8(ascii: "+") && areWords(text.dropFirst()) }

    /// Whether a text is identifiers with dots between them.
    private static func areWords(_ text: Bytes) -> Bool {
        var isEmpty = true
        for byte in text {
            if byte == UInt8(ascii: ".") {
                guard !isEmpty else { return false }
                isEmpty = true
            } else {
                guard isWordByte(byte) else { return false }
                isEmpty = false
            }
        }
        return !isEmpty
    }

    private static func afterDot(_ text: Bytes, _ part: Bytes) -> Bytes? {
        part.endIndex < text.endIndex && text[part.endIndex] == UInt8(ascii: ".") ? text[(part.endIndex + 1)...] : nil
    }

    /// The digits a text starts with; strictly, none with a leading zero.
    private static func number(_ text: Bytes, _ isLoose: Bool) -> Bytes? {
        let digits = text.prefix(while: isDigit)
        guard let first = digits.first, isLoose || digits.count == 1 || first != UInt8(ascii: "0") else { return nil }
        return digits
    }

    private static func placeOrNumber(_ text: Bytes, _ isLoose: Bool) -> Bytes? {
        text.first.map(isPlaceByte) == true ? text.prefix(1) : number(text, isLoose)
    }

    private static func isPlace(_ part: Bytes) -> Bool { part.first.map(isPlaceByte) ?? true }

    /// `x`, `X` or `*`.
    static func isPlaceByte(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "x") || byte == UInt8(ascii: "X") || byte == UInt8(ascii: "*")
    }

    /// What may stand before a version and means nothing: `v`, `=` and spaces.
    static func isDecoration(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "v") || byte == UInt8(ascii: "=") || byte == UInt8(ascii: " ")
    }

    static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
