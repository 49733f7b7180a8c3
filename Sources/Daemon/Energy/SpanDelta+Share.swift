import Carbon
import JobAPI
import Ledger
import Metering
import Units

extension SpanDelta {
    /// What is booked of one share of a reading.
    /// - Parameter cost: in whole µg, µL and millionths of the currency.
    init(_ share: Share, account: SpanAccount, cost: EnergyCost, tier: Tier) {
        let money = cost.money.map {
            SpanMoney(
                whole: Int64(saturating: $0), active: Int64(saturating: cost.activeMoney ?? 0),
                priced: share.active + share.reservedIdle, activePriced: share.active)
        }
        func mass(_ micrograms: Double) -> CarbonMass { CarbonMass(micrograms: Int64(saturating: micrograms)) }
        self.init(
            account: account, active: share.active, reservedIdle: share.reservedIdle, low: share.low, high: share.high,
            carbon: mass(cost.carbon), carbonLow: mass(cost.carbonLow), carbonHigh: mass(cost.carbonHigh),
            activeCarbon: mass(cost.activeCarbon), waterMicrolitres: Int64(saturating: cost.water),
            activeWaterMicrolitres: Int64(saturating: cost.activeWater), money: money, gap: .seconds(share.gapSeconds),
            tier: tier)
    }

    /// That there was no reading for so long while the account was there.
    init(_ account: SpanAccount, gap length: Duration) {
        self.init(
            account: account, active: .zero, reservedIdle: .zero, low: .zero, high: .zero, carbon: .zero,
            carbonLow: .zero, carbonHigh: .zero, activeCarbon: .zero, gap: length, tier: .gap)
    }
}
