package import CanonicalJSON

/// A parameter of a job: its name in JSON, what it may be, and the flag of the command that takes it.
package struct JobParameter: Sendable, Hashable {
    /// What a value may be.
    package enum Form: Sendable, Hashable {
        /// `true` gives the flag, `false` leaves it out.
        case flag
        case integer(ClosedRange<Int64>)
        case word([String])
        /// Visible characters of ASCII, at most so many, which the command itself judges.
        case text(Int)
        /// A text that matches a regular expression of ECMA-262; what it is, in words.
        case matching(String, String)
        /// The path of a file, without control characters.
        case path
        /// Several of a form, the flag repeated for each.
        indirect case list(Form)
    }

    package let name: String
    package let form: Form
    /// Such as `--parallelism`; `nil` for an operand.
    package let option: String?
    /// What it is for, as a sentence.
    package let summary: String
    package let isRequired: Bool
    /// What the command is given where it is not said, since a job's default is another than the command's.
    package let implied: String?

    /// The longest list.
    package static let listLimit = 200
    /// Of a path, in bytes.
    package static let pathLimit = 4096

    private static let snapshot = "[0-9]{8}T[0-9]{6}Z(-[0-9]{1,9})?"

    private init(
        _ name: String, _ form: Form, _ option: String?, implied: String? = nil, isRequired: Bool = false, _ summary: String
    ) {
        self.name = name
        self.form = form
        self.option = option
        self.implied = implied
        self.isRequired = isRequired
        self.summary = summary
    }

    // MARK: Those that there are

    static let minutes = JobParameter("minutes", .integer(1...52_560_000), "--minutes", "How far back \"changed lately\" goes.")
    static let dryRun = JobParameter("dryRun", .flag, "--dry-run", "Say what would be done, and change nothing.")
    static let refresh = [
        JobParameter("parallelism", .integer(1...256), "--parallelism", "Requests at once."),
        JobParameter(
            "policies", .list(.word(["latest", "tags", "latest-per-major", "siblings", "ranges"])), "--policy",
            "Which versions to keep beside those that others need."),
        JobParameter(
            "platforms", .list(.text(64)), "--platform", "The machines that packages are installed on, such as linux-x64-musl."),
        JobParameter("node", .list(.text(64)), "--node", "The versions of Node that packages are installed with."),
        JobParameter("idleTimeout", .integer(1...86_400), "--idle-timeout", "Seconds that a connection may be silent."),
        JobParameter("driver", .word(["registry", "package-manager"]), "--driver", "Who fetches."),
        JobParameter("tool", .word(["npm", "pnpm"]), "--tool", "The package manager of that driver."),
        JobParameter("installs", .integer(1...64), "--installs", "Installs at once of that driver."),
        JobParameter("cpus", .integer(1...1024), "--cpus", "Processors that all installs of that driver may use."),
        JobParameter("installMinutes", .integer(1...1440), "--install-minutes", "Minutes that an install of that driver may take."),
        dryRun,
    ]
    static let allowEmpty = JobParameter("allowEmpty", .flag, "--allow-empty", "Accept a storage that no package is left in.")
    static let everything = JobParameter("everything", .flag, "--everything", "Also what was proved before.")
    static let threads = JobParameter("parallelism", .integer(1...64), "--parallelism", "Threads that read.")
    static let repair = JobParameter("repair", .flag, "--repair", "Repair what was found, and check again.")
    static let packages = JobParameter("packages", .list(.text(214)), nil, "The packages to repair; all by default.")
    static let repairs = JobParameter("parallelism", .integer(1...64), "--parallelism", "Packages at once.")
    static let allowShrink = JobParameter(
        "allowShrink", .flag, "--allow-shrink", "Accept a snapshot that lost more than 5 % of the last one's files.")
    static let baseline = JobParameter(
        "baseline", .matching("^(next|empty|last-bundle|\(snapshot))$", "a snapshot's id, next, empty or last-bundle"), "--baseline",
        implied: "next",
        "The snapshot the destination already has; \"empty\" for a full bundle, \"last-bundle\" for what its last bundle led to, \"next\" for "
            + "what is known of it: what its last receipt says, or its last bundle for \"any\" and destinations that are not known.")
    static let target = JobParameter(
        "target", .matching("^(new|newest|\(snapshot))$", "a snapshot's id, new or newest"), "--target", implied: "new",
        "The snapshot to carry; \"newest\", or \"new\" for one that is taken now.")
    static let destination = JobParameter(
        "destination", .matching("^(any|d-[0-9a-hjkmnp-tv-z]{20})$", "a destination's id or any"), "--destination", "Whom it is for.")
    static let request = JobParameter(
        "request", .matching("^r-[0-9a-hjkmnp-tv-z]{20}$", "a request's id"), "--request",
        "The request for a filler that it answers; destination, baseline and target follow from it.")
    static let unsigned = JobParameter("unsigned", .flag, "--unsigned", "Make an unsigned bundle.")
    static let allowUnsettled = JobParameter(
        "allowUnsettled", .flag, "--allow-unsettled", "Accept a snapshot that was taken while the storage kept changing.")
    static let unlessEmpty = JobParameter("unlessEmpty", .flag, "--unless-empty", "Make no bundle where nothing differs.")
    static let artifact = JobParameter("artifact", .text(64), nil, isRequired: true, "The bundle.")
    static let medium = JobParameter("medium", .path, "--to", isRequired: true, "Where the medium is mounted.")
    static let mediumID = JobParameter(
        "mediumId", .matching("^m-[0-9a-hjkmnp-tv-z]{20}$", "a medium's id"), "--medium", "Write to no other medium that is mounted there.")
    static let spread = JobParameter(
        "spread", .flag, "--spread", "Write what fits, and go on with the next medium when the job is asked for again.")
    static let eject = JobParameter("eject", .flag, "--eject", "Unmount the medium when it is written.")
    static let volumeSize = JobParameter(
        "volumeSize", .integer(4...16_777_216), "--volume-size", "Cut the archive into volumes of so many MiB, a multiple of 4.")
}

