import GRDB
package import Units

/// The factors of a site that are not of its electricity; nil where nobody stated them.
package struct SiteFactors: Sendable, Hashable {
    /// Of making, moving and scrapping the machine.
    package var embodied: CarbonMass?
    package var lifetime: Duration?
    /// Water usage effectiveness: litres evaporated on the site per kWh of the machine.
    package var wue: Double?
    /// Energy water intensity factor: litres that making a kWh takes.
    package var ewif: Double?

    package init(embodied: CarbonMass? = nil, lifetime: Duration? = nil, wue: Double? = nil, ewif: Double? = nil) {
        self.embodied = embodied
        self.lifetime = lifetime
        self.wue = wue
        self.ewif = ewif
    }
}

extension Ledger {
    /// Writes the factors in force from `from` on, unless the last ones are the same.
    package func recordSite(_ factors: SiteFactors, from: Timestamp) async throws(LedgerError) {
        try await write("record the site's factors") { db in
            let last = try Row.fetchOne(db, sql: "SELECT * FROM site_factors ORDER BY from_us DESC LIMIT 1")
            let grams = factors.embodied.map { Double($0.micrograms) / 1e6 }
            if let last, last["embodied_g"] == grams, last["lifetime_s"] == factors.lifetime?.seconds,
                last["wue_l_per_kwh"] == factors.wue, last["ewif_l_per_kwh"] == factors.ewif
            {
                return
            }
            if last == nil, factors == SiteFactors() { return }
            try db.execute(
                sql: "INSERT INTO site_factors VALUES (?, ?, ?, ?, ?)",
                arguments: [
                    Self.later(from, than: last?["from_us"]), grams, factors.lifetime?.seconds, factors.wue,
                    factors.ewif,
                ])
        }
    }
}
