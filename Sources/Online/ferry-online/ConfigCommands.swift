import ArgumentParser
import CanonicalJSON
import Documents
import Settings
import SystemPackage
import Terminal

struct Config: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Check, show and explain the settings.",
        discussion: """
            Settings are flags, else variables of the environment, else ferry.yaml, else defaults. The file is the one that --config or \
            FERRY_CONFIG names, else STATE/ferry.yaml, else /etc/ferry/ferry.yaml. A key or value that cannot be used is refused by every \
            command, with its line and exit code 78.

              ferry-online config example > /etc/ferry/ferry.yaml
              ferry-online config check
              ferry-online config show             (each value, and where it comes from)
              ferry-online config unit > /etc/systemd/system/ferry-online.service
            """,
        subcommands: [Check.self, Show.self, Example.self, Unit.self, Reference.self])

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check",
            abstract: "Say all that is wrong with the settings, with lines.",
            discussion: """
                Reads the settings as every command does, and Verdaccio's configuration where one is named. Changes nothing.

                Exit codes: 0 they can be used · 78 they cannot.
                """)

        @Argument(help: ArgumentHelp("The file to check, in place of the one that is in use.", valueName: "file")) var file: String?
        @OptionGroup var state: StateOptions

        func validate() throws {
            guard file == nil || state.config == nil else { throw ValidationError("name the file once") }
        }

        func run() throws {
            try reporting {
                do {
                    let settings = try file.map { try state.settings(SettingsFile(contentsOf: FilePath($0))) } ?? state.settings()
                    let verdaccio = try settings.verdaccio(environment)
                    if state.json { return try show(settings.file, []) }
                    let set = settings.entries(verdaccio).count { $0.source != .builtIn }
                    let file = settings.file.map { "\"\($0)\" is good" } ?? "there is no ferry.yaml"
                    Terminal.say("\(file); \(set) of \(settings.entries.count) keys are set")
                } catch let error as SettingsError {
                    guard state.json else { throw error }
                    try show(file.map { FilePath($0) }, error.problems)
                    throw ExitCode(78)
                }
            }
        }

        private func show(_ file: FilePath?, _ problems: [SettingsProblem]) throws {
            let problems: [JSONValue] = problems.map { ["source": $0.source.json, "message": .string($0.words)] }
            let value: JSONValue = ["file": .text(file?.string), "problems": .array(problems)]
            try Terminal.output(value.canonicalBytes + [0x0A])
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Show the value of every key, and where it comes from.",
            discussion: "Values are written as in ferry.yaml. Accepts the flags of other commands that set keys.")

        @Option(help: ArgumentHelp("A machine that packages are installed on; repeat it for each.", valueName: "os-cpu"))
        var platform: [String] = []
        @OptionGroup var registry: RegistryOptions
        @OptionGroup var storage: StorageOptions
        @OptionGroup var state: StateOptions

        func run() throws {
            try reporting {
                let settings = try state.settings(
                    storage.flags + registry.flags + [OnlineSettings.Flag("platforms", "--platform", platform)])
                let entries = try settings.entries(settings.verdaccio(environment))
                if state.json { return try Terminal.output(JSONValue.array(entries.map(\.json)).canonicalBytes + [0x0A]) }
                let width = entries.reduce(0) { max($0, $1.key.count) }
                let values = entries.map { $0.values?.joined(separator: ", ") ?? "-" }
                let valueWidth = min(40, values.reduce(0) { max($0, $1.count) })
                for (entry, value) in zip(entries, values) {
                    try Terminal.output("\(padded(entry.key, width))  \(padded(value, valueWidth))  \(entry.source)")
                }
            }
        }

        private func padded(_ text: String, _ width: Int) -> String {
            text + String(repeating: " ", count: max(0, width - text.count))
        }
    }

    struct Reference: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "reference",
            abstract: "Print docs/settings.md.", discussion: "\"scripts/reference\" writes it.", shouldDisplay: false)

        func run() throws {
            try reporting {
                let flags = [
                    ("state", "--state"), ("storage", "--storage"), ("verdaccio.config", "--verdaccio-config"),
                    ("verdaccio.registry", "--registry"), ("verdaccio.upstream", "--upstream"), ("platforms", "--platform"),
                    ("serve.listen", "--listen"),
                ].map { OnlineSettings.Flag($0.0, $0.1, []) }
                try Terminal.output(Array(OnlineSettings.reference(flags: flags).utf8))
            }
        }
    }

    struct Example: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "example", abstract: "Print a ferry.yaml with every key, explained.")

        func run() throws {
            try reporting { try Terminal.output(Array(OnlineSettings.example.utf8)) }
        }
    }
}
