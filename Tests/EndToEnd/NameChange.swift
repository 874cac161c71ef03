import Foundation
import Platform
import SystemPackage

/// A change of a name that a cut may take back; its paths are those by which what it is about goes now.
struct NameChange {
    enum Kind {
        case made
        /// Where the file lies by now; `nil` of a directory.
        case removed(kept: FilePath?)
        /// Where it came from, and where what it replaced lies by now.
        case renamed(from: FilePath, kept: FilePath?)
        /// The old name of what is durable under a new one, in another directory.
        case left(for: FilePath)
    }

    var path: FilePath
    var kind: Kind

    /// The directory whose sync makes it durable.
    var directory: FilePath { path.parent }

    /// Follows what went elsewhere, or goes back there.
    mutating func follow(_ old: FilePath, to new: FilePath) {
        // A name that goes stays a name that was there; one in a directory that goes, goes with it.
        if path != old { path = path.following(old, to: new) }
        switch kind {
        case .renamed(let from, let kept) where from != old: kind = .renamed(from: from.following(old, to: new), kept: kept)
        case .left(let place): kind = .left(for: place.following(old, to: new))
        case .made, .removed, .renamed: break
        }
    }

    func undo(on disk: DiskFileSystem) throws {
        switch kind {
        case .made: try disk.removeTree(path)
        case .removed(let kept?): try disk.rename(kept, to: path)
        case .removed(nil): _ = try disk.createDirectory(path)
        case .renamed(let from, let kept):
            try disk.rename(path, to: from)
            if let kept { try disk.rename(kept, to: path) }
        case .left(let place):
            // One directory under two names: what is gone from it by now is gone from both.
            guard try disk.status(of: path) == nil, let status = try disk.status(of: place) else { return }
            if status.kind == .directory {
                try FileManager.default.copyItem(atPath: place.string, toPath: path.string)
            } else {
                _ = try disk.link(place, to: path)
            }
        }
    }
}

extension FilePath {
    /// Where it lies once what lies at the old place, or it lies in there, has gone to the new one.
    func following(_ old: FilePath, to new: FilePath) -> FilePath {
        var rest = self
        return self == old ? new : rest.removePrefix(old) ? new.pushing(rest) : self
    }
}
