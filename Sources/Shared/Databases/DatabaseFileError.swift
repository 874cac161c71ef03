package import SystemPackage

/// A database that cannot be used.
///
/// It is as it was.
package enum DatabaseFileError: Error, Equatable, CustomStringConvertible {
    /// A newer program has brought it up to a form this one does not know.
    case newer(FilePath, form: String, known: String)
    /// What it holds makes no sense.
    case damaged(String)
    /// The file is no database, or one that has lost some of itself; SQLite's words.
    case corrupt(FilePath, String)
    /// Another process has kept it locked.
    case locked(FilePath)
    /// It cannot be opened, read or written; SQLite's words.
    case inaccessible(FilePath, String)
    /// The disk has no room for the change, or too little to begin it.
    case noSpace(FilePath)

    package var description: String {
        switch self {
        case .newer(let path, let form, let known):
            "\"\(path)\" has form \(form), which a newer program gave it; this one knows the forms up to \(known)"
        case .damaged(let what): "the database is damaged: \(what)"
        case .corrupt(let path, let words): "\"\(path)\" is damaged: \(words)"
        case .locked(let path): "\"\(path)\" stays locked by another process"
        case .inaccessible(let path, let words): "\"\(path)\" cannot be used: \(words)"
        case .noSpace(let path): "no space is left on the disk that holds \"\(path)\"; make room and repeat the command"
        }
    }
}
