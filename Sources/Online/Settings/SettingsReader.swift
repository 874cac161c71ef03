import SystemPackage
import YAML

/// Reads keys from flags, environment and file, and gathers what is wrong and what there is.
///
/// A key is known by being asked for, so what is left over in the file is unknown.
struct SettingsReader {
    let file: SettingsFile?
    let environment: (String) -> String?
    let flags: [OnlineSettings.Flag]
    private(set) var entries: [SettingEntry] = []
    private(set) var problems: [SettingsProblem] = []

    init(file: SettingsFile?, environment: @escaping (String) -> String?, flags: [OnlineSettings.Flag]) {
        self.file = file
        self.environment = environment
        self.flags = flags
        problems = file?.problems ?? []
    }

    /// The value of a key: that of the flag, else of the environment, else of the file, else the default.
    ///
    /// - Parameter variable: the variable that sets it, where it is not `FERRY_` and the key.
    mutating func take<Value>(
        _ key: String, _ kind: SettingKind<Value>, default absent: Value, variable: String? = nil
    ) -> Setting<Value> {
        let variable = variable ?? "FERRY_" + String(key.uppercased().map { $0 == "." || $0 == "-" ? "_" : $0 })
        var found = Setting(value: absent, source: .builtIn)
        for (texts, source, base) in written(key, variable, separators: kind.isList ? kind.separators : nil) {
            do throws(SettingComplaint) {
                found = Setting(value: try kind.read(texts, base), source: source)
            } catch {
                complain(element(error.element, of: key, source), "\(key): \(error.words)")
            }
        }
        entries.append(
            SettingEntry(
                key: key, values: kind.write(found.value), isList: kind.isList, form: kind.form, source: found.source, variable: variable))
        return found
    }

    /// The value of a key that may also have a word for "no limit", which is `nil`.
    mutating func take<Value>(
        _ key: String, _ kind: SettingKind<Value>, unless word: String, default absent: Value?
    ) -> Setting<Value?> {
        take(key, kind.optional(word), default: absent)
    }

    /// The names of the sections that a section has, in the file or of themselves, in the order of their names.
    ///
    /// - Parameter pattern: what a name looks like; another is refused.
    mutating func names(below section: String, _ known: [String], matching pattern: String) -> [String] {
        let isName = try? Regex(pattern)
        var names = Set(known)
        for (key, _) in file?.node(section)?.members ?? [] {
            let name = key.text ?? ""
            if let isName, name.count <= 100, name.wholeMatch(of: isName) != nil {
                names.insert(name)
            } else if let file {
                complain(
                    .file(file.path, line: key.line),
                    "\(section).\(name): a name has letters of ASCII, digits, - and _, and is at most 100 characters long")
            }
        }
        return names.sorted()
    }

    /// Complains of a key of a section that has no default and is not set, nor written wrongly.
    mutating func demand<Value>(_ key: String, of section: String, _ setting: Setting<Value>, such example: String) {
        guard setting.source == .builtIn, let file, let node = file.node(section), file.node("\(section).\(key)") == nil else { return }
        complain(.file(file.path, line: node.line), "\(section).\(key): must be said, such as \(example)")
    }

    /// Where an element of a list stands.
    private func element(_ index: Int?, of key: String, _ source: SettingSource) -> SettingSource {
        guard let index, case .file(let path, _) = source, let elements = file?.node(key)?.elements else { return source }
        return .file(path, line: elements[index].line)
    }

    /// Notes something that is wrong between keys.
    mutating func complain(_ source: SettingSource, _ words: String) {
        problems.append(SettingsProblem(source: source, words: words))
    }

    /// What is written of a key, the last of it counting most.
    ///
    /// - Parameter separators: of the elements of a list in the environment; `nil` for a single value.
    private mutating func written(
        _ key: String, _ variable: String, separators: Set<Character>?
    ) -> [(texts: [String], source: SettingSource, base: FilePath?)] {
        var found: [(texts: [String], source: SettingSource, base: FilePath?)] = []
        let isList = separators != nil
        if let file, let node = file.node(key) {
            let source = SettingSource.file(file.path, line: node.line)
            if node.isEmpty {
                complain(source, "\(key): has no value; leave it out for its default")
            } else if !isList, let text = node.text {
                found.append(([text], source, file.path.removingLastComponent()))
            } else if isList, let elements = node.elements, elements.allSatisfy({ $0.text != nil }) {
                found.append((elements.compactMap(\.text), source, nil))
            } else {
                complain(source, "\(key): must be \(isList ? "a list" : "a single value")")
            }
        }
        if let text = environment(variable) {
            let texts = separators.map { separators in text.split { separators.contains($0) }.map(String.init) } ?? [text]
            found.append((texts, .environment(variable), nil))
        }
        for flag in flags where flag.key == key && !flag.values.isEmpty { found.append((flag.values, .flag(flag.name), nil)) }
        return found
    }

    /// Everything that is wrong, once every key was asked for.
    mutating func finish() throws(SettingsError) {
        if let file { refuseUnknown(file.members, below: "", in: file.path) }
        guard problems.isEmpty else { throw SettingsError(problems) }
    }

    private mutating func refuseUnknown(_ members: [(key: YAMLNode, value: YAMLNode)], below section: String, in path: FilePath) {
        let prefix = section.isEmpty ? "" : "\(section)."
        let known = entries.map(\.key).filter { $0.hasPrefix(prefix) }
        let names = known.map { String($0.dropFirst(prefix.count).prefix { $0 != "." }) }
        for (key, value) in members {
            let name = key.text ?? "?"
            let source = SettingSource.file(path, line: key.line)
            if known.contains(prefix + name) { continue }
            guard names.contains(name) else {
                complain(source, "\(prefix)\(name): there is no such key\(hint(for: name, among: names))")
                continue
            }
            if let inner = value.members {
                refuseUnknown(inner, below: prefix + name, in: path)
            } else if !value.isEmpty {
                complain(source, "\(prefix)\(name): must be a section with keys of its own")
            }
        }
    }

    private func hint(for name: String, among names: [String]) -> String {
        let near = names.map { (name: $0, distance: editDistance($0, name)) }.min { $0.distance < $1.distance }
        if let near, near.distance <= max(1, name.count / 3) { return "; did you mean \"\(near.name)\"?" }
        let elsewhere = entries.map(\.key).filter { $0 == name || $0.hasSuffix(".\(name)") }
        if elsewhere.isEmpty { return "; there are \(names.unique.joined(separator: ", "))" }
        return "; did you mean \(elsewhere.map { "\"\($0)\"" }.joined(separator: " or "))?"
    }
}

extension Array where Element: Hashable {
    /// Each element once, where it stands first.
    fileprivate var unique: [Element] {
        var seen: Set<Element> = []
        return filter { seen.insert($0).inserted }
    }
}

/// How many characters must be put in, taken out or changed to make one text of the other.
private func editDistance(_ left: String, _ right: String) -> Int {
    let (left, right) = (Array(left), Array(right))
    var row = Array(0...right.count)
    for (index, character) in left.enumerated() {
        var diagonal = row[0]
        row[0] = index + 1
        for (other, candidate) in right.enumerated() {
            let above = row[other + 1]
            row[other + 1] = Swift.min(above + 1, row[other] + 1, diagonal + (character == candidate ? 0 : 1))
            diagonal = above
        }
    }
    return row[right.count]
}
