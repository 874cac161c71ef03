package import Integrity
package import PackageStore
package import Platform

/// What a scan learnt of one package, kept so that an unchanged package is not read again.
package struct PackageRecord: Sendable, Hashable {
    /// A tarball as it was hashed.
    package struct Tarball: Sendable, Hashable {
        package var file: FileName
        package var identity: FileIdentity
        package var proof: TarballProof
        /// The version that carries it; `nil` where it is left out as a finding.
        package var version: PackageVersion?
        /// Whether it is left out because upstream has withdrawn its version.
        package var isWithdrawn = false
        /// Whether it is left out because a check has found it damaged.
        package var isDamaged = false
    }

    /// The transfer form that was made.
    package struct Form: Sendable, Hashable {
        package var digest: SHA512Digest
        package var size: Int64
        /// Of the form without its readme.
        package var coreDigest: SHA512Digest
    }

    /// When the scan began that read these files, in nanoseconds: what is not older is hashed again.
    package var scannedAt: Int64
    /// `nil` where there was no packument.
    package var packument: FileIdentity?
    /// Of what upstream said otherwise when the form was made; `nil` where that was nothing.
    package var overlay: SHA512Digest?
    package var form: Form?
    package var tarballs: [Tarball]
    package var findings: [Finding]

    /// Whether all that was there could be read; a record of less is not relied on.
    var isComplete: Bool { !findings.contains { $0.code == .changedWhileRead || $0.code == .unreadable } }

    /// What stands in the storage and is not in a snapshot since upstream has withdrawn it: tarballs, and the packument where it is of
    /// nothing else.
    func withdrawnPaths(of package: PackageName) -> [StorePath] {
        var withdrawn = tarballs.filter(\.isWithdrawn).map(\.file)
        if !withdrawn.isEmpty, withdrawn.count == tarballs.count, isComplete { withdrawn.append(.packument) }
        return withdrawn.map { StorePath(package, $0) }
    }

    /// The tarballs that are damaged, undeclared or too large, with the finding that says so.
    func leftOut(of package: PackageName) -> [StorePath: Finding.Code] {
        var leftOut: [StorePath: Finding.Code] = [:]
        let whole = findings.first { $0.severity == .error }?.code ?? .tarballUndeclared
        for tarball in tarballs where tarball.version == nil && !tarball.isWithdrawn { leftOut[StorePath(package, tarball.file)] = whole }
        for finding in findings {
            guard let path = StorePath(finding.subject), !path.file.isPackument else { continue }
            if leftOut[path] != nil || finding.code == .tarballTooLarge { leftOut[path] = finding.code }
        }
        return leftOut
    }

    /// What of the package belongs into a snapshot, sorted by path.
    package func files(of package: PackageName) -> [SnapshotFile] {
        guard let form else { return [] }
        var files = tarballs.compactMap { tarball in
            tarball.version.map {
                SnapshotFile(
                    path: StorePath(package, tarball.file), digest: tarball.proof.sha512, size: tarball.proof.size, version: $0)
            }
        }
        files.append(
            SnapshotFile(path: StorePath(package, .packument), digest: form.digest, size: form.size, version: nil))
        files.sort { $0.path.file < $1.path.file }
        return files
    }
}

extension PackageRecord {
    private static let encodingVersion: UInt8 = 3

    /// A compact form for the catalog.
    ///
    /// It is a cache: any other program version may discard it.
    package var encoded: [UInt8] {
        var bytes: [UInt8] = [Self.encodingVersion]
        append(scannedAt, to: &bytes)
        append(packument, to: &bytes)
        bytes.append(overlay == nil ? 0 : 1)
        overlay?.append(to: &bytes)
        bytes.append(form == nil ? 0 : 1)
        if let form {
            form.digest.append(to: &bytes)
            form.coreDigest.append(to: &bytes)
            append(form.size, to: &bytes)
        }
        append(Int64(tarballs.count), to: &bytes)
        for tarball in tarballs {
            append(tarball.file.text, to: &bytes)
            append(tarball.identity, to: &bytes)
            tarball.proof.sha512.append(to: &bytes)
            append(tarball.proof.sha1?.hex ?? "", to: &bytes)
            append(tarball.version?.text ?? "", to: &bytes)
            bytes.append((tarball.isWithdrawn ? 1 : 0) + (tarball.isDamaged ? 2 : 0))
        }
        append(Int64(findings.count), to: &bytes)
        for finding in findings {
            append(finding.code.rawValue, to: &bytes)
            append(finding.subject, to: &bytes)
            append(finding.message, to: &bytes)
        }
        return bytes
    }

