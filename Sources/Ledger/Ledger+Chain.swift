import FoundationEssentials
import GRDB
import Synchronization
package import Units

/// What was in force when rows were sealed: whoever recomputes a figure needs to know by which factors it was made.
package struct ChainContext: Sendable, Hashable {
    /// Of the policy in force.
    package var policyHash: String
    /// Names and fingerprints of the tables of factors.
    package var factors: String
    /// The release that wrote the rows.
    package var version: String

    package init(policyHash: String, factors: String, version: String) {
        self.policyHash = policyHash
        self.factors = factors
        self.version = version
    }

    var note: String { "policy \(policyHash); factors \(factors); mld \(version)" }
}

extension Ledger {
    /// The source of entries that cover no rows but say what was in force from there on.
    static let contextSource = "context"

    /// Appends an entry over the rows of `table` from `first` to `last`; nothing when there are none.
    static func seal(_ db: Database, _ table: SealedTable, _ first: Int64, _ last: Int64, at: Timestamp) throws {
        var digest = RowsDigest(of: table)
        let rows = try Row.fetchCursor(db.cachedStatement(sql: table.rows), arguments: [first, last])
        while let row = try rows.next() { digest.add(row) }
        guard digest.count > 0 else { return }
        try append(
            db, source: table.rawValue, first, last, rows: digest.count, note: "", checks: digest.checks,
            digest: digest.digest(), at: at)
    }

    /// Notes what is in force, unless that is what the chain last said.
    static func seal(_ db: Database, _ context: ChainContext, at: Timestamp) throws {
        guard try lastContext(db) != context.note else { return }
        try append(db, source: contextSource, 0, 0, rows: 0, note: context.note, checks: [], digest: [], at: at)
    }

    private static func lastContext(_ db: Database) throws -> String? {
        try String.fetchOne(
            db, sql: "SELECT note FROM chain WHERE source = ? ORDER BY seq DESC LIMIT 1", arguments: [contextSource])
    }

    private static func append(
        _ db: Database, source: String, _ first: Int64, _ last: Int64, rows: Int, note: String, checks: [UInt8],
        digest: [UInt8], at: Timestamp
    ) throws {
        let head = try Row.fetchOne(
            db.cachedStatement(sql: "SELECT seq, hash FROM chain ORDER BY seq DESC LIMIT 1"))
        let previous: Data = head?["hash"] ?? Data()
        let link = ChainLink(
            seq: (head?["seq"] ?? 0) + 1, at: at.microseconds, source: source, first: first, last: last, rows: rows,
            note: note, digest: digest)
        try db.cachedStatement(sql: "INSERT INTO chain VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)").execute(arguments: [
            link.seq, link.at, source, first, last, rows, note, Data(digest),
            Data(link.hash(after: Array(previous))),
        ])
        // In a table of their own, whose pages are free again when the rows they are of are dropped.
        try db.cachedStatement(sql: "INSERT INTO chain_checks VALUES (?, ?)").execute(arguments: [
            link.seq, Data(checks),
        ])
    }

    /// Seals what the daemon before us left, under what it said was in force, and then says what is in force from here on.
    /// - Parameter limit: how long that may take; ``close(before:context:retention:now:within:)`` goes on with the rest.
    package func begin(
        _ context: ChainContext, now: Timestamp, within limit: Duration = .seconds(5)
    ) async throws(LedgerError) {
        let end = try await read("find what is not sealed") { db in
            // Where nothing was ever sealed, nobody said what was in force.
            let note = try Self.lastContext(db)
            guard let note, note != context.note else { return nil as Minute? }
            let last = try Int64.fetchOne(db, sql: "SELECT MAX(minute) FROM domain_minutes")
            return last.map { min($0.addingSaturating(1), now.minute) }
        }
        let deadline = ContinuousClock.now.advanced(by: limit)
        if let end, try await !seal(before: end, at: now, until: deadline) {
            return unsealedBefore.withLock { $0 = end }
        }
        try await write("begin the chain") { db in try Self.seal(db, context, at: now) }
    }

    /// Seals everything before a minute, in transactions of an hour at most.
    /// - Parameter deadline: where to leave off; nil for never.
    /// - Returns: whether all is sealed.
    @discardableResult
    func seal(
        before: Minute, at: Timestamp, until deadline: ContinuousClock.Instant? = nil
    ) async throws(LedgerError) -> Bool {
        while true {
            let isDone = try await write("seal the ledger") { db in
                var frontiers = try Frontiers(db)
                let end = max(before, frontiers.sealed)
                frontiers.sealed = try Self.sealNext(db, from: frontiers.sealed, before: end, at: at)
                try frontiers.save(db)
                return frontiers.sealed == end
            }
            if isDone { return true }
            if let deadline, ContinuousClock.now >= deadline { return false }
        }
    }

    /// Seals what was written since: numbered rows up to the newest, and the minutes from `from` up to `before`.
    /// - Returns: the minute up to which is sealed now; call again until it is `before`, so that no transaction is long.
    private static func sealNext(_ db: Database, from: Minute, before: Minute, at: Timestamp) throws -> Minute {
        for table in SealedTable.allCases where table.range == .number {
            let last = try Int64.fetchOne(
                db.cachedStatement(sql: "SELECT MAX(last) FROM chain WHERE source = ?"), arguments: [table.rawValue])
            guard let newest = try Int64.fetchOne(db.cachedStatement(sql: table.newest)) else { continue }
            let first = last?.addingSaturating(1) ?? Int64.min
            if first <= newest { try seal(db, table, first, newest, at: at) }
        }
        guard
            let first = try Int64.fetchOne(
                db.cachedStatement(sql: "SELECT MIN(minute) FROM domain_minutes WHERE minute >= ?"), arguments: [from]),
            first < before
        else { return before }
        // No entry reaches over an hour, so that whole entries go when an hour's minutes are dropped.
        let end = min(first.floored(to: SpanLevel.hour.minutes) + SpanLevel.hour.minutes, before)
        for table in [SealedTable.spans, .domainMinutes] { try seal(db, table, first, end - 1, at: at) }
        return end
    }
}
