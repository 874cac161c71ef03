import Platform
import SystemPackage

/// The machine's file system beside a registry that is creating each package that comes, and had looked just before it came.
///
/// Verdaccio opens the packument to create it, finds no directory, and then puts its own in place, whatever stands there by now.
struct CreatingFileSystem: ForwardingFileSystem {
    func renameWithoutReplacing(_ path: FilePath, to newPath: FilePath) throws(FileSystemError) -> Bool {
        guard try disk.renameWithoutReplacing(path, to: newPath) else { return false }
        let packument = newPath.appending("package.json")
        if let name = newPath.lastComponent?.string, try disk.status(of: packument) != nil {
            let empty = #"{"name":"\#(name)","versions":{},"dist-tags":{},"_attachments":{},"_distfiles":{}}"#
            try disk.write(Array(empty.utf8), to: packument)
        }
        return true
    }
}
