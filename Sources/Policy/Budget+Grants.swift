import Units

extension Budget {
    /// The least that has to be granted for its jobs to go on, as it is typed: one for each quantity of which all is spent.
    func grants(spent: [BudgetKind: Int64], granted: [BudgetKind: Int64]) -> [String] {
        limits.compactMap { limit in
            let lacking = (spent[limit.kind] ?? 0).subtractingReportingOverflow(limit.amount(with: granted))
            guard !lacking.overflow, lacking.partialValue >= 0 else { return nil }
            let amount = limit.beyond(lacking.partialValue, currency: money.value?.amount.currency)
            return "mlctl budget grant \(name) \"\(amount)\""
        }
    }
}

extension Budget.Limit {
    /// A little more than an amount, in three digits.
    fileprivate func beyond(_ amount: Int64, currency: String?) -> String {
        let value = (Double(amount) + 1) / 1e6
        return switch kind {
        case .energy where value >= 3.6e6: roundedUp(value / 3.6e6, to: 0.1) + " kWh"
        case .energy where value >= 1e4: roundedUp(value / 1e3, to: 1) + " kJ"
        case .energy: roundedUp(value, to: 1) + " J"
        case .carbon where value >= 1e3: roundedUp(value / 1e3, to: 0.1) + " kg"
        case .carbon: roundedUp(value, to: 1) + " g"
        case .money: roundedUp(value, to: 0.01) + " " + (currency ?? "")
        }
    }
}

private func roundedUp(_ value: Double, to least: Double) -> String {
    var step = least
    while value / step >= 1000 { step *= 10 }
    return significant((value / step).rounded(.up) * step)
}
