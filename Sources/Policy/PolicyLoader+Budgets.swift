import ConfigFile
import Units

extension PolicyLoader {
    mutating func addBudgets(_ reader: ConfigReader) {
        for (name, section) in reader.namedTables("budget") {
            checkName(name, section)
            let index = set.budgets.firstIndex { $0.name == name } ?? set.budgets.count
            if index == set.budgets.count {
                set.budgets.append(Budget(name: name, source: section.reference("budget.\(name)")))
            }
            reading("budget.\(name)") { loader in
                loader.read(section, into: &loader.set.budgets[index])
                section.finish()
            }
        }
    }

    private func read(_ section: ConfigReader, into budget: inout Budget) {
        let energy = quantity("energy", section, example: "50 kWh/month") { text throws(UnitError) in
            try Allowance<Energy>(parsing: text)
        }
        let carbon = quantity("carbon", section, example: "15 kg/month") { text throws(UnitError) in
            try Allowance<CarbonMass>(parsing: text)
        }
        let money = quantity("money", section, example: "200 EUR/month") { text throws(UnitError) in
            try Allowance<Money>(parsing: text)
        }
        assign(section, "energy", positive(energy, "energy", section) { $0.microjoules }, &budget.energy)
        assign(section, "carbon", positive(carbon, "carbon", section) { $0.micrograms }, &budget.carbon)
        assign(section, "money", positive(money, "money", section) { $0.micros }, &budget.money)
        assign(section, "when-spent", section.choice("when-spent"), &budget.whenSpent)
        assign(section, "warn-at", section.number("warn-at", in: 0.01...1), &budget.warnAt)
        read(section, into: &budget.audience)
    }

    private func positive<T>(
        _ allowance: Allowance<T>?, _ key: String, _ reader: ConfigReader, _ amount: (T) -> Int64
    ) -> Allowance<T>? {
        guard let allowance else { return nil }
        if amount(allowance.amount) > 0 { return allowance }
        reader.report(
            key, "\"\(reader.name).\(key)\" is \(allowance), a budget of nothing",
            hint: "to let nobody run jobs, write a rule with then = \"deny\"")
        return nil
    }

    mutating func checkBudgets() {
        var cover = RuleCover(queues: set.queues.map(\.name))
        for budget in set.budgets where !broken.contains("budget.\(budget.name)") {
            let name = "budget \"\(budget.name)\""
            if budget.limits.isEmpty {
                report(
                    budget.source, "\(name) limits nothing",
                    hint: "give energy, carbon or money, such as energy = \"50 kWh/month\"")
            }
            if let money = budget.money.value {
                let price = set.carbon.price
                if price.value == nil {
                    report(
                        budget.money.source, "\(name) is in money, but nothing says what energy costs",
                        hint: "set carbon.price = \"0.32 \(money.amount.currency)/kWh\"")
                } else if let currency = price.value?.currency, currency != money.amount.currency {
                    report(
                        budget.money.source,
                        "\(name) is in \(money.amount.currency), but carbon.price is in \(currency) (\(price.place))",
                        hint: "write both in one currency")
                }
            }
            for project in (budget.accounts.projects.value ?? []).sorted() {
                let rules = cover.denials(of: set.rules, closing: project)
                if rules.isEmpty { continue }
                let which = rules.map { "\"\(printable($0.name))\" (\($0.reference.place))" }
                warn(
                    budget.source,
                    "\(name) is for project \"\(project)\", of which no job is ever taken: "
                        + (rules.count == 1 ? "rule \(listed(which)) denies it" : "rules \(listed(which)) deny it"),
                    hint: "remove the budget, or allow the project before "
                        + (rules.count == 1 ? "that rule" : "those rules"))
            }
        }
    }
}
