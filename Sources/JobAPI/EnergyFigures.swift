/// How a figure came about, best first. A sum carries the worst tier of its parts that have a figure; what has none is
/// counted in seconds (``EnergyFigures/gapS``), and is a `gap` only when no part has one.
package enum Tier: String, Codable, Sendable, CaseIterable {
    /// Read from a counter of the hardware.
    case measured
    /// From a model fitted to this site's own measurement.
    case calibrated
    /// From a model with published coefficients.
    case table
    /// Time passed without a usable reading.
    case gap
}

/// Energy and carbon of one job or one report row, each with its range.
package struct EnergyFigures: Codable, Hashable, Sendable {
    /// Active plus reserved idle, in joules.
    package var energyJ: Double
    package var energyLowJ: Double
    package var energyHighJ: Double
    /// The part drawn because the job computed.
    package var activeJ: Double
    /// The part drawn because the job held hardware that idles.
    package var reservedIdleJ: Double
    /// Grams of CO2e, with the PUE.
    package var carbonG: Double
    package var carbonLowG: Double
    package var carbonHighG: Double
    /// Nil when nothing was metered.
    package var tier: Tier?
    /// Seconds without a figure, as a mean over power domains.
    package var gapS: Double
    /// Litres of water; nil where the site states no factors.
    package var waterL: Double?
    /// What it cost, by the price in force when it was drawn, with the PUE; in `currency`. Nil where no price was known.
    package var cost: Double?
    package var currency: String?
    /// The part of the energy of which no price was known, which `cost` leaves out.
    package var unpricedJ: Double?

    package init(
        energyJ: Double = 0, energyLowJ: Double = 0, energyHighJ: Double = 0, activeJ: Double = 0,
        reservedIdleJ: Double = 0, carbonG: Double = 0, carbonLowG: Double = 0, carbonHighG: Double = 0,
        tier: Tier? = nil, gapS: Double = 0, waterL: Double? = nil, cost: Double? = nil,
        currency: String? = nil, unpricedJ: Double? = nil
    ) {
        self.energyJ = energyJ
        self.energyLowJ = energyLowJ
        self.energyHighJ = energyHighJ
        self.activeJ = activeJ
        self.reservedIdleJ = reservedIdleJ
        self.carbonG = carbonG
        self.carbonLowG = carbonLowG
        self.carbonHighG = carbonHighG
        self.tier = tier
        self.gapS = gapS
        self.waterL = waterL
        self.cost = cost
        self.currency = currency
        self.unpricedJ = unpricedJ
    }
}
