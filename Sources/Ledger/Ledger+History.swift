import FoundationEssentials
import GRDB
package import JobAPI
package import Units

/// Which jobs of the past to read, and from where on.
package struct HistoryQuery: Sendable {
    /// When they were submitted.
    package var since: Timestamp?
    package var until: Timestamp
    /// Only this user's.
    package var uid: UInt32?
    /// Only those with higher numbers.
    package var after: JobID?
    /// How many jobs are looked at; of some of them there is nothing to tell.
    package var limit: Int

    package static let limits = 1...5000
    /// In a period of that many intensities nobody reads a page: five years of half hours.
    package static let mostIntensities = 100_000

    package init(
        since: Timestamp? = nil, until: Timestamp, uid: UInt32? = nil, after: JobID? = nil, limit: Int = 1000
    ) {
        self.since = since
        self.until = until
        self.uid = uid
        self.after = after
        self.limit = min(max(limit, Self.limits.lowerBound), Self.limits.upperBound)
    }
}

extension Ledger {
    /// A page of the jobs that ran and are over, in the order of their numbers, and from where to read on; nil at the end.
    package func history(_ query: HistoryQuery) async throws(LedgerError) -> (jobs: [HistoryPage.Job], next: JobID?) {
        try await read("read the history of jobs") { db in
            // Numbers are given in the order of submission, so both ends of the period are found by halving.
            let begin = max(
                (query.after?.number ?? 0).addingSaturating(1),
                try query.since.map { try Self.firstJob(db, submittedFrom: $0) } ?? 0)
            let end = try Self.firstJob(db, submittedFrom: query.until)
            let last = try Int64.fetchOne(
                db,
                sql: "SELECT MAX(id) FROM (SELECT id FROM jobs WHERE id >= ? AND id < ? ORDER BY id LIMIT ?)",
                arguments: [begin, end, query.limit])
            guard let last else { return ([], nil) }
            let isMore = try Bool.fetchOne(
                db, sql: "SELECT EXISTS (SELECT 1 FROM jobs WHERE id > ? AND id < ?)", arguments: [last, end])
            return (try Self.pastJobs(db, query, begin...last), isMore == true ? JobID(last) : nil)
        }
    }

