package import JobAPI
import Units

/// The comparison as a page with its diagrams.
package func html(_ report: SimulationReport) -> String {
    let waits = report.waitLines(most: 1000)
    let body =
        "<p>Replayed: \(htmlText(report.trace))</p>\n" + htmlTable(report.headings, report.lines)
        + (waits.isEmpty ? "" : htmlTable(report.waitHeadings, waits)) + powerPlot(report)
        + waitPlot(report) + carbonPlot(report) + htmlNotes(report.allNotes)
    return htmlPage(title: "Policies compared", body: body)
}

/// The trade of carbon for waiting as a page.
package func html(_ report: SweepReport) -> String {
    let headings = [
        report.knob, "best", "wait", "95 %", "kWh", "gCO2e", "saved %", "cost", "peak W", "deadlines missed",
    ]
    let isPriced = report.isPriced
    let points = report.rows.map { row in
        (x: row.figures.waitMeanS, y: isPriced ? row.figures.carbonG ?? .nan : row.figures.energyJ / 3.6e6)
    }
    let what = isPriced ? "carbon" : "energy"
    let plot = Plot(
        title:
            "Each value of \(report.knob): \(what) against the mean wait; filled where no other value is better in both",
        xLabel: "mean wait", yLabel: isPriced ? "gCO2e" : "kWh",
        series: [
            .init(name: "in the order of the values", mark: .line, points: points),
            .init(
                name: "values", mark: .points, points: points, labels: report.rows.map(\.value),
                filled: report.rows.map(\.isBest)),
        ], xTicks: timeTicks(points.reduce(0) { max($0, $1.x) }), isFromZero: false)
    let body =
        "<p>Replayed: \(htmlText(report.trace))</p>\n" + plot.svg + htmlTable(headings, report.rows.map(\.cells))
        + htmlNotes(report.allNotes)
    return htmlPage(title: "\(report.knob), turned", body: body)
}

// MARK: - Diagrams

private func powerPlot(_ report: SimulationReport) -> String {
    let longest = report.rows.reduce(0) { max($0, $1.curves.stepS * Double($1.curves.powerW.count)) }
    return Plot(
        title: "Power over time", xLabel: "since the first submission", yLabel: "W",
        series: report.rows.map { row in
            let steps = row.curves.powerW.enumerated().map { (x: Double($0) * row.curves.stepS, y: $1) }
            let end = row.curves.powerW.last.map { (x: Double(row.curves.powerW.count) * row.curves.stepS, y: $0) }
            return .init(name: row.name, mark: .steps, points: steps + (end.map { [$0] } ?? []))
        }, xTicks: timeTicks(longest)
    ).svg
}

/// Waits span from nothing to days: their axis is that of the logarithm, and all below a second are one.
private func waitPlot(_ report: SimulationReport) -> String {
    let marks: [(Double, String)] = [
        (1, "1 s"), (10, "10 s"), (60, "1 min"), (600, "10 min"), (3600, "1 h"), (36_000, "10 h"), (86_400, "1 d"),
        (864_000, "10 d"), (8_640_000, "100 d"),
    ]
    let longest = report.rows.reduce(1) { max($0, $1.figures.waitMaxS) }
    return Plot(
        title: "How many jobs waited no longer", xLabel: "wait", yLabel: "% of jobs",
        series: report.rows.map { row in
            .init(
                name: row.name, mark: .steps,
                points: row.curves.waitByPercentS.enumerated().map { (x: log10(max(1, $1)), y: Double($0)) })
        }, xTicks: marks.filter { $0.0 <= longest * 10 }.map { Plot.Tick(at: log10($0.0), label: $0.1) }
    ).svg
}

private func carbonPlot(_ report: SimulationReport) -> String {
    let rows = report.rows.filter { !$0.curves.carbonByHourG.isEmpty }
    if rows.isEmpty { return "" }
    return Plot(
        title: "Carbon by hour of the day", xLabel: "hour, UTC", yLabel: "gCO2e",
        series: rows.map { row in
            .init(
                name: row.name, mark: .bars,
                points: row.curves.carbonByHourG.enumerated().map { (x: Double($0), y: $1) })
        },
        xTicks: stride(from: -1, through: 24, by: 1).map {
            Plot.Tick(at: Double($0), label: $0 % 3 == 0 && (0...23).contains($0) ? "\($0)" : "")
        }
    ).svg
}

/// About five round times up to `longest`.
private func timeTicks(_ longest: Double) -> [Plot.Tick] {
    guard longest.isFinite, longest > 0 else { return [Plot.Tick(at: 0, label: "0")] }
    let units: [(Double, String)] = [
        (365.25 * 86_400, "y"), (86_400, "d"), (3600, "h"), (60, "min"), (1, "s"),
    ]
    let unit = units.first { longest >= 2 * $0.0 } ?? (1, "s")
    return Plot.roundTicks(0, longest / unit.0).map {
        Plot.Tick(at: $0.at * unit.0, label: $0.at == 0 ? "0" : "\($0.label) \(unit.1)")
    }
}

/// By hand: a logarithm for the places of marks is not worth linking a library for.
private func log10(_ value: Double) -> Double {
    guard value.isFinite, value > 0 else { return 0 }
    var exponent = 0.0
    var rest = value
    while rest >= 10 {
        rest /= 10
        exponent += 1
    }
    while rest < 1 {
        rest *= 10
        exponent -= 1
    }
    // ln(rest) by its series in (rest - 1) / (rest + 1), which is at most 0.82 here.
    let ratio = (rest - 1) / (rest + 1)
    var term = ratio
    var sum = 0.0
    for index in 0..<60 {
        sum += term / Double(2 * index + 1)
        term *= ratio * ratio
    }
    return exponent + 2 * sum / 2.302585092994046
}
