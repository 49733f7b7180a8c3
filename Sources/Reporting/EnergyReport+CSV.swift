package import JobAPI

/// A report as RFC 4180 CSV: a header, a line per row (no totals, so that a column can be summed), CR LF line ends.
///
/// Spreadsheets run cells that start with `=`, `+`, `-` or `@` as formulas, so such a text is written behind an
/// apostrophe. Numbers are plain decimals in SI units, unrounded.
package func csv(_ report: EnergyReport) -> String {
    let header = [
        report.by.rawValue, "name", "user", "state", "jobs", "duration_s", "energy_j", "energy_low_j", "energy_high_j",
        "active_j", "reserved_idle_j", "carbon_g", "carbon_low_g", "carbon_high_g", "tier", "gap_s", "epochs",
        "samples", "energy_per_epoch_j", "energy_per_sample_j", "embodied_g", "sci_per_job_g", "sci_per_epoch_g",
        "sci_per_sample_g", "water_l", "waste_j", "over_reserved_j", "carbon_saved_g", "cost", "currency", "unpriced_j",
    ]
    return ([header] + report.rows.map(fields)).map { $0.joined(separator: ",") + "\r\n" }.joined()
}

private func fields(_ row: EnergyReport.Row) -> [String] {
    let figures = row.figures
    // Without a tier nothing was metered: an empty cell, not a zero that would be taken for a reading.
    let energies = [
        figures.energyJ, figures.energyLowJ, figures.energyHighJ, figures.activeJ, figures.reservedIdleJ,
        figures.carbonG, figures.carbonLowG, figures.carbonHighG,
    ].map { number(figures.tier == nil ? nil : $0) }
    return [
        field(row.key), field(row.name ?? ""), field(row.user ?? ""), row.state?.rawValue ?? "", "\(row.jobs)",
        number(row.durationS),
    ] + energies + [
        figures.tier?.rawValue ?? "", number(figures.gapS), row.epochs.map { "\($0)" } ?? "",
        row.samples.map { "\($0)" } ?? "", number(row.energyPerEpochJ), number(row.energyPerSampleJ),
        number(row.embodiedG), number(row.sciPerJobG), number(row.sciPerEpochG), number(row.sciPerSampleG),
        number(figures.waterL), number(row.wasteJ), number(row.overReservedJ), number(row.carbonSavedG),
        number(figures.cost), figures.currency.map(field) ?? "", number(figures.unpricedJ),
    ]
}

/// A text as one CSV field, quoted when it must be.
func field(_ text: String) -> String {
    var content = text
    // What a spreadsheet might skip before it looks for a formula counts too.
    let start = text.unicodeScalars.first { !$0.properties.isWhitespace }
    let opening = text.unicodeScalars.first
    if let start, "=+-@\u{FF1D}\u{FF0B}\u{FF0D}\u{FF20}".unicodeScalars.contains(start) {
        content = "'" + text
    } else if let opening, opening == "\t" || opening == "\r" || opening == "\n" {
        content = "'" + text
    }
    let mustQuote = content.unicodeScalars.contains { $0 == "," || $0 == "\"" || $0 == "\r" || $0 == "\n" }
    guard mustQuote else { return content }
    return "\"" + content.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
}

func number(_ value: Double?) -> String {
    guard let value, value.isFinite else { return "" }
    return value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
}
