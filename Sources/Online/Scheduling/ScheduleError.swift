/// A text that is no schedule, or no time zone; nothing was taken of it.
package struct ScheduleError: Error, Equatable, CustomStringConvertible {
    /// What was written.
    package let text: String
    /// What it was to be, such as `a schedule`.
    package let wanted: String
    /// Why it is none, and what is allowed.
    package let reason: String

    init(_ text: String, wanted: String = "a schedule", reason: String) {
        self.text = text
        self.wanted = wanted
        self.reason = reason
    }

    package var description: String { "\"\(text)\" is not \(wanted): \(reason)" }
}
