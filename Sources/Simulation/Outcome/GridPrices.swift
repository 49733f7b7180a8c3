package import Carbon
package import Units

/// What energy causes and costs at each moment.
package struct GridPrices: Hashable, Sendable {
    /// gCO2e per kWh over time.
    package var intensity: SignalSeries?
    /// Where `intensity` does not tell; nil leaves a gap.
    package var steadyIntensity: CarbonIntensity?
    /// Money per kWh over time.
    package var price: SignalSeries?
    package var steadyPrice: Double?
    /// What the site draws for each joule of the machine, from 1 to 10. Energy is stated without it, carbon and money with it.
    package var pue: Double

    package init(
        intensity: SignalSeries? = nil, steadyIntensity: CarbonIntensity? = nil, price: SignalSeries? = nil,
        steadyPrice: Double? = nil, pue: Double = 1
    ) {
        self.intensity = intensity
        self.steadyIntensity = steadyIntensity
        self.price = price
        self.steadyPrice = steadyPrice
        self.pue = pue.isFinite ? min(max(1, pue), 10) : 1
    }

    package var hasIntensity: Bool { intensity != nil || steadyIntensity != nil }
    package var hasPrice: Bool { price != nil || steadyPrice != nil }

    /// An amount, and for how long of it nobody knows.
    struct Amount {
        var amount = 0.0
        var gap = 0.0

        static func += (a: inout Amount, b: Amount) {
            a.amount += b.amount
            a.gap += b.gap
        }
    }

    /// Grams for a power that is constant from one moment to another: the sum over the intervals of the series of energy times
    /// the intensity in force.
    func grams(watts: Double, _ from: Timestamp, _ to: Timestamp) -> Amount {
        amount(watts: watts, from, to, intensity, steadyIntensity?.gramsPerKilowattHour)
    }

    func money(watts: Double, _ from: Timestamp, _ to: Timestamp) -> Amount {
        amount(watts: watts, from, to, price, steadyPrice)
    }

    private func amount(
        watts: Double, _ from: Timestamp, _ to: Timestamp, _ series: SignalSeries?, _ steady: Double?
    ) -> Amount {
        guard from < to else { return Amount() }
        let total = to.since(from).seconds
        var known = 0.0
        var valueSeconds = 0.0
        if let series {
            let (low, high) = (max(from, series.start), min(to, series.end))
            if low < high, let integral = series.integral(low, high) {
                known = high.since(low).seconds
                valueSeconds = integral
            }
        }
        let unknown = max(0, total - known)
        if let steady, steady.isFinite { valueSeconds += steady * unknown }
        // W s times g/kWh: 1 kWh is 3.6 MJ.
        return Amount(amount: watts * pue * valueSeconds / 3.6e6, gap: steady == nil ? unknown : 0)
    }
}
