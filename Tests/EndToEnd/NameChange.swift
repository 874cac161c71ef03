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

    private(set) var path: FilePath
    private(set) var kind: Kind
    /// The directory whose sync makes it durable.
    private(set) var directory: FilePath

    init(_ path: FilePath, _ kind: Kind) {
        self.path = path
        self.kind = kind
        directory = path.parent
    }

    var isLeft: Bool {
        if case .left = kind { true } else { false }
    }

    /// Follows what went elsewhere, or goes back there.
    mutating func follow(_ old: FilePath, to new: FilePath) {
        // A name that goes stays a name that was there; one in a directory that goes, goes with it.
        directory = directory.following(old, to: new)
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
        if self == old { return new }
        let text = string
        // Its components would take most of the time of the tests.
        return text.utf8.starts(with: old.string.utf8) && text.utf8.dropFirst(old.string.utf8.count).first == UInt8(ascii: "/")
            ? FilePath(new.string + text.dropFirst(old.string.count)) : self
    }
}
