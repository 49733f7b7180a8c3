import JobAPI
import Testing
import Units

@testable import Policy

@Suite struct BudgetTests {
    private func budget(_ lines: String) throws -> Budget {
        try #require(try policy("[carbon]\nprice = \"0.32 EUR/kWh\"\n[budget.vision]\n\(lines)\n").budgets.first)
    }

    @Test func limitsInTheLedgersUnits() throws {
        let all = try budget("energy = \"50 kWh/month\"\ncarbon = \"15 kg/week\"\nmoney = \"200 EUR/year\"").limits
        #expect(all.map(\.kind) == [.energy, .carbon, .money])
        #expect(all.map(\.amount) == [180_000_000_000_000, 15_000_000_000, 200_000_000])
        #expect(all.map(\.text) == ["50 kWh/month", "15 kg/week", "200 EUR/year"])
        #expect(all.map { $0.source?.place } == ["p.toml:4", "p.toml:5", "p.toml:6"])
        #expect(all[0].interval(at: tuesday) == (try at("2026-11-01"))..<(try at("2026-12-01")))
    }

    @Test func whoseItIs() throws {
        func includes(_ lines: String, _ subject: RuleMatch.Subject) throws -> Bool {
            try budget("energy = \"1 kWh/day\"\n" + lines).includes(subject)
        }
        #expect(try includes("", subject(project: "vision")))
        #expect(try !includes("", subject(project: "nlp")))
        #expect(try includes("project = [\"nlp\", \"vision\"]", subject(project: "nlp")))
        #expect(try includes("user = \"alice\"", subject(project: "nlp")))
        #expect(try includes("group = \"staff\"", subject(project: "nlp")))
        #expect(try !includes("user = \"alice\"\nproject = \"vision\"", subject(project: "nlp")))
        let set = try policy(
            "[budget.a]\nenergy = \"1 kWh/day\"\n[budget.b]\nuser = \"alice\"\ncarbon = \"1 kg/day\"\n[budget.c]\n"
                + "group = \"root\"\ncarbon = \"1 kg/day\"\n")
        #expect(set.budgets(for: subject(project: "a")).map(\.name) == ["a", "b"])
        #expect(set.budget("c")?.source.place == "p.toml:6")
    }

    /// What is proposed lets jobs go on, whatever is spent, and is little more than it takes.
    @Test func theGrantsProposedAreEnough() throws {
        let budget = try budget("energy = \"50 kWh/month\"\ncarbon = \"15 kg/week\"\nmoney = \"200 EUR/year\"")
        for (kind, limit) in zip(BudgetKind.allCases, budget.limits) {
            for beyond in [0, 1, 999_999, 1_000_000, 4_321_987_654, 13_000_000_000, 987_654_321_987_654] as [Int64] {
                let spent = [kind: limit.amount + beyond]
                let command = try #require(budget.verdict(spent: spent, at: tuesday)?.grants.first)
                let text = String(command.split(separator: "\"")[1])
                #expect(command == "mlctl budget grant vision \"\(text)\"")
                let granted =
                    switch kind {
                    case .energy: try Energy(parsing: text).microjoules
                    case .carbon: try CarbonMass(parsing: text).micrograms
                    case .money: try Money(parsing: text).micros
                    }
                #expect(granted > beyond && Double(granted) <= Double(beyond) * 1.2 + 1e6, "\(text) for \(beyond)")
                #expect(budget.verdict(spent: spent, granted: [kind: granted], at: tuesday)?.holds == false)
            }
        }
        let spent: [BudgetKind: Int64] = [.energy: budget.limits[0].amount, .money: budget.limits[2].amount]
        #expect(budget.verdict(spent: spent, at: tuesday)?.grants.count == 2)
    }

    @Test func verdicts() throws {
        let holds = try budget("energy = \"50 kWh/month\"")
        let kilowattHour: Int64 = 3_600_000_000_000
        let open = try #require(holds.verdict(spent: [.energy: 39 * kilowattHour], at: tuesday))
        #expect(open.state == .open && !open.holds && open.part == 0.78)
        let warning = try #require(holds.verdict(spent: [.energy: 40 * kilowattHour], at: tuesday))
        #expect(warning.state == .warning && !warning.holds)
        #expect(warning.reason == "budget \"vision\" has spent 40 kWh of 50 kWh/month (p.toml:4)")
        let spent = try #require(holds.verdict(spent: [.energy: 52 * kilowattHour], at: tuesday))
        #expect(spent.state == .spent && spent.holds && !spent.preempts)
        #expect(spent.until == (try at("2026-12-01")))
        #expect(
            spent.reason
                == "budget \"vision\" has spent 52 kWh of 50 kWh/month (p.toml:4); its jobs wait until 2026-12-01T00:00:00Z"
        )
        #expect(spent.rule.name == "budget.vision.energy")
        #expect(spent.grants == ["mlctl budget grant vision \"2.1 kWh\""] && warning.grants == [])
        let warns = try budget("energy = \"50 kWh/month\"\nwhen-spent = \"warn\"\nwarn-at = 1")
        #expect(warns.verdict(spent: [.energy: 49 * kilowattHour], at: tuesday)?.state == .open)
        let told = try #require(warns.verdict(spent: [.energy: 50 * kilowattHour], at: tuesday))
        #expect(told.state == .spent && !told.holds && !told.preempts)
        let preempts = try budget("money = \"20 EUR/month\"\nwhen-spent = \"preempt\"")
        let stopped = try #require(preempts.verdict(spent: [.money: 21_500_000, .energy: .max], at: tuesday))
        #expect(stopped.holds && stopped.preempts && stopped.kind == .money)
        #expect(stopped.reason.contains("has spent 21.5 EUR of 20 EUR/month"))
    }

    /// One quantity is enough; of several that are spent the one that lasts longest says until when.
    @Test func severalQuantities() throws {
        let both = try budget("energy = \"1 kWh/day\"\ncarbon = \"1 kg/month\"")
        let kilo: Int64 = 1_000_000_000
        #expect(both.verdict(spent: [:], at: tuesday)?.state == .open)
        #expect(both.verdict(spent: [.energy: .max], at: tuesday)?.until == (try at("2026-11-25")))
        #expect(both.verdict(spent: [.energy: .max, .carbon: kilo], at: tuesday)?.until == (try at("2026-12-01")))
        #expect(both.verdict(spent: [.energy: .min, .carbon: kilo - 1], at: tuesday)?.state == .warning)
    }

    @Test func mergedKeyByKey() throws {
        let first = "[budget.a]\nenergy = \"1 kWh/day\"\nwhen-spent = \"warn\"\nuser = \"alice\"\n"
        let set = try PolicySet.load(files: [("1", first), ("2", "[budget.a]\nenergy = \"2 kWh/day\"\n")])
        let merged = try #require(set.budget("a"))
        #expect(merged.energy.value?.amount == Energy(kilowattHours: 2) && merged.energy.place == "2:2")
        #expect(merged.whenSpent.value == .warn && merged.accounts.users.value == ["alice"])
        #expect(merged.source.place == "1:1")
        let lines = set.report().settings
        #expect(lines.contains(.init(key: "budget.a.user", value: "alice", source: "1:4")))
        #expect(lines.contains(.init(key: "budget.a.project", value: "any", source: "1:1")))
    }
}
