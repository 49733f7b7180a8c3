import GRDB
package import JobAPI
import Units

extension Ledger {
    /// Writes down what the attempt that just ended lost and what it reserved in vain. Its energy must be booked by now.
    static func recordLosses(
        _ db: Database, _ id: JobID, from: JobState, to state: JobState, cpuMicroseconds: Int64?
    ) throws {
        guard from.isActive, state.isFinal || state == .queued else { return }
        guard
            let row = try Row.fetchOne(
                db,
                sql: """
                    SELECT a.number, a.started_us, a.ended_us, a.checkpoint_uj, j.cpus
                    FROM jobs j JOIN attempts a ON a.job_id = j.id AND a.number = j.attempt WHERE j.id = ?
                    """, arguments: [id.number])
        else { return }
        let attempt: Int = row["number"]
        let energy = try energy(db, id, attempt: attempt)
        let waste = loses(state) ? max(0, energy.total.subtractingSaturating(row["checkpoint_uj"] ?? 0)) : 0
        let started: Int64 = row["started_us"]
        let length = (row["ended_us"] ?? started).subtractingSaturating(started)
        let overReserved = cpuMicroseconds.map { used in
            overReservation(
                idle: energy.cpuIdle, used: used, cpus: row["cpus"], lengthMicroseconds: length)
        }
        // Of one that was hardly metered nobody can tell its power.
        let drawn = energy.gap <= length / 20 ? energy : nil
        try db.execute(
            sql: """
                UPDATE attempts SET cpu_us = ?, waste_uj = ?, over_reserved_uj = ?, energy_uj = ?, energy_low_uj = ?,
                    energy_high_uj = ?, tier = ?, idle_uj = ?
                WHERE job_id = ? AND number = ?
                """,
            arguments: [
                cpuMicroseconds, waste, overReserved, drawn?.total, drawn?.low, drawn?.high, drawn?.tier?.rawValue,
                drawn?.idle, id.number, attempt,
            ])
    }

    /// Whether work since the last checkpoint is lost with an attempt that goes to `state`. A cancelled job's owner had
    /// no more use for it; nobody can tell whether its work was in vain.
    private static func loses(_ state: JobState) -> Bool {
        switch state {
        case .failed, .timedOut, .outOfMemory, .lost, .queued: true
        case .starting, .running, .suspended, .succeeded, .cancelled: false
        }
    }

    /// Joules that each of these active jobs has drawn since its last checkpoint, as far as they are booked.
    package func atStake(_ ids: [JobID]) async throws(LedgerError) -> [JobID: Double] {
        try await read("read what running jobs have drawn") { db in
            var stakes: [JobID: Double] = [:]
            for id in ids {
                let row = try Row.fetchOne(
                    db,
                    sql: """
                        SELECT a.number, a.checkpoint_uj FROM jobs j
                        JOIN attempts a ON a.job_id = j.id AND a.number = j.attempt WHERE j.id = ?
                        """, arguments: [id.number])
                guard let row else { continue }
                let drawn = try Self.energy(db, id, attempt: row["number"]).total
                stakes[id] = Double(max(0, drawn.subtractingSaturating(row["checkpoint_uj"] ?? 0))) / 1e6
            }
            return stakes
        }
    }

    /// The idle energy of the CPUs that were reserved and, on the mean, not used.
    static func overReservation(idle: Int64, used: Int64, cpus: Int64, lengthMicroseconds: Int64) -> Int64 {
        guard idle > 0, cpus > 0, lengthMicroseconds > 0 else { return 0 }
        let busy = min(1, max(0, Double(used) / (Double(cpus) * Double(lengthMicroseconds))))
        return Int64(saturating: Double(idle) * (1 - busy))
    }

    /// Energy of an attempt so far.
    struct AttemptEnergy {
        var total: Int64 = 0
        /// The reserved idle part of processors.
        var cpuIdle: Int64 = 0
        /// The reserved idle part of all.
        var idle: Int64 = 0
        var low: Int64 = 0
        var high: Int64 = 0
        /// The longest time in which a domain had no reading, in µs.
        var gap: Int64 { gaps.values.max() ?? 0 }
        /// The worst of its parts; nil without parts.
        var tier: Tier?
        fileprivate var gaps: [Int64: Int64] = [:]
    }

    static func energy(_ db: Database, _ id: JobID, attempt: Int) throws -> AttemptEnergy {
        let spans = SpanPeriod.all(try Frontiers(db)).spans(where: "job_id = ?1 AND attempt = ?2 AND account = 'job'")
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT s.active_uj, s.idle_uj, d.kind IN ('cpu', 'platform'), s.low_uj, s.high_uj, s.gap_us, s.tier, d.id
                FROM \(spans) s JOIN domains d ON d.id = s.domain_id
                """, arguments: [id.number, attempt])
        var energy = AttemptEnergy()
        // Not with SQL's SUM, which fails on edited figures that are too large: an end must be written all the same.
        while let row = try rows.next() {
            let idle: Int64 = row[1]
            energy.total = energy.total.addingSaturating(row[0]).addingSaturating(idle)
            energy.idle = energy.idle.addingSaturating(idle)
            if row[2] { energy.cpuIdle = energy.cpuIdle.addingSaturating(idle) }
            energy.low = energy.low.addingSaturating(row[3])
            energy.high = energy.high.addingSaturating(row[4])
            energy.gaps[row[7], default: 0] = energy.gaps[row[7], default: 0].addingSaturating(row[5])
            let tiers: [Tier] = [.measured, .calibrated, .table]
            let ranks = [energy.tier, Tier(rawValue: row[6])].compactMap { $0.flatMap(tiers.firstIndex) }
            energy.tier = ranks.max().map { tiers[$0] }
        }
        return energy
    }
}
