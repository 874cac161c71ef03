import ArgumentParser
import CanonicalJSON
import Catalog
import Integrity
import Keys
import Platform
import Snapshots
import SystemPackage
import Terminal

struct Keys: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys",
        abstract: "Make and show the keys that sign bundles.",
        discussion: "Keys are minisign's: \"minisign -Vm descriptor.json -p KEY.pub\" verifies what they sign.",
        subcommands: [Generate.self, Show.self])

    struct Generate: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "generate",
            abstract: "Make a key below STATE/keys.",
            discussion: "Encrypted where FERRY_KEY_PASSPHRASE gives a passphrase. Every key there signs every bundle.")

        @OptionGroup var state: StateOptions

        func run() throws {
            try reporting {
                let key = MinisignSecretKey.generate()
                let path = try KeyRing(state: state.directory()).add(key, passphrase: environment("FERRY_KEY_PASSPHRASE"))
                Terminal.say("key \(key.publicKey.keyID), fingerprint \(key.publicKey.fingerprint)")
                Terminal.say("carry the public key to the isolated side: ferry-offline trust add \(path) --origin …")
                guard state.json else { return try Terminal.output(path.string) }
                let made = JSONObject(uniqueMembers: key.publicKey.members + [("path", .string(path.string))])
                try Terminal.output(JSONValue.object(made).canonicalBytes + [0x0A])
            }
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "show", abstract: "Show the origin's id and its public keys.")

        @OptionGroup var state: StateOptions

        func run() throws {
            try reporting {
                let origin = try state.origin(state.catalog())
                let keys = try KeyRing(state: state.directory()).publicKeys()
                if state.json {
                    let shown: JSONValue = [
                        "origin": .string(origin.text), "keys": .array(keys.map { .object(JSONObject(uniqueMembers: $0.members)) }),
                    ]
                    return try Terminal.output(shown.canonicalBytes + [0x0A])
                }
                try Terminal.output("origin \(origin)")
                for key in keys {
                    try Terminal.output("key \(key.keyID)  \(key.base64)  fingerprint \(key.fingerprint)")
                }
            }
        }
    }
}

extension MinisignPublicKey {
    /// What `--json` prints of a key.
    fileprivate var members: [(name: String, value: JSONValue)] {
        [("key", .string(keyID.description)), ("publicKey", .string(base64)), ("fingerprint", .string(fingerprint))]
    }
}
