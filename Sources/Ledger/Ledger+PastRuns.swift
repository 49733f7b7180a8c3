import FoundationEssentials
import GRDB
package import JobAPI
import Units

/// An attempt that has ended, from which later ones can be foretold.
package struct PastRun: Sendable {
    package var spec: JobSpec
    package var uid: UInt32
    package var queue: String
    /// Without the time it stood still.
    package var seconds: Double
    /// False for one that its time limit ended.
    package var isWhole: Bool
    /// In joules; nil where too little of it was metered.
    package var energy: (low: Double, mean: Double, high: Double)?
    package var tier: Tier?
    /// The part of it that the machine would have drawn without the attempt, in joules.
    package var idle = 0.0
    /// Under which power limit, in mW: nil for none, -1 where it changed.
    package var powerLimit: Int64?
}

extension Ledger {
    /// Of so many of the last jobs the runs are read at the start, and no more runs than that.
    package static let mostPastJobs = 20_000
    package static let mostPastRuns = 2048

    /// The last attempts that succeeded or ran out of time, the oldest first.
    package func pastRuns() async throws(LedgerError) -> [PastRun] {
        try await read("read the last runs") { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT j.spec, j.uid, j.queue, a.* FROM attempts a JOIN jobs j ON j.id = a.job_id
                    WHERE a.job_id > (SELECT MAX(id) FROM jobs) - ?1 AND a.outcome IN ('succeeded', 'timed-out')
                        AND a.ended_us IS NOT NULL
                    ORDER BY a.job_id DESC, a.number DESC LIMIT ?2
                    """, arguments: [Self.mostPastJobs, Self.mostPastRuns])
            return try rows.reversed().compactMap(Self.run)
        }
    }

    /// How the job's last attempt ran; nil where that says nothing of others.
    package func lastRun(of id: JobID) async throws(LedgerError) -> PastRun? {
        try await read("read the last run of job \(id)") { db in
            try Row.fetchOne(
                db,
                sql: """
                    SELECT j.spec, j.uid, j.queue, a.* FROM attempts a JOIN jobs j ON j.id = a.job_id
                    WHERE a.job_id = ? AND a.outcome IN ('succeeded', 'timed-out') AND a.ended_us IS NOT NULL
                    ORDER BY a.number DESC LIMIT 1
                    """, arguments: [id.number]
            ).flatMap(Self.run)
        }
    }

    /// The attempt runs under this power limit; -1 where it is not the same throughout.
    package func notePowerLimit(_ id: JobID, attempt: Int, milliwatts: Int64) async throws(LedgerError) {
        try await write("record the power limit of job \(id)") { db in
            try db.execute(
                sql: "UPDATE attempts SET power_limit_mw = ? WHERE job_id = ? AND number = ?",
                arguments: [milliwatts, id.number, attempt])
        }
    }

    /// Nil for a row that people have made into no run.
    private static func run(_ row: Row) throws -> PastRun? {
        guard let spec = try? JSON.decode(JobSpec.self, from: Data((row["spec"] as String).utf8)),
            let uid = UInt32(exactly: row["uid"] as Int64)
        else { return nil }
        let length = (row["ended_us"] as Int64).subtractingSaturating(row["started_us"])
        var run = PastRun(
            spec: spec, uid: uid, queue: row["queue"],
            seconds: Double(length.subtractingSaturating(row["suspended_us"])) / 1e6,
            isWhole: row["outcome"] == "succeeded", powerLimit: row["power_limit_mw"])
        // Without a tier nothing was read while it ran: that is no 0 J.
        if let mean = row["energy_uj"] as Int64?, let low = row["energy_low_uj"] as Int64?,
            let high = row["energy_high_uj"] as Int64?,
            let tier = (row["tier"] as String?).flatMap(Tier.init(rawValue:))
        {
            run.energy = (Double(low) / 1e6, Double(mean) / 1e6, Double(high) / 1e6)
            run.idle = Double(row["idle_uj"] as Int64? ?? 0) / 1e6
            run.tier = tier
        }
        return run
    }
}
