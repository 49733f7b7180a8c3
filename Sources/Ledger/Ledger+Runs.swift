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
    /// Against running at once; nil where no job with a baseline ended.
    var savedUg: Int64?

    static func += (left: inout RunTotals, right: RunTotals) {
        left.seconds += right.seconds
        if let grams = right.embodiedG { left.embodiedG = (left.embodiedG ?? 0) + grams }
        left.wasteUj = left.wasteUj.addingSaturating(right.wasteUj)
        left.overReservedUj = left.overReservedUj.addingSaturating(right.overReservedUj)
        if let saved = right.savedUg { left.savedUg = (left.savedUg ?? 0).addingSaturating(saved) }
    }
}

extension EnergyReport.Row {
    /// Adds what is known of the runs, and the figures that need both.
    mutating func add(_ runs: RunTotals) {
        durationS = runs.seconds
        embodiedG = runs.embodiedG
        wasteJ = runs.wasteUj > 0 ? Double(runs.wasteUj) / 1e6 : nil
        overReservedJ = runs.overReservedUj > 0 ? Double(runs.overReservedUj) / 1e6 : nil
        carbonSavedG = runs.savedUg.map { Double($0) / 1e6 }
        guard figures.tier != nil else { return }
        if let epochs, epochs > 0 { energyPerEpochJ = figures.energyJ / Double(epochs) }
        if let samples, samples > 0 { energyPerSampleJ = figures.energyJ / Double(samples) }
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
        _ db: Database, _ query: ReportQuery, _ groups: inout ReportGroups
    ) throws -> (byGroup: [Int32: RunTotals], total: RunTotals) {
        var byGroup: [Int32: RunTotals] = [:]
        var total = RunTotals()
        let factors = try EmbodiedFactor.all(db)
        let isByDay = query.by == .day || query.by == .month
        let (since, until, now) = (query.since.microseconds, query.until.microseconds, Timestamp.now().microseconds)
        let statement = try db.makeStatement(
            sql: """
                SELECT job_id, started_us, COALESCE(ended_us, ?3), ended_us IS NOT NULL, COALESCE(waste_uj, 0),
                    COALESCE(over_reserved_uj, 0)
                FROM attempts WHERE started_us < ?2 AND COALESCE(ended_us, ?3) >= ?1
                """)
        let attempts = try Row.fetchCursor(statement, arguments: [since, until, now])
        let row = IntegerRow(statement)
        let cpus = factors.isEmpty ? [:] : try reservedCPUs(db)
        while try attempts.next() != nil {
            let job = row[0]
            guard groups.group(job: job) != nil else { continue }
            func add(_ totals: RunTotals, at microseconds: Int64) {
                total += totals
                if let group = groups.group(job: job, at: microseconds) { byGroup[group, default: .init()] += totals }
            }
            // Of an edited ledger a run may seem to last for ever.
            let longest = row[1].addingSaturating(36_500 * dayLength)
            var (position, end): (Int64, Int64) = (max(row[1], since), min(row[2], until, longest))
            while position < end {
                let next = isByDay ? min((position - position % dayLength).addingSaturating(dayLength), end) : end
                add(
                    RunTotals(
                        seconds: Double(next - position) / 1e6,
                        embodiedG: EmbodiedFactor.grams(factors, from: position, until: next, cpus: cpus[job] ?? 0)),
                    at: position)
                position = next
            }
            end = row[2]
            if row[3] != 0, end < until { add(RunTotals(wasteUj: row[4], overReservedUj: row[5]), at: end) }
        }
        try eachSaving(db, since: since, until: until) { job, at, saved in
            guard groups.group(job: job) != nil else { return }
            let totals = RunTotals(savedUg: saved)
            total += totals
            if let group = groups.group(job: job, at: at) { byGroup[group, default: .init()] += totals }
        }
        return (byGroup, total)
    }

    private static let dayLength: Int64 = 86_400_000_000

    private static func reservedCPUs(_ db: Database) throws -> [Int64: Int64] {
        var cpus: [Int64: Int64] = [:]
        let rows = try Row.fetchCursor(db, sql: "SELECT id, cpus FROM jobs")
        while let row = try rows.next() { cpus[row[0]] = row[1] }
        return cpus
    }
}

/// What making the machine weighs per second of one of its CPUs, from a time on.
struct EmbodiedFactor {
    /// µs since 1970.
    var from: Int64
    var gramsPerCPUSecond: Double?

    /// `M = TE x (time / lifetime) x (reserved CPUs / CPUs)`, SCI specification 1.0, "Embodied emissions"; each part of the
    /// time with the factor in force. Nil where none was.
    static func grams(_ factors: [EmbodiedFactor], from: Int64, until: Int64, cpus: Int64) -> Double? {
        var grams: Double?
        for (index, factor) in factors.enumerated() {
            let end = index + 1 < factors.count ? factors[index + 1].from : Int64.max
            let length = min(until, end).subtractingSaturating(max(from, factor.from))
            guard length > 0, let rate = factor.gramsPerCPUSecond else { continue }
            grams = (grams ?? 0) + rate * Double(length) / 1e6 * Double(cpus)
        }
        return grams
    }

    static func all(_ db: Database) throws -> [EmbodiedFactor] {
        try Row.fetchAll(db, sql: "SELECT * FROM site_factors ORDER BY from_us").map { row in
            var factor = EmbodiedFactor(from: row["from_us"])
            let cpus: Int64 = row["cpus"]
            if let grams = row["embodied_g"] as Double?, let lifetime = row["lifetime_s"] as Double?, lifetime > 0,
                cpus > 0
            {
                factor.gramsPerCPUSecond = grams / lifetime / Double(cpus)
            }
            return factor
        }
    }
}

/// Numbers of an edited ledger may be of any size, and must not stop the daemon.
extension Int64 {
    func addingSaturating(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (self < 0 ? .min : .max) : sum
    }

    func subtractingSaturating(_ other: Int64) -> Int64 {
        let (difference, overflow) = subtractingReportingOverflow(other)
        return overflow ? (self < 0 ? .min : .max) : difference
    }
}
