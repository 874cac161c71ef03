package import Platform
package import SystemPackage

/// What both programs depend on of the machine.
extension Diagnosis {
    /// Looks at a directory that must be there, and be writable for whoever runs this.
    ///
    /// - Parameters:
    ///   - what: what it is, in words: `the storage`.
    ///   - advice: what to do where it is not there.
    /// - Returns: whether it can be used.
    package mutating func look(atDirectory path: FilePath, _ topic: String, _ what: String, ifMissing advice: String) -> Bool {
        let files = DiskFileSystem()
        do throws(FileSystemError) {
            guard let resolved = try files.resolve(path), let status = try files.status(of: resolved) else {
                complain(topic, "\(what) \"\(path)\" is not there", advice)
                return false
            }
            guard status.kind == .directory else {
                complain(topic, "\(what) \"\(path)\" is not a directory", advice)
                return false
            }
            guard files.isWritable(resolved) else {
                let owner = try files.owner(of: resolved) ?? "\(status.owner)"
                complain(topic, "\(what) \"\(path)\" belongs to \(owner), and cannot be written to by who runs this", "run it as \(owner)")
                return false
            }
            praise(topic, "\(what) \"\(path)\" is there, and can be written to")
            return true
        } catch {
            complain(topic, "\(error)", "make it readable for whoever runs this")
            return false
        }
    }

    /// Looks at how much room a disk has; what is too little for any work is an error, a tenth a warning.
    ///
    /// - Parameter space: asks how much; a test gives its own answer.
    package mutating func look(
        atDiskOf path: FilePath, holding what: String,
        space: (FilePath) throws -> FileSystemSpace = { try FileSystemSpace(holding: $0) }
    ) {
        do {
            let space = try space(path)
            let free = "the disk of \(what) has \(space.freeBytes >> 20) MiB of \(space.totalBytes >> 20) MiB free"
            if space.freeBytes < FileSystemSpace.reserve || space.freeFilesPercent.map({ $0 < 0.1 }) == true {
                complain("disk", "\(free), too little to work", "make room there")
            } else if space.freePercent < 10 || space.freeFilesPercent.map({ $0 < 10 }) == true {
                warn("disk", "\(free)\(space.freeFilesPercent.map { ", and \(Int($0)) % of its inodes" } ?? "")", "make room there")
            } else {
                praise("disk", free)
            }
        } catch {
            complain("disk", "the disk of \(what) cannot be asked: \(error)", "see that \"\(path)\" is mounted")
        }
    }

    /// Looks at the clock, beside what was recorded last.
    ///
    /// - Parameter recorded: when something was done last, as far as that is known.
    package mutating func look(atClock now: Timestamp, recorded: Timestamp?) {
        // Before this program was written.
        let written = Timestamp(nanoseconds: 1_767_225_600_000_000_000)
        let advice = "set the clock; nothing depends on it but labels, schedules, and what people read"
        if now < written {
            complain("clock", "it says \(now), which cannot be", advice)
        } else if let recorded, now.seconds + 300 < recorded.seconds {
            warn("clock", "it says \(now), and something was recorded at \(recorded) already", advice)
        } else {
            praise("clock", "it says \(now)")
        }
    }
}
