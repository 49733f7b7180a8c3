package import JobAPI
import Units

/// `mlctl devices`.
package func text(_ report: DeviceReport, style: Style) -> String {
    var devices = Table([
        .init("KIND"), .init("DEVICE", flexible: true), .init("CAPACITY", .right), .init("USED", .right),
    ])
    for device in report.devices {
        devices.add([.init(device.kind), .init(device.name), .init(device.capacity), .init(device.used)])
    }
    var meters = Table([
        .init("METER"), .init("TIER"), .init("W NOW", .right), .init("RANGE", .right, optional: true),
        .init("SOURCE", flexible: true), .init("STATUS", flexible: true),
    ])
    for meter in report.meters {
        var bounds = ""
        if let low = meter.powerLowW, let high = meter.powerHighW { bounds = range(low, high) }
        meters.add([
            .init(meter.domain), .init(meter.tier.rawValue), .init(meter.powerW.map { significant($0) } ?? "-"),
            .init(bounds), .init(meter.source), .init(meter.status),
        ])
    }
    let carbon =
        "carbon intensity \(significant(report.carbonIntensityGPerKwh)) g/kWh "
        + "(\(printable(report.carbonSource))), PUE \(significant(report.pue))\n"
    let meterText = meters.isEmpty ? "no meters\n" : meters.render(style)
    let signals = (report.signals ?? []).map { text($0) }.joined()
    let power = report.power.map { text($0) } ?? ""
    return devices.render(style) + "\n" + meterText + "\n" + power + carbon + signals
}

/// `power cap 450 W (10.toml:3): at most 320 W are expected, 60 W of them idle; 290 W now`.
private func text(_ power: DeviceReport.Power) -> String {
    let now = power.measuredW.map { "\(significant($0)) W now" } ?? "no meter tells what it draws"
    let actions = power.actions.map { "; " + printable($0) }.joined()
    return
        "power cap \(significant(power.capW)) W (\(printable(power.source))): at most \(significant(power.predictedW)) W"
        + " are expected, \(significant(power.idleW)) W of them idle; \(now)\(actions)\n"
}

/// `intensity: 212 g/kWh, measured 5 min ago; told until 2026-11-25T08:00:00Z; its forecasts were off by 3 % 1 h ahead`.
func text(_ signal: GridReport.Signal) -> String {
    var parts: [String] = []
    let age = signal.ageS.map { " \((.seconds($0.rounded()) as Duration).brief) ago" } ?? ""
    if let value = signal.value, let origin = signal.origin {
        parts.append("\(significant(value)) \(printable(signal.unit)), \(printable(origin))\(age)")
    } else {
        parts.append("not known")
    }
    if let until = signal.knownUntil { parts.append("told until \(until)") }
    let errors = signal.errorPercent.compactMap { hours, error in Int(hours).map { (hours: $0, error: error) } }
        .sorted { $0.hours < $1.hours }.map { "\(significant($0.error)) % \($0.hours) h ahead" }
    if !errors.isEmpty {
        let whose = signal.forecastOf == "model" ? "mld's own forecasts" : "its forecasts"
        parts.append("\(whose) were off by \(errors.joined(separator: ", "))")
    }
    if let lack = signal.lack { parts.append("lacking: \(printable(lack))") }
    if let trouble = signal.trouble {
        parts.append("trouble: \(printable(trouble)); tried again at \(signal.nextLook)")
    }
    return "\(printable(signal.quantity)): \(parts.joined(separator: "; ")) (\(printable(signal.source)))\n"
}

/// `mlctl policy show`.
package func text(_ report: PolicyReport, style: Style) -> String {
    var table = Table([.init("SETTING"), .init("VALUE", flexible: true), .init("SET BY", flexible: true)])
    for line in report.settings { table.add([.init(line.key), .init(line.value), .init(line.source)]) }
    let files = report.files.isEmpty ? "none; everything is built in" : report.files.joined(separator: ", ")
    return table.render(style) + "\nfiles: \(printable(files))\nhash: \(printable(report.hash))\n"
}

/// `mlctl budget`.
package func text(_ report: BudgetReport, style: Style) -> String {
    guard !report.budgets.isEmpty else { return "no budgets that mld counts\n" }
    var table = Table([
        .init("BUDGET"), .init("SPENT", .right), .init("LIMIT"), .init("PART", .right),
        .init("STATE"), .init("THEN"), .init("UNTIL"), .init("SET BY", flexible: true),
    ])
    for row in report.budgets {
        let spent =
            row.energySpentJ.map { "\(Energy(joules: $0))" } ?? row.carbonSpentG.map { "\(CarbonMass(grams: $0))" }
            ?? row.moneySpent.map { "\(Money(amount: $0, currency: row.currency ?? ""))" } ?? "-"
        table.add([
            .init(row.name), .init(spent), .init(row.limit + (row.granted.map { " + \($0)" } ?? "")),
            .init("\(Int((min(row.spentPart, 1e6) * 100).rounded())) %"),
            .init(row.state), .init(row.whenSpent), .init("\(row.until)"), .init(row.source),
        ])
    }
    var text = table.render(style)
    for row in report.budgets {
        guard let unpriced = row.unpricedJ else { continue }
        text += "budget \"\(printable(row.name))\" leaves out \(Energy(joules: unpriced)) of which no price was known\n"
    }
    if let at = report.at { text += "as of \(at)\n" }
    return text
}
