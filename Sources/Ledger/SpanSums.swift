import GRDB
import JobAPI

/// Spans added up in whole microjoules, micrograms and microlitres.
///
/// In our own loop and not in SQL: SQLite sorts before it groups, which takes longer than all the rest of a report.
struct SpanSums {
    /// In the order of ``columns``.
    private var active: Int64 = 0
    private var idle: Int64 = 0
    private var low: Int64 = 0
    private var high: Int64 = 0
    private var carbon: Int64 = 0
    private var carbonLow: Int64 = 0
    private var carbonHigh: Int64 = 0
    private var gap: Int64 = 0
    private var water: Int64 = 0
    private var activeCarbon: Int64 = 0
    private var activeWater: Int64 = 0
    /// In millionths of the currency, and the energy that has a price.
    private var money: Int64 = 0
    private var activeMoney: Int64 = 0
    private var priced: Int64 = 0
    private var activePriced: Int64 = 0
    /// The worst of the parts, as ``Ledger/rank(_:)`` gives it; nil without parts.
    private var rank: Int?
    private var domains: [Int64] = []

    /// What ``add(_:from:)`` reads, one after the other.
    static let columns = """
        domain_id, active_uj, idle_uj, low_uj, high_uj, carbon_ug, carbon_low_ug, carbon_high_ug, gap_us, water_ul,
        active_carbon_ug, active_water_ul, \(Ledger.rank("tier")), money_micros, active_money_micros, priced_uj,
        active_priced_uj
        """

    var microjoules: Int64 { active.addingSaturating(idle) }

    /// - Parameters:
    ///   - first: the place of the first of the columns in the row.
    ///   - isOfCurrency: whether its money is in the currency that is added up.
    mutating func add(_ row: IntegerRow, from first: Int, isOfCurrency: Bool) {
        let domain = row[first]
        Self.add(row[first + 1], to: &active)
        Self.add(row[first + 2], to: &idle)
        Self.add(row[first + 3], to: &low)
        Self.add(row[first + 4], to: &high)
        Self.add(row[first + 5], to: &carbon)
        Self.add(row[first + 6], to: &carbonLow)
        Self.add(row[first + 7], to: &carbonHigh)
        Self.add(row[first + 8], to: &gap)
        Self.add(row[first + 9], to: &water)
        Self.add(row[first + 10], to: &activeCarbon)
        Self.add(row[first + 11], to: &activeWater)
        rank = max(rank ?? 0, Int(row[first + 12]))
        if !domains.contains(domain) { domains.append(domain) }
        guard isOfCurrency else { return }
        Self.add(row[first + 13], to: &money)
        Self.add(row[first + 14], to: &activeMoney)
        Self.add(row[first + 15], to: &priced)
        Self.add(row[first + 16], to: &activePriced)
    }

    mutating func add(_ other: SpanSums) {
        Self.add(other.active, to: &active)
        Self.add(other.idle, to: &idle)
        Self.add(other.low, to: &low)
        Self.add(other.high, to: &high)
        Self.add(other.carbon, to: &carbon)
        Self.add(other.carbonLow, to: &carbonLow)
        Self.add(other.carbonHigh, to: &carbonHigh)
        Self.add(other.gap, to: &gap)
        Self.add(other.water, to: &water)
        if let rank = other.rank { self.rank = max(self.rank ?? 0, rank) }
        Self.add(other.activeCarbon, to: &activeCarbon)
        Self.add(other.activeWater, to: &activeWater)
        Self.add(other.money, to: &money)
        Self.add(other.activeMoney, to: &activeMoney)
        Self.add(other.priced, to: &priced)
        Self.add(other.activePriced, to: &activePriced)
        for domain in other.domains where !domains.contains(domain) { domains.append(domain) }
    }

    /// Figures that were edited may be of any size: the sum then stays at the largest number, and the audit tells why.
    private static func add(_ value: Int64, to sum: inout Int64) { sum = sum.addingSaturating(value) }

    /// - Parameter currency: of the money; nil where nobody ever said what energy costs.
    func figures(_ basis: BillingBasis = .full, currency: String?) -> EnergyFigures {
        var figures = figuresWithoutMoney(basis)
        guard let currency, figures.tier != nil else { return figures }
        let (priced, money) = basis == .full ? (priced, money) : (activePriced, activeMoney)
        let unpriced = (basis == .full ? microjoules : active).subtractingSaturating(priced)
        guard priced > 0 || unpriced > 0 else { return figures }
        figures.currency = currency
        figures.cost = priced > 0 ? Double(money) / 1e6 : nil
        figures.unpricedJ = unpriced > 0 ? Double(unpriced) / 1e6 : nil
        return figures
    }

    private func figuresWithoutMoney(_ basis: BillingBasis) -> EnergyFigures {
        let tiers: [Tier] = [.gap, .measured, .calibrated, .table]
        func whole(_ millionths: Int64) -> Double { Double(millionths) / 1e6 }
        var figures = EnergyFigures(
            energyJ: whole(microjoules), energyLowJ: whole(low), energyHighJ: whole(high), activeJ: whole(active),
            reservedIdleJ: whole(idle), carbonG: whole(carbon), carbonLowG: whole(carbonLow),
            carbonHighG: whole(carbonHigh), tier: rank.flatMap { tiers.indices.contains($0) ? tiers[$0] : nil },
            gapS: whole(gap / Int64(max(domains.count, 1))), waterL: water > 0 ? whole(water) : nil)
        guard basis == .marginal else { return figures }
        let fraction = figures.energyJ > 0 ? figures.activeJ / figures.energyJ : 0
        figures.carbonG = whole(activeCarbon)
        figures.carbonLowG = min(figures.carbonG, figures.carbonLowG * fraction)
        figures.carbonHighG = max(figures.carbonG, figures.carbonHighG * fraction)
        figures.waterL = figures.waterL.map { _ in whole(activeWater) }
        figures.energyJ = figures.activeJ
        figures.energyLowJ = min(figures.activeJ, max(0, figures.energyLowJ - figures.reservedIdleJ))
        figures.energyHighJ = max(figures.activeJ, figures.energyHighJ - figures.reservedIdleJ)
        return figures
    }
}