    /// The intensities in force from `since` on, the first of which began before; without a beginning, all of them.
    package func intensities(
        from since: Timestamp?, to until: Timestamp
    ) async throws(LedgerError) -> [HistoryPage.Intensity] {
        try await read("read the intensities in force") { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT from_us, g_per_kwh, pue FROM intensities WHERE from_us < ?2
                        AND from_us >= COALESCE((SELECT MAX(from_us) FROM intensities WHERE from_us <= ?1), -1 << 62)
                    ORDER BY from_us LIMIT ?3
                    """,
                arguments: [since?.microseconds ?? .min, until.microseconds, HistoryQuery.mostIntensities + 1]
            ).map { HistoryPage.Intensity(from: Timestamp(microseconds: $0[0]), gPerKwh: $0[1], pue: $0[2]) }
        }
    }

    // MARK: - Rows

    /// The number of the first job that was submitted at `time` or later; one that no job has where there is none.
    private static func firstJob(_ db: Database, submittedFrom time: Timestamp) throws -> Int64 {
        guard let first = try Int64.fetchOne(db, sql: "SELECT MIN(id) FROM jobs"),
            let last = try Int64.fetchOne(db, sql: "SELECT MAX(id) FROM jobs")
        else { return 0 }
        var (low, high) = (max(first, 1), last.addingSaturating(1))
        let statement = try db.cachedStatement(
            sql: "SELECT id, submitted_us FROM jobs WHERE id >= ? ORDER BY id LIMIT 1")
        while low < high {
            let middle = low + (high - low) / 2
            guard let row = try Row.fetchOne(statement, arguments: [middle]) else { break }
            if (row[1] as Int64) < time.microseconds {
                low = (row[0] as Int64).addingSaturating(1)
            } else {
                high = middle
            }
        }
        return low
    }

    private static func pastJobs(
        _ db: Database, _ query: HistoryQuery, _ ids: ClosedRange<Int64>
    ) throws -> [HistoryPage.Job] {
        let finals = JobState.allCases.filter(\.isFinal).map { "'\($0.rawValue)'" }.joined(separator: ",")
        // People may edit a description into anything: what is not as it should be is as if it were not there. CASE and not
        // AND, of which SQLite may ask the second part first.
        let spec = "(CASE WHEN json_valid(j.spec) THEN j.spec ELSE '{}' END)"
        func stated(_ key: String, _ types: String) -> String {
            "CASE WHEN json_type(\(spec), '$.\(key)') IN (\(types)) THEN json_extract(\(spec), '$.\(key)') END"
        }
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT \(gpuColumns(of: "j")), j.id, j.name, j.user, j.project, j.queue, j.cpus, j.memory_bytes, j.gpus, j.state, j.likes,
                    j.user_groups,
                    j.submitted_us, j.started_us,
                    CAST(\(stated("resources.time_limit_s", "'integer', 'real'")) AS REAL) AS stated_limit_s,
                    \(stated("schedule.not_before", "'text'")) AS not_before,
                    \(stated("schedule.deadline", "'text'")) AS deadline,
                    \(stated("schedule.interruptible", "'true'")) IS NOT NULL AS interruptible,
                    json_array_length(\(spec), '$.schedule.after') > 0 AS waits,
                    TOTAL(a.ended_us - a.started_us - a.suspended_us) / 1e6 AS seconds,
                    COUNT(*) = COUNT(a.energy_uj) AND COUNT(*) = COUNT(a.tier) AS is_metered
                FROM jobs j JOIN attempts a ON a.job_id = j.id
                WHERE j.id BETWEEN ?1 AND ?2 AND j.state IN (\(finals)) AND j.started_us IS NOT NULL
                    AND (?3 IS NULL OR j.uid = ?3) AND j.submitted_us >= ?4 AND j.submitted_us < ?5
                GROUP BY j.id HAVING seconds > 0 ORDER BY j.id
                """,
            arguments: [
                ids.lowerBound, ids.upperBound, query.uid.map { Int64($0) }, query.since?.microseconds ?? .min,
                query.until.microseconds,
            ])
        let frontiers = try Frontiers(db)
        return try rows.compactMap { try pastJob(db, $0, frontiers) }
    }

    private static func pastJob(_ db: Database, _ row: Row, _ frontiers: Frontiers) throws -> HistoryPage.Job? {
        guard let state = JobState(rawValue: row["state"]) else { return nil }
        let submitted: Int64 = row["submitted_us"]
        let seconds: Double = row["seconds"]
        func time(_ key: String) -> Timestamp? { (row[key] as String?).flatMap { try? Timestamp(parsing: $0) } }
        var job = HistoryPage.Job(
            id: JobID(row["id"]), name: row["name"], user: row["user"], project: row["project"], queue: row["queue"],
            cpus: row["cpus"], memoryBytes: ByteSize(bytes: row["memory_bytes"]), gpus: row["gpus"],
            timeLimitS: row["stated_limit_s"], submittedAt: Timestamp(microseconds: submitted),
            notBefore: time("not_before"), deadline: time("deadline"), interruptible: row["interruptible"],
            waitedForOthers: (row["waits"] as Bool?) ?? false, durationS: seconds,
            waitedS: Double(max(0, (row["started_us"] as Int64).subtractingSaturating(submitted))) / 1e6, state: state)
        if row["is_metered"] {
            job.powerW = try figures(db, of: job.id.number, frontiers).activeJ / seconds
        }
        job.gpuMemoryBytes = (row["gpu_memory_bytes"] as Int64?).map { ByteSize(bytes: $0) }
        job.gpuModel = row["gpu_model"]
        job.gpuShare = row["gpu_share"]
        job.kind = (row["likes"] as Int64?).map { String(UInt64(bitPattern: $0), radix: 16) }
        // As with descriptions, people may have made anything of it.
        job.groups = (row["user_groups"] as String?).flatMap {
            try? JSON.decode([String].self, from: Data($0.utf8))
        }
        return job
    }
}
