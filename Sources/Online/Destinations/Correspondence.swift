import CanonicalJSON
package import Catalog
import Integrity
import PackageStore
package import Platform
package import Replies
import Resolution
package import Snapshots
package import SystemPackage

/// Reads what destinations say: their cards, their receipts, and their requests.
///
/// Nothing counts that is not signed by a key which a person has confirmed.
package struct Correspondence: Sendable {
    /// What came of one document.
    package enum Outcome: Sendable, Hashable, CustomStringConvertible {
        /// A destination that was not known; its key is to be confirmed.
        case introduced(DestinationRecord)
        /// A receipt that moves what is known of a destination.
        ///
        /// `behind` is the sequence of the newest state here where that destination has a later one.
        case receipt(ReceiptRecord, behind: Int64? = nil)
        case request(RequestRecord)
        /// It was read before, or says nothing new.
        case known(String)
        /// It does not count, and why.
        case refused(String, Refusal)

        package var description: String {
            switch self {
            case .introduced(let record):
                "new destination \"\(record.name)\" (\(record.id)), fingerprint \(record.key.fingerprint); compare it with what "
                    + "\"ferry-offline init\" says there, then: ferry-online destinations confirm \(record.id) --fingerprint …"
            case .receipt(let record, let behind):
                "receipt \(record.counter) of \(record.destination): "
                    + (record.sequence.map { "has state #\($0)" } ?? "acknowledges nothing")
                    + (record.missing > 0 ? ", \(record.missing) files of it are missing" : "")
                    + (record.refused > 0 ? ", \(record.refused) refused" : "")
                    + (behind.map {
                        "; the newest here is #\($0), so this side was restored from a backup: what is made from now on counts from there"
                    } ?? "")
            case .request(let record):
                "request \(record.id) of \(record.destination): "
                    + (record.kind == .want
                        ? "\(record.items) package(s), \(record.state.rawValue)"
                        : "\(record.items) files that bundle \(record.bundle?.text ?? "") builds upon")
            case .known(let name): "\(name): read before"
            case .refused(let name, let refusal): "refused \"\(name)\": \(refusal)"
            }
        }
    }

    /// Why a document does not count.
    package enum Refusal: Error, Sendable, Hashable, CustomStringConvertible {
        /// Not a document of ours, or not signed as it should be.
        case unusable(String)
        /// Its destination has not introduced itself.
        case unknownDestination(Identifier)
        /// Nobody has confirmed the key of its destination yet.
        case unconfirmed(Identifier)
        /// It is for another origin.
        case foreign(Identifier)
        /// A receipt that is no newer than the last one: a replay, or its destination was restored from a backup.
        case older(counter: Int64, last: Int64)
        /// A card with another key than the one that was confirmed.
        case otherKey(Identifier, fingerprint: String)

        /// What kind of refusal it is, for machines.
        package enum Word: String, Sendable, CaseIterable {
            case unusable
            case unknownDestination = "unknown-destination"
            case unconfirmed
            case foreign
            case older
            case otherKey = "other-key"
        }

        package var word: Word {
            switch self {
            case .unusable: .unusable
            case .unknownDestination: .unknownDestination
            case .unconfirmed: .unconfirmed
            case .foreign: .foreign
            case .older: .older
            case .otherKey: .otherKey
            }
        }

        package var description: String {
            switch self {
            case .unusable(let words): words
            case .unknownDestination(let id): "its destination \(id) is not known; its card must come with it"
            case .unconfirmed(let id):
                "the key of \(id) is not confirmed; compare the fingerprint, then: ferry-online destinations confirm \(id) --fingerprint …"
            case .foreign(let origin): "it is for origin \(origin)"
            case .older(let counter, let last):
                "its counter is \(counter), and the last receipt had \(last): replayed, or that destination was restored from a backup; if it "
                    + "was, say --accept-older"
            case .otherKey(let id, let fingerprint):
                "\(id) comes with another key, fingerprint \(fingerprint); if that is right: ferry-online destinations remove \(id), and read it "
                    + "again"
            }
        }
    }

    private let catalog: Catalog
    private let snapshots: SnapshotStore
    private let origin: Identifier
    private let clock: WallClock

    package init(catalog: Catalog, snapshots: SnapshotStore, origin: Identifier, clock: WallClock = .system) {
        self.catalog = catalog
        self.snapshots = snapshots
        self.origin = origin
        self.clock = clock
    }

    /// Reads all that lies in a medium's folder.
    ///
    /// - Parameters:
    ///   - folder: `ferry/` of the medium.
    ///   - acceptsOlder: take a receipt that is no newer than the last.
    /// - Returns: what came of each document, cards first.
    /// - Throws: what the catalog throws; what was taken until then stays.
    package func read(_ folder: FilePath, acceptsOlder: Bool = false) throws -> [Outcome] {
        let box = ReplyBox(root: folder)
        var outcomes: [Outcome] = []
        for place in ReplyBox.Folder.allCases {
            let replies = box.replies(in: place) { path, error in
                outcomes.append(.refused(path.lastComponent?.string ?? "\(path)", .unusable("\(error)")))
            }
            for reply in replies.sorted(by: Self.byCounter) { outcomes.append(try take(reply, from: place, acceptsOlder: acceptsOlder)) }
        }
        return outcomes
    }

    /// Receipts of one destination are taken in the order of their counters.
    private static func byCounter(_ left: SignedReply, _ right: SignedReply) -> Bool {
        func key(_ reply: SignedReply) -> (String, Int) {
            let parts = reply.fileName.split(separator: ".")
            return (String(parts.first ?? ""), parts.dropLast().last.flatMap { Int($0) } ?? 0)
        }
        return key(left) < key(right)
    }

    /// Takes one document.
    package func take(_ reply: SignedReply, from folder: ReplyBox.Folder, acceptsOlder: Bool = false) throws -> Outcome {
        do {
            switch folder {
            case .cards: return try takeCard(reply)
            case .receipts: return try takeReceipt(reply, acceptsOlder: acceptsOlder)
            case .requests: return try takeRequest(reply)
            }
        } catch let refusal as Refusal {
            return .refused(reply.fileName, refusal)
        } catch let error as ReplyError {
            return .refused(reply.fileName, .unusable(error.description))
        } catch let error as DocumentError {
            return .refused(reply.fileName, .unusable(error.description))
        }
    }

    private func takeCard(_ reply: SignedReply) throws -> Outcome {
        let unproved = try DestinationCard(parsing: reply.bytes)
        let card = try reply.open(DestinationCard.self, signedBy: unproved.key)
        guard var known = try catalog.knownDestination(card.destination) else {
            let record = DestinationRecord(id: card.destination, name: card.name, key: card.key, firstSeen: clock.now())
            try catalog.keep(record)
            return .introduced(record)
        }
        if known.key != card.key {
            guard known.confirmed == nil else { throw Refusal.otherKey(card.destination, fingerprint: card.key.fingerprint) }
            known.key = card.key
            known.name = card.name
            try catalog.keep(known)
            return .introduced(known)
        }
        if known.name != card.name {
            known.name = card.name
            try catalog.keep(known)
        }
        return known.confirmed == nil ? .introduced(known) : .known(reply.fileName)
    }

    /// The destination a document is from, whose key was confirmed.
    private func sender(_ id: Identifier) throws -> DestinationRecord {
        guard let record = try catalog.knownDestination(id) else { throw Refusal.unknownDestination(id) }
        guard record.confirmed != nil else { throw Refusal.unconfirmed(id) }
        return record
    }

    private func takeReceipt(_ reply: SignedReply, acceptsOlder: Bool) throws -> Outcome {
        guard let id = Request.claimedDestination(of: reply) else {
            _ = try Receipt(parsing: reply.bytes)
            throw Refusal.unusable("it does not say from whom it is")
        }
        let receipt = try reply.open(Receipt.self, signedBy: sender(id).key)
        guard receipt.origin == origin else { throw Refusal.foreign(receipt.origin) }
        let digest = SHA512.digest(of: reply.bytes)
        if let last = try catalog.receipts(of: id).first {
            if last.digest == digest { return .known(reply.fileName) }
            guard receipt.counter > last.counter || acceptsOlder else {
                throw Refusal.older(counter: receipt.counter, last: last.counter)
            }
        }
        let record = ReceiptRecord(
            destination: id, counter: receipt.counter, created: receipt.created, read: clock.now(), bundle: receipt.applied?.bundle,
            sequence: receipt.applied?.sequence, targetRoot: receipt.applied?.targetRoot, missing: receipt.missing.count,
            refused: receipt.refused.count, digest: digest)
        try catalog.add(record, document: reply.bytes, fulfilling: fulfilled(by: receipt))
        return .receipt(record, behind: try catchUp(with: receipt))
    }

    /// Where a destination has a later state than was ever made here, a copy of this side's state was put back: states from now on are later than
    /// that one, or their bundles would pass for old ones there.
    ///
    /// - Returns: the sequence of the newest state here, where that is so.
    private func catchUp(with receipt: Receipt) throws -> Int64? {
        guard let sequence = receipt.applied?.sequence else { return nil }
        let newest = max(
            try snapshots.headers().last.map { try catalog.sequence(of: $0) } ?? 0, try catalog.bundles().map(\.sequence).max() ?? 0)
        guard sequence > newest, sequence - newest < Self.furthest else { return nil }
        try catalog.raiseSequences(by: sequence + 1 - newest)
        return newest
    }

    /// A destination that is further ahead than this is not believed.
    private static let furthest: Int64 = 1_000_000

    private func takeRequest(_ reply: SignedReply) throws -> Outcome {
        guard let id = Request.claimedDestination(of: reply) else { throw Refusal.unusable("it does not say from whom it is") }
        let sender = try sender(id)
        let request = try Request(reply, signedBy: sender.key)
        guard request.origin == origin else { throw Refusal.foreign(request.origin) }
        guard try catalog.request(request.id) == nil else { return .known(reply.fileName) }
        let now = clock.now()
        func record(_ kind: RequestRecord.Kind, bundle: Identifier?, items: Int) -> RequestRecord {
            RequestRecord(
                id: request.id, destination: id, kind: kind, created: request.created, read: now, state: .new, changed: now, bundle: bundle,
                items: items)
        }
        let taken: RequestRecord
        switch request {
        case .want(let want): taken = record(.want, bundle: nil, items: want.specs.count)
        case .gap(let gap): taken = record(.gap, bundle: gap.bundle, items: gap.missing.count)
        }
        try catalog.add(taken, document: reply.bytes)
        if sender.approvesRequests { try decide(request.id, .approved) }
        return .request(try catalog.request(request.id)?.record ?? taken)
    }

    /// Approves or declines a request.
    ///
    /// What an approved one wants is fetched by the next refresh, with all that it needs.
    ///
    /// - Throws: `NoSuchRequest`; what the catalog throws. Then it stands as it did.
    package func decide(_ id: Identifier, _ state: RequestRecord.State) throws {
        guard let (record, document) = try catalog.request(id) else { throw NoSuchRequest(id: id.text) }
        let specs = record.kind == .want && state == .approved ? try WantRequest(parsing: document).specs : []
        let usable = specs.filter { if case .success = RegistryDependency.read(argument: $0) { true } else { false } }
        try catalog.decide(id, state, wanting: usable, at: clock.now())
    }

    /// Confirms the key of a destination that a person has compared.
    ///
    /// - Throws: `NoSuchDestination`, `OtherFingerprint`.
    package func confirm(_ id: Identifier, fingerprint: String) throws {
        guard var record = try catalog.knownDestination(id) else { throw NoSuchDestination(id: id.text) }
        let told = fingerprint.filter { !$0.isWhitespace }.lowercased()
        guard told == record.key.fingerprint.filter({ !$0.isWhitespace }) else {
            throw OtherFingerprint(id: id.text, fingerprint: record.key.fingerprint)
        }
        record.confirmed = clock.now()
        try catalog.keep(record)
    }
}

