import Glibc

/// A connection over TCP to a server, with a limit to how long it may be silent.
package final class StreamSocket {
    /// What went wrong with a connection, in words.
    package struct Failure: Error, Equatable, CustomStringConvertible {
        package let description: String

        init(_ description: String) { self.description = description }
    }

    private let descriptor: Int32
    private let idleMilliseconds: Int32

    /// Connects to the first address of a host that answers.
    package init(connectingTo host: String, port: UInt16, idleMilliseconds: Int32) throws(Failure) {
        self.idleMilliseconds = idleMilliseconds
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV
        var found: UnsafeMutablePointer<addrinfo>?
        let result = getaddrinfo(host, "\(port)", &hints, &found)
        guard result == 0 else { throw Failure("the name \"\(host)\" is not known: \(String(cString: gai_strerror(result)))") }
        defer { freeaddrinfo(found) }
        var reason = "no address"
        var next = found
        while let address = next {
            next = address.pointee.ai_next
            let descriptor = socket(address.pointee.ai_family, address.pointee.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), 0)
            guard descriptor >= 0 else { continue }
            if let failure = Self.connect(descriptor, address.pointee, idleMilliseconds) {
                reason = failure
                close(descriptor)
                continue
            }
            self.descriptor = descriptor
            return
        }
        throw Failure("\(host):\(port) does not answer: \(reason)")
    }

    deinit { close(descriptor) }

    /// Why no connection came to be; `nil` where one did.
    private static func connect(_ descriptor: Int32, _ address: addrinfo, _ limit: Int32) -> String? {
        let flags = fcntl(descriptor, F_GETFL)
        _ = fcntl(descriptor, F_SETFL, flags | O_NONBLOCK)
        if Glibc.connect(descriptor, address.ai_addr, address.ai_addrlen) != 0 {
            guard errno == EINPROGRESS else { return String(cString: strerror(errno)) }
            guard wait(descriptor, Int16(POLLOUT), limit) else { return "no answer in \(limit / 1000) s" }
            var error: Int32 = 0
            var size = socklen_t(MemoryLayout<Int32>.size)
            getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size)
            guard error == 0 else { return String(cString: strerror(error)) }
        }
        return nil
    }

    /// Whether something happened before the time was over.
    private static func wait(_ descriptor: Int32, _ events: Int16, _ limit: Int32) -> Bool {
        while true {
            var request = pollfd(fd: descriptor, events: events, revents: 0)
            let count = poll(&request, 1, limit)
            if count < 0, errno == EINTR { continue }
            return count > 0
        }
    }

    /// Sends all the bytes.
    package func send(_ bytes: [UInt8]) throws(Failure) {
        var rest = bytes[...]
        while !rest.isEmpty {
            guard Self.wait(descriptor, Int16(POLLOUT), idleMilliseconds) else { throw silence }
            let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count < 0 {
                guard errno == EINTR || errno == EAGAIN else { throw Failure("the connection broke: \(String(cString: strerror(errno)))") }
                continue
            }
            rest = rest.dropFirst(count)
        }
    }

    /// The next bytes that come, at most `limit`; none where the server has ended the connection.
    package func receive(_ limit: Int) throws(Failure) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: limit)
        while true {
            guard Self.wait(descriptor, Int16(POLLIN), idleMilliseconds) else { throw silence }
            let count = recv(descriptor, &bytes, limit, 0)
            if count < 0 {
                guard errno == EINTR || errno == EAGAIN else { throw Failure("the connection broke: \(String(cString: strerror(errno)))") }
                continue
            }
            bytes.removeLast(limit - count)
            return bytes
        }
    }

    private var silence: Failure { Failure("nothing came for \(idleMilliseconds / 1000) s") }
}
