/// Why a sound bundle is not imported here.
///
/// Nothing in the storage was changed.
package enum BundleRefusal: Error, Sendable, CustomStringConvertible {
    /// There is no trust store, so nothing can be trusted.
    case noTrustStore
    /// The trust store cannot be read.
    case brokenTrustStore(String)
    case unsigned
    case unsignedAfterSigned
    /// Too few of the keys that signed are trusted for this origin.
    case notTrusted(signedBy: [String], trusted: Int, needed: Int, origin: String)
    /// A trusted key is named, but the signature is not its.
    case forged(key: String)
    /// A signature speaks of another bundle than the descriptor does.
    case contradicted
    case foreignDestination(String, here: String)
    case gap(BundleGap)
    case noSpace(Preflight.Room)
    case noFiles(needed: Int64, free: Int64, at: String)
    case foldedNames(String, String)
    case notWritable(String, owner: UInt32, user: UInt32)
    /// The file system is mounted read-only.
    case readOnly(String)
    /// A file or link stands where a package's directory belongs.
    case obstructed(String)
    case notAStorage(String)

    /// Whether it is about signatures rather than about this storage.
    package var isAboutTrust: Bool {
        switch self {
        case .noTrustStore, .brokenTrustStore, .unsigned, .unsignedAfterSigned, .notTrusted, .forged, .contradicted: true
        default: false
        }
    }

    package var description: String {
        switch self {
        case .noTrustStore: "there is no trust store, so no bundle can be trusted"
        case .brokenTrustStore(let reason): "the trust store cannot be read, so no bundle can be trusted: \(reason)"
        case .unsigned: "the bundle is not signed"
        case .unsignedAfterSigned: "the bundle is not signed, and signed ones of this origin were imported before"
        case .notTrusted(let signedBy, let trusted, let needed, let origin):
            "\(trusted) of the keys \(signedBy.joined(separator: ", ")) are trusted for origin \(origin), and \(needed) must be"
        case .forged(let key): "the signature of key \(key) does not match; the descriptor or the signature was altered"
        case .contradicted: "the trusted comment of a signature speaks of another bundle"
        case .foreignDestination(let destination, let here): "the bundle is for \(destination), and this is \(here)"
        case .gap(let gap): gap.description
        case .noSpace(let room):
            "\"\(room.root)\" has room for \(room.freeBytes) bytes, and \(room.neededBytes) are needed: \(room.stagedBytes) for what comes "
                + "in, \(room.backupBytes) for what is kept of what it replaces, \(room.overheadBytes) for \(room.files) files, "
                + "\(room.reserveBytes) to spare"
        case .noFiles(let needed, let free, let path): "\"\(path)\" has room for \(free) files, and \(needed) are needed"
        case .foldedNames(let first, let second):
            "\"\(first)\" and \"\(second)\" differ in case only, which this file system does not keep apart"
        case .notWritable(let path, let owner, let user):
            "\"\(path)\" belongs to user \(owner), and user \(user) cannot write there in that user's name"
        case .readOnly(let path): "\"\(path)\" lies on a file system that is mounted read-only"
        case .obstructed(let path): "\"\(path)\" is not a directory, and a package belongs there"
        case .notAStorage(let reason): reason
        }
    }
}
