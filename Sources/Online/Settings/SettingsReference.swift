extension OnlineSettings {
    /// `docs/settings.md`: every key, in the order and the words of the example, with what it takes, its default, its variable and its flag.
    ///
    /// - Parameter flags: the flags of commands that set keys.
    package static func reference(flags: [Flag]) throws(SettingsError) -> String {
        let settings = try OnlineSettings(file: nil, environment: { _ in nil })
        let entries = Dictionary(uniqueKeysWithValues: settings.entries.map { ($0.key, $0) })
        var text = """
            # Settings of ferry-online

            <!-- Written by scripts/reference; a test holds it against the program. -->

            Flags win over variables of the environment, those over `ferry.yaml`, that over defaults. The file is the one that `--config` or
            `FERRY_CONFIG` names, else `STATE/ferry.yaml`, else `/etc/ferry/ferry.yaml`; only the first that is there is read. A wrong key,
            type, unit or number is refused with its line and exit code 78, all at once, before anything is done.

            ```sh
            ferry-online config example > /etc/ferry/ferry.yaml   # every key, explained
            ferry-online config check                             # what is wrong with it
            ferry-online config show                              # each value, and where it comes from
            ```

            In the file a key such as `space.warning.free` is `free` in `warning` in `space`. Relative paths are below the directory of the
            file. Sizes are written as `512 MiB`, `10 GiB`, `1.5 TiB`, lengths of time as `12 hours`, `90 days`, `8 weeks`. In a variable the
            elements of a list stand between commas, of a list of paths between colons, of a list of jobs between semicolons.

            `ferry-offline` has no file: what it goes by are flags, `FERRY_STORAGE`, `FERRY_OFFLINE_STATE`, `FERRY_MEDIA_ROOTS`, and what
            `ferry-offline init` was told, which it keeps.

            """
        for section in ExampleSection.all() {
            text += "\n## \(section.name)\n"
            if !section.words.isEmpty { text += "\n\(section.words)\n" }
            text += "\n| key | takes | default | variable | |\n| --- | --- | --- | --- | --- |\n"
            for line in section.keys {
                guard let entry = entries[line.key] else { continue }
                let flag = flags.first { $0.key == line.key }.map { "Flag `\($0.name)`." }
                let values = (entry.values ?? []).map { "`\($0)`" }
                let value =
                    line.key == "platforms"
                    ? "this machine's" : values.isEmpty ? (entry.isList ? "none" : "–") : values.joined(separator: ", ")
                let words = [line.words, flag ?? ""].filter { !$0.isEmpty }.joined(separator: " ")
                text += "| `\(entry.key)` | \(entry.form) | \(value) | `\(entry.variable)` | \(words) |\n"
            }
        }
        return text
    }
}

/// A part of the example: one key of its first level, with all that is below it.
private struct ExampleSection {
    let name: String
    /// The comment above it.
    let words: String
    /// Its keys that have values, with the comments above them.
    var keys: [(key: String, words: String)]

    /// The sections of the example; keys of the first level that have values of their own are one section together.
    static func all() -> [ExampleSection] {
        var sections = [ExampleSection(name: "state and storage", words: "", keys: [])]
        var path: [String] = []
        var comment: [String] = []
        for line in OnlineSettings.example.split(separator: "\n", omittingEmptySubsequences: false) {
            let text = line.drop { $0 == " " }
            let depth = (line.count - text.count) / 2
            if text.isEmpty || text.hasPrefix("# ") {
                // What stands before an empty line is about nothing below it.
                if text.isEmpty { comment = [] } else { comment.append(String(text.dropFirst(2))) }
                continue
            }
            let member = text.hasPrefix("#") ? text.dropFirst() : text
            guard let colon = member.firstIndex(of: ":") else { continue }
            path = path.prefix(depth) + [String(member[..<colon])]
            let words = comment.joined(separator: " ")
            comment = []
            if member[member.index(after: colon)...].contains(where: { $0 != " " }) {
                let index = depth == 0 ? 0 : sections.count - 1
                sections[index].keys.append((key: path.joined(separator: "."), words: words))
            } else if depth == 0 {
                sections.append(ExampleSection(name: "`\(path[0])`", words: words, keys: []))
            } else {
                if !words.isEmpty { sections[sections.count - 1].say("`\(path.joined(separator: "."))`: \(words)") }
            }
        }
        return sections
    }

    /// What stands above a group of keys is said at the section itself.
    private mutating func say(_ words: String) {
        self = ExampleSection(name: name, words: self.words.isEmpty ? words : "\(self.words) \(words)", keys: keys)
    }
}
