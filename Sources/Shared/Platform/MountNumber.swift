import CPlatform
package import SystemPackage

extension DiskFileSystem {
    /// The number, as `/proc/self/mountinfo` has it, of what is mounted where a path leads now; `nil` where nobody knows.
    ///
    /// What would be mounted by being looked at is not.
    package func mountNumber(holding path: FilePath) -> Int? {
        var number: Int64 = 0
        return path.withPlatformString { cplatform_mount_number($0, &number) } == 0 ? Int(number) : nil
    }
}
