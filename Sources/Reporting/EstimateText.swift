package import JobAPI
import Units

/// `mlctl estimate`.
package func text(_ estimate: Estimate, style: Style) -> String {
    var fields = Fields(style: style)
    let admission = estimate.admission
    fields.add("admission", (admission.accepted ? "" : "refused: ") + admission.reason)
    fields.add("rule", admission.rule)
    fields.add("what helps", admission.hint)
    guard admission.accepted else { return fields.text }
    fields.add("queue", admission.queue)
    fields.add("run time", estimate.durationS.map { words($0) { brief(seconds: $0) } })
    fields.add(
        "known from",
        estimate.runs.map { runs in
            "\(runs) earlier run\(runs == 1 ? "" : "s")" + (estimate.likes.map { " " + $0 } ?? "")
        })
    fields.add("power", estimate.powerW.map { words($0) { significant($0) + " W" } + tier(estimate) })
    fields.add("energy", estimate.energyJ.map { words($0) { significant($0 / 3.6e6) + " kWh" } })
    if let start = estimate.expectedStart {
        let ahead = estimate.ahead ?? 0
        fields.add(
            "would start",
            "\(start)" + (ahead == 0 ? "" : ", an estimate: \(ahead) job\(ahead == 1 ? "" : "s") before it"))
    }
    var result = fields.text
    let table = starts(estimate)
    if !table.isEmpty { result += "\n" + table.render(style) }
    if !estimate.notes.isEmpty { result += "\n" + estimate.notes.map { "- " + printable($0) + "\n" }.joined() }
    return result
}

private func tier(_ estimate: Estimate) -> String {
    guard let tier = estimate.tier else { return "" }
    return ", \(tier.rawValue)" + (estimate.powerBasis.map { ": " + $0 } ?? "")
}

/// `12 min (10 min to 15 min)`, `at most 1 h`, `10 W or more`.
private func words(_ range: Estimate.Range, _ text: (Double) -> String) -> String {
    let bounds =
        switch range.high {
        case nil: range.low > 0 ? "\(text(range.low)) or more" : "not known"
        case let high? where range.low <= 0: "at most \(text(high))"
        case let high?: text(range.low) == text(high) ? text(high) : "\(text(range.low)) to \(text(high))"
        }
    guard let expected = range.expected else { return bounds }
    return text(expected) == bounds ? bounds : "\(text(expected)) (\(bounds))"
}

private func starts(_ estimate: Estimate) -> Table {
    var table = Table([
        .init("START"), .init("AT"), .init("g/kWh", .right), .init("gCO2e", .right), .init("LOW-HIGH", .right),
        .init(estimate.currency ?? "COST", .right, optional: true), .init("LOW-HIGH", .right, optional: true),
    ])
    for (name, start) in [("now", estimate.now), ("greenest", estimate.greenest)] {
        guard let start else { continue }
        table.add([
            .init(name), .init("\(start.at)"), .init(start.intensityGPerKwh.map { significant($0) } ?? "-"),
            .init(start.carbonG?.expected.map { significant($0) } ?? "-"), .init(bounds(start.carbonG)),
            .init(start.cost?.expected.map { significant($0) } ?? (start.cost == nil ? "" : "-")),
            .init(start.cost == nil ? "" : bounds(start.cost)),
        ])
    }
    return table
}

private func bounds(_ figure: Estimate.Range?) -> String {
    guard let figure else { return "-" }
    return figure.high.map { range(figure.low, $0) } ?? "\(significant(figure.low)) or more"
}
