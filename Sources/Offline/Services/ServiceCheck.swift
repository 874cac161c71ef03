import Glibc
package import ImportLedger
import Integrity
package import PackageStore
import Platform
import Snapshots

/// Whether the registry serves what an import brought, asked over HTTP as npm would.
package struct ServiceCheck: Sendable {
    /// How much is asked for.
    package enum Extent: Sendable, Hashable {
        case none
        /// So many packages, spread over all of them, with one tarball each.
        case sample(Int)
        /// Every packument and every tarball.
        case all

        /// Accepts `none`, `sample`, `all`, or a number of packages.
        package init?(_ text: String) {
            switch text {
            case "none": self = .none
            case "sample": self = .sample(32)
            case "all": self = .all
            default:
                guard let count = Int(text), count > 0 else { return nil }
                self = .sample(count)
            }
        }

        package var text: String {
            switch self {
            case .none: "none"
            case .sample(let count): "\(count)"
            case .all: "all"
            }
        }
    }

    /// What was compared.
    package struct Report: Sendable, Hashable {
        package var packuments = 0
        package var tarballs = 0
        /// Bytes of the tarballs.
        package var bytes: Int64 = 0
        /// Packages that are not shown to strangers: nothing could be compared.
        package var hidden = 0
    }

    /// The registry does not serve what is in the storage.
    package struct Failure: Error, Equatable, CustomStringConvertible {
        package let subject: String
        package let reason: String

        package var description: String { "\(subject): \(reason)" }
    }

    private let client: HTTPClient
    private let address: RegistryAddress
    /// Waits for about a second; a test gives its own.
    private let pause: @Sendable () -> Void
    private static let packumentLimit: Int64 = 512 << 20
    private static let tarballLimit: Int64 = 4 << 30

    package init(
        _ address: RegistryAddress, authorization: String? = nil, idleMilliseconds: Int32 = 30_000,
        pause: @escaping @Sendable () -> Void = { pauseForASecond() }
    ) {
        self.address = address
        self.pause = pause
        client = HTTPClient(address, authorization: authorization, idleMilliseconds: idleMilliseconds)
    }

    /// Whether the registry answers now.
    package func answers() -> Bool { (try? ping()) != nil }

    /// Waits until the registry answers.
    package func wait(attempts: Int) throws(Failure) {
        for attempt in 1...max(1, attempts) {
            do throws(Failure) { return try ping() } catch {
                if attempt >= attempts { throw error }
            }
            pause()
        }
    }

    private func ping() throws(Failure) {
        let status: Int
        do { status = try client.get("/-/ping", limit: 1 << 20).answer.status } catch {
            throw Failure(subject: "\(address)/-/ping", reason: "\(error)")
        }
        guard status == 200 else { throw Failure(subject: "\(address)/-/ping", reason: "the answer is \(status)") }
    }

    /// Compares what is served with what the ledger says was brought.
    ///
    /// - Parameters:
    ///   - packages: of the import, in order.
    ///   - changes: what the import made of a package.
    package func compare(
        _ packages: [PackageName], _ extent: Extent, changes: (PackageName) throws -> [ChangeRecord]
    ) throws -> Report {
        var report = Report()
        for package in Self.chosen(packages, extent) {
            let brought = try changes(package).filter(\.outcome.isTaken)
            guard !brought.isEmpty else { continue }
            guard try compare(package, brought) else {
                report.hidden += 1
                continue
            }
            report.packuments += 1
            for change in Self.chosen(brought, extent == .all ? .all : .sample(1)) {
                report.bytes += try compare(change)
                report.tarballs += 1
            }
        }
        return report
    }

    /// As many as the extent says, evenly spread.
    static func chosen<Element>(_ all: [Element], _ extent: Extent) -> [Element] {
        switch extent {
        case .none: []
        case .all: all
        case .sample(let count): count >= all.count ? all : (0..<count).map { all[$0 * all.count / count] }
        }
    }

    /// `false` where the registry does not show the package to strangers.
    private func compare(_ package: PackageName, _ brought: [ChangeRecord]) throws -> Bool {
        let name = package.text.split(separator: "/").joined(separator: "%2f")
        let (answer, body) = try asking(package.text) { try client.get("/\(name)", limit: Self.packumentLimit) }
        if answer.status == 401 || answer.status == 403 { return false }
        guard answer.status == 200 else { throw Failure(subject: package.text, reason: "the answer is \(answer.status)") }
        let served: StoredPackument
        do { served = try StoredPackument(parsing: body, of: package) } catch { throw Failure(subject: package.text, reason: "\(error)") }
        let versions = Dictionary(served.declared.map { ($0.file, $0) }, uniquingKeysWith: { first, _ in first })
        for change in brought {
            guard let version = versions[change.path.file] else {
                throw Failure(subject: "\(change.path)", reason: "the packument that is served does not name it")
            }
            let proof = TarballProof(sha512: change.digest, sha1: nil, size: 0)
            guard version.matches(proof) != false else {
                throw Failure(subject: "\(change.path)", reason: "the packument that is served declares other bytes for it")
            }
        }
        return true
    }

    /// Bytes of the tarball that is served.
    private func compare(_ change: ChangeRecord) throws -> Int64 {
        let hasher = SHA512Hasher()
        var bytes: Int64 = 0
        let path = "/\(change.path.package)/-/\(change.path.file)"
        let answer = try asking("\(change.path)") {
            try client.get(path, limit: Self.tarballLimit) { piece in
                hasher.update(piece)
                bytes += Int64(piece.count)
            }
        }
        guard answer.status == 200 else { throw Failure(subject: "\(change.path)", reason: "the answer is \(answer.status)") }
        let digest = hasher.finalize()
        guard digest == change.digest else {
            throw Failure(subject: "\(change.path)", reason: "\(digest.hex) is served, and \(change.digest.hex) was imported")
        }
        return bytes
    }

    private func asking<Value>(_ subject: String, _ body: () throws -> Value) throws -> Value {
        do { return try body() } catch let error as HTTPClient.Failure { throw Failure(subject: subject, reason: error.description) }
    }
}

/// Waits for a second.
@Sendable package func pauseForASecond() { usleep(1_000_000) }
