import ArgumentParser
import Catalog
import Integrity
import Keys
import Platform
import SystemPackage
import Terminal

struct Keys: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make and show the keys that sign bundles.",
        discussion: "Keys are minisign's: \"minisign -Vm descriptor.json -p KEY.pub\" verifies what they sign.",
        subcommands: [Generate.self, Show.self])

    struct Generate: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a key below STATE/keys.",
            discussion: "Encrypted where FERRY_KEY_PASSPHRASE gives a passphrase. Every key there signs every bundle.")

        @OptionGroup var state: StateOptions

        func run() throws {
            try reporting {
                let key = MinisignSecretKey.generate()
                let path = try KeyRing(state: state.directory()).add(key, passphrase: environment("FERRY_KEY_PASSPHRASE"))
                Terminal.say("key \(key.publicKey.keyID), fingerprint \(key.publicKey.fingerprint)")
                Terminal.say("carry the public key to the isolated side: ferry-offline trust add \(path) --origin …")
                try Terminal.output(path.string)
            }
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show the origin's id and its public keys.")

        @OptionGroup var state: StateOptions

        func run() throws {
            try reporting {
                try Terminal.output("origin \(try state.origin(state.catalog()))")
                for key in try KeyRing(state: state.directory()).publicKeys() {
                    try Terminal.output("key \(key.keyID)  \(key.base64)  fingerprint \(key.fingerprint)")
                }
            }
        }
    }
}