/// Parameters that a job cannot have.
package struct JobParameterError: Error, Equatable, CustomStringConvertible {
    package let parameter: String
    /// What is wrong, and what is allowed.
    package let words: String

    package var description: String { "\(parameter): \(words)" }
}

/// The parameters of a job that differ from their defaults.
package struct JobParameters: Sendable, Equatable {
    package let values: [String: JSONValue]

    package static let none = JobParameters(values: [:])
    /// Of a check that repairs at once.
    package static let repairing = JobParameters(values: ["repair": true])
    /// Of a bundle that is made only where something differs.
    package static let unlessEmpty = JobParameters(values: ["unlessEmpty": true])

    private init(values: [String: JSONValue]) { self.values = values }

    /// Takes values for a kind of job.
    ///
    /// - Throws: the first that there is not, or that is not what it may be.
    package init(_ values: [String: JSONValue], for kind: JobKind) throws(JobParameterError) {
        let known = Dictionary(uniqueKeysWithValues: kind.parameters.map { ($0.name, $0) })
        var kept: [String: JSONValue] = [:]
        for (name, value) in values.sorted(by: { $0.key < $1.key }) {
            guard let parameter = known[name] else {
                let names = kind.parameters.map(\.name).joined(separator: ", ")
                throw JobParameterError(parameter: name, words: "\(kind.rawValue) has no such parameter; there are: \(names)")
            }
            if let words = parameter.form.complaint(value) { throw JobParameterError(parameter: name, words: words) }
            if value != .bool(false), value != .array([]) { kept[name] = value }
        }
        for parameter in kind.parameters where parameter.isRequired && kept[parameter.name] == nil {
            throw JobParameterError(parameter: parameter.name, words: "must be given")
        }
        self.values = kept
    }

    package var json: JSONValue {
        .object(JSONObject(uniqueMembers: values.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }))
    }

    package var isDryRun: Bool { values["dryRun"] == .bool(true) }

    /// What the command of the kind is given; operands stand behind `--`.
    package func arguments(for kind: JobKind) -> [String] {
        var options: [String] = []
        var operands: [String] = []
        // From the request that it answers, the command takes all that is implied otherwise, and refuses to be told it twice.
        let isAnswer = values[JobParameter.request.name] != nil
        for parameter in kind.parameters {
            let texts = values[parameter.name]?.argumentTexts ?? (isAnswer ? nil : parameter.implied.map { [$0] }) ?? []
            for text in texts {
                guard let option = parameter.option else {
                    operands.append(text)
                    continue
                }
                // Joined by `=`, so that no value is taken for an option.
                options.append(parameter.form == .flag ? option : "\(option)=\(text)")
            }
        }
        return options + (operands.isEmpty ? [] : ["--"] + operands)
    }
}

/// A kind of job with its parameters: what a schedule starts, and what a chain consists of.
package struct JobRequest: Sendable, Equatable {
    package let kind: JobKind
    package let parameters: JobParameters

    package init(_ kind: JobKind, _ parameters: JobParameters = .none) {
        self.kind = kind
        self.parameters = parameters
    }

    package var json: JSONValue { ["kind": .string(kind.rawValue), "parameters": parameters.json] }

    /// Reads `json`; `nil` for what is none.
    package init?(_ value: JSONValue) {
        guard let object = value.object, let kind = object["kind"]?.string.flatMap({ JobKind(rawValue: $0) }),
            let values = object["parameters"]?.object,
            let parameters = try? JobParameters(Dictionary(uniqueKeysWithValues: values.members.map { ($0.name, $0.value) }), for: kind)
        else { return nil }
        self.init(kind, parameters)
    }
}

