import JobAPI
import Units

extension SweepReport {
    /// Whether the intensity is known.
    var isPriced: Bool { rows.contains { $0.figures.carbonG != nil } }

    var allNotes: [String] {
        var seen: Set<String> = []
        return (notes + rows.flatMap(\.notes)).filter { seen.insert($0).inserted }.prefix(20).map { $0 }
    }
}

extension SweepReport.Row {
    /// Value, mark, mean and 95 % wait, energy, carbon, saved, cost, peak, missed.
    var cells: [String] {
        [
            value, isBest ? "*" : "", brief(seconds: figures.waitMeanS), brief(seconds: figures.p95WaitS),
            significant(figures.energyJ / 3.6e6), figures.carbonG.map { significant($0) } ?? "",
            figures.carbonSavedPercent.map { fixed($0, decimals: 2) } ?? "", figures.cost.map { significant($0) } ?? "",
            significant(figures.peakW), figures.deadlines > 0 ? "\(figures.deadlinesMissed)" : "",
        ]
    }
}
