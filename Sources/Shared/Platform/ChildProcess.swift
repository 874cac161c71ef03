import Glibc

/// A program that is run to its end, with a limit to how long that may take.
package enum ChildProcess {
    /// How a program ended.
    package struct Result: Sendable {
        /// Its exit code; 128 and the signal's number where a signal ended it.
        package let status: Int32
        /// The first 64 KiB of what it wrote to its standard output and standard error.
        package let output: String
    }

    /// What kept a program from being run to its end, in words.
    package struct Failure: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    private static let outputLimit = 64 * 1024

    /// Runs a program, found as a shell finds it, with this process's environment and nothing to read.
    ///
    /// When the time is over it is killed.
    package static func run(_ arguments: [String], seconds: Int) throws(Failure) -> Result {
        var pipes: [Int32] = [0, 0]
        guard pipe(&pipes) == 0 else { throw Failure(description: "cannot make a pipe: \(String(cString: strerror(errno)))") }
        defer { close(pipes[0]) }
        for end in pipes { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, pipes[1], 1)
        posix_spawn_file_actions_adddup2(&actions, pipes[1], 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A group of its own, so that what it has started is killed with it.
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var child: pid_t = 0
        let spawned = posix_spawnp(&child, arguments[0], &actions, &attributes, &words, environ)
        close(pipes[1])
        guard spawned == 0 else { throw Failure(description: "cannot run \"\(arguments[0])\": \(String(cString: strerror(spawned)))") }
        let (output, isOver) = collect(pipes[0], until: now() + Int64(seconds) * 1000, of: child)
        if isOver { kill(-child, SIGKILL) }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
        if isOver { throw Failure(description: "\"\(arguments.joined(separator: " "))\" did not end in \(seconds) s and was killed") }
        let signal = status & 0x7F
        return Result(status: signal == 0 ? (status >> 8) & 0xFF : 128 + signal, output: String(decoding: output, as: UTF8.self))
    }

    /// What the program writes until it ends, or until the time is over.
    private static func collect(_ descriptor: Int32, until end: Int64, of child: pid_t) -> (output: [UInt8], isOver: Bool) {
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            // What it leaves running may keep the pipe open; whether it has ended itself is asked for as well.
            var information = siginfo_t()
            if waitid(P_PID, id_t(child), &information, WEXITED | WNOHANG | WNOWAIT) == 0, hasEnded(information) {
                var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                while poll(&request, 1, 0) > 0 {
                    let count = read(descriptor, &buffer, buffer.count)
                    if count <= 0 { break }
                    output += buffer.prefix(min(count, max(0, outputLimit - output.count)))
                }
                return (output, false)
            }
            let left = end - now()
            if left <= 0 { return (output, true) }
            var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&request, 1, Int32(min(left, 50))) > 0 else { continue }
            let count = read(descriptor, &buffer, buffer.count)
            if count > 0 {
                output += buffer.prefix(min(count, max(0, outputLimit - output.count)))
            } else {
                usleep(10_000)
            }
        }
    }

    private static func hasEnded(_ information: siginfo_t) -> Bool { information.si_signo == SIGCHLD }

    private static func now() -> Int64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
    }
}
