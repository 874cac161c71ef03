import Glibc

/// The service manager that started this process and wants to hear how it is, by the protocol of sd_notify(3).
package struct ServiceManager: Sendable {
    /// After how long a silence the manager ends the process; `nil` where it waits for ever.
    package let patience: Duration?
    private let address: [CChar]

    /// The variables by which a manager makes itself known; they are meant for one process, and not for those that it starts.
    package static let variables: Set<String> = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"]

    /// The manager that the environment names; `nil` where there is none.
    package init?(_ environment: (String) -> String?) {
        guard let name = environment("NOTIFY_SOCKET"), name.hasPrefix("/") || name.hasPrefix("@") else { return nil }
        var bytes = name.utf8.map { CChar(bitPattern: $0) }
        // An abstract address begins with a 0, for which @ stands.
        if name.hasPrefix("@") { bytes[0] = 0 }
        guard bytes.count < MemoryLayout.size(ofValue: sockaddr_un().sun_path) else { return nil }
        address = bytes
        let isForUs = environment("WATCHDOG_PID").map { $0 == "\(getpid())" } ?? true
        patience = isForUs ? environment("WATCHDOG_USEC").flatMap { Int64($0) }.flatMap { $0 > 0 ? .microseconds($0) : nil } : nil
    }

    /// What it is told.
    package enum State: String, Sendable {
        case ready = "READY=1"
        case stopping = "STOPPING=1"
        case alive = "WATCHDOG=1"
    }

    /// Tells it; a manager that does not hear is no reason to do anything else.
    package func tell(_ state: State) {
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var target = sockaddr_un()
        target.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &target.sun_path) { path in address.withUnsafeBytes { path.copyBytes(from: $0) } }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + address.count)
        let message = Array(state.rawValue.utf8)
        withUnsafePointer(to: &target) { target in
            target.withMemoryRebound(to: sockaddr.self, capacity: 1) { target in
                _ = sendto(descriptor, message, message.count, 0, target, length)
            }
        }
    }
}
