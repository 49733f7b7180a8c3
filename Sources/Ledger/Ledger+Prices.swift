import GRDB
import JobAPI
package import Units

/// The currency that sums of money are in: the last one in which there was a price. What was paid in another before is not in them.
struct CurrencyInForce {
    var code: String
    /// From when on.
    var from: Minute

    /// Nil where nobody ever said what energy costs.
    init?(_ db: Database, until: Timestamp? = nil) throws {
        let last = try Row.fetchOne(
            db.cachedStatement(
                sql: "SELECT currency, currency_from_us FROM prices WHERE from_us < ? ORDER BY from_us DESC LIMIT 1"),
            arguments: [until?.microseconds ?? .max])
        guard let last else { return nil }
        code = last[0]
        // The minute in which it took another's place holds both.
        from = last[1] == 0 ? .min : Timestamp(microseconds: last[1]).minute.addingSaturating(1)
    }
}

extension Ledger {
    /// Writes the price in force from `from` on, unless the last one is the same; nil where none is known from then on.
    package func recordPrice(_ price: EnergyPrice?, from: Timestamp) async throws(LedgerError) {
        try await write("record the price of energy") { db in try Self.recordPrice(db, price, from: from) }
    }

    static func recordPrice(_ db: Database, _ price: EnergyPrice?, from: Timestamp) throws {
        let last = try Row.fetchOne(db, sql: "SELECT * FROM prices ORDER BY from_us DESC LIMIT 1")
        let known: String? = last?["currency"]
        guard let currency = price?.currency ?? known else { return }
        if let last, last["per_kwh"] == price?.perKilowattHour, known == currency { return }
        let at = later(from, than: last?["from_us"])
        let since: Int64? = last == nil ? 0 : known == currency ? last?["currency_from_us"] : at
        try db.execute(
            sql: "INSERT INTO prices VALUES (?, ?, ?, ?)",
            arguments: [at, price?.perKilowattHour, currency, since ?? at])
    }

    /// Money follows from energy and the prices that were in force, as carbon does from intensities.
    static func auditMoney(_ db: Database) throws -> AuditReport.Finding? {
        for level in SpanLevel.allCases {
            let query = """
                SELECT * FROM \(level.spans) WHERE (money_micros IS NULL) <> (priced_uj IS NULL)
                    OR (active_money_micros IS NULL) <> (priced_uj IS NULL)
                    OR (active_priced_uj IS NULL) <> (priced_uj IS NULL)
                    OR priced_uj < 0 OR priced_uj > active_uj + idle_uj OR active_priced_uj < 0
                    OR active_priced_uj > active_uj OR active_priced_uj > priced_uj ORDER BY minute LIMIT 1
                """
            if let row = try Row.fetchOne(db, sql: query) {
                return finding("money", level.spans, row, columns: 5, "more or less of it is priced than there is")
            }
        }
        return try auditPrices(db)
    }

    /// As with carbon a minute may hold energy of the price before, and where the clock was set of any: so what was paid lies between
    /// what the lowest and the highest price come to, within a thousandth and a thousandth of the currency.
    private static func auditPrices(_ db: Database) throws -> AuditReport.Finding? {
        let factors = try Row.fetchOne(
            db, sql: "SELECT MIN(per_kwh), MAX(per_kwh) FROM prices WHERE per_kwh IS NOT NULL")
        let overheads = try Row.fetchOne(db, sql: "SELECT MIN(pue), MAX(pue) FROM intensities")
        guard let pueLow = overheads?[0] as Double?, let pueHigh = overheads?[1] as Double? else { return nil }
        // Without a price there is nothing that could have been paid.
        let low = factors?[0] as Double? ?? 0
        let high = factors?[1] as Double? ?? 0
        let least = min(low * pueLow, low * pueHigh) / 3.6e6
        let most = max(high * pueLow, high * pueHigh) / 3.6e6
        let query = """
            SELECT * FROM spans WHERE priced_uj IS NOT NULL AND (
                money_micros < priced_uj * ?1 - 1000 - 0.001 * ABS(priced_uj * ?1)
                OR money_micros > priced_uj * ?2 + 1000 + 0.001 * ABS(priced_uj * ?2)) ORDER BY minute LIMIT 1
            """
        return try Row.fetchOne(db, sql: query, arguments: [least, most]).map { row in
            finding("money", "spans", row, columns: 5, "it is not its energy at any price there was")
        }
    }
}
