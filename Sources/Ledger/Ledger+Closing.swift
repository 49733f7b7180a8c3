import GRDB
import Synchronization
package import Units

/// How long the finer rows are kept. Hours are kept at least as long as minutes; days for ever.
package struct Retention: Sendable, Hashable {
    package var minutes: Duration
    package var hours: Duration

    package init(minutes: Duration = .seconds(14 * 86_400), hours: Duration = .seconds(400 * 86_400)) {
        self.minutes = minutes
        self.hours = max(hours, minutes)
    }
}

extension Ledger {
    /// Closes the book up to `before`: seals the minutes, adds whole hours and days up, and drops the rows whose time is over.
    ///
    /// Every total stays the same to the microjoule: rows are only dropped once their sums are written and sealed. Cut short at
    /// any point, it goes on from there the next time.
    /// - Returns: false when it left off at the limit, with more to do.
    /// - Parameters:
    ///   - before: all readings of earlier minutes are booked. What is booked for an earlier minute afterwards (the clock was
    ///     set back) goes to this one.
    ///   - now: the wall clock, by which rows grow old.
    ///   - limit: where to leave off, for callers who have other things to do; nil for never.
    @discardableResult
    package func close(
        before: Timestamp, context: ChainContext, retention: Retention, now: Timestamp, within limit: Duration? = nil
    ) async throws(LedgerError) -> Bool {
        let deadline = limit.map { ContinuousClock.now.advanced(by: $0) }
        // First what was written under another context.
        if let end = unsealedBefore.withLock({ $0 }) {
            guard try await seal(before: end, at: now, until: deadline) else { return false }
            unsealedBefore.withLock { $0 = nil }
        }
        try await write("seal the ledger") { db in try Self.seal(db, context, at: now) }
        guard try await seal(before: before.minute, at: now, until: deadline) else { return false }
        for level in [SpanLevel.hour, .day] {
            guard try await repeating(until: deadline, { db in try Self.rollUp(db, level, now: now) }) else {
                return false
            }
        }
        for (level, age) in [(SpanLevel.minute, retention.minutes), (.hour, retention.hours)] {
            let end = now.advanced(by: .zero - age)
            guard try await repeating(until: deadline, { db in try Self.drop(db, level, olderThan: end) }) else {
                return false
            }
        }
        return true
    }

    /// Takes steps, each a transaction, until one says that it was the last.
    private func repeating(
        until deadline: ContinuousClock.Instant?, _ step: @escaping @Sendable (Database) throws -> Bool
    ) async throws(LedgerError) -> Bool {
        while true {
            if try await write("add up and drop old rows", step) { return true }
            if let deadline, ContinuousClock.now >= deadline { return false }
        }
    }

    // MARK: - Adding up

    /// - Returns: whether there is nothing left to add up.
    private static func rollUp(_ db: Database, _ level: SpanLevel, now: Timestamp) throws -> Bool {
        guard let finer = level.finer else { return true }
        var frontiers = try Frontiers(db)
        // Whole hours of sealed minutes; whole days of added-up hours.
        let (done, limit) =
            level == .hour
            ? (frontiers.hours, frontiers.sealed.floored(to: level.minutes))
            : (frontiers.days, frontiers.hours.floored(to: level.minutes))
        guard done < limit else { return true }
        let next = try Int64.fetchOne(
            db, sql: "SELECT MIN(minute) FROM \(finer.domains) WHERE minute >= ?", arguments: [done])
        let start = next.map { $0.floored(to: level.minutes) } ?? limit
        if start < limit { try addUp(db, level, from: finer, start, at: now) }
        let end = min(start + level.minutes, limit)
        if level == .hour { frontiers.hours = end } else { frontiers.days = end }
        try frontiers.save(db)
        return end == limit
    }

    private static func addUp(
        _ db: Database, _ level: SpanLevel, from finer: SpanLevel, _ start: Minute, at: Timestamp
    ) throws {
        let tables: [(to: String, from: String, key: [String], sums: [String], seal: SealedTable)] = [
            (
                level.spans, finer.spans, SpanLevel.spanKey, SpanLevel.spanSums,
                level == .hour ? .spanHours : .spanDays
            ),
            (
                level.domains, finer.domains, SpanLevel.domainKey, SpanLevel.domainSums,
                level == .hour ? .domainHours : .domainDays
            ),
        ]
        for table in tables {
            let columns = (table.key + table.sums + ["tier"]).joined(separator: ", ")
            try db.execute(
                sql: """
                    INSERT INTO \(table.to) (\(columns))
                    \(grouped(table.from, key: table.key, sums: table.sums, length: level.minutes))
                    """, arguments: [start, start + level.minutes])
            try seal(db, table.seal, start, start, at: at)
        }
    }

    /// The rows of `?1 ..< ?2` added up over `length` minutes.
    static func grouped(_ table: String, key: [String], sums: [String], length: Int64) -> String {
        // Minutes before 1970 are no times of ours: plain division floors all the others.
        let minute = "minute / \(length) * \(length)"
        let rest = key.dropFirst().joined(separator: ", ")
        let added = sums.map { "SUM(\($0)) AS \($0)" }.joined(separator: ", ")
        return """
            SELECT \(minute) AS minute, \(rest), \(added), \(tier(ofRank: "MAX(\(rank("tier")))")) AS tier
            FROM \(table) WHERE minute >= ?1 AND minute < ?2 GROUP BY \(minute), \(rest)
            """
    }

    // MARK: - Dropping

    /// - Returns: whether there is nothing left to drop.
    private static func drop(_ db: Database, _ level: SpanLevel, olderThan: Timestamp) throws -> Bool {
        let step = level == .minute ? SpanLevel.hour.minutes : SpanLevel.day.minutes
        let wanted = olderThan.minute.floored(to: step)
        var frontiers = try Frontiers(db)
        let kept = level == .minute ? frontiers.minutesKept : frontiers.hoursKept
        let limit = min(wanted, level == .minute ? frontiers.hours : frontiers.days)
        guard kept < limit else { return true }
        let first = try Int64.fetchOne(
            db, sql: "SELECT MIN(minute) FROM \(level.domains) WHERE minute >= ?", arguments: [kept])
        let end = min(first.map { $0.floored(to: step) + step } ?? limit, limit)
        for table in [level.spans, level.domains] {
            try db.execute(sql: "DELETE FROM \(table) WHERE minute < ?", arguments: [end])
            // The entry stays, and with it the chain; only the rows it speaks of are gone.
            try db.execute(
                sql: """
                    DELETE FROM chain_checks WHERE seq IN
                        (SELECT seq FROM chain WHERE source = ? AND last >= ? AND last < ?)
                    """, arguments: [table, kept, end])
        }
        if level == .minute { frontiers.minutesKept = end } else { frontiers.hoursKept = end }
        try frontiers.save(db)
        return end == limit
    }
}
