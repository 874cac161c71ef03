import Glibc
import SystemPackage

/// Whether this process may write into a directory.
func isWritable(_ path: FilePath) -> Bool { path.withPlatformString { access($0, W_OK | X_OK) == 0 } }
