package import SystemPackage

/// Where a value comes from; the later one of two wins.
package enum SettingSource: Sendable, Hashable {
    /// It is what holds where nobody says otherwise.
    case builtIn
    /// Verdaccio's own configuration says it.
    case verdaccio(FilePath)
    /// A line of `ferry.yaml`, the first being 1.
    case file(FilePath, line: Int)
    /// A variable of the environment.
    case environment(String)
    /// A flag of the command, with its dashes.
    case flag(String)

    /// How much it counts against others.
    var rank: Int {
        switch self {
        case .builtIn: 0
        case .verdaccio: 1
        case .file: 2
        case .environment: 3
        case .flag: 4
        }
    }
}

extension SettingSource: CustomStringConvertible {
    package var description: String {
        switch self {
        case .builtIn: "default"
        case .verdaccio(let path): "verdaccio's configuration \"\(path)\""
        case .file(let path, let line): "\"\(path)\", line \(line)"
        case .environment(let name): "environment variable \(name)"
        case .flag(let name): "flag \(name)"
        }
    }
}

/// A value with where it comes from.
package struct Setting<Value: Sendable>: Sendable {
    package let value: Value
    package let source: SettingSource

    package init(value: Value, source: SettingSource) {
        self.value = value
        self.source = source
    }
}

extension Setting: Equatable where Value: Equatable {}

/// One key with its effective value as a person writes it.
package struct SettingEntry: Sendable, Hashable {
    /// Such as `space.warning.free`.
    package let key: String
    /// More than one where the key has a list; `nil` where it has no value.
    package let values: [String]?
    package let isList: Bool
    /// What a value looks like, in words.
    package let form: String
    package let source: SettingSource
    /// The variable of the environment that sets it.
    package let variable: String
}

/// A value, key or file that cannot be used, and where it stands.
package struct SettingsProblem: Sendable, Hashable, CustomStringConvertible {
    package let source: SettingSource
    /// What is wrong, in words that name the key.
    package let words: String

    package var description: String { "\(source): \(words)" }
}

/// Settings that cannot be used; nothing was done.
package struct SettingsError: Error, Equatable, CustomStringConvertible {
    /// Everything that is wrong, by where it stands.
    package let problems: [SettingsProblem]

    package init(_ problems: [SettingsProblem]) {
        self.problems = problems.sorted { left, right in
            if case .file(let a, let first) = left.source, case .file(let b, let second) = right.source, a == b { return first < second }
            return left.source.rank < right.source.rank
        }
    }

    /// Whether nothing but flags is wrong.
    package var isWrongUsage: Bool {
        problems.allSatisfy {
            if case .flag = $0.source { true } else { false }
        }
    }

    package var description: String {
        problems.count == 1
            ? "the settings cannot be used: \(problems[0])"
            : "the settings cannot be used:" + problems.map { "\n  \($0)" }.joined()
    }
}
