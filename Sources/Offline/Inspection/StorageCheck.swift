package import ImportLedger
import Integrity
package import PackageStore
import Platform
import SystemPackage

/// The storage against what the ledger says it should hold, and against what it says itself.
package struct StorageCheck: Sendable {
    /// Something that is not as it should be.
    package struct Issue: Sendable, Hashable {
        /// What it is; the raw values are the words used in JSON and never change their meaning.
        package enum Code: String, Sendable, Hashable, CaseIterable {
            /// A tarball that the packument names is not there.
            case missing
            /// A tarball has other bytes than were imported, or than its version declares; or something else stands in its place.
            case damaged
            /// A tarball or packument is there, and cannot be read.
            case unreadable
            /// A packument is not there, though tarballs were imported.
            case packumentMissing = "packument-missing"
            /// A packument that Verdaccio cannot use.
            case packumentDamaged = "packument-damaged"
            /// A tarball that was imported is there, and no version names it.
            case unnamed
            /// A version that was imported was removed here.
            case removedHere = "removed-here"

            /// Whether it is damage, rather than good to know.
            package var isDamage: Bool { self != .removedHere && self != .unnamed }
        }

        package let code: Code
        package let subject: String
        /// What was seen, in words.
        package let message: String
        /// The import that brought it; `nil` for what was published here.
        package let importID: Int64?
    }

    /// What a check came to.
    package struct Report: Sendable {
        package var packages = 0
        package var tarballs = 0
        /// Bytes that were read.
        package var bytes: Int64 = 0
        package var issues: [Issue] = []
        /// What does not belong into a storage.
        package var findings: [Finding] = []

        package var isDamaged: Bool { issues.contains(where: \.code.isDamage) }
    }

    private let layout: StorageLayout
    private let ledger: Ledger
    private let readsAll: Bool
    /// Told how far it is: packages done, all of them.
    private let progress: @Sendable (Int64, Int64) -> Void

    /// - Parameter readsAll: read every tarball to its last byte; else their sizes are compared, as far as they are known.
    package init(
        layout: StorageLayout, ledger: Ledger, readsAll: Bool, progress: @escaping @Sendable (Int64, Int64) -> Void = { _, _ in }
    ) {
        self.layout = layout
        self.ledger = ledger
        self.readsAll = readsAll
        self.progress = progress
    }

    /// Looks at every package that is there, or should be; changes nothing.
    package func run() throws -> Report {
        let found = try layout.discover()
        let packages = Set(found.packages.map(\.package)).union(try ledger.packagesGiven()).sorted()
        var report = Report(findings: found.findings)
        var next = 0
        let results = OrderedPipeline(
            width: 2, window: 8,
            pull: {
                guard next < packages.count else { return nil }
                defer { next += 1 }
                return (packages[next], try ledger.given(of: packages[next]))
            },
            transform: { package, given in try check(package, given) })
        var done: Int64 = 0
        while let result = try results.next() {
            report.packages += 1
            report.tarballs += result.tarballs
            report.bytes += result.bytes
            report.issues += result.issues
            done += 1
            progress(done, Int64(packages.count))
        }
        return report
    }

    private struct Result: Sendable {
        let given: [FileName: GivenFile]
        var tarballs = 0
        var bytes: Int64 = 0
        var issues: [Issue] = []

        /// Notes what was found of a file, or of the package.
        mutating func note(_ code: Issue.Code, _ subject: String, _ message: String, _ file: FileName? = nil) {
            let id = file.map { given[$0]?.importID } ?? given.values.map(\.importID).min()
            issues.append(Issue(code: code, subject: subject, message: message, importID: id))
        }
    }

    private func check(_ package: PackageName, _ given: [GivenFile]) throws -> Result {
        var result = Result(given: Dictionary(given.map { ($0.path.file, $0) }, uniquingKeysWith: { first, _ in first }))
        let files = DiskFileSystem()
        let directory = layout.directory(of: package)
        let stored: StoredPackument
        do {
            guard let bytes = try files.packument(in: directory) else {
                if try files.status(of: directory) == nil {
                    result.note(.removedHere, package.text, "the whole package is gone")
                } else {
                    result.note(.packumentMissing, package.text, "there is a directory without package.json; verdaccio's search ends at it")
                }
                return result
            }
            stored = try StoredPackument(parsing: bytes, of: package)
        } catch let error as PackumentError {
            result.note(.packumentDamaged, "\(package)/package.json", error.description)
            return result
        } catch let error as FileSystemError {
            result.note(.unreadable, "\(package)/package.json", error.description)
            return result
        }
        var named: Set<FileName> = []
        for version in stored.declared {
            named.insert(version.file)
            let path = StorePath(package, version.file)
            do { try check(version, path, in: directory, &result) } catch let obstruction as Obstruction {
                result.note(.damaged, "\(path)", "\(obstruction)", path.file)
            } catch let error as FileSystemError {
                result.note(.unreadable, "\(path)", error.description, path.file)
            }
        }
        for file in given where !named.contains(file.path.file) {
            if try files.status(of: directory.appending(file.path.file.text)) != nil {
                result.note(.unnamed, "\(file.path)", "no version names it; publishing that version here would be refused", file.path.file)
            } else {
                result.note(.removedHere, "\(file.path)", "it was imported, and removed here", file.path.file)
            }
        }
        return result
    }

    private func check(
        _ version: DeclaredVersion, _ path: StorePath, in directory: FilePath, _ result: inout Result
    ) throws {
        let given = result.given[path.file]
        let place = directory.appending(path.file.text)
        guard let reader = try FileReader.tarball(at: place) else {
            return result.note(.missing, "\(path)", "\(path.package)@\(version.version) names it, and it is not there", path.file)
        }
        result.tarballs += 1
        let size = try reader.status().identity.size
        // What was given and was published here since under the same number is judged by what its version declares.
        let isGiven = given.map { version.matches(TarballProof(sha512: $0.digest, sha1: nil, size: 0)) != false } ?? false
        if isGiven, let expected = given?.size, size != expected {
            return result.note(.damaged, "\(path)", "it has \(size) bytes, and \(expected) were imported", path.file)
        }
        guard readsAll else {
            if size == 0 { result.note(.damaged, "\(path)", "it is empty", path.file) }
            return
        }
        result.bytes += size
        let proof = try measure(reader, needsSHA1: version.needsSHA1)
        if isGiven, let given, proof.sha512 != given.digest {
            result.note(.damaged, "\(path)", "\(proof.sha512.hex) is there, and \(given.digest.hex) was imported", path.file)
        } else if version.matches(proof) == false {
            result.note(.damaged, "\(path)", "the bytes are not those that \(path.package)@\(version.version) declares", path.file)
        }
    }

    private func measure(_ reader: FileReader, needsSHA1: Bool) throws -> TarballProof {
        reader.adviseSequential()
        let sha512 = SHA512Hasher()
        let sha1 = needsSHA1 ? SHA1Hasher() : nil
        var offset: Int64 = 0
        while true {
            let piece = try reader.read(1 << 20, at: offset)
            if piece.isEmpty { return TarballProof(sha512: sha512.finalize(), sha1: sha1?.finalize(), size: offset) }
            sha512.update(piece)
            piece.withUnsafeBytes { sha1?.update($0) }
            offset += Int64(piece.count)
        }
    }
}
