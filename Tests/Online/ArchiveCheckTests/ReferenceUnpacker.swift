import CanonicalJSON
import Foundation
import SystemPackage

/// npm's own `pacote`, which unpacks what `npm install` fetches, run by Node.
enum ReferenceUnpacker {
    /// Where npm's modules are; `nil` where npm is not installed.
    static let modules: String? = {
        let places = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/npm" }
        guard let npm = places.first(where: { FileManager.default.fileExists(atPath: $0) }) else { return nil }
        let folder = URL(fileURLWithPath: npm).resolvingSymlinksInPath().deletingLastPathComponent().deletingLastPathComponent()
        let modules = folder.appendingPathComponent("node_modules").path
        return FileManager.default.fileExists(atPath: "\(modules)/pacote") ? modules : nil
    }()

    /// What became of a tarball.
    struct Result {
        /// Whether it was unpacked without an error, and a package came of it.
        let isUnpacked: Bool
        /// Its `package.json`.
        let manifest: [UInt8]?
        /// The error, or what was warned of.
        let words: String
    }

    /// Unpacks every tarball, each into an empty directory, as one that came from a registry.
    static func unpack(_ tarballs: [FilePath], in folder: FilePath) throws -> [Result] {
        // A size below zero makes the library throw where nobody catches it.
        let body = """
            const pacote = require(modules + '/pacote'), Fetcher = require(modules + '/pacote/lib/fetcher.js'), results = []
            let words = [], fail
            process.on('log', (level, ...text) => { if (level === 'warn') words.push(text.slice(1).join(' ')) })
            process.on('uncaughtException', error => fail(error))
            for (const file of input) {
                // What failed may still be writing.
                const directory = folder + '/unpacked-' + results.length
                words = []
                let isUnpacked = true, manifest = null
                try {
                    const failure = new Promise((_, reject) => { fail = reject })
                    const fetcher = new pacote.FileFetcher('file:' + file, { where: folder, readSize: 65536 })
                    fetcher.cache = folder + '/cache'
                    await Promise.race([failure, Fetcher.prototype.extract.call(fetcher, directory)])
                } catch (error) { words = [error.message]; isUnpacked = false }
                try { manifest = fs.readFileSync(directory + '/package.json').toString('base64') } catch { isUnpacked = false }
                results.push([isUnpacked, manifest, words.join('; ')])
            }
            return results
            """
        return try run(body, .array(tarballs.map { .string($0.string) }), in: folder).array?.compactMap { result in
            guard let result = result.array else { return nil }
            let manifest = result[1].string.flatMap { Data(base64Encoded: $0) }
            return Result(isUnpacked: result[0] == true, manifest: manifest.map { Array($0) }, words: result[2].string ?? "")
        } ?? []
    }

    /// Packs directories with the library that packs for `npm publish`, and its options.
    static func pack(_ directories: [String], in folder: FilePath) throws -> [FilePath] {
        let body = """
            const tar = require(modules + '/tar')
            return input.map((directory, index) => {
                const file = folder + '/packed-' + index + '.tgz'
                const options = { cwd: directory, prefix: 'package/', portable: true, mtime: new Date('1985-10-26T08:15:00.000Z') }
                tar.c({ ...options, sync: true, file, gzip: { level: 9 }, follow: true }, fs.readdirSync(directory).sort())
                return file
            })
            """
        return try run(body, .array(directories.map { .string($0) }), in: folder).array?.compactMap { $0.string.map { FilePath($0) } } ?? []
    }

    private static func run(_ body: String, _ input: JSONValue, in folder: FilePath) throws -> JSONValue {
        let (given, answer) = (folder.appending("given.json").string, folder.appending("answer.json").string)
        try Data(input.canonicalBytes).write(to: URL(fileURLWithPath: given))
        let script = """
            const fs = require('fs'), [given, answer, modules, folder] = process.argv.slice(1)
            const work = async input => { \(body) }
            work(JSON.parse(fs.readFileSync(given, 'utf8'))).then(result => fs.writeFileSync(answer, JSON.stringify(result)))
            """
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["node", "-e", script, given, answer, modules ?? "", folder.string]
        try process.run()
        process.waitUntilExit()
        return try JSONParser.parse(Array(Data(contentsOf: URL(fileURLWithPath: answer))), mode: .likeJavaScript)
    }
}
