/// What a share of energy costs beside itself: carbon in µg with the range in which the truth is held to lie, water in µL, and money.
package struct EnergyCost: Sendable, Hashable {
    package var carbon: Double
    package var carbonLow: Double
    package var carbonHigh: Double
    /// Of the active part alone.
    package var activeCarbon: Double
    package var water: Double
    package var activeWater: Double
    /// In millionths of the currency, below zero at a price that is; nil where no price was known.
    package var money: Double?
    package var activeMoney: Double?

    package init(
        carbon: Double = 0, carbonLow: Double = 0, carbonHigh: Double = 0, activeCarbon: Double = 0,
        water: Double = 0, activeWater: Double = 0, money: Double? = nil, activeMoney: Double? = nil
    ) {
        self.carbon = carbon
        self.carbonLow = carbonLow
        self.carbonHigh = carbonHigh
        self.activeCarbon = activeCarbon
        self.water = water
        self.activeWater = activeWater
        self.money = money
        self.activeMoney = activeMoney
    }
}

/// Turns the costs of one account's intervals into whole µg, µL and millionths without losing any: what is short of a whole waits for the
/// next interval.
///
/// Rounded one by one, a job of 3 W would never be charged a drop of water, and one of 1 W a sixth too much carbon.
package struct CostRounding: Sendable, Hashable {
    private var rest = EnergyCost()

    package init() {}

    /// Whole numbers whose sums, from the first interval on, are less than one unit below the sums of what was given; but for the
    /// ends of the range, none is further from it than that.
    package mutating func whole(_ cost: EnergyCost) -> EnergyCost {
        var whole = EnergyCost()
        whole.carbon = Self.whole(cost.carbon, &rest.carbon)
        whole.water = Self.whole(cost.water, &rest.water)
        // Each waits for a unit of its own, and may not leave its range meanwhile.
        whole.carbonLow = Self.whole(cost.carbonLow, &rest.carbonLow, atMost: whole.carbon)
        whole.carbonHigh = Self.whole(cost.carbonHigh, &rest.carbonHigh, atLeast: whole.carbon)
        whole.activeCarbon = Self.whole(cost.activeCarbon, &rest.activeCarbon, atMost: whole.carbon)
        whole.activeWater = Self.whole(cost.activeWater, &rest.activeWater, atMost: whole.water)
        whole.money = Self.whole(money: cost.money, &rest.money)
        whole.activeMoney = Self.whole(money: cost.activeMoney, &rest.activeMoney)
        return whole
    }

    /// What has no price waits for one with what was left of the last.
    private static func whole(money: Double?, _ rest: inout Double?) -> Double? {
        guard let money else { return nil }
        var left = rest ?? 0
        defer { rest = left }
        return whole(money, &left, atLeast: -.infinity)
    }

    private static func whole(
        _ amount: Double, _ rest: inout Double, atLeast least: Double = 0, atMost most: Double = .infinity
    ) -> Double {
        let sum = rest + amount
        let whole = min(max(sum.rounded(.down), least), most)
        rest = sum - whole
        return whole
    }
}
