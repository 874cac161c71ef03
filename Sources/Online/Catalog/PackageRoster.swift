import GRDB
import Platform
import Synchronization

/// The packages in storage as lists and searches go through them: names, orders and what is filtered by, held in memory.
///
/// It is of one state of the catalog, and answers as SQLite would in that state; about 80 bytes a package.
final class PackageRoster: Sendable {
    /// Which state of the catalog it is of.
    private let state: Int64
    /// The packages in the order of their names; everything else names them by their place here.
    private let ids: [UInt32]
    /// Their folded names, each behind a byte that is in no name, and where they begin.
    private let names: [UInt8]
    private let starts: [UInt32]
    private let sources: [UInt8]
    private let isBroken: [Bool]
    /// Their places by their ids.
    private let places: [UInt32]
    /// The places in the orders that were asked for so far.
    private let orders = Mutex<[PackageQuery.Order: [UInt32]]>([:])

    /// Goes through the packages; `nil` where their ids go beyond a limit.
    private init?(_ state: Int64, limit: Int, _ db: Database) throws {
        let highest = try Int.fetchOne(db, sql: "SELECT max(id) FROM package") ?? 0
        guard highest <= limit else { return nil }
        var (ids, names, starts): ([UInt32], [UInt8], [UInt32]) = ([], [], [])
        var (sources, isBroken): ([UInt8], [Bool]) = ([], [])
        var places = [UInt32](repeating: 0, count: highest + 1)
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT id, folded, source, broken FROM package INDEXED BY package_in_order_of_folded WHERE gone IS NULL
                ORDER BY folded, name
                """)
        while let row = try rows.next() {
            let id: Int = row[0]
            places[id] = UInt32(ids.count)
            ids.append(UInt32(id))
            names.append(Self.fence)
            starts.append(UInt32(names.count))
            names.append(contentsOf: (row[1] as String).utf8)
            sources.append(Self.number(of: row[2] as String))
            isBroken.append(row[3] as Int > 0)
        }
        names.append(Self.fence)
        self.state = state
        (self.ids, self.names, self.starts, self.places) = (ids, names, starts, places)
        (self.sources, self.isBroken) = (sources, isBroken)
    }

    /// No byte of UTF-8.
    private static let fence: UInt8 = 0xFF
    private static let sources = Dictionary(
        uniqueKeysWithValues: PackageSource.allCases.enumerated().map { ($1.rawValue, UInt8($0)) })
    private static func number(of source: String) -> UInt8 { sources[source] ?? .max }

    /// The ids of a page in its order, and how many there are in all.
    func page(_ query: PackageQuery, _ db: Database) throws -> (ids: [Int64], total: Int) {
        let order = query.order == .name ? nil : try self.order(query.order, db)
        let (first, count) = (max(query.offset, 0), min(max(query.limit, 0), 1000))
        let found = matches(query)
        let total = found?.count ?? ids.count
        let places: [UInt32]
        if let found, let order {
            var isFound = [Bool](repeating: false, count: ids.count)
            for place in found { isFound[Int(place)] = true }
            places = order.filter { isFound[Int($0)] }
        } else {
            places = found ?? order ?? []
        }
        guard first < total else { return ([], total) }
        let page = (first..<min(first + count, total)).map { number -> Int64 in
            let number = query.isDescending ? total - 1 - number : number
            let place = found == nil && order == nil ? number : Int(places[number])
            return Int64(ids[place])
        }
        return (page, total)
    }

    /// The places of those that are asked for, in the order of their names; `nil` for all.
    private func matches(_ query: PackageQuery) -> [UInt32]? {
        let typed = query.search.lowercased()
        let source = query.source.map { Self.number(of: $0.rawValue) }
        let isDamaged = query.isDamaged
        guard !typed.isEmpty || source != nil || isDamaged != nil else { return nil }
        var places: [UInt32] = []
        func take(_ place: Int) {
            if let source, sources[place] != source { return }
            if let isDamaged, isBroken[place] != isDamaged { return }
            places.append(UInt32(place))
        }
        if typed.isEmpty {
            for place in ids.indices { take(place) }
        } else if typed.count >= 3 {
            forEachPlace(of: Array(typed.utf8), take)
        } else {
            // The name begins so, or its part behind the scope.
            var found: [Int] = []
            for beginning in [Self.fence, UInt8(ascii: "/")] { forEachPlace(of: [beginning] + typed.utf8) { found.append($0) } }
            var last = -1
            for place in found.sorted() where place != last {
                take(place)
                last = place
            }
        }
        return places
    }

    /// Hands over the places of the names that hold these bytes, each once.
    private func forEachPlace(of bytes: [UInt8], _ body: (Int) -> Void) {
        var from = 0
        while let hit = ByteSearch.first(bytes, in: names, from: from) {
            let place = place(holding: hit)
            body(place)
            // The fence before a name is part of it here.
            from = place + 1 < starts.count ? Int(starts[place + 1]) - 1 : names.count
        }
    }

    private func place(holding offset: Int) -> Int {
        var (low, high) = (0, starts.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if Int(starts[middle]) - 1 <= offset { low = middle } else { high = middle }
        }
        return low
    }

    private func order(_ order: PackageQuery.Order, _ db: Database) throws -> [UInt32] {
        // Whoever asks meanwhile waits, rather than doing the same.
        try orders.withLock { orders in
            if let known = orders[order] { return known }
            var sorted: [UInt32] = []
            sorted.reserveCapacity(ids.count)
            let (index, column) = ("package_in_order_of_\(order.column)", order.column)
            let found = try Int.fetchCursor(
                db, sql: "SELECT id FROM package INDEXED BY \(index) WHERE gone IS NULL ORDER BY \(column), name")
            while let id = try found.next() { sorted.append(places[id]) }
            orders[order] = sorted
            return sorted
        }
    }

    /// Makes every order, before somebody asks for it.
    func prepare(_ db: Database) throws {
        for order in PackageQuery.Order.allCases where order != .name { _ = try self.order(order, db) }
    }

    /// Keeps the newest roster that there is.
    final class Keeper: Sendable {
        private struct Kept {
            var roster: PackageRoster?
            /// The last state that somebody has asked in.
            var asked: Int64 = 0
            var isBeingMade = false
            var made = 0
        }

        private let kept = Mutex(Kept())
        /// The highest id of a package that is held.
        private let limit: Int

        init(limit: Int) { self.limit = limit }

        var made: Int { kept.withLock { $0.made } }

        /// The roster of the state that is read; `nil` where SQLite has to find what is asked for.
        ///
        /// One is made when somebody asks a second time in the same state: while a scan changes the catalog all the time, none is.
        func roster(_ db: Database) throws -> PackageRoster? {
            let state = try Int64.fetchOne(db.cachedStatement(sql: "SELECT number FROM package_state")) ?? 0
            let (known, mayMake) = kept.withLock { kept -> (PackageRoster?, Bool) in
                if let roster = kept.roster, roster.state == state { return (roster, false) }
                defer { kept.asked = state }
                guard kept.asked == state, !kept.isBeingMade else { return (nil, false) }
                kept.isBeingMade = true
                return (nil, true)
            }
            guard mayMake else { return known }
            var roster: PackageRoster?
            defer {
                kept.withLock { kept in
                    kept.roster = roster
                    kept.isBeingMade = false
                    kept.made += roster == nil ? 0 : 1
                }
            }
            roster = try PackageRoster(state, limit: limit, db)
            return roster
        }
    }
}