    /// Reads `encoded`; `nil` for what another version wrote, or for damage.
    package init?(decoding bytes: [UInt8]) {
        var input = Decoder(bytes: bytes)
        guard let head = input.head() else { return nil }
        scannedAt = head.scannedAt
        packument = head.packument
        overlay = head.overlay
        form = head.form
        tarballs = []
        guard let count = input.integer() else { return nil }
        for _ in 0..<count {
            guard let name = input.text(), let file = FileName(name), input.byte() == 1, let identity = input.identity(),
                let sha512 = input.digest(), let sha1 = input.text(), let version = input.text(),
                let marks = input.byte()
            else { return nil }
            let proof = TarballProof(sha512: sha512, sha1: SHA1Digest(hex: sha1), size: identity.size)
            tarballs.append(
                Tarball(
                    file: file, identity: identity, proof: proof, version: PackageVersion(version), isWithdrawn: marks & 1 != 0,
                    isDamaged: marks & 2 != 0))
        }
        findings = []
        guard let findingCount = input.integer() else { return nil }
        for _ in 0..<findingCount {
            guard let name = input.text(), let code = Finding.Code(rawValue: name), let subject = input.text(),
                let message = input.text()
            else { return nil }
            findings.append(Finding(code, subject, message))
        }
        guard input.isAtEnd else { return nil }
    }

    /// The transfer form that an encoded record names; `nil` where it names none, and for what another version wrote.
    package static func form(decoding bytes: [UInt8]) -> Form? {
        var input = Decoder(bytes: bytes)
        return input.head()?.form
    }

    private func append(_ value: Int64, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    private func append(_ text: String, to bytes: inout [UInt8]) {
        append(Int64(text.utf8.count), to: &bytes)
        bytes.append(contentsOf: text.utf8)
    }

    private func append(_ identity: FileIdentity?, to bytes: inout [UInt8]) {
        bytes.append(identity == nil ? 0 : 1)
        guard let identity else { return }
        append(Int64(bitPattern: identity.device), to: &bytes)
        append(Int64(bitPattern: identity.inode), to: &bytes)
        append(identity.size, to: &bytes)
        append(identity.modified, to: &bytes)
        append(identity.changed, to: &bytes)
    }

    private struct Decoder {
        let bytes: [UInt8]
        var position = 0

        var isAtEnd: Bool { position == bytes.count }

        /// What stands before the tarballs.
        struct Head {
            var scannedAt: Int64
            var packument: FileIdentity?
            var overlay: SHA512Digest?
            var form: Form?
        }

        mutating func head() -> Head? {
            guard byte() == PackageRecord.encodingVersion, let scannedAt = integer(), let hasPackument = byte() else { return nil }
            var head = Head(scannedAt: scannedAt)
            if hasPackument == 1 { head.packument = identity() }
            guard let hasOverlay = byte() else { return nil }
            if hasOverlay == 1 { head.overlay = digest() }
            guard let hasForm = byte() else { return nil }
            if hasForm == 1 {
                guard let digest = digest(), let core = self.digest(), let size = integer() else { return nil }
                head.form = Form(digest: digest, size: size, coreDigest: core)
            }
            return head
        }

        mutating func byte() -> UInt8? {
            guard position < bytes.count else { return nil }
            defer { position += 1 }
            return bytes[position]
        }

        mutating func integer() -> Int64? {
            guard position + 8 <= bytes.count else { return nil }
            defer { position += 8 }
            return bytes.withUnsafeBytes { Int64(littleEndian: $0.loadUnaligned(fromByteOffset: position, as: Int64.self)) }
        }

        mutating func text() -> String? {
            guard let count = integer(), count >= 0, count <= bytes.count - position else { return nil }
            defer { position += Int(count) }
            return String(decoding: bytes[position..<(position + Int(count))], as: UTF8.self)
        }

        mutating func digest() -> SHA512Digest? {
            guard position + SHA512Digest.byteCount <= bytes.count else { return nil }
            defer { position += SHA512Digest.byteCount }
            return SHA512Digest(bytes: bytes[position..<(position + SHA512Digest.byteCount)])
        }

        mutating func identity() -> FileIdentity? {
            guard let device = integer(), let inode = integer(), let size = integer(), let modified = integer(),
                let changed = integer()
            else { return nil }
            return FileIdentity(
                device: UInt64(bitPattern: device), inode: UInt64(bitPattern: inode), size: size, modified: modified, changed: changed)
        }
    }
}
