import GRDB
import JobAPI
import Units

/// Whether the frontiers follow from the chain. They say which rows a report reads and which may be gone, so nobody may move them.
enum FrontierAudit {
    static func check(_ db: Database, now: Timestamp) throws -> AuditReport.Finding? {
        let frontiers = try Frontiers(db)
        let problem =
            try order(frontiers) ?? ends(db, frontiers, now: now) ?? gaps(db, frontiers) ?? leftovers(db, frontiers)
        return problem.map { AuditReport.Finding(check: "frontiers", row: $0.row, problem: $0.problem) }
    }

    private typealias Problem = (row: String, problem: String)

    /// Nothing is dropped before it is added up, nor added up before it is sealed.
    private static func order(_ frontiers: Frontiers) -> Problem? {
        let (hour, day) = (SpanLevel.hour.minutes, SpanLevel.day.minutes)
        for (name, value, limit, step) in [
            ("hours", frontiers.hours, frontiers.sealed, hour), ("days", frontiers.days, frontiers.hours, day),
            ("minutes-kept", frontiers.minutesKept, frontiers.hours, hour),
            ("hours-kept", frontiers.hoursKept, frontiers.days, day),
        ] where value > limit || value % step != 0 || value < 0 {
            return ("frontiers name=\(name)", "\(value) is not a whole length up to \(limit)")
        }
        return nil
    }

    /// What is closed ends where the entries of the chain end.
    private static func ends(_ db: Database, _ frontiers: Frontiers, now: Timestamp) throws -> Problem? {
        for (name, value, sources) in [
            ("sealed", frontiers.sealed, [SealedTable.spans, .domainMinutes]),
            ("hours", frontiers.hours, [.spanHours, .domainHours]),
            ("days", frontiers.days, [.spanDays, .domainDays]),
        ] {
            for source in sources {
                let last = try Int64.fetchOne(
                    db, sql: "SELECT MAX(last) FROM chain WHERE source = ?", arguments: [source.rawValue])
                if let last, last >= value {
                    return ("frontiers name=\(name)", "\(value), but the chain covers \(source.rawValue) up to \(last)")
                }
            }
        }
        // Nobody seals the future, unless the clock was ahead: then the chain says so.
        let latest = try Int64.fetchOne(db, sql: "SELECT MAX(at_us) FROM chain").map(Timestamp.init(microseconds:))
        if frontiers.sealed > (latest.map { max($0, now).minute + 1 } ?? 0) {
            return ("frontiers name=sealed", "\(frontiers.sealed), which nothing in the chain shows")
        }
        return nil
    }

    /// Every sealed length that is said to be added up has an entry of its sum.
    private static func gaps(_ db: Database, _ frontiers: Frontiers) throws -> Problem? {
        for (finer, coarser, length, until) in [
            (SealedTable.spans, SealedTable.spanHours, SpanLevel.hour.minutes, frontiers.hours),
            (.domainMinutes, .domainHours, SpanLevel.hour.minutes, frontiers.hours),
            (.spanHours, .spanDays, SpanLevel.day.minutes, frontiers.days),
            (.domainHours, .domainDays, SpanLevel.day.minutes, frontiers.days),
        ] {
            let query = """
                SELECT fine.seq, fine.first FROM chain fine WHERE fine.source = ?1 AND fine.last < ?2 AND NOT EXISTS
                    (SELECT 1 FROM chain sum WHERE sum.source = ?3 AND sum.last = fine.first / ?4 * ?4)
                ORDER BY fine.seq LIMIT 1
                """
            if let row = try Row.fetchOne(
                db, sql: query, arguments: [finer.rawValue, until, coarser.rawValue, length])
            {
                return (
                    "chain seq=\(row["seq"] as Int64)",
                    "its rows are said to be added up, but no entry covers their sum in \(coarser.rawValue)"
                )
            }
        }
        return nil
    }

    /// What is said to be dropped is not there.
    private static func leftovers(_ db: Database, _ frontiers: Frontiers) throws -> Problem? {
        for (level, kept) in [(SpanLevel.minute, frontiers.minutesKept), (.hour, frontiers.hoursKept)] {
            for (table, columns) in [(level.spans, 5), (level.domains, 2)] {
                let query = "SELECT * FROM \(table) WHERE minute < ? ORDER BY minute LIMIT 1"
                if let row = try Row.fetchOne(db, sql: query, arguments: [kept]) {
                    return (Ledger.describe(table, row, columns: columns), "rows of its time were dropped long ago")
                }
            }
        }
        return nil
    }
}
