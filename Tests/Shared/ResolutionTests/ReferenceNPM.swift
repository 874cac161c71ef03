import CanonicalJSON
import Foundation
import Testing

/// npm's own `semver`, `npm-pick-manifest`, `npm-package-arg` and `npm-install-checks`, run by Node.
enum ReferenceNPM {
    /// Hands a value to the body of a JavaScript function of `input`, in reach of those four, and gives what it returns.
    static func run(_ body: String, _ input: JSONValue) throws -> JSONValue {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("ferry-reference-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (given, answer) = (folder.appendingPathComponent("given.json"), folder.appendingPathComponent("answer.json"))
        try Data(input.canonicalBytes).write(to: given)
        let script = """
            const fs = require('fs'), path = require('path')
            const npm = path.dirname(fs.realpathSync(process.env.PATH.split(':').map(d => d + '/npm').find(f => fs.existsSync(f))))
            const load = name => require(require.resolve(name, { paths: [npm] }))
            const semver = load('semver'), npa = load('npm-package-arg'), pick = load('npm-pick-manifest')
            const { checkPlatform } = load('npm-install-checks')
            const input = JSON.parse(fs.readFileSync(process.argv[1], 'utf8'))
            const answer = ((input) => { \(body) })(input)
            fs.writeFileSync(process.argv[2], JSON.stringify(answer))
            """
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["node", "-e", script, given.path, answer.path]
        try process.run()
        process.waitUntilExit()
        let bytes = try Array(Data(contentsOf: answer))
        return try JSONParser.parse(bytes, mode: .likeJavaScript)
    }

    /// Whether this npm reads, orders and picks versions and platforms as npm does since its version 10.
    static let isOfToday: Bool = {
        let major = try? run("return Number(require(path.resolve(npm, '..', 'package.json')).version.split('.')[0])", .null)
        return major?.integer.map { $0 >= 10 } ?? true
    }()
    static let isOld: Comment = "the npm here is older than 10 and chooses otherwise: nothing is compared with it"

    /// Every dependency that the packages on this machine declare, as `[name, spec]`, without doubles.
    static func dependenciesOnThisMachine() throws -> [(name: String, spec: String)] {
        let body = """
            const found = new Set(), seen = new Set()
            const visit = (directory, depth) => {
                let entries
                try { entries = fs.readdirSync(directory, { withFileTypes: true }) } catch { return }
                for (const entry of entries) {
                    const file = path.join(directory, entry.name)
                    if (entry.isDirectory() && depth > 0) visit(file, depth - 1)
                    if (entry.name !== 'package.json') continue
                    try {
                        const manifest = JSON.parse(fs.readFileSync(file, 'utf8'))
                        for (const kind of ['dependencies', 'devDependencies', 'peerDependencies', 'optionalDependencies'])
                            for (const [name, spec] of Object.entries(manifest[kind] ?? {}))
                                if (typeof spec === 'string') found.add(JSON.stringify([name, spec]))
                        const node = manifest.engines?.node
                        if (typeof node === 'string') found.add(JSON.stringify(['node', node]))
                    } catch {}
                }
            }
            for (const root of input) visit(root, 4)
            visit(path.resolve(npm, '..', 'node_modules'), 4)
            return [...found].sort().map(text => JSON.parse(text))
            """
        return try run(body, ["/usr/share/nodejs", "/usr/lib/node_modules"]).array?.compactMap { pair in
            guard let pair = pair.array, let name = pair[0].string, let spec = pair[1].string else { return nil }
            return (name, spec)
        } ?? []
    }
}

/// A generator of the same numbers every time.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
