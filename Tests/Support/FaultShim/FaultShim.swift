import Foundation

/// A library that is loaded before the C library of a program and makes its calls fail (`fault.c`, which says how it is asked).
package enum FaultShim {
    /// Where the library lies; `nil` where there is no C compiler to make it.
    package static let library: String? = {
        let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("fault.c").path
        let made = FileManager.default.temporaryDirectory.appendingPathComponent("ferry-fault-\(UUID().uuidString).so").path
        for compiler in ["cc", "clang"] {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = [compiler, "-shared", "-fPIC", "-O1", "-o", made, source, "-ldl"]
            process.standardError = FileHandle.nullDevice
            guard (try? process.run()) != nil else { continue }
            process.waitUntilExit()
            if process.terminationStatus == 0 { return made }
        }
        return nil
    }()

    /// The environment of a program whose n-th call of that kind below a directory fails, as do all after it.
    ///
    /// - Parameters:
    ///   - kind: `write` for everything that changes files, or `read`.
    ///   - mark: a file that is made when the first call fails.
    package static func variables(_ kind: String, at call: Int, below directory: String, error: Int32, mark: String) -> [String: String] {
        [
            "LD_PRELOAD": library ?? "", "FERRY_FAULT_KIND": kind, "FERRY_FAULT_AT": "\(call)", "FERRY_FAULT_UNDER": directory,
            "FERRY_FAULT_ERRNO": "\(error)", "FERRY_FAULT_MARK": mark,
        ]
    }

    /// The environment of a program beside which something else is done right before its n-th call of that kind below a directory.
    ///
    /// - Parameters:
    ///   - command: for the shell.
    ///   - mark: a file that is made then.
    package static func variables(
        _ kind: String, at call: Int, below directory: String, running command: String, mark: String
    ) -> [String: String] {
        variables(kind, at: call, below: directory, error: 0, mark: mark).merging(["FERRY_FAULT_RUN": command]) { $1 }
    }

    /// The environment of a program whose clock is wrong by so many seconds.
    package static func clock(off seconds: Int) -> [String: String] {
        ["LD_PRELOAD": library ?? "", "FERRY_CLOCK_OFFSET": "\(seconds)"]
    }
}
