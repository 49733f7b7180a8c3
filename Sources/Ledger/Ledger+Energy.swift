import FoundationEssentials
import GRDB
package import JobAPI
package import Units

/// Who a share of energy belongs to.
package enum SpanAccount: Hashable, Sendable {
    case job(JobID, attempt: Int)
    case system
    case daemon
    case idle
    case gap

    var name: String {
        switch self {
        case .job: "job"
        case .system: "system"
        case .daemon: "mld"
        case .idle: "idle"
        case .gap: "gap"
        }
    }
}

/// What a share of energy cost, in millionths of the currency, and how much of it that price is of.
package struct SpanMoney: Sendable, Hashable {
    package var whole: Int64
    package var active: Int64
    package var priced: Energy
    package var activePriced: Energy

    package static let zero = SpanMoney(whole: 0, active: 0, priced: .zero, activePriced: .zero)

    package init(whole: Int64, active: Int64, priced: Energy, activePriced: Energy) {
        self.whole = whole
        self.active = active
        self.priced = priced
        self.activePriced = activePriced
    }
}

/// One account's share of one domain in one interval; added to what its minute already holds.
package struct SpanDelta: Sendable {
    package var account: SpanAccount
    package var active: Energy
    package var reservedIdle: Energy
    package var low: Energy
    package var high: Energy
    package var carbon: CarbonMass
    package var carbonLow: CarbonMass
    package var carbonHigh: CarbonMass
    /// Of ``active`` alone.
    package var activeCarbon: CarbonMass
    /// Water that making and cooling took, in microlitres; zero where the site states no factors.
    package var waterMicrolitres: Int64
    package var activeWaterMicrolitres: Int64
    /// Nil where no price was known.
    package var money: SpanMoney?
    /// How long there was no reading while the account was there.
    package var gap: Duration
    package var tier: Tier

    package init(
        account: SpanAccount, active: Energy, reservedIdle: Energy, low: Energy, high: Energy, carbon: CarbonMass,
        carbonLow: CarbonMass, carbonHigh: CarbonMass, activeCarbon: CarbonMass, waterMicrolitres: Int64 = 0,
        activeWaterMicrolitres: Int64 = 0, money: SpanMoney? = nil, gap: Duration = .zero, tier: Tier
    ) {
        self.account = account
        self.active = active
        self.reservedIdle = reservedIdle
        self.low = low
        self.high = high
        self.carbon = carbon
        self.carbonLow = carbonLow
        self.carbonHigh = carbonHigh
        self.activeCarbon = activeCarbon
        self.waterMicrolitres = waterMicrolitres
        self.activeWaterMicrolitres = activeWaterMicrolitres
        self.money = money
        self.gap = gap
        self.tier = tier
    }
}

/// What one domain's meter said over one interval, and whom it went to.
package struct MeteredInterval: Sendable {
    package var domain: String
    package var kind: String
    package var source: String
    package var start: Timestamp
    package var end: Timestamp
    /// Zero with a gap.
    package var metered: Energy
    package var low: Energy
    package var high: Energy
    package var isGap: Bool
    package var tier: Tier
    package var spans: [SpanDelta]

    package init(
        domain: String, kind: String, source: String, start: Timestamp, end: Timestamp, metered: Energy, low: Energy,
        high: Energy, isGap: Bool, tier: Tier, spans: [SpanDelta]
    ) {
        self.domain = domain
        self.kind = kind
        self.source = source
        self.start = start
        self.end = end
        self.metered = metered
        self.low = low
        self.high = high
        self.isGap = isGap
        self.tier = tier
        self.spans = spans
    }
}

extension Ledger {
    /// Adds metered intervals to their minutes, all or none.
    ///
    /// An interval is booked whole to the minute in which it ends; intervals are about a second, so a minute's figure may
    /// hold up to one interval of its neighbour and no energy is ever split or lost. A minute that is sealed takes nothing more:
    /// what comes for it late, because the clock was set back, goes to the first one that is not.
    /// - Parameter read: when the meters were read last, also by a clock that nobody sets, in words of the caller's.
    package func add(
        _ intervals: [MeteredInterval], host: Int64, read: (at: Timestamp, clock: String)? = nil
    ) async throws(LedgerError) {
        guard !intervals.isEmpty else { return }
        try await write("book the meter's readings") { db in
            let sealed = try Frontiers(db).sealed
            for interval in intervals {
                try Self.add(db, interval, minute: max(interval.end.minute, sealed), host: host)
            }
            if let last = read?.at ?? intervals.map(\.end).max() {
                try Self.noteReading(db, last, clock: read?.clock ?? "")
            }
        }
    }

