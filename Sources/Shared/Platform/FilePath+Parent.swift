import Glibc
package import SystemPackage

extension FilePath {
    /// The path without its last component: the directory it is in.
    ///
    /// What `removingLastComponent()` returns, which in a debug build checks each component of the path, and took half of the time of the tests
    /// that stop an import at each of its steps.
    package var parent: FilePath {
        withPlatformString { text in
            guard let slash = strrchr(text, 0x2F) else { return FilePath() }
            let length = max(slash - UnsafeMutablePointer(mutating: text), 1)
            return FilePath(platformString: Array(UnsafeBufferPointer(start: text, count: length)) + [0])
        }
    }

    /// The last component; empty where there is none.
    package var name: String {
        withPlatformString { text in
            guard let slash = strrchr(text, 0x2F) else { return String(cString: text) }
            return String(cString: slash + 1)
        }
    }
}
