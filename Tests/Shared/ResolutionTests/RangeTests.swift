import CanonicalJSON
import PackageStore
import Testing

/// Versions and ranges beside npm's own `semver`.
struct RangeTests {
    /// Writes versions and ranges, most of them usual, some of them wild.
    private struct Writer {
        var random: SplitMix

        init(seed: UInt64) { random = SplitMix(seed: seed) }

        mutating func one<Element>(_ choices: [Element]) -> Element { choices[Int.random(in: choices.indices, using: &random)] }

        mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

        mutating func number() -> String {
            chance(3)
                ? one(["00", "01", "007", "9007199254740991", "9007199254740992", "99999999999999999999"])
                : "\(Int.random(in: 0...4, using: &random))"
        }

        mutating func prerelease() -> String {
            let word = one(["alpha", "beta", "rc", "0", "1", "01", "x", "-", "beta-2", "a1", "9007199254740991"])
            return chance(50) ? "\(word).\(one(["0", "1", "2", "10", "x", "beta"]))" : word
        }

        mutating func version() -> String {
            var text = "\(number()).\(number()).\(number())"
            if chance(35) { text += one(["-", "-", "-", "-", ""]) + prerelease() }
            if chance(8) { text += one(["+build", "+1.2", "+", "+a..b"]) }
            if chance(8) { text = one(["v", "=", "= ", " v", "==", "V"]) + text }
            return text
        }

        mutating func partial() -> String {
            if chance(50) { return version() }
            let parts = Int.random(in: 1...3, using: &random)
            var text = (0..<parts).map { _ in chance(25) ? one(["x", "X", "*"]) : number() }.joined(separator: ".")
            if chance(10) { text += one(["-beta", "-", ".", "-0", "beta", "+b", "*"]) }
            return text
        }

        mutating func comparator() -> String {
            let sign = one([
                "", "", "^", "^", "^", "~", "~", "~>", ">", ">=", "<", "<=", "=", "> ", ">= ", "< ", "<=  ", "= ", "^ ", "~ ", "~> ", "==",
                "=>", "^v", "><", "!",
            ])
            return sign
                + (chance(4) ? one(["", "*", "x", "foo", "latest", "||", "-", "v", "1.2.3.4", "1.2.34.5", ">", "1.2.3 4"]) : partial())
        }

        mutating func range() -> String {
            (0..<one([1, 1, 1, 2, 3])).map { _ in
                chance(18)
                    ? partial() + one([" - ", " - ", " - ", "  -  ", "-", " -"]) + partial()
                    : (0..<one([0, 1, 1, 1, 2, 2, 3])).map { _ in comparator() }.joined(separator: one([" ", " ", "  ", "\t", ""]))
            }.joined(separator: one(["||", " || ", "|| ", " ||"]))
        }
    }

    private static let versions: [String] = {
        var writer = Writer(seed: 1)
        let usual = (0...3).flatMap { major in (0...2).flatMap { minor in (0...2).map { "\(major).\(minor).\($0)" } } }
        let prereleases = [
            "0.0.0-0", "0.0.0-beta", "0.0.1-0", "1.0.0-0", "1.2.3-beta.1", "1.2.3-beta.2", "2.0.0-rc.1", "2.0.0-x", "1.2.4-5.10",
        ]
        return usual + prereleases + ["4.0.0", "1.2.3+build", "01.2.3", "v1.2.3", "1.2.3beta"] + (0..<60).map { _ in writer.version() }
    }()

    private static func compare(_ ranges: [String]) throws -> [String] {
        let modes: [(String, VersionRange.Options)] = [
            ("strict", .init()), ("loose", .npm), ("engines", .engines), ("both", .init(isLoose: true, includesPrereleases: true)),
        ]
        let body = """
            const modes = [{}, { loose: true }, { includePrerelease: true }, { loose: true, includePrerelease: true }]
            return input.ranges.map(range => modes.map(mode => {
                let parsed
                try { parsed = new semver.Range(range, mode) } catch { return 'invalid' }
                return input.versions.map(version => parsed.test(version) ? '1' : '0').join('')
            }))
            """
        let answer = try ReferenceNPM.run(
            body, ["ranges": .array(ranges.map(JSONValue.string)), "versions": .array(versions.map(JSONValue.string))])
        var differences: [String] = []
        for (range, expected) in zip(ranges, answer.array ?? []) {
            for ((name, options), expected) in zip(modes, expected.array ?? []) {
                var found = "invalid"
                if let range = VersionRange(range, options) {
                    found = versions.map { version in
                        SemanticVersion(version, isLoose: options.isLoose).map(range.contains) ?? false ? "1" : "0"
                    }.joined()
                }
                if found == expected.string { continue }
                let which = zip(versions, zip(found, expected.string ?? "")).filter { $1.0 != $1.1 }.map(\.0).prefix(5)
                differences.append(
                    "\"\(range)\" \(name): \(expected.string == "invalid" ? "npm refuses it" : found == "invalid" ? "refused" : "\(which)")"
                )
            }
        }
        #expect(answer.array?.count == ranges.count)
        return differences
    }

    @Test(arguments: [11, 12, 130])
    func `three thousand generated ranges mean what npm means by them`(seed: UInt64) throws {
        var writer = Writer(seed: seed)
        let differences = try Self.compare((0..<1000).map { _ in writer.range() })
        #expect(differences.isEmpty, "\(differences.count): \(differences.prefix(20).joined(separator: "\n"))")
    }

    @Test func `every range that packages on this machine declare means what npm means by it`() throws {
        let ranges = Set(try ReferenceNPM.dependenciesOnThisMachine().map(\.spec)).sorted()
        #expect(ranges.count > 500)
        let differences = try Self.compare(ranges)
        #expect(differences.isEmpty, "\(differences.count): \(differences.prefix(20).joined(separator: "\n"))")
    }

    @Test(.enabled(if: ReferenceNPM.isOfToday, ReferenceNPM.isOld)) func `versions are read, written and ordered as npm does`() throws {
        var writer = Writer(seed: 5)
        let texts =
            Self.versions + (0..<500).map { _ in writer.version() } + [String(repeating: "1", count: 260), "", " 1.2.3 ", "1.2.3\u{A0}"]
        let body = """
            const read = loose => input.map(text => semver.parse(text, { loose })?.version ?? null)
            const loose = input.map(text => semver.parse(text, { loose: true })).filter(version => version)
            return { strict: read(false), loose: read(true), order: loose.map(a => loose.map(b => '<=>'[a.compare(b) + 1]).join('')) }
            """
        let answer = try #require(try ReferenceNPM.run(body, .array(texts.map(JSONValue.string))).object)
        for (member, isLoose) in [("strict", false), ("loose", true)] {
            for (text, expected) in zip(texts, answer[member]?.array ?? []) {
                #expect(SemanticVersion(text, isLoose: isLoose)?.description == expected.string, "\"\(text)\", \(member)")
            }
        }
        let versions = texts.compactMap { SemanticVersion($0, isLoose: true) }
        for (left, expected) in zip(versions, answer["order"]?.array ?? []) {
            let found = versions.map { left < $0 ? "<" : left == $0 ? "=" : ">" }.joined()
            #expect(found == expected.string, "\(left)")
        }
    }
}
