import Glibc
package import SystemPackage

extension DiskFileSystem {
    /// The name of the user who owns what stands at a path; the number where he has none, `nil` where nothing does.
    package func owner(of path: FilePath) throws(FileSystemError) -> String? {
        guard let status = try status(of: path) else { return nil }
        var names = [CChar](repeating: 0, count: 16 << 10)
        let name = names.withUnsafeMutableBufferPointer { names -> String? in
            var (entry, found): (passwd, UnsafeMutablePointer<passwd>?) = (passwd(), nil)
            guard let base = names.baseAddress, getpwuid_r(status.owner, &entry, base, names.count, &found) == 0, found != nil else {
                return nil
            }
            return String(cString: entry.pw_name)
        }
        return name ?? "\(status.owner)"
    }
}
