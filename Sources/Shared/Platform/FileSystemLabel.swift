import CPlatform
import Glibc
package import SystemPackage

extension DiskFileSystem {
    /// The label of the mounted file system that holds a directory; `nil` where it has none, or does not say.
    ///
    /// FS_IOC_GETFSLABEL: ext4, XFS, Btrfs and F2FS answer it, whoever asks.
    package func label(holding directory: FilePath) -> String? {
        let descriptor = directory.withPlatformString { open($0, O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC) }
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var label = [CChar](repeating: 0, count: 257)
        guard cplatform_file_system_label(descriptor, &label) == 0 else { return nil }
        let bytes = label.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
    }
}
