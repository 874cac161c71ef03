package import CanonicalJSON

/// One thing that was looked at, and what is to be done where it is not as it should be.
package struct Symptom: Sendable, Hashable {
    /// How bad it is.
    package enum Level: String, Sendable, Comparable, CaseIterable {
        case ok
        /// It works, and will not for ever.
        case warning
        /// Something does not work.
        case error

        package static func < (left: Level, right: Level) -> Bool {
            (allCases.firstIndex(of: left) ?? 0) < (allCases.firstIndex(of: right) ?? 0)
        }
    }

    package let level: Level
    /// What it is about, in a word: `keys`.
    package let topic: String
    package let words: String
    /// What to do; `nil` where nothing has to be done.
    package let advice: String?
}

/// What came of looking at all that a program depends on.
package struct Diagnosis: Sendable {
    /// Everything that was looked at, in its order.
    package private(set) var symptoms: [Symptom] = []

    package init() {}

    /// Notes what is as it should be.
    package mutating func praise(_ topic: String, _ words: String) {
        symptoms.append(Symptom(level: .ok, topic: topic, words: words, advice: nil))
    }

    /// Notes what works, and will not for ever.
    package mutating func warn(_ topic: String, _ words: String, _ advice: String) {
        symptoms.append(Symptom(level: .warning, topic: topic, words: words, advice: advice))
    }

    /// Notes what does not work.
    package mutating func complain(_ topic: String, _ words: String, _ advice: String) {
        symptoms.append(Symptom(level: .error, topic: topic, words: words, advice: advice))
    }

    /// The worst of it.
    package var level: Symptom.Level { symptoms.map(\.level).max() ?? .ok }

    /// 0, or 3 where something does not work.
    package var exitCode: Int32 { level == .error ? 3 : 0 }

    /// A line for each, what to do below it.
    package var lines: [String] {
        let width = symptoms.reduce(0) { max($0, $1.topic.count) }
        return symptoms.flatMap { symptom in
            let level = symptom.level.rawValue + String(repeating: " ", count: 7 - symptom.level.rawValue.count)
            let topic = symptom.topic + String(repeating: " ", count: width - symptom.topic.count)
            let advice = symptom.advice.map { [String(repeating: " ", count: width + 11) + "→ \($0)"] } ?? []
            return ["\(level)  \(topic)  \(symptom.words)"] + advice
        }
    }

    /// The sum of it, in words.
    package var summary: String {
        let counts = [Symptom.Level.error, .warning].compactMap { level -> String? in
            let count = symptoms.count { $0.level == level }
            return count == 0 ? nil : "\(count) \(level.rawValue)\(count == 1 ? "" : "s")"
        }
        return counts.isEmpty ? "\(symptoms.count) things were looked at; all is as it should be" : counts.joined(separator: ", ")
    }

    /// What machines are told.
    package var json: JSONValue {
        [
            "level": .string(level.rawValue),
            "findings": .array(
                symptoms.map { symptom in
                    [
                        "level": .string(symptom.level.rawValue), "topic": .string(symptom.topic), "message": .string(symptom.words),
                        "advice": symptom.advice.map { .string($0) } ?? .null,
                    ]
                }),
        ]
    }
}
