import GRDB
import JobAPI
import Units

/// What runs of a group of jobs add to their joules: time, the hardware's making, and work that led nowhere.
struct RunTotals {
    var seconds = 0.0
    /// Nil where no factors are stated.
    var embodiedG: Double?
    var wasteUj: Int64 = 0
    var overReservedUj: Int64 = 0

    static func += (left: inout RunTotals, right: RunTotals) {
        left.seconds += right.seconds
        if let grams = right.embodiedG { left.embodiedG = (left.embodiedG ?? 0) + grams }
        left.wasteUj += right.wasteUj
        left.overReservedUj += right.overReservedUj
    }
}

extension EnergyReport.Row {
    /// Adds what is known of the runs, and the figures that need both.
    mutating func add(_ runs: RunTotals) {
        durationS = runs.seconds
        embodiedG = runs.embodiedG
        wasteJ = runs.wasteUj > 0 ? Double(runs.wasteUj) / 1e6 : nil
        overReservedJ = runs.overReservedUj > 0 ? Double(runs.overReservedUj) / 1e6 : nil
        guard figures.tier != nil else { return }
        // SCI = (O + M) per R, Software Carbon Intensity 1.0, ISO/IEC 21031:2024.
        let grams = figures.carbonG + (embodiedG ?? 0)
        if jobs > 0 { sciPerJobG = grams / Double(jobs) }
        if let epochs, epochs > 0 { sciPerEpochG = grams / Double(epochs) }
        if let samples, samples > 0 { sciPerSampleG = grams / Double(samples) }
    }
}

extension Ledger {
    /// The runs in the period by group, and all of them. A run that spans midnight counts on both days.
    static func runs(
        _ db: Database, _ query: ReportQuery
    ) throws -> (groups: [String: RunTotals], total: RunTotals) {
        var groups: [String: RunTotals] = [:]
        let factors = try EmbodiedFactor.all(db)
        for piece in pieces(query, factors) {
            for (key, run) in try times(db, query, piece) { groups[key, default: .init()] += run }
        }
        for row in try losses(db, query) {
            let loss = RunTotals(wasteUj: row["waste"], overReservedUj: row["over"])
            groups[row["key"], default: .init()] += loss
        }
        return (groups, groups.values.reduce(into: RunTotals()) { $0 += $1 })
    }

    /// A part of the period in which one factor was in force.
    private struct Piece {
        var since: Int64
        var until: Int64
        var factor: EmbodiedFactor?
    }

    private static func pieces(_ query: ReportQuery, _ factors: [EmbodiedFactor]) -> [Piece] {
        let (since, until) = (query.since.microseconds, query.until.microseconds)
        var pieces = [Piece(since: since, until: min(until, factors.first?.from ?? until), factor: nil)]
        for (index, factor) in factors.enumerated() {
            let end = index + 1 < factors.count ? factors[index + 1].from : until
            pieces.append(Piece(since: max(since, factor.from), until: min(until, end), factor: factor))
        }
        return pieces.filter { $0.since < $0.until }
    }

