import ArgumentParser
import CanonicalJSON
import ImportLedger
import Integrity
import Platform
import Replies
import Replying
import Snapshots
import SystemPackage
import Terminal
import Verification

struct Init: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Name this destination.",
        discussion: """
            Makes the destination's id and key, once, and prints the id. Its card, which "ferry-offline receipt" puts on a medium, tells the \
            connected side of both. Without --allow-unsigned-bundles every bundle must be signed by a trusted key.

            A storage that something else has filled is adopted, once: what is there is recorded as local, and packuments are cut to the \
            tarballs that are there, so that a registry without uplinks can serve them. What would be cut is shown and asked for first; each \
            packument is kept. Interrupted at any moment, the same command completes the work.
            """)

    @OptionGroup var state: StateOptions
    @Option(help: ArgumentHelp("What the connected side is to call this destination.", valueName: "name")) var name: String?
    @OptionGroup var adoption: AdoptionOptions
    @Flag(help: "Accept unsigned bundles until the first signed one of their origin.") var allowUnsignedBundles = false
    @Option(help: ArgumentHelp("After each import, keep so many generations to be rolled back by.", valueName: "count"))
    var keepGenerations: Int?
    @Option(help: ArgumentHelp("After each import, keep the generations that are no older.", valueName: "days")) var keepDays: Int?

    @OptionGroup var services: ServiceOptions
    @OptionGroup var removals: RemovalOptions

    func validate() throws {
        try validateRetention(keepGenerations, keepDays)
        if let name, !DestinationCard.isName(name) {
            throw ValidationError("--name is 1 to 100 bytes without control characters")
        }
    }

    func run() throws {
        try reporting {
            let ledger = try state.ledger()
            if adoption.dryRun { return try adoption.adopt(state, ledger) }
            if try ledger.destination() == nil { try ledger.setDestination(Identifier(.destination, random: randomBytes(20))) }
            if allowUnsignedBundles { try ledger.allowUnsigned() }
            try services.keep(in: ledger)
            try removals.keep(in: ledger)
            try ledger.setRetention(count: keepGenerations, days: keepDays)
            let identity = try state.identity(ledger, name: name)
            let card = identity.card
            Terminal.say("destination \(card.name), fingerprint of its key \(card.key.fingerprint)")
            if state.json {
                let made: JSONValue = [
                    "destination": .string(card.destination.text), "name": .string(card.name), "key": .string(card.key.keyID.description),
                    "publicKey": .string(card.key.base64), "fingerprint": .string(card.key.fingerprint),
                ]
                try Terminal.output(made.canonicalBytes + [0x0A])
            } else {
                try Terminal.output(card.destination.text)
            }
            try adoption.adopt(state, ledger)
        }
    }
}

struct Trust: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trust",
        abstract: "Say whose signatures count.", subcommands: [Add.self, Retire.self, Require.self, List.self])

    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "add",
            abstract: "Trust a key for an origin.",
            discussion: "Compare the fingerprint with what \"ferry-online keys show\" says before you rely on it.")

        @Argument(help: "The public key: a file, or its base64 line.") var key: String
        @Option(help: "The origin's id, o-….") var origin: String
        @OptionGroup var state: StateOptions

        func run() throws {
            try reporting {
                guard let origin = Identifier(origin, .origin) else { throw ValidationError("\"\(origin)\" is not an origin's id (o-…)") }
                let bytes = try DiskFileSystem().contents(of: FilePath(key), limit: 4096)
                let publicKey = try MinisignPublicKey(text: bytes.map { String(decoding: $0, as: UTF8.self) } ?? key)
                var trust = try state.trust() ?? TrustStore()
                trust.add(publicKey, origin: origin)
                try trust.write(to: state.trustPath())
                Terminal.say("key \(publicKey.keyID) is trusted for \(origin); fingerprint \(publicKey.fingerprint)")
            }
        }
    }

    struct Retire: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "retire", abstract: "Trust a key no more.")

        @Argument(help: "The key's id, as \"trust list\" shows it.") var key: String
        @OptionGroup var state: StateOptions

        func run() throws {
            try reporting {
                guard var trust = try state.trust(), trust.retire(key) else {
                    throw ValidationError("no key \"\(key)\" is trusted; \"ferry-offline trust list\" shows them")
                }
                try trust.write(to: state.trustPath())
                Terminal.say("key \(key) is retired")
                Trust.warn(of: trust)
            }
        }
    }

    struct Require: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "require",
            abstract: "Say how many trusted keys must have signed a bundle.",
            discussion: """
                With 2, a bundle is refused that only one of an origin's trusted keys has signed: a stolen key is then not enough. Every key \
                below STATE/keys of the connected side signs every bundle.
                """)

        @Argument(help: "How many, 1 to 16; 1 until something else is said.") var count: Int
        @OptionGroup var state: StateOptions

        func validate() throws {
            guard TrustStore.thresholds.contains(count) else { throw ValidationError("a bundle can be asked for 1 to 16 signatures") }
        }

        func run() throws {
            try reporting {
                var trust = try state.trust() ?? TrustStore()
                trust.require(count)
                try trust.write(to: state.trustPath())
                Terminal.say(count == 1 ? "one signature of a trusted key is enough" : "\(count) trusted keys must have signed a bundle")
                Trust.warn(of: trust)
            }
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List the keys.")

        @OptionGroup var state: StateOptions

        func run() throws {
            try reporting {
                guard let trust = try state.trust() else { return }
                for entry in trust.entries {
                    let word = entry.isRetired ? "retired" : "trusted"
                    if state.json {
                        let line: JSONValue = [
                            "key": .string(entry.key.keyID.description), "origin": .string(entry.origin.text), "state": .string(word),
                            "publicKey": .string(entry.key.base64), "fingerprint": .string(entry.key.fingerprint),
                            "required": .integer(trust.threshold),
                        ]
                        try Terminal.output(line.canonicalBytes + [0x0A])
                    } else {
                        try Terminal.output("\(entry.key.keyID)  \(entry.origin)  \(word)  \(entry.key.fingerprint)")
                    }
                }
                if trust.threshold > 1 { Terminal.say("\(trust.threshold) trusted keys must have signed a bundle") }
                Trust.warn(of: trust)
            }
        }
    }

    /// Names the origins whose bundles cannot be imported as things stand.
    private static func warn(of trust: TrustStore) {
        for (origin, keys) in trust.shut {
            Terminal.say(
                "ferry-offline: hint: \(keys) of the keys of \(origin) are trusted, and \(trust.threshold) must sign: its bundles are refused"
            )
        }
    }
}
