import FoundationEssentials
import GRDB
import Units

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
        var digest = RowsDigest()
        let rows = try Row.fetchCursor(db.cachedStatement(sql: table.rows), arguments: [first, last])
        while let row = try rows.next() { digest.add(row) }
        guard digest.count > 0 else { return }
        try append(
            db, source: table.rawValue, first, last, rows: digest.count, note: "", checks: digest.checks,
            digest: digest.digest(), at: at)
    }

    /// Notes what is in force, unless that is what the chain last said.
    static func seal(_ db: Database, _ context: ChainContext, at: Timestamp) throws {
        let last = try String.fetchOne(
            db, sql: "SELECT note FROM chain WHERE source = ? ORDER BY seq DESC LIMIT 1", arguments: [contextSource])
        guard last != context.note else { return }
        try append(db, source: contextSource, 0, 0, rows: 0, note: context.note, checks: [], digest: [], at: at)
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

    /// Seals what was written since: numbered rows up to the newest, and the minutes from `from` up to `before`.
    /// - Returns: the minute up to which is sealed now; call again until it is `before`, so that no transaction is long.
    static func sealNext(
        _ db: Database, from: Minute, before: Minute, context: ChainContext, at: Timestamp
    ) throws -> Minute {
        try seal(db, context, at: at)
        for table in SealedTable.allCases where table.range == .number {
            let last = try Int64.fetchOne(
                db.cachedStatement(sql: "SELECT MAX(last) FROM chain WHERE source = ?"), arguments: [table.rawValue])
            guard let newest = try Int64.fetchOne(db.cachedStatement(sql: table.newest)) else { continue }
            let first = last.map { $0 + 1 } ?? Int64.min
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
