package import JobAPI
import Units

// Numbers as people read them, the same in every table.

/// Joules to three significant digits; nothing for a job that has no figure yet.
func joules(_ figures: EnergyFigures) -> String { figures.tier == nil ? "-" : significant(figures.energyJ) }

func kilowattHours(_ figures: EnergyFigures) -> String {
    figures.tier == nil ? "-" : significant(figures.energyJ / 3.6e6)
}

func grams(_ figures: EnergyFigures) -> String { figures.tier == nil ? "-" : significant(figures.carbonG) }

/// `0.000123 EUR`; nil where nobody knows what energy costs.
func cost(_ figures: EnergyFigures) -> String? {
    figures.cost.map { "\(significant($0)) \(printable(figures.currency ?? ""))" }
}

/// `0.11-0.14`, or one number when the figure is a point.
func range(_ low: Double, _ high: Double) -> String {
    let (low, high) = (significant(low), significant(high))
    return low == high ? low : low + "-" + high
}

/// Seconds as `2 min 10 s`; hostile values are clamped, never trapped on.
package func brief(seconds: Double) -> String {
    guard seconds.isFinite else { return "-" }
    return Duration.seconds(min(max(seconds, -3e11), 3e11)).brief
}

/// `1.23 kJ (1.1 kJ-1.4 kJ), 0.12 gCO2e (0.1-0.14), table`.
package func energyLine(_ figures: EnergyFigures) -> String {
    guard let tier = figures.tier else { return "no energy metered" }
    let energy = Energy(joules: figures.energyJ).description
    let low = Energy(joules: figures.energyLowJ).description
    let high = Energy(joules: figures.energyHighJ).description
    let energyRange = low == high ? "" : " (\(low)-\(high))"
    let carbonRange =
        significant(figures.carbonLowG) == significant(figures.carbonHighG)
        ? "" : " (\(range(figures.carbonLowG, figures.carbonHighG)))"
    let gap = figures.gapS > 0 ? ", gaps of \(brief(seconds: figures.gapS))" : ""
    return "\(energy)\(energyRange), \(significant(figures.carbonG)) gCO2e\(carbonRange), \(tier.rawValue)\(gap)"
}
