import BundleFormat
package import Platform
import SystemPackage

/// What became of a medium while it was written to.
///
/// What its index listed before is listed and whole, as far as the medium can still be read.
package enum MediumTrouble: Error, Equatable, CustomStringConvertible {
    /// It was pulled out, or unmounted.
    case gone(Medium)
    case full(Medium, needed: Int64, free: Int64)
    /// It can hold no more files, whatever room it has.
    case fullOfFiles(Medium)
    case readOnly(Medium)
    /// The device takes or gives no bytes any more.
    case failing(Medium, FileSystemError)

    package var description: String {
        switch self {
        case .gone(let medium): "\(medium) is gone"
        case .full(let medium, let needed, let free): "\(medium) is full: \(needed) bytes are needed, and \(max(free, 0)) are free"
        case .fullOfFiles(let medium): "\(medium) is full: it can hold no more files"
        case .readOnly(let medium): "\(medium) cannot be written to: it is read-only, or became so because it is damaged"
        case .failing(let medium, let error): "\(medium) fails: \(error)"
        }
    }
}

/// Looks whether a medium is still the one that it was, and tells by that what a failure means.
struct MediumWatch {
    private let medium: Medium
    private let device: UInt64
    /// So few files may be what was lacking where bytes were not.
    private static let fewFiles: Int64 = 64

    /// - Throws: `MediumWriter.Refusal.notADirectory`, `FileSystemError`.
    init(_ medium: Medium) throws {
        self.medium = medium
        guard let status = try DiskFileSystem().status(of: medium.root), status.kind == .directory else {
            throw MediumWriter.Refusal.notADirectory(medium.root)
        }
        device = status.identity.device
    }

    /// Whether the directory still is on the file system that it was on.
    var isThere: Bool { (try? DiskFileSystem().status(of: medium.root))?.identity.device == device }

    /// Throws where the medium was pulled out: what is written from then on would go to what lies below.
    func require() throws {
        guard isThere else { throw MediumTrouble.gone(medium) }
    }

    /// What an error means for somebody who holds the medium in their hands; the error itself where it is not about the medium.
    ///
    /// - Parameter needed: bytes that were still to be written.
    func explained(_ error: any Error, needed: Int64) -> any Error {
        guard isThere else { return error is BundleError ? error : MediumTrouble.gone(medium) }
        guard let failure = error as? FileSystemError, failure.path.starts(with: medium.root) else { return error }
        switch failure.errno {
        case .noSpace, .diskQuotaExceeded:
            let space = try? FileSystemSpace(holding: medium.root)
            // What was begun is gone by now, and has given back what it took.
            if let space, let files = space.freeFiles, files == 0 || (files < Self.fewFiles && space.freeBytes >= needed) {
                return MediumTrouble.fullOfFiles(medium)
            }
            return MediumTrouble.full(medium, needed: needed, free: space?.freeBytes ?? 0)
        case .readOnlyFileSystem: return MediumTrouble.readOnly(medium)
        case .ioError, .operationNotSupportedByDevice, .noSuchAddressOrDevice, .socketNotConnected, .staleNFSFileHandle:
            return MediumTrouble.failing(medium, failure)
        default: return error
        }
    }
}
