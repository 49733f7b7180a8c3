import FoundationEssentials
import GRDB
import JobAPI
import Units

/// Goes along the chain from its beginning and recomputes every hash, and the fingerprint of every row that is still there.
struct ChainAudit {
    private(set) var findings: [AuditReport.Finding] = []
    private(set) var rows: [String: Int] = [:]
    private(set) var entries = 0
    private(set) var head: [UInt8] = []

    /// Up to where each table is sealed, to find rows that were slipped in between.
    private var sealed: [SealedTable: Int64] = [:]

    /// Stops at the first bad row: what comes after a broken link proves nothing.
    mutating func run(_ db: Database) throws {
        let frontiers = try Frontiers(db)
        let entries = try Row.fetchCursor(
            db, sql: "SELECT * FROM chain LEFT JOIN chain_checks USING (seq) ORDER BY seq")
        while let row = try entries.next(), findings.isEmpty {
            try check(db, row, frontiers)
        }
        if findings.isEmpty { try findEarlier(db, frontiers) }
    }

    private mutating func check(_ db: Database, _ row: Row, _ frontiers: Frontiers) throws {
        let digest: Data = row["digest"]
        let link = ChainLink(
            seq: row["seq"], at: row["at_us"], source: row["source"], first: row["first"], last: row["last"],
            rows: row["rows"], note: row["note"], digest: Array(digest))
        entries += 1
        guard link.seq == Int64(entries) else {
            return fail("chain seq=\(entries)", "the entry is missing")
        }
        let hash: Data = row["hash"]
        // The rows first: a changed row is worth more to know than the entry that no longer fits.
        if let table = SealedTable(rawValue: link.source) {
            if let last = sealed[table], link.first <= last {
                return fail("chain seq=\(link.seq)", "it covers rows of \(table.rawValue) that an earlier entry covers")
            }
            if let last = sealed[table] { try findAdded(db, table, from: last &+ 1, until: link.first &- 1) }
            if !isDropped(table, link, frontiers) { try checkRows(db, table, link, row["checks"]) }
            sealed[table] = link.last
        }
        guard findings.isEmpty else { return }
        guard Array(hash) == link.hash(after: head) else {
            return fail("chain seq=\(link.seq)", "its hash does not follow from it and the entry before")
        }
        head = Array(hash)
    }

    /// Rows whose time is over are dropped after they were added up; their sums are sealed too.
    private func isDropped(_ table: SealedTable, _ link: ChainLink, _ frontiers: Frontiers) -> Bool {
        switch table {
        case .spans, .domainMinutes: link.last < frontiers.minutesKept
        case .spanHours, .domainHours: link.last < frontiers.hoursKept
        default: false
        }
    }

    private mutating func checkRows(_ db: Database, _ table: SealedTable, _ link: ChainLink, _ checks: Data?) throws {
        let cursor = try Row.fetchCursor(db.cachedStatement(sql: table.rows), arguments: [link.first, link.last])
        let length = RowsDigest.checkLength
        let expected = checks.map(Array.init) ?? []
        func expectedCheck(_ index: Int) -> [UInt8]? {
            (index + 1) * length <= expected.count ? Array(expected[index * length..<(index + 1) * length]) : nil
        }
        var digest = RowsDigest(of: table)
        while let row = try cursor.next() {
            let index = digest.count
            digest.add(row)
            // Named only when it is bad: that takes as long as all the rest.
            func name() -> String { Ledger.describe(table.rawValue, row, columns: table.keyColumns) }
            let check = Array(digest.checks.suffix(length))
            if let wanted = expectedCheck(index), wanted != check {
                let isGone = expectedCheck(index + 1) == check
                let bad = name()
                let isNew = try cursor.next().map(digest.check) == wanted
                return fail(
                    bad,
                    isGone
                        ? "a row before it was deleted" : isNew ? "it was added" : "it is not what mld wrote")
            }
            if index >= link.rows { return fail(name(), "it was added") }
        }
        rows[table.rawValue, default: 0] += digest.count
        if digest.count < link.rows {
            let last = try Row.fetchAll(db.cachedStatement(sql: table.rows), arguments: [link.first, link.last]).last
            fail(
                last.map { Ledger.describe(table.rawValue, $0, columns: table.keyColumns) }
                    ?? "\(table.rawValue) \(link.first) to \(link.last)",
                "\(link.rows - digest.count) rows after it were deleted")
        } else if digest.digest() != link.digest {
            fail("\(table.rawValue) \(link.first) to \(link.last)", "the rows are not what mld wrote")
        }
    }

    /// A row between what two entries cover was slipped in, for all that lay there was sealed.
    private mutating func findAdded(_ db: Database, _ table: SealedTable, from: Int64, until: Int64) throws {
        guard findings.isEmpty, from <= until else { return }
        let row = try Row.fetchOne(db.cachedStatement(sql: table.rows), arguments: [from, until])
        if let row { fail(Ledger.describe(table.rawValue, row, columns: table.keyColumns), "it was added") }
    }

    /// Rows before the first entry of their table, or of minutes that are closed but not covered.
    private mutating func findEarlier(_ db: Database, _ frontiers: Frontiers) throws {
        for table in SealedTable.allCases where findings.isEmpty {
            if let first = try Int64.fetchOne(
                db, sql: "SELECT MIN(first) FROM chain WHERE source = ?", arguments: [table.rawValue]),
                first > Int64.min
            {
                try findAdded(db, table, from: .min, until: first &- 1)
            }
            let end: Minute? =
                switch table {
                case .spans, .domainMinutes: frontiers.sealed
                // Sums are sealed as they are written.
                case .spanHours, .domainHours, .spanDays, .domainDays: .max
                default: nil
                }
            if let end {
                try findAdded(db, table, from: sealed[table]?.addingSaturating(1) ?? .min, until: end &- 1)
            }
        }
    }

    private mutating func fail(_ row: String, _ problem: String) {
        guard findings.isEmpty else { return }
        findings.append(AuditReport.Finding(check: "chain", row: row, problem: problem))
    }
}
