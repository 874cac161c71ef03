package import Catalog
import Integrity
package import PackageStore
package import Platform

/// What a tarball was found to be, by reading it once from its start to its end.
package struct TarballVerdict: Sendable, Hashable {
    /// The file that was read, before and after.
    package let identity: FileIdentity
    /// The digests and the length of its bytes.
    package let proof: TarballProof
    /// Whether the bytes are those that were published; `nil` where nobody says which those are.
    package let isAsPublished: Bool?
    /// Whether npm would make a package of it.
    package let isUnpackable: Bool
    /// What it is damaged by; never anything where the bytes are those that were published.
    package let damage: Damage?
    /// Why npm makes no package of what was published so.
    package let note: Damage?
    /// Files, directories and links in it, as far as it could be read.
    package let entries: Int
    /// Bytes that it inflates to, as far as it could be read.
    package let inflatedBytes: Int64
    /// The content of the package's own `package.json`, where it was asked for and has at most 1 MiB.
    package let manifest: [UInt8]?

    /// - Parameter structure: what the bytes are by themselves.
    init(_ job: TarballInspector.Job, _ identity: FileIdentity, _ proof: TarballProof, _ structure: Structure) {
        let isAsPublished = job.declared.matches(proof)
        self.identity = identity
        self.proof = proof
        self.isAsPublished = isAsPublished
        isUnpackable = structure.isUnpackable
        damage =
            switch isAsPublished {
            case true: nil
            case false: structure.damage ?? Self.mismatch(proof, job.declared)
            case nil: structure.isPadded ? nil : structure.damage
            }
        note = isAsPublished == true && !structure.isUnpackable ? structure.damage : nil
        entries = structure.entries
        inflatedBytes = structure.inflatedBytes
        manifest = structure.manifest
    }

    private static func mismatch(_ proof: TarballProof, _ declared: DeclaredDigests) -> Damage {
        func short(_ hex: String?) -> String { (hex?.prefix(16) ?? "") + "…" }
        let digests =
            if let sha512 = declared.sha512.first {
                "sha512 \(short(proof.sha512.hex)) instead of \(short(sha512.hex))"
            } else {
                "sha1 \(short(proof.sha1?.hex)) instead of \(short(declared.sha1.first?.hex))"
            }
        return Damage(.digestMismatch, "a whole archive, but not the one that was published: \(digests)")
    }
}
