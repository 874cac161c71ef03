import BundleFormat
import CanonicalJSON
package import ImportLedger
package import Integrity
package import PackageStore
package import Platform
package import Replies
import Resolution
package import Snapshots
package import SystemPackage
package import Verification

/// Makes what goes back to the origins, from the ledger and the storage: receipts, and requests for what is wanted or lacking.
package struct ReplyMaker: Sendable {
    private let identity: DestinationIdentity
    private let layout: StorageLayout
    private let state: FilePath
    private let ledger: Ledger
    private let clock: WallClock
    private let random: @Sendable () -> [UInt8]

    /// Imports whose target states are kept, of each origin.
    private static let keptTargets = 3

    package init(
        _ identity: DestinationIdentity, layout: StorageLayout, state: FilePath, ledger: Ledger, clock: WallClock = .system,
        random: @escaping @Sendable () -> [UInt8] = { randomBytes(20) }
    ) {
        self.identity = identity
        self.layout = layout
        self.state = state
        self.ledger = ledger
        self.clock = clock
        self.random = random
    }

    /// The origins of which something was imported here, in the order of the first import.
    package func origins() throws -> [Identifier] {
        var origins: [Identifier] = []
        for record in try ledger.imports().reversed() where !origins.contains(record.origin) { origins.append(record.origin) }
        return origins
    }

    /// What was said last to each origin, and stays where the state is.
    private var outbox: ReplyBox { ReplyBox(root: state.appending("replies")) }

    /// What verifies all of it.
    package var key: MinisignPublicKey { identity.card.key }

    /// The card of this destination.
    package func card() throws -> SignedReply {
        let card = try identity.sign(identity.card)
        try outbox.put(card, in: .cards)
        return card
    }

    /// The receipt for an origin: the last one where nothing has happened since, else a new one.
    ///
    /// Every file of the applied state is looked for; where a new receipt is made without `isAsked`, right after an import that has proved
    /// that all that it was to bring is here, none is.
    ///
    /// - Parameters:
    ///   - justApplied: the bundle that was imported just now.
    ///   - isAsked: make a new one in any case.
    package func receipt(for origin: Identifier, justApplied: Identifier? = nil, isAsked: Bool = false) throws -> SignedReply {
        let imports = try ledger.imports()
        let newest = imports.first { $0.origin == origin && $0.finished != nil }
        let mark = "receipt.\(origin)"
        let state = "\(newest?.id ?? 0) \(newest?.state.rawValue ?? "")"
        if !isAsked, try ledger.setting(mark) == state, let last = lastReceipt(for: origin) { return last }
        let targets = TargetStore(state: self.state)
        let applied = imports.filter { $0.kind == .import && $0.state == .applied }
        let ours = applied.filter { $0.origin == origin }.sorted { ($0.sequence, $0.id) > ($1.sequence, $1.id) }
        let kept = Dictionary(grouping: applied, by: \.origin).values.flatMap { records in
            records.sorted { ($0.sequence, $0.id) > ($1.sequence, $1.id) }.prefix(Self.keptTargets).map(\.targetRoot)
        }
        try targets.prune(keeping: Set(kept))
        var acknowledged: Receipt.Applied?
        var missing: [FileReference] = []
        for record in ours {
            guard var cursor = try targets.open(record.targetRoot) else { continue }
            let isProved = try !isAsked && record.bundle == justApplied && !ledger.hasUndone(record.id)
            let lacking = isProved ? [] : try self.missing(of: &cursor, origin: origin)
            if let lacking {
                acknowledged = Receipt.Applied(bundle: record.bundle, sequence: record.sequence, targetRoot: record.targetRoot)
                missing = lacking
            }
            break
        }
        let refused = try ledger.refused(of: origin).prefix(Receipt.fileLimit).map {
            Receipt.Refusal(FileReference($0.path, $0.digest), outcome: $0.outcome.rawValue)
        }
        let told = imports.filter { $0.origin == origin && $0.kind == .import && ($0.state == .applied || $0.state == .rolledBack) }
        let receipt = Receipt(
            destination: identity.card.destination, origin: origin, counter: try ledger.takeReceiptCounter(), created: clock.now(),
            applied: acknowledged,
            imports: told.prefix(Receipt.importLimit).map {
                Receipt.Import(bundle: $0.bundle, sequence: $0.sequence, result: $0.state == .applied ? .applied : .rolledBack)
            }, missing: missing, refused: refused)
        let signed = try identity.sign(receipt)
        try outbox.put(signed, in: .receipts) { $0.hasPrefix(Self.stem(receipt.destination, origin)) }
        try ledger.set(mark, state)
        return signed
    }

    /// What the names of an origin's receipts begin with.
    package static func stem(_ destination: Identifier, _ origin: Identifier) -> String { "\(destination).\(origin)." }

    private func lastReceipt(for origin: Identifier) -> SignedReply? {
        outbox.replies(in: .receipts).last { $0.fileName.hasPrefix(Self.stem(identity.card.destination, origin)) }
    }

    /// What of a state is neither here nor unwanted; `nil` where that is more than a receipt takes.
    private func missing(of cursor: inout TargetCursor, origin: Identifier) throws -> [FileReference]? {
        let prerequisites = Prerequisites(layout: layout, ledger: ledger, origin: origin, acceptsRemovals: false)
        var missing: [FileReference] = []
        while let (package, files) = try cursor.next() {
            for path in try prerequisites.check(package, target: files, carried: []).missing {
                guard missing.count < Receipt.fileLimit else { return nil }
                if let digest = files[path.file] { missing.append(FileReference(path, digest)) }
            }
        }
        return missing
    }

    /// The request for what a bundle builds upon and is not here.
    ///
    /// The same gap gives the same request again.
    package func request(_ gap: BundleGap) throws -> SignedReply {
        let descriptor = gap.descriptor
        let missing = gap.missing.map { FileReference($0.path, $0.digest) }
        let mark = "gap.\(descriptor.bundle)"
        let digest = SHA512.digest(of: missing.flatMap { Array("\($0.digest)  \($0.path)\n".utf8) }).hex
        let kept = try ledger.setting(mark)?.split(separator: " ").map(String.init) ?? []
        if kept.count == 2, kept[1] == digest, let last = outbox.replies(in: .requests).last(where: { $0.fileName == "\(kept[0]).json" }) {
            return last
        }
        let request = GapRequest(
            request: Identifier(.request, random: random()), destination: identity.card.destination, origin: descriptor.origin,
            created: clock.now(), bundle: descriptor.bundle, sequence: descriptor.sequence, baselineRoot: descriptor.baselineRoot,
            targetRoot: descriptor.targetRoot, missing: missing)
        let signed = try identity.sign(request)
        try outbox.put(signed, in: .requests)
        try ledger.set(mark, "\(request.request) \(digest)")
        return signed
    }

    /// The request for packages.
    package func request(_ specs: Set<String>, of origin: Identifier) throws -> SignedReply {
        let request = WantRequest(
            request: Identifier(.request, random: random()), destination: identity.card.destination, origin: origin, created: clock.now(),
            specs: specs)
        let signed = try identity.sign(request)
        try outbox.put(signed, in: .requests)
        return signed
    }

    /// Lays everything that is to go back into a medium's folder: the card, the last receipts, and the requests that still stand.
    ///
    /// - Parameter folder: `ferry/` of the medium.
    /// - Throws: `FileSystemError`, `ReplyBox.Obstructed`; what is there whole stays.
    package func lay(into folder: FilePath) throws {
        try withdrawRequests()
        let box = ReplyBox(root: folder)
        try box.put(card(), in: .cards)
        for reply in outbox.replies(in: .receipts) {
            let stem = reply.fileName.split(separator: ".").prefix(2).map { "\($0)." }.joined()
            try box.put(reply, in: .receipts) { $0.hasPrefix(stem) }
        }
        let requests = outbox.replies(in: .requests)
        for reply in requests { try box.put(reply, in: .requests) }
        let standing = Set(requests.map(\.fileName))
        for reply in box.replies(in: .requests)
        where Request.claimedDestination(of: reply) == identity.card.destination && !standing.contains(reply.fileName) {
            try box.remove(reply.fileName, from: .requests)
        }
    }

    /// The requests that stand, by their ids.
    package func requests() throws -> [Request] {
        try withdrawRequests()
        return outbox.replies(in: .requests).compactMap { try? Request($0, signedBy: key) }
    }

    /// Takes a request back, here and, when it is laid there next, on a medium; `false` where there is none of that id.
    package func withdraw(_ id: String) throws -> Bool {
        guard outbox.replies(in: .requests).contains(where: { $0.fileName == "\(id).json" }) else { return false }
        try outbox.remove("\(id).json", from: .requests)
        return true
    }

    /// What of this is not here, and may be asked for: not a package that holds only what was published here.
    package func lacking(_ specs: [String]) throws -> [String] {
        try specs.filter { spec in
            guard case .success(let dependency) = RegistryDependency.read(argument: spec) else { return false }
            return try !isHere(spec) && !isLocal(dependency.package)
        }
    }

    /// Whether a package is here and nothing of it was ever given.
    private func isLocal(_ package: PackageName) throws -> Bool {
        let isThere = try DiskFileSystem().status(of: layout.directory(of: package).appending("package.json")) != nil
        return try isThere && ledger.given(of: package).isEmpty
    }

    /// Takes back the requests that nothing is lacking for any more.
    private func withdrawRequests() throws {
        let applied = try ledger.imports().filter { $0.kind == .import && $0.state == .applied }
        for reply in outbox.replies(in: .requests) {
            let isOver: Bool
            switch try? Request(reply, signedBy: identity.card.key) {
            case .gap(let gap): isOver = applied.contains { $0.origin == gap.origin && $0.sequence >= gap.sequence }
            case .want(let want): isOver = try want.specs.allSatisfy(isHere)
            // What cannot be read is no request of this destination.
            case nil: isOver = true
            }
            if isOver { try outbox.remove(reply.fileName, from: .requests) }
        }
    }

    /// Whether the storage holds what was asked for.
    private func isHere(_ spec: String) throws -> Bool {
        guard case .success(let dependency) = RegistryDependency.read(argument: spec) else { return true }
        let files = DiskFileSystem()
        let directory = layout.directory(of: dependency.package)
        let stored: StoredPackument
        do {
            guard let bytes = try files.packument(in: directory) else { return false }
            stored = try StoredPackument(parsing: bytes, of: dependency.package)
        } catch is PackumentError {
            return false
        }
        let present = try TarballListing(of: directory, files: files).files
        let tags = stored.object["dist-tags"]?.object?.dictionary.compactMapValues(\.string) ?? [:]
        return dependency.isMet(by: stored.declared.filter { present.contains($0.file) }.map(\.version), tags: tags)
    }
}
