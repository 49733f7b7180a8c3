import GRDB
package import JobAPI
package import Units

extension Ledger {
    /// CPUs that jobs kept from others, times the seconds in `since ..< until` in which they did, by user or project.
    package func reservedCPUSeconds(
        from since: Timestamp, to until: Timestamp, by grouping: ReportGrouping
    ) async throws(LedgerError) -> [String: Double] {
        let column = grouping == .user ? "user" : "project"
        return try await read("add up the CPU time of accounts") { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT \(column) AS account,
                        SUM(cpus * (MIN(COALESCE(a.ended_us, ?2), ?2) - MAX(a.started_us, ?1))) AS cpu_us
                    FROM attempts a JOIN jobs ON jobs.id = a.job_id
                    WHERE a.started_us < ?2 AND COALESCE(a.ended_us, ?2) > ?1 GROUP BY account
                    """, arguments: [since.microseconds, until.microseconds])
            return Dictionary(
                rows.map { ($0["account"] as String, Double($0["cpu_us"] as Int64) / 1e6) }, uniquingKeysWith: +)
        }
    }
}
