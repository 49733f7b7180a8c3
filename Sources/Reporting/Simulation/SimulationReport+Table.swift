package import JobAPI

/// `mlctl policy simulate` and `compare`: the figures of each replay beside each other.
package func table(_ report: SimulationReport, style: Style) -> String {
    var text = printable(report.trace) + "\n\n" + rendered(report.headings, report.lines, style)
    let waits = report.waitLines(most: 10)
    if !waits.isEmpty { text += "\n" + rendered(report.waitHeadings, waits, style) }
    let notes = report.allNotes
    if !notes.isEmpty { text += "\n" + notes.map { "- " + printable($0) + "\n" }.joined() }
    return text
}

private func rendered(_ headings: [String], _ lines: [[String]], _ style: Style) -> String {
    var table = Table(headings.enumerated().map { .init($1, $0 == 0 ? .left : .right, flexible: $0 > 0) })
    for line in lines { table.add(line.map { .init($0) }) }
    return table.render(style)
}

/// A line per replay, numbers in SI units and unrounded, as reports of energy have them.
package func csv(_ report: SimulationReport) -> String {
    csvLines(
        first: "policy", report.rows.map { (field($0.name), $0.figures, nil) })
}

/// `mlctl policy tune`: what each value comes to; the best are marked.
package func table(_ report: SweepReport, style: Style) -> String {
    var table = Table([
        .init(report.knob), .init("BEST"), .init("WAIT", .right), .init("95 %", .right), .init("kWh", .right),
        .init("gCO2e", .right, optional: true), .init("SAVED %", .right, optional: true),
        .init("COST", .right, optional: true), .init("PEAK W", .right), .init("MISSED", .right, optional: true),
    ])
    for row in report.rows { table.add(row.cells.map { .init($0) }) }
    var text = printable(report.trace) + "\n\n" + table.render(style)
    text += "\n* no other value has both less \(report.isPriced ? "carbon" : "energy") and a shorter mean wait\n"
    let notes = report.allNotes
    if !notes.isEmpty { text += "\n" + notes.map { "- " + printable($0) + "\n" }.joined() }
    return text
}

package func csv(_ report: SweepReport) -> String {
    csvLines(first: report.knob, report.rows.map { (field($0.value), $0.figures, $0.isBest) })
}

private func csvLines(first: String, _ rows: [(name: String, figures: SimulationFigures, isBest: Bool?)]) -> String {
    let hasBest = rows.contains { $0.isBest != nil }
    let columns: [(String, (SimulationFigures) -> Double?)] = [
        ("jobs", { Double($0.jobs) }), ("jobs_finished", { Double($0.jobsFinished) }),
        ("jobs_timed_out", { Double($0.jobsTimedOut) }), ("jobs_refused", { Double($0.jobsRefused) }),
        ("jobs_unfinished", { Double($0.jobsUnfinished) }), ("wait_mean_s", \.waitMeanS),
        ("wait_median_s", \.waitMedianS), ("p95_wait_s", \.p95WaitS), ("wait_max_s", \.waitMaxS),
        ("bounded_slowdown_mean", \.boundedSlowdownMean), ("makespan_s", \.makespanS),
        ("cpu_utilisation_percent", \.cpuUtilisationPercent), ("gpu_utilisation_percent", \.gpuUtilisationPercent),
        ("energy_j", \.energyJ), ("jobs_energy_j", \.jobsEnergyJ), ("idle_energy_j", \.idleEnergyJ),
        ("restart_energy_j", \.restartEnergyJ),
        ("peak_w", \.peakW), ("carbon_g", \.carbonG), ("jobs_carbon_g", \.jobsCarbonG),
        ("idle_carbon_g", \.idleCarbonG), ("carbon_baseline_g", \.carbonBaselineG),
        ("carbon_saved_percent", \.carbonSavedPercent),
        ("carbon_lost_to_forecast_points", \.carbonLostToForecastPoints), ("carbon_gap_s", \.carbonGapS),
        ("cost", \.cost), ("cost_gap_s", \.costGapS),
        ("deadlines", { Double($0.deadlines) }), ("deadlines_missed", { Double($0.deadlinesMissed) }),
        ("preemptions", { Double($0.preemptions) }), ("suspensions", { Double($0.suspensions) }),
    ]
    let header = [field(first)] + (hasBest ? ["is_best"] : []) + columns.map(\.0)
    let lines = rows.map { row in
        [row.name] + (row.isBest.map { ["\($0)"] } ?? []) + columns.map { number($0.1(row.figures)) }
    }
    return ([header] + lines).map { $0.joined(separator: ",") + "\r\n" }.joined()
}
