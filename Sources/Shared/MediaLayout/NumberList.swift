extension [Int] {
    /// Numbers for people: `1–3, 5`.
    package var ranges: String {
        var words: [String] = []
        var rest = sorted()[...]
        while let first = rest.popFirst() {
            var last = first
            while rest.first == last + 1 { last = rest.removeFirst() }
            words.append(first == last ? "\(first)" : last == first + 1 ? "\(first), \(last)" : "\(first)–\(last)")
        }
        return words.joined(separator: ", ")
    }
}
