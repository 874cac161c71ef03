import Glibc
package import SystemPackage

extension DiskFileSystem {
    /// Whether whoever runs this may write to what stands at a path; links are followed.
    package func isWritable(_ path: FilePath) -> Bool {
        path.withPlatformString { faccessat(AT_FDCWD, $0, W_OK, AT_EACCESS) == 0 }
    }

    /// Whether whoever runs this may run what stands at a path; links are followed.
    package func isExecutable(_ path: FilePath) -> Bool {
        path.withPlatformString { faccessat(AT_FDCWD, $0, X_OK, AT_EACCESS) == 0 }
    }
}