    /// Writes down when the meters were read, where nothing was booked yet.
    package func noteReading(at: Timestamp, clock: String) async throws(LedgerError) {
        try await write("note the first reading") { db in try Self.noteReading(db, at, clock: clock) }
    }

    /// Where a daemon that starts after us finds out how long nobody read the meters.
    private static func noteReading(_ db: Database, _ at: Timestamp, clock: String) throws {
        try db.execute(
            sql: "INSERT OR REPLACE INTO learned VALUES ('last-reading', ?1, ?1)", arguments: [at.microseconds])
        try db.execute(
            sql: "INSERT OR REPLACE INTO learned VALUES ('last-reading-clock', ?, ?)",
            arguments: [clock, at.microseconds])
    }

    private static func add(_ db: Database, _ interval: MeteredInterval, minute: Minute, host: Int64) throws {
        let length = max(interval.end.microseconds - interval.start.microseconds, 0)
        let domain = try domainID(db, interval, host: host)
        try db.cachedStatement(
            sql: """
                INSERT INTO domain_minutes VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                ON CONFLICT DO UPDATE SET metered_uj = metered_uj + ?3, low_uj = low_uj + ?4, high_uj = high_uj + ?5,
                    metered_us = metered_us + ?6, gap_us = gap_us + ?7,
                    tier = CASE WHEN \(rank("?8")) > \(rank("tier")) THEN ?8 ELSE tier END
                """
        ).execute(arguments: [
            minute, domain, interval.metered.microjoules, interval.low.microjoules, interval.high.microjoules,
            interval.isGap ? 0 : length, interval.isGap ? length : 0, interval.tier.rawValue,
        ])
        for span in interval.spans {
            var job = (id: Int64(0), attempt: 0)
            if case .job(let id, let attempt) = span.account { job = (id.number, attempt) }
            try db.cachedStatement(
                sql: """
                    INSERT INTO spans
                    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19,
                        ?20, ?21)
                    ON CONFLICT DO UPDATE SET active_uj = active_uj + ?6, idle_uj = idle_uj + ?7, low_uj = low_uj + ?8,
                        high_uj = high_uj + ?9, carbon_ug = carbon_ug + ?10, carbon_low_ug = carbon_low_ug + ?11,
                        carbon_high_ug = carbon_high_ug + ?12, gap_us = gap_us + ?13, water_ul = water_ul + ?15,
                        active_carbon_ug = active_carbon_ug + ?16, active_water_ul = active_water_ul + ?17,
                        money_micros = \(sum("money_micros", "?18")),
                        active_money_micros = \(sum("active_money_micros", "?19")),
                        priced_uj = \(sum("priced_uj", "?20")), active_priced_uj = \(sum("active_priced_uj", "?21")),
                        tier = CASE WHEN \(rank("?14")) > \(rank("tier")) THEN ?14 ELSE tier END
                    """
            ).execute(arguments: [
                minute, domain, span.account.name, job.id, job.attempt, span.active.microjoules,
                span.reservedIdle.microjoules, span.low.microjoules, span.high.microjoules, span.carbon.micrograms,
                span.carbonLow.micrograms, span.carbonHigh.micrograms, Int64(saturating: span.gap.seconds * 1e6),
                span.tier.rawValue, span.waterMicrolitres, span.activeCarbon.micrograms, span.activeWaterMicrolitres,
                span.money?.whole, span.money?.active, span.money?.priced.microjoules,
                span.money?.activePriced.microjoules,
            ])
        }
    }

    /// Adds in SQL what may be null; of two nulls it stays null.
    private static func sum(_ column: String, _ value: String) -> String {
        "COALESCE(\(column) + \(value), \(column), \(value))"
    }

