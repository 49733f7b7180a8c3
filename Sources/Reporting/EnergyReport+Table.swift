package import JobAPI
import Units

/// `mlctl report`: the rows, their total, the balance of the period and how the figures came about.
package func table(_ report: EnergyReport, style: Style) -> String {
    let isByJob = report.by == .job
    var table = Table([
        .init(report.by.rawValue.uppercased(), isByJob ? .right : .left, flexible: !isByJob),
        .init("NAME", flexible: true, optional: true), .init("USER", optional: true), .init("STATE", optional: true),
        .init("JOBS", .right, optional: true), .init("TIME", .right), .init("kWh", .right), .init("J", .right),
        .init("gCO2e", .right), .init("LOW-HIGH", .right), .init("TIER"), .init("J/EPOCH", .right, optional: true),
        .init("J/SAMPLE", .right, optional: true), .init("EMBODIED g", .right, optional: true),
        .init("SCI g/JOB", .right, optional: true), .init("SCI g/EPOCH", .right, optional: true),
        .init("WATER L", .right, optional: true), .init("WASTE J", .right, optional: true),
        .init("UNUSED J", .right, optional: true), .init("SAVED g", .right, optional: true),
        .init("COST", .right, optional: true),
    ])
    for row in report.rows { table.add(cells(row, isByJob: isByJob)) }
    table.add(cells(report.totals, isByJob: isByJob, title: "total"), ruled: true)
    var text = "\(report.period.since) to \(report.period.until), by \(report.by.rawValue)\n\n"
    text += table.render(style)
    text += "\n" + balanceLine(report.balance) + "\n"
    if !report.notes.isEmpty { text += "\n" + report.notes.map { "- " + printable($0) + "\n" }.joined() }
    return text
}

private func cells(_ row: EnergyReport.Row, isByJob: Bool, title: String? = nil) -> [Table.Cell] {
    let figures = row.figures
    return [
        .init(title ?? row.key), .init(row.name ?? ""), .init(row.user ?? ""),
        .init(row.state?.rawValue ?? "", tint: row.state?.tint), .init(isByJob || row.jobs == 0 ? "" : "\(row.jobs)"),
        .init(row.durationS > 0 ? brief(seconds: row.durationS) : "-"), .init(kilowattHours(figures)),
        .init(joules(figures)), .init(grams(figures)),
        .init(figures.tier == nil ? "-" : range(figures.carbonLowG, figures.carbonHighG)),
        .init(figures.tier?.rawValue ?? "-"), .init(row.energyPerEpochJ.map { significant($0) } ?? ""),
        .init(row.energyPerSampleJ.map { significant($0) } ?? ""), optional(row.embodiedG),
        // Without embodied carbon it is the carbon already shown.
        optional(row.embodiedG == nil ? nil : row.sciPerJobG),
        optional(row.embodiedG == nil ? nil : row.sciPerEpochG), optional(figures.waterL), optional(row.wasteJ),
        optional(row.overReservedJ),
        // A yearly mean saves nothing anywhere.
        optional(row.carbonSavedG == 0 ? nil : row.carbonSavedG), .init(cost(figures) ?? ""),
    ]
}

private func optional(_ value: Double?) -> Table.Cell { .init(value.map { significant($0) } ?? "") }

/// The law of conservation as a sentence; a residual is a fault and says so.
package func balanceLine(_ balance: EnergyReport.Balance) -> String {
    let parts: [(Int64, String)] = [
        (balance.jobsUj, "jobs"), (balance.systemUj, "system"), (balance.mldUj, "mld"), (balance.idleUj, "idle"),
        (balance.gapUj, "gap"),
    ]
    // The parts come over the wire: in 128 bits no sum of them can trap, or wrap round to a false zero.
    let residual = parts.reduce(Int128(balance.meteredUj)) { $0 - Int128($1.0) }
    let sum = parts.map { "\($0.1) \(Energy(microjoules: $0.0))" }.joined(separator: " + ")
    let verdict = residual == 0 ? "residual 0 µJ" : "RESIDUAL \(residual) µJ: this is a fault of mld, please report it"
    return "balance: metered \(Energy(microjoules: balance.meteredUj)) = \(sum), \(verdict)"
}
