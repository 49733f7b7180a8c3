import JobAPI
package import Units

/// What a budget counts.
package enum BudgetKind: String, CaseIterable, Sendable {
    case energy, carbon, money
}

/// `[budget.NAME]`: what some may spend in each period of the calendar.
package struct Budget: Hashable, Sendable {
    package enum WhenSpent: String, CaseIterable, Sendable {
        /// Start no more of its jobs until the next period.
        case hold
        /// Only say so.
        case warn
        /// Hold, and put jobs that run back into the queue.
        case preempt
    }

    package var name: String
    package var energy = Setting<Allowance<Energy>?>(nil)
    package var carbon = Setting<Allowance<CarbonMass>?>(nil)
    package var money = Setting<Allowance<Money>?>(nil)
    package var whenSpent = Setting(WhenSpent.hold)
    /// The part of it at which people are told.
    package var warnAt = Setting(0.8)
    /// Whose; a budget that names none is the project's of its name.
    package var audience = Audience()
    /// The first line that defined it.
    package var source: RuleReference

    package init(name: String, source: RuleReference) {
        self.name = name
        self.source = source
    }

    /// Whose, with the project of its name filled in.
    package var accounts: Audience {
        var accounts = audience
        if accounts.isEverybody { accounts.projects = Setting([name], source: source) }
        return accounts
    }

    package func includes(_ subject: RuleMatch.Subject) -> Bool {
        accounts.includes(user: subject.submitter.user, groups: subject.submitter.groups, project: subject.project)
    }

    /// One quantity of a budget, in the whole units that the ledger adds up.
    package struct Limit: Hashable, Sendable {
        package var kind: BudgetKind
        /// In µJ, µg or millionths of the currency.
        package var amount: Int64
        package var period: CalendarPeriod
        /// `50 kWh/month`.
        package var text: String
        package var source: RuleReference?

        /// What counts at `now`: from the start of the period until before its end, when all begins anew.
        package func interval(at now: Timestamp) -> Range<Timestamp> { period.interval(containing: now) }

        /// What may be spent in all, with what was granted beyond the policy.
        package func amount(with granted: [BudgetKind: Int64]) -> Int64 {
            let (sum, overflow) = amount.addingReportingOverflow(max(0, granted[kind] ?? 0))
            return overflow ? .max : sum
        }

        /// `12.3 kWh`, of an amount spent.
        package func shown(_ spent: Int64, currency: String?) -> String {
            switch kind {
            case .energy: "\(Energy(microjoules: spent))"
            case .carbon: "\(CarbonMass(micrograms: spent))"
            case .money: "\(Money(micros: spent, currency: currency ?? ""))"
            }
        }
    }

    /// In the order energy, carbon, money.
    package var limits: [Limit] {
        var all: [Limit] = []
        func add<T>(_ kind: BudgetKind, _ setting: Setting<Allowance<T>?>, _ amount: (T) -> Int64) {
            guard let value = setting.value else { return }
            all.append(
                Limit(
                    kind: kind, amount: amount(value.amount), period: value.period, text: "\(value)",
                    source: setting.source))
        }
        add(.energy, energy) { $0.microjoules }
        add(.carbon, carbon) { $0.micrograms }
        add(.money, money) { $0.micros }
        return all
    }
}

extension PolicySet {
    package func budget(_ name: String) -> Budget? { budgets.first { $0.name == name } }

    /// The budgets a job is paid from: all that are about it, in written order. Each of them binds.
    package func budgets(for subject: RuleMatch.Subject) -> [Budget] { budgets.filter { $0.includes(subject) } }
}

extension Budget {
    /// Its lines in ``PolicySet/report()``.
    var lines: [PolicyReport.Line] {
        func line(_ key: String, _ place: String?, _ value: String) -> PolicyReport.Line {
            .init(key: "budget.\(name).\(key)", value: value, source: place ?? source.place)
        }
        return [
            line("energy", energy.source?.place, energy.value?.description ?? "no limit"),
            line("carbon", carbon.source?.place, carbon.value?.description ?? "no limit"),
            line("money", money.source?.place, money.value?.description ?? "no limit"),
            line("when-spent", whenSpent.place, whenSpent.value.rawValue),
            line("warn-at", warnAt.place, significant(warnAt.value)),
            line("user", audience.users.source?.place, audience.users.listed),
            line("group", audience.groups.source?.place, audience.groups.listed),
            line("project", audience.projects.source?.place, accounts.projects.listed),
        ]
    }
}
