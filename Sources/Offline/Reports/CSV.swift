/// Comma-separated values (RFC 4180) that a spreadsheet takes for nothing but text.
package enum CSV {
    /// A line with its end.
    package static func line(_ fields: [String]) -> String { fields.map(field).joined(separator: ",") + "\r\n" }

    /// A field, quoted where it must be; what a spreadsheet would compute gets an apostrophe before it.
    private static func field(_ text: String) -> String {
        let isFormula = text.utf8.first.map { "=+-@\t\r".utf8.contains($0) } ?? false
        let text = isFormula && Double(text) == nil ? "'\(text)" : text
        guard text.utf8.contains(where: { ",\"\r\n".utf8.contains($0) }) else { return text }
        return "\"\(text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\""))\""
    }
}