extension JobRequest: CustomStringConvertible {
    /// The kind, and its parameters as words: `delta_refresh minutes=2880`; lists have commas.
    package var description: String {
        ([kind.rawValue]
            + kind.parameters.compactMap { parameter in
                parameters.values[parameter.name].map { "\(parameter.name)=\($0.word)" }
            }).joined(separator: " ")
    }

    /// Reads `description`.
    ///
    /// - Throws: `JobParameterError`, which names what is wrong.
    package init(_ text: String) throws(JobParameterError) {
        let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
        guard let kind = words.first.flatMap({ JobKind(rawValue: $0) }) else {
            let kinds = JobKind.allCases.map(\.rawValue).joined(separator: ", ")
            throw JobParameterError(parameter: "job", words: "\"\(words.first ?? "")\" is no kind of job; there are: \(kinds)")
        }
        var values: [String: JSONValue] = [:]
        for word in words.dropFirst() {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, values[parts[0]] == nil else {
                throw JobParameterError(parameter: parts[0], words: "is written once, as \(parts[0])=VALUE")
            }
            let form = kind.parameters.first { $0.name == parts[0] }?.form
            values[parts[0]] = form?.value(parts[1]) ?? .string(parts[1])
        }
        self.init(kind, try JobParameters(values, for: kind))
    }
}

extension JobParameter.Form {
    /// What a word means; `nil` for one that has no such meaning.
    fileprivate func value(_ word: String) -> JSONValue? {
        switch self {
        case .flag: word == "true" ? true : word == "false" ? false : nil
        case .integer: Int64(word).map { .integer($0) }
        case .word, .text, .matching, .path: .string(word)
        case .list(let form): .array(word.split(separator: ",").map { form.value(String($0)) ?? .string(String($0)) })
        }
    }
}

extension JSONValue {
    fileprivate var word: String {
        switch self {
        case .bool(let value): "\(value)"
        case .string(let text): text
        case .number: "\(integer ?? 0)"
        case .array(let elements): elements.map(\.word).joined(separator: ",")
        default: ""
        }
    }

    fileprivate var argumentTexts: [String] {
        switch self {
        case .string(let text): [text]
        case .number: integer.map { ["\($0)"] } ?? []
        case .array(let elements): elements.flatMap(\.argumentTexts)
        case .bool(true): [""]
        default: []
        }
    }
}

extension JobParameter.Form {
    /// What is wrong with a value; `nil` for one that may be.
    fileprivate func complaint(_ value: JSONValue) -> String? {
        switch (self, value) {
        case (.flag, .bool): nil
        case (.flag, _): "must be true or false"
        case (.integer(let range), _) where value.integer.map(range.contains) ?? false: nil
        case (.integer(let range), _): "must be an integer from \(range.lowerBound) to \(range.upperBound)"
        case (.word(let words), .string(let text)) where words.contains(text): nil
        case (.word(let words), _): "must be one of \(words.joined(separator: ", "))"
        case (.text(let limit), .string(let text)) where (1...limit).contains(text.utf8.count) && Self.isVisible(text): nil
        case (.text(let limit), _): "must be a text of 1 to \(limit) visible characters of ASCII"
        case (.matching(let pattern, _), .string(let text)) where Self.matches(text, pattern): nil
        case (.matching(_, let words), _): "must be \(words)"
        case (.path, .string(let text)) where (1...JobParameter.pathLimit).contains(text.utf8.count) && !Self.hasControl(text): nil
        case (.path, _): "must be a path of 1 to \(JobParameter.pathLimit) bytes without control characters"
        case (.list(let form), .array(let elements)):
            elements.count > JobParameter.listLimit
                ? "must have at most \(JobParameter.listLimit) elements" : elements.lazy.compactMap(form.complaint).first
        case (.list, _): "must be a list"
        }
    }

    private static func isVisible(_ text: String) -> Bool { text.utf8.allSatisfy { (0x21...0x7E).contains($0) } }

    private static func matches(_ text: String, _ pattern: String) -> Bool {
        guard isVisible(text), let regex = try? Regex(pattern) else { return false }
        return text.wholeMatch(of: regex) != nil
    }

    private static func hasControl(_ text: String) -> Bool {
        text.unicodeScalars.contains { $0.properties.generalCategory == .control }
    }
}
