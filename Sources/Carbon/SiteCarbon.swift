package import Units

/// What turns this machine's joules into grams: the intensity in force, the building's overhead, and where both come from.
package struct SiteCarbon: Sendable, Hashable {
    /// ISO 3166-1 alpha-3, `WORLD`, or a name of the site's own.
    package var zone: String
    package var intensity: CarbonIntensity
    /// What the intensity may be as well. The same as `intensity` where the zone is known: the table states no error.
    package var lowIntensity: CarbonIntensity
    package var highIntensity: CarbonIntensity
    package var year: Int
    /// For reports: what the intensity is and whose figure.
    package var source: String
    /// Power usage effectiveness: what the site draws for each joule of its computers, at least 1.
    package var pue: Double
    /// False when the admin has set no PUE and 1.0, no overhead at all, is assumed.
    package var pueIsSet: Bool
    /// False when the admin has set no zone and the world's mean is assumed.
    package var zoneIsSet: Bool
    /// Water usage effectiveness: litres evaporated on the site per kWh of the machine; nil when the admin has not said.
    package var wue: Double?
    /// Energy water intensity factor: litres that making a kWh takes; nil when the admin has not said.
    package var ewif: Double?
    /// What a kilowatt hour costs now; nil where nobody knows.
    package var energyPrice: EnergyPrice?

    /// The 5th and 95th percentile of the countries' intensities, weighted by their generation (Brazil and India): where a
    /// machine of unknown place may stand. Computed from the source of the table, which also holds the generation.
    static let worldSpread = (low: 98.348, high: 713.441)

    /// - Parameters:
    ///   - zone: what the admin set; nil takes the world's mean with the spread over countries as its range.
    ///   - pue: what the admin set, from 1 to 10; nil takes 1.0, so that the building's overhead is missing, not invented.
    package init(zone: String?, pue: Double?, table: CarbonTable) throws(CarbonError) {
        if let pue, !(pue >= 1 && pue <= 10) {
            throw CarbonError(
                .badFigure, "a PUE of \(pue) is not possible", hint: "it is 1.0 or more; typical are 1.1 to 1.6")
        }
        let entry = try table.lookup(zone: zone ?? "WORLD")
        let world = entry.zone == "WORLD"
        self.zone = entry.zone
        intensity = entry.intensity
        lowIntensity = world ? CarbonIntensity(gramsPerKilowattHour: Self.worldSpread.low) : entry.intensity
        highIntensity = world ? CarbonIntensity(gramsPerKilowattHour: Self.worldSpread.high) : entry.intensity
        year = entry.year
        source = zone == nil ? "zone not set, mean of the world: " + entry.source : entry.source
        self.pue = pue ?? 1
        pueIsSet = pue != nil
        zoneIsSet = zone != nil
    }

    /// For reports: `PUE 1.2` or `PUE not set (1.0, without the building's overhead)`.
    package var pueText: String {
        pueIsSet ? "PUE \(significant(pue))" : "PUE not set (1.0, without the building's overhead)"
    }

    /// The water of one interval's energy in µL: `E x (WUE + PUE x EWIF)`, Li et al. 2023, "Making AI Less Thirsty", equation
    /// of the operational water footprint. What nobody stated counts as none, so the figure is then a lower bound.
    package func water(_ energy: Energy) -> Double {
        let litresPerKilowattHour = (wue ?? 0) + pue * (ewif ?? 0)
        guard litresPerKilowattHour.isFinite, litresPerKilowattHour > 0 else { return 0 }
        // 1 µJ at 1 L/kWh is 1e6 / 3.6e12 µL.
        return Double(energy.microjoules) * litresPerKilowattHour / 3.6e6
    }

    /// The money of one interval's energy in millionths of the currency: `E x PUE x price`, like carbon by the price in force in it.
    private func money(_ energy: Energy) -> Double? {
        guard let price = energyPrice?.perKilowattHour, (pue * price).isFinite else { return nil }
        // 1 µJ at 1 a kWh is 1e6 / 3.6e12 millionths.
        return Double(energy.microjoules) * pue * price / 3.6e6
    }

    /// The cost of one interval's energy, of which `active` is a part: with the energy's range and, where the zone is not known,
    /// the world's.
    package func price(_ energy: Energy, active: Energy, low: Energy, high: Energy) -> EnergyCost {
        let carbon = Carbon.price(energy, intensity: intensity, pue: pue)
        return EnergyCost(
            carbon: carbon, carbonLow: min(carbon, Carbon.price(low, intensity: lowIntensity, pue: pue)),
            carbonHigh: max(carbon, Carbon.price(high, intensity: highIntensity, pue: pue)),
            activeCarbon: Carbon.price(active, intensity: intensity, pue: pue), water: water(energy),
            activeWater: water(active), money: money(energy), activeMoney: money(active))
    }
}

/// Operational carbon of one interval: `O = E x PUE x I`, with the intensity that was in force in that interval.
///
/// Price each interval and add the results; the product of two means is not the mean of the products.
/// - Returns: µg, not rounded: what one job draws in a second is often less than one. Figures that make no sense (NaN, negative
///   intensity) give zero.
package func price(_ energy: Energy, intensity: CarbonIntensity, pue: Double) -> Double {
    let factor = pue * intensity.gramsPerKilowattHour
    guard factor.isFinite, factor > 0 else { return 0 }
    // 1 µJ at 1 g/kWh is 1e-6 / 3.6e6 g, or 1 / 3.6e6 µg.
    return Double(energy.microjoules) * factor / 3.6e6
}
