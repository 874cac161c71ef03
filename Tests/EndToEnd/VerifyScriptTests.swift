import BundleFormat
import Foundation
import Integrity
import MediaLayout
import Platform
import SystemPackage
import Testing

/// `tools/verify.sh` of a medium, run by the shells that people have.
@Suite struct VerifyScriptTests {
    private static let shells = [["/bin/dash"], ["/bin/busybox", "sh"], ["/bin/bash", "--posix"]].filter {
        let isThere = FileManager.default.isExecutableFile(atPath: $0[0])
        if !isThere { print("\($0[0]) is not installed: verify.sh is not tried with it") }
        return isThere
    }
    private static let hasMinisign = FileManager.default.isExecutableFile(atPath: "/usr/bin/minisign")

    /// Runs the script that lies on a medium.
    private func verify(_ medium: Medium, _ shell: [String], key: FilePath? = nil) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: shell[0])
        let options = key.map { ["-p", $0.string] } ?? []
        process.arguments = shell.dropFirst() + [medium.folder.appending("tools/verify.sh").string] + options
        process.currentDirectoryURL = URL(fileURLWithPath: "/")
        let output = medium.root.removingLastComponent().appending("said-\(UUID().uuidString)")
        try DiskFileSystem().write([], to: output)
        process.standardOutput = FileHandle(forWritingAtPath: output.string)
        process.standardError = FileHandle(forWritingAtPath: output.string)
        try process.run()
        process.waitUntilExit()
        return (process.terminationStatus, try String(contentsOfFile: output.string, encoding: .utf8))
    }

    private func world() throws -> (world: World, medium: Medium, archive: ArchiveSource, key: FilePath) {
        let world = try World()
        try world.put("noise", ["1.0.0": (0..<81_920).map { SHA512.digest(of: Array("\($0)".utf8)).hex }.joined()])
        try world.snapshot()
        let key = world.root.appending("origin.pub")
        try world.files.write(Array(world.key.publicKey.fileText.utf8), to: key)
        // A mount point as desktops make them.
        let root = world.root.appending("MY STICK")
        try world.files.createDirectories(root)
        return (world, Medium(root: root), try ArchiveSource(volumes: [world.bundle()]), key)
    }

    @Test func `the script on media is the one that is shipped beside the format`() throws {
        let shipped = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
            .appending("media-layout/tools/verify.sh")
        #expect(try DiskFileSystem().contents(of: shipped, limit: 1 << 20) == Array(MediumTools.verifyScript.utf8))
    }

    @Test(arguments: shells)
    func `what is whole is sound, and by whom it is signed`(shell: [String]) throws {
        let (world, medium, archive, key) = try world()
        try MediumWriter(medium: medium).initialise()
        #expect(try verify(medium, shell).status == 10)
        let entry = try MediumWriter(medium: medium).export(archive, volumeSize: 4 << 20)
        let bundle = entry.descriptor.bundle
        let plain = try verify(medium, shell)
        #expect(plain.status == 0 && plain.output == "sound    \(bundle): its signature was not checked\n")
        guard Self.hasMinisign else { return print("minisign is not installed: signatures are not tried") }
        let signed = try verify(medium, shell, key: key)
        #expect(signed.status == 0 && signed.output == "sound    \(bundle): signed by that key\n")
        let stranger = world.root.appending("stranger.pub")
        try world.files.write(Array(MinisignSecretKey.generate().publicKey.fileText.utf8), to: stranger)
        let forged = try verify(medium, shell, key: stranger)
        #expect(forged.status == 3 && forged.output.contains("no signature is by that key"))
        #expect(try verify(medium, shell, key: "/no/such/key").status == 64)
        // Volumes of a spread bundle by themselves, and an archive in one piece.
        try world.files.removeTree(medium.folder)
        _ = try MediumWriter(medium: medium).exportPart(archive, volumeSize: 4 << 20, wanted: [2])
        let part = try verify(medium, shell, key: key)
        #expect(part.status == 0 && part.output == "sound    \(bundle): signed by that key; only some volumes of it are here\n")
        try world.files.removeTree(medium.folder)
        _ = try MediumWriter(medium: medium).export(archive, volumeSize: nil)
        #expect(try verify(medium, shell, key: key).output == "sound    \(bundle): signed by that key\n")
        _ = try world.files.remove(medium.folder.appending("index.json"))
        #expect(try verify(medium, shell).output.hasSuffix("not listed in index.json: unfinished\n"))
    }

    @Test(arguments: shells)
    func `whatever is damaged, missing or strange is named`(shell: [String]) throws {
        let (world, medium, archive, key) = try world()
        let files = world.files
        let entry = try MediumWriter(medium: medium).export(archive, volumeSize: 4 << 20)
        let folder = medium.directory(of: entry.descriptor.bundle)
        let second = folder.appending(entry.volumes[1].name)
        let whole = try world.contents(of: folder)
        func link(_ name: String, to target: String) throws {
            _ = try files.remove(folder.appending(name))
            try FileManager.default.createSymbolicLink(atPath: folder.appending(name).string, withDestinationPath: target)
        }
        func flip(_ path: FilePath, at offset: Int, fixingSums: Bool) throws {
            var bytes = try #require(try files.contents(of: path, limit: 1 << 26))
            let before = SHA512.digest(of: bytes).hex
            bytes[offset] ^= 1
            try files.write(bytes, to: path)
            guard fixingSums else { return }
            let sums = folder.appending("SHA512SUMS")
            let text = String(decoding: try #require(try files.contents(of: sums, limit: 1 << 20)), as: UTF8.self)
            try files.write(Array(text.replacing(before, with: SHA512.digest(of: bytes).hex).utf8), to: sums)
        }
        let damages: [(words: String, needsKey: Bool, damage: () throws -> Void)] = [
            ("\(entry.volumes[1].name): FAILED", false, { try flip(second, at: 77, fixingSums: false) }),
            ("\(entry.volumes[1].name) is missing", false, { _ = try files.remove(second) }),
            ("is no plain file", false, { try link(entry.volumes[1].name, to: "/dev/zero") }),
            ("is no plain file", false, { try link("descriptor.json", to: "/etc/hostname") }),
            (
                "is no plain file", false,
                {
                    _ = try files.remove(folder.appending("chunks.sha512"))
                    #expect(mkfifo(folder.appending("chunks.sha512").string, 0o600) == 0)
                }
            ),
            ("SHA512SUMS is missing", false, { _ = try files.remove(folder.appending("SHA512SUMS")) }),
            (
                "SHA512SUMS is not one", false,
                { try files.write(Array("\(SHA512Digest.ofNothing.hex)  ../../../etc/passwd\n".utf8), to: folder.appending("SHA512SUMS")) }
            ),
            (
                "diff-999999999999.tar.zst is not in SHA512SUMS", false,
                { try files.write([1], to: folder.appending("diff-999999999999.tar.zst")) }
            ),
            ("a file has a strange name", false, { try files.write([1], to: folder.appending("x;touch pwned")) }),
            // An attacker who repairs the sums meets the signature.
            (
                "\(entry.volumes[0].name) is not what was signed: bytes 0-4194303", true,
                { try flip(folder.appending(entry.volumes[0].name), at: 77, fixingSums: true) }
            ),
            ("chunks.sha512 is not what was signed", true, { try flip(folder.appending("chunks.sha512"), at: 3, fixingSums: true) }),
            ("no signature is by that key", true, { try flip(folder.appending("descriptor.json"), at: 40, fixingSums: true) }),
        ]
        for (words, needsKey, damage) in damages where !needsKey || Self.hasMinisign {
            try files.removeTree(folder)
            try files.createDirectories(folder)
            for (name, bytes) in whole { try files.write(bytes, to: folder.appending(name)) }
            try damage()
            let run = try verify(medium, shell, key: needsKey ? key : nil)
            #expect(
                run.status == 3 && run.output.hasPrefix("DAMAGED  \(entry.descriptor.bundle): ") && run.output.contains(words),
                "\(words): \(run)")
        }
    }

    @Test func `the importer is put on the medium, proven, and can be run there`() throws {
        let (world, medium, _, _) = try world()
        let program = world.root.appending("ferry-offline")
        try world.files.write(Array("#!/bin/sh\necho imported $1\n".utf8), to: program)
        try MediumWriter(medium: medium).install(importer: program)
        let place = medium.folder.appending("tools/ferry-offline-\(MediumTools.architecture)")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: place.string)
        process.arguments = ["import"]
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        let counting = CountingFileSystem()
        try MediumWriter(medium: medium, files: counting).install(importer: program)
        #expect(counting.pieces == 0)
        try world.files.write([1, 2], to: program)
        try MediumWriter(medium: medium).install(importer: program)
        #expect(try world.files.contents(of: place, limit: 100) == [1, 2])
        #expect(throws: FileSystemError.self) { try MediumWriter(medium: medium).install(importer: "/no/such/program") }
    }
}
