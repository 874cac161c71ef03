package import CanonicalJSON
package import Jobs
import Platform

/// What is told to everybody who listens: how jobs change, what running jobs log, and what others post.
///
/// How jobs change is read from the store, so it includes what other processes do, and a listener that was away asks for what came after the
/// last revision that it saw: nothing is missed, and of several changes of one job the last one counts. A slow listener is told later, and
/// never holds up the work; what it missed of logs and posts is lost to it, and logs can be read from their files.
package actor JobFeed {
    /// Something to tell.
    package struct Event: Sendable {
        /// `job`, `log`, or what was posted.
        package let name: String
        package let data: [UInt8]
        /// What a listener goes on from; `nil` for what is not sent again.
        package let revision: Int64?

        package init(name: String, data: [UInt8], revision: Int64?) {
            self.name = name
            self.data = data
            self.revision = revision
        }
    }

    private struct Listener {
        /// Up to where it has been told of jobs.
        var revision: Int64
        var others: [Event] = []
        var waiting: CheckedContinuation<Void, Never>?
    }

    /// Events beside those of jobs that are kept for a listener that is slow.
    private static let backlog = 256
    /// Changes that are kept to tell them again without asking the store.
    private static let memory = 1000

    private let store: JobStore
    private let encode: @Sendable (JobRecord) -> JSONValue
    private var revision: Int64
    /// Rising by revision.
    private var recent: [Event] = []
    /// What `recent` is complete after.
    private var recentStart: Int64
    private var listeners: [Int: Listener] = [:]
    private var lastNumber = 0
    private var tails: [Int64: LogTail] = [:]
    private var isOver = false

    /// - Parameter encode: what is told of a job.
    package init(store: JobStore, encode: @escaping @Sendable (JobRecord) -> JSONValue) throws {
        self.store = store
        self.encode = encode
        revision = try store.revision()
        recentStart = revision
        for job in try store.jobs(in: .running) { tails[job.id] = LogTail(store.log(of: job.id), atEnd: true) }
    }

    /// Looks for what has changed, and tells it.
    ///
    /// - Returns: whether a job has changed.
    /// - Throws: `DatabaseFileError`.
    @discardableResult
    package func turn() throws -> Bool {
        let changes = try store.changes(after: revision)
        for job in changes {
            recent.append(Event(name: "job", data: encode(job).canonicalBytes, revision: job.revision))
            revision = max(revision, job.revision)
            if job.state == .running, tails[job.id] == nil { tails[job.id] = LogTail(store.log(of: job.id), atEnd: false) }
        }
        if recent.count > Self.memory {
            let surplus = recent.count - Self.memory
            recentStart = recent[surplus - 1].revision ?? recentStart
            recent.removeFirst(surplus)
        }
        for (id, tail) in tails {
            let (lines, offset) = tail.read()
            if !lines.isEmpty { tell(Self.event(ofLog: id, lines, offset)) }
        }
        for job in changes where job.state.isEnded { tails[job.id] = nil }
        if !changes.isEmpty { wakeAll() }
        return !changes.isEmpty
    }

    private static func event(ofLog id: Int64, _ lines: [String], _ offset: Int64) -> Event {
        let data: JSONValue = [
            "job": .integer(id), "lines": .array(lines.map { .string($0) }), "offset": .integer(offset),
        ]
        return Event(name: "log", data: data.canonicalBytes, revision: nil)
    }

    /// Tells something that is no job.
    package func post(_ name: String, _ data: JSONValue) { tell(Event(name: name, data: data.canonicalBytes, revision: nil)) }

    private func tell(_ event: Event) {
        for number in listeners.keys {
            listeners[number]?.others.append(event)
            if let count = listeners[number]?.others.count, count > Self.backlog { listeners[number]?.others.removeFirst() }
        }
        wakeAll()
    }

    private func wakeAll() {
        for number in listeners.keys {
            listeners[number]?.waiting?.resume()
            listeners[number]?.waiting = nil
        }
    }

    /// Lets every listener go.
    package func end() {
        isOver = true
        wakeAll()
    }

    // MARK: Listening

    /// How many listen.
    package var audience: Int { listeners.count }

    /// Begins to listen.
    ///
    /// - Parameter revision: what was seen before; `nil` for the state of things now.
    package func listen(after revision: Int64?) -> Int {
        lastNumber += 1
        listeners[lastNumber] = Listener(revision: revision.map { min($0, self.revision) } ?? self.revision)
        return lastNumber
    }

    package func leave(_ number: Int) {
        listeners.removeValue(forKey: number)?.waiting?.resume()
    }

    /// What is new to a listener; waits until something is.
    ///
    /// - Returns: `nil` when the feed has ended or the listener has left.
    /// - Throws: `DatabaseFileError` where it has to be looked up.
    package func next(for number: Int) async throws -> [Event]? {
        while true {
            guard !isOver, let listener = listeners[number] else { return nil }
            let news = try changes(after: listener.revision)
            if !news.isEmpty || !listener.others.isEmpty {
                listeners[number]?.revision = news.last?.revision ?? listener.revision
                listeners[number]?.others = []
                return news + listener.others
            }
            await withCheckedContinuation { listeners[number]?.waiting = $0 }
        }
    }

    private func changes(after revision: Int64) throws -> [Event] {
        guard revision < recentStart else { return recent.filter { ($0.revision ?? 0) > revision } }
        return try store.changes(after: revision).map { Event(name: "job", data: encode($0).canonicalBytes, revision: $0.revision) }
    }
}