    private static func times(_ db: Database, _ query: ReportQuery, _ piece: Piece) throws -> [String: RunTotals] {
        let (condition, arguments) = condition(query, [piece.since, piece.until, Timestamp.now().microseconds])
        let runs = """
            SELECT \(key(query.by)) AS key, j.cpus AS cpus, MAX(a.started_us, ?1) AS start,
                MIN(COALESCE(a.ended_us, ?3), ?2) AS end
            FROM attempts a JOIN jobs j ON j.id = a.job_id
            WHERE a.started_us < ?2 AND COALESCE(a.ended_us, ?3) > ?1 AND \(condition)
            """
        var result: [String: RunTotals] = [:]
        func add(_ key: String, microseconds: Int64, cpuMicroseconds: Int64) {
            result[key, default: .init()] += RunTotals(
                seconds: Double(microseconds) / 1e6,
                embodiedG: piece.factor?.grams(cpuSeconds: Double(cpuMicroseconds) / 1e6))
        }
        switch query.by {
        case .day, .month:
            let dayLength = Int64(86_400_000_000)
            for row in try Row.fetchAll(db, sql: runs, arguments: arguments) {
                let (start, end): (Int64, Int64) = (row["start"], row["end"])
                var position = start
                while position < end {
                    let day = Timestamp(microseconds: position).day
                    let next = min((position / dayLength + 1) * dayLength, end)
                    let length = next - position
                    add(
                        query.by == .day ? day : String(day.prefix(7)), microseconds: length,
                        cpuMicroseconds: length * row["cpus"])
                    position = next
                }
            }
        case .user, .project, .queue, .job, .device:
            let sums =
                "SELECT key, SUM(end - start) AS time, SUM((end - start) * cpus) AS cpu FROM (\(runs)) GROUP BY key"
            for row in try Row.fetchAll(db, sql: sums, arguments: arguments) {
                add(row["key"], microseconds: row["time"], cpuMicroseconds: row["cpu"])
            }
        }
        return result
    }

    private static func losses(_ db: Database, _ query: ReportQuery) throws -> [Row] {
        let (condition, arguments) = condition(query, [query.since.microseconds, query.until.microseconds])
        let key =
            switch query.by {
            case .day: "strftime('%Y-%m-%d', a.ended_us / 1000000, 'unixepoch')"
            case .month: "strftime('%Y-%m', a.ended_us / 1000000, 'unixepoch')"
            default: key(query.by)
            }
        return try Row.fetchAll(
            db,
            sql: """
                SELECT \(key) AS key, SUM(COALESCE(a.waste_uj, 0)) AS waste, SUM(COALESCE(a.over_reserved_uj, 0)) AS over
                FROM attempts a JOIN jobs j ON j.id = a.job_id
                WHERE a.ended_us >= ?1 AND a.ended_us < ?2 AND \(condition) GROUP BY key
                """, arguments: arguments)
    }

    /// Which jobs, after the numbered arguments that are given.
    private static func condition(_ query: ReportQuery, _ given: [Int64]) -> (String, StatementArguments) {
        var text = "1"
        var arguments = StatementArguments(given)
        var count = given.count
        if let job = query.job {
            count += 1
            text += " AND j.id = ?\(count)"
            arguments += [job.number]
        }
        if let user = query.user {
            count += 1
            text += " AND j.user = ?\(count)"
            arguments += [user]
        }
        return (text, arguments)
    }

    private static func key(_ grouping: ReportGrouping) -> String {
        switch grouping {
        case .user: "j.user"
        case .project: "j.project"
        case .job: "CAST(j.id AS TEXT)"
        case .queue: "j.queue"
        case .device, .day, .month: "'total'"
        }
    }
}

/// What making the machine weighs per second of one of its CPUs, from a time on.
struct EmbodiedFactor {
    /// µs since 1970.
    var from: Int64
    var gramsPerCPUSecond: Double?

    func grams(cpuSeconds: Double) -> Double? { gramsPerCPUSecond.map { $0 * cpuSeconds } }

    /// `M = TE x (time / lifetime) x (reserved CPUs / CPUs)`, SCI specification 1.0, "Embodied emissions".
    static func all(_ db: Database) throws -> [EmbodiedFactor] {
        let cpus = try Int64.fetchOne(db, sql: "SELECT MAX(cpus) FROM hosts") ?? 0
        return try Row.fetchAll(db, sql: "SELECT from_us, embodied_g, lifetime_s FROM site_factors ORDER BY from_us")
            .map {
                row in
                var factor = EmbodiedFactor(from: row["from_us"])
                if let grams = row["embodied_g"] as Double?, let lifetime = row["lifetime_s"] as Double?, lifetime > 0,
                    cpus > 0
                {
                    factor.gramsPerCPUSecond = grams / lifetime / Double(cpus)
                }
                return factor
            }
    }
}
