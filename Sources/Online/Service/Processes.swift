import Glibc
import SystemPackage

extension StopLine {
    /// Keeps a descriptor from the processes that others start.
    static func closeOnExecution(_ descriptor: FileDescriptor) throws {
        guard fcntl(descriptor.rawValue, F_SETFD, FD_CLOEXEC) == 0 else { throw Errno(rawValue: errno) }
    }
}

/// Tells a process to end, as Ctrl-C does.
func interruptProcess(_ process: Int32) { kill(process, SIGINT) }
