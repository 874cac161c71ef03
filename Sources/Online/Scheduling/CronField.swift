/// One of the five fields: which numbers stand in it, and how they are written.
enum CronField: String, CaseIterable {
    case minute
    case hour
    case dayOfMonth = "day of month"
    case month
    case dayOfWeek = "day of week"

    /// The numbers of a field, and whether it was written with a star in front.
    struct Values: Sendable, Hashable {
        /// Bit n stands for the number n.
        var bits: UInt64 = 0
        /// Begins with `*`: by cron's rules such a field does not restrict, even where it has a step.
        var isStarred = false

        func contains(_ number: Int) -> Bool { bits & (1 << UInt64(number)) != 0 }

        /// The smallest number that is not below this one.
        func first(from number: Int) -> Int? {
            guard number < 64 else { return nil }
            let rest = bits & (UInt64.max << UInt64(number))
            return rest == 0 ? nil : rest.trailingZeroBitCount
        }
    }

    /// The numbers that there are; 7 is another name of Sunday.
    var range: ClosedRange<Int> {
        switch self {
        case .minute: 0...59
        case .hour: 0...23
        case .dayOfMonth: 1...31
        case .month: 1...12
        case .dayOfWeek: 0...6
        }
    }

    /// The names of the numbers, from the first on.
    var names: [String] {
        switch self {
        case .month: ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
        case .dayOfWeek: ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
        default: []
        }
    }

    /// What may be written, for messages.
    private var allowed: String {
        switch self {
        case .month: "1 to 12 and JAN to DEC are allowed"
        case .dayOfWeek: "0 to 7 (0 and 7 are Sunday) and SUN to SAT are allowed"
        default: "\(range.lowerBound) to \(range.upperBound) are allowed"
        }
    }

    /// Why a field is none, in words that follow its name.
    struct Complaint: Error {
        let words: String
    }

    /// Reads `*`, a number, a range, either with a step, or a list of these.
    func read(_ text: some StringProtocol) throws(Complaint) -> Values {
        var values = Values(isStarred: text.hasPrefix("*"))
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard !part.isEmpty else { throw Complaint(words: "\"\(text)\" has an empty place in its list") }
            for number in try numbers(of: String(part)) { values.bits |= 1 << UInt64(self == .dayOfWeek ? number % 7 : number) }
        }
        return values
    }

    /// The numbers of one part of a list; 7 may be among the days of the week.
    private func numbers(of part: String) throws(Complaint) -> StrideThrough<Int> {
        let pieces = part.split(separator: "/", omittingEmptySubsequences: false)
        guard pieces.count <= 2 else { throw Complaint(words: "\"\(part)\" has more than one step") }
        let ends = pieces[0].split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count <= 2 else { throw Complaint(words: "\"\(part)\" is no range, such as \(range.lowerBound)-\(range.upperBound)") }
        let lower = pieces[0] == "*" ? range.lowerBound : try number(ends[0], in: part, isEnd: false)
        let upper = pieces[0] == "*" ? range.upperBound : ends.count == 2 ? try number(ends[1], in: part, isEnd: true) : lower
        guard lower <= upper else {
            let other = "\(lower)-\(range.upperBound),\(range.lowerBound)-\(upper)"
            throw Complaint(words: "\"\(part)\" goes backwards; over the end it is written \(other)")
        }
        guard pieces.count == 2 else { return stride(from: lower, through: upper, by: 1) }
        guard ends.count == 2 || pieces[0] == "*" else {
            throw Complaint(words: "\"\(part)\" has a step without a range; \(lower)-\(range.upperBound)/\(pieces[1]) may be meant")
        }
        let steps = 1...(range.upperBound - range.lowerBound + (self == .dayOfWeek ? 1 : 0))
        guard let step = Self.digits(pieces[1]), steps.contains(step) else {
            throw Complaint(words: "\"\(pieces[1])\" is no step; \(steps.lowerBound) to \(steps.upperBound) are allowed")
        }
        return stride(from: lower, through: upper, by: step)
    }

    /// A number or a name; as the end of a range, Sunday follows Saturday.
    private func number(_ text: Substring, in part: String, isEnd: Bool) throws(Complaint) -> Int {
        if let index = names.firstIndex(of: text.uppercased()) {
            return self == .dayOfWeek && isEnd && index == 0 ? 7 : range.lowerBound + index
        }
        let inPart = text == part ? "\"\(text)\"" : "\"\(text)\" in \"\(part)\""
        guard let number = Self.digits(text) else { throw Complaint(words: "\(inPart) is unknown; \(allowed)") }
        guard range.contains(number) || (self == .dayOfWeek && number == 7) else {
            throw Complaint(words: "\(inPart) is out of range; \(allowed)")
        }
        return number
    }

    /// Digits and nothing else.
    private static func digits(_ text: Substring) -> Int? {
        !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil
    }
}