    /// Orders tiers in SQL: the highest of the parts is the tier of the sum. A gap has no figure, so any figure outranks it.
    static func rank(_ expression: String) -> String {
        "(CASE \(expression) WHEN 'measured' THEN 1 WHEN 'calibrated' THEN 2 WHEN 'table' THEN 3 ELSE 0 END)"
    }

    /// The tier of a rank as ``rank(_:)`` gives it.
    static func tier(ofRank expression: String) -> String {
        "(CASE \(expression) WHEN 1 THEN 'measured' WHEN 2 THEN 'calibrated' WHEN 3 THEN 'table' ELSE 'gap' END)"
    }

    private static func domainID(_ db: Database, _ interval: MeteredInterval, host: Int64) throws -> Int64 {
        let find = "SELECT id FROM domains WHERE host_id = ? AND name = ?"
        if let id = try Int64.fetchOne(
            db.cachedStatement(sql: find), arguments: [host, interval.domain])
        {
            return id
        }
        try db.execute(
            sql: "INSERT INTO domains (host_id, name, kind, source) VALUES (?, ?, ?, ?)",
            arguments: [host, interval.domain, interval.kind, interval.source])
        return db.lastInsertedRowID
    }

    /// The number of this machine in the ledger, writing it down when it is new.
    package func host(
        name: String, cpuModel: String, cpus: Int, memory: ByteSize
    ) async throws(LedgerError) -> Int64 {
        try await write("record the machine") { db in
            try db.execute(
                sql: """
                    INSERT INTO hosts (name, cpu_model, cpus, memory_bytes) VALUES (?1, ?2, ?3, ?4)
                    ON CONFLICT (name) DO UPDATE SET cpu_model = ?2, cpus = ?3, memory_bytes = ?4
                    """, arguments: [name, cpuModel, cpus, memory.bytes])
            return try Int64.fetchOne(db, sql: "SELECT id FROM hosts WHERE name = ?", arguments: [name]) ?? 0
        }
    }

    /// Writes the intensity in force from `from` on, unless the last one is the same.
    package func recordIntensity(
        from: Timestamp, zone: String, intensity: CarbonIntensity, pue: Double, source: String
    ) async throws(LedgerError) {
        try await write("record the carbon intensity") { db in
            try Self.recordIntensity(db, from: from, zone: zone, intensity: intensity, pue: pue, source: source)
        }
    }

    static func recordIntensity(
        _ db: Database, from: Timestamp, zone: String, intensity: CarbonIntensity, pue: Double, source: String
    ) throws {
        let last = try Row.fetchOne(db, sql: "SELECT * FROM intensities ORDER BY from_us DESC LIMIT 1")
        if let last, last["zone"] == zone, last["g_per_kwh"] == intensity.gramsPerKilowattHour,
            last["pue"] == pue, last["source"] == source
        {
            return
        }
        try db.execute(
            sql: "INSERT INTO intensities VALUES (?, ?, ?, ?, ?)",
            arguments: [
                later(from, than: last?["from_us"]), zone, intensity.gramsPerKilowattHour, pue, source,
            ])
    }

    /// A time after the last one, though the clock was set back: what is sealed stays as it is, and the order of what was in
    /// force is kept.
    static func later(_ time: Timestamp, than last: Int64?) -> Int64 {
        max(time.microseconds, last?.addingSaturating(1) ?? .min)
    }

    /// The end of the last interval that was booked.
    package func lastReading() async throws(LedgerError) -> Timestamp? {
        try await learned("last-reading").flatMap { Int64($0) }.map(Timestamp.init(microseconds:))
    }

    /// A value learned from observation, such as the idle power of a domain.
    package func learned(_ key: String) async throws(LedgerError) -> String? {
        try await read("read what was learned") { db in
            try String.fetchOne(db, sql: "SELECT value FROM learned WHERE key = ?", arguments: [key])
        }
    }

    package func learn(_ key: String, _ value: String, at: Timestamp) async throws(LedgerError) {
        try await write("keep what was learned") { db in
            try db.execute(
                sql: "INSERT OR REPLACE INTO learned VALUES (?, ?, ?)", arguments: [key, value, at.microseconds])
        }
    }
}
