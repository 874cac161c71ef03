import Glibc
package import SystemPackage

/// A file of the kernel that says when its contents change, such as `/proc/self/mountinfo`.
///
/// proc_pid_mountinfo(5): such a file is marked as having priority data after each change.
package final class AlertingFile: Sendable {
    private let path: FilePath
    private let descriptor: Int32

    package init(opening path: FilePath) throws(FileSystemError) {
        self.path = path
        descriptor = path.withPlatformString { open($0, O_RDONLY | O_CLOEXEC) }
        guard descriptor >= 0 else { throw FileSystemError("open", path, Errno(rawValue: errno)) }
    }

    deinit { close(descriptor) }

    /// What the file holds now; a change while it was read is told by `changes`.
    package func contents() throws(FileSystemError) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = pread(descriptor, &buffer, buffer.count, off_t(bytes.count))
            if count == 0 { return bytes }
            if count > 0 {
                bytes += buffer[..<count]
            } else if errno != EINTR {
                throw FileSystemError("read", path, Errno(rawValue: errno))
            }
        }
    }

    /// Waits for the next change since the file was opened or last waited for.
    ///
    /// - Returns: `false` where a signal came first, or nothing can be waited for.
    package func wait() -> Bool {
        var waits = [pollfd(fd: descriptor, events: Int16(POLLPRI), revents: 0)]
        return poll(&waits, 1, -1) > 0 && waits[0].revents & Int16(POLLPRI) != 0
    }

    /// What the file says now, and anew after each change; of several that nobody waited for, the last.
    ///
    /// Ends where the kernel tells no more, and with an error where the file cannot be read.
    package func changes<Value: Sendable>(
        _ parse: @escaping @Sendable ([UInt8]) -> Value
    ) -> AsyncThrowingStream<Value, any Error> {
        let (stream, continuation) = AsyncThrowingStream<Value, any Error>.makeStream(bufferingPolicy: .bufferingNewest(1))
        guard let bell = Bell() else {
            continuation.finish(throwing: FileSystemError("wait for a change of", path, Errno(rawValue: errno)))
            return stream
        }
        continuation.onTermination = { _ in bell.ring() }
        let thread = startThread { [self] in
            do throws(FileSystemError) {
                repeat { continuation.yield(parse(try contents())) } while waitForChange(or: bell)
                continuation.finish()
            } catch { continuation.finish(throwing: error) }
        }
        if let thread {
            pthread_detach(thread)
        } else {
            continuation.finish(throwing: FileSystemError("wait for a change of", path, .resourceTemporarilyUnavailable))
        }
        return stream
    }

    /// Waits for the next change.
    ///
    /// - Returns: `false` where the bell rang first, or nothing can be waited for.
    private func waitForChange(or bell: Bell) -> Bool {
        while true {
            var waits = [
                pollfd(fd: descriptor, events: Int16(POLLPRI), revents: 0), pollfd(fd: bell.ear, events: Int16(POLLIN), revents: 0),
            ]
            let count = poll(&waits, 2, -1)
            if count < 0, errno == EINTR { continue }
            return count > 0 && waits[1].revents == 0 && waits[0].revents & Int16(POLLPRI) != 0
        }
    }
}

/// Wakes a thread that polls.
private final class Bell: Sendable {
    let ear: Int32
    private let hand: Int32

    init?() {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return nil }
        (ear, hand) = (ends[0], ends[1])
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    }

    deinit {
        close(ear)
        close(hand)
    }

    func ring() {
        var letter: UInt8 = 0
        _ = write(hand, &letter, 1)
    }
}
