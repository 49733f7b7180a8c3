import GRDB
package import Units

/// The factors of a site that are not of its electricity; nil where nobody stated them.
package struct SiteFactors: Sendable, Hashable {
    /// Among which the embodied emissions are shared out.
    package var cpus: Int
    /// Of making, moving and scrapping the machine.
    package var embodied: CarbonMass?
    package var lifetime: Duration?
    /// Water usage effectiveness: litres evaporated on the site per kWh of the machine.
    package var wue: Double?
    /// Energy water intensity factor: litres that making a kWh takes.
    package var ewif: Double?

    package init(
        cpus: Int, embodied: CarbonMass? = nil, lifetime: Duration? = nil, wue: Double? = nil, ewif: Double? = nil
    ) {
        self.cpus = cpus
        self.embodied = embodied
        self.lifetime = lifetime
        self.wue = wue
        self.ewif = ewif
    }
}

/// What a policy settles of the books, in force from one moment on.
package struct Terms: Sendable, Hashable {
    package var policyHash: String
    /// Of its files.
    package var policyText: String
    package var zone: String
    package var intensity: CarbonIntensity
    package var pue: Double
    /// Where the intensity is from.
    package var source: String
    package var factors: SiteFactors
    /// Nil where it is not known.
    package var price: EnergyPrice?

    package init(
        policyHash: String, policyText: String, zone: String, intensity: CarbonIntensity, pue: Double, source: String,
        factors: SiteFactors, price: EnergyPrice? = nil
    ) {
        self.policyHash = policyHash
        self.policyText = policyText
        self.zone = zone
        self.intensity = intensity
        self.pue = pue
        self.source = source
        self.factors = factors
        self.price = price
    }
}

extension Ledger {
    /// Writes down what is in force from `from` on, all of it or nothing; what is as it was before is not written again.
    package func putInForce(_ terms: Terms, from: Timestamp) async throws(LedgerError) {
        try await write("put the policy in force") { db in
            try Self.keepPolicy(db, hash: terms.policyHash, text: terms.policyText, at: from)
            try Self.recordIntensity(
                db, from: from, zone: terms.zone, intensity: terms.intensity, pue: terms.pue, source: terms.source)
            try Self.recordSite(db, terms.factors, from: from)
            try Self.recordPrice(db, terms.price, from: from)
        }
    }

    /// Writes the factors in force from `from` on, unless the last ones are the same.
    package func recordSite(_ factors: SiteFactors, from: Timestamp) async throws(LedgerError) {
        try await write("record the site's factors") { db in try Self.recordSite(db, factors, from: from) }
    }

    private static func recordSite(_ db: Database, _ factors: SiteFactors, from: Timestamp) throws {
        let last = try Row.fetchOne(db, sql: "SELECT * FROM site_factors ORDER BY from_us DESC LIMIT 1")
        let grams = factors.embodied.map { Double($0.micrograms) / 1e6 }
        if let last, last["cpus"] == factors.cpus, last["embodied_g"] == grams,
            last["lifetime_s"] == factors.lifetime?.seconds,
            last["wue_l_per_kwh"] == factors.wue, last["ewif_l_per_kwh"] == factors.ewif
        {
            return
        }
        if last == nil, factors == SiteFactors(cpus: factors.cpus) { return }
        try db.execute(
            sql: "INSERT INTO site_factors VALUES (?, ?, ?, ?, ?, ?)",
            arguments: [
                later(from, than: last?["from_us"]), factors.cpus, grams, factors.lifetime?.seconds,
                factors.wue,
                factors.ewif,
            ])
    }
}