/// There is no request of that id.
package struct NoSuchRequest: Error, Equatable, CustomStringConvertible {
    package let id: String

    package init(id: String) { self.id = id }

    package var description: String { "there is no request \"\(id)\"" }
}

/// There is no destination of that id.
package struct NoSuchDestination: Error, Equatable, CustomStringConvertible {
    package let id: String

    package init(id: String) { self.id = id }

    package var description: String { "there is no destination \"\(id)\"" }
}

/// The fingerprint that was given is not the key's.
package struct OtherFingerprint: Error, Equatable, CustomStringConvertible {
    package let id: String
    package let fingerprint: String

    package var description: String { "the fingerprint of \(id)'s key is \(fingerprint), not the one that was given" }
}

extension Correspondence {
    /// The approved requests of its destination that a receipt shows to be fulfilled.
    private func fulfilled(by receipt: Receipt) throws -> [Identifier] {
        guard let applied = receipt.applied else { return [] }
        var fulfilled: [Identifier] = []
        var wants: [(id: Identifier, dependencies: [RegistryDependency])] = []
        for record in try catalog.requests(in: [.new, .approved], of: receipt.destination) {
            guard let document = try catalog.request(record.id)?.document else { continue }
            switch record.kind {
            case .gap: if try applied.sequence >= GapRequest(parsing: document).sequence { fulfilled.append(record.id) }
            case .want:
                let specs = try WantRequest(parsing: document).specs
                wants.append((record.id, specs.compactMap { try? RegistryDependency.read(argument: $0).get() }))
            }
        }
        guard !wants.isEmpty, let held = try holdings(of: receipt, packages: Set(wants.flatMap { $0.dependencies.map(\.package) })) else {
            return fulfilled
        }
        for (id, dependencies) in wants {
            let isMet = dependencies.allSatisfy { dependency in
                held[dependency.package].map { dependency.isMet(by: $0.versions, tags: $0.tags) } ?? false
            }
            if isMet { fulfilled.append(id) }
        }
        return fulfilled
    }

    /// Which versions of packages a destination has, by the state it acknowledges; `nil` where that is not known here.
    private func holdings(
        of receipt: Receipt, packages: Set<PackageName>
    ) throws -> [PackageName: (versions: [PackageVersion], tags: [String: String])]? {
        guard let root = receipt.applied?.targetRoot, var reader = try snapshots.snapshot(of: root) else { return nil }
        let missing = Set(receipt.missing.map(\.path))
        var held: [PackageName: (versions: [PackageVersion], tags: [String: String])] = [:]
        while let file = try reader.next() {
            guard packages.contains(file.path.package), !missing.contains(file.path) else { continue }
            if let version = file.version {
                held[file.path.package, default: ([], [:])].versions.append(version)
            } else if file.path.file.isPackument,
                let bytes = try DiskFileSystem().contents(of: snapshots.object(file.digest), limit: StoredPackument.sizeLimit),
                let stored = try? StoredPackument(parsing: bytes, of: file.path.package)
            {
                held[file.path.package, default: ([], [:])].tags =
                    stored.object["dist-tags"]?.object?.dictionary.compactMapValues(\.string) ?? [:]
            }
        }
        return held
    }
}
