import JobAPI
import Testing

@Suite struct BudgetCommandTests {
    private static let report: BudgetReport = {
        var energy = BudgetReport.Row(
            name: "vision", kind: "energy", limit: "50 kWh/month", spentPart: 0.85, state: "warning", whenSpent: "hold",
            until: Samples.start, source: "30-budgets.toml:4")
        (energy.energySpentJ, energy.energyLimitJ) = (153e6, 180e6)
        var carbon = BudgetReport.Row(
            name: "vision", kind: "carbon", limit: "15 kg/month", spentPart: 0.5, state: "open", whenSpent: "hold",
            until: Samples.start, source: "30-budgets.toml:5")
        (carbon.carbonSpentG, carbon.carbonLimitG) = (7500, 15_000)
        var money = BudgetReport.Row(
            name: "theses", kind: "money", limit: "20 EUR/month", spentPart: 1.1, state: "spent", whenSpent: "hold",
            until: Samples.start, source: "30-budgets.toml:9")
        (money.moneySpent, money.moneyLimit, money.currency) = (22, 20, "EUR")
        return BudgetReport(budgets: [energy, carbon, money])
    }()

    @Test func eachQuantityHasARow() async throws {
        try await FakeServer.with(["GET /v1/budgets": [try .json(Self.report)]]) { server in
            let outcome = await Terminal().run(["budget"], socket: server.socket)
            #expect(outcome.status == 0)
            expectSnapshot(
                outcome.out,
                """
                BUDGET     SPENT  LIMIT          PART  STATE    THEN  UNTIL                 SET BY
                vision  42.5 kWh  50 kWh/month   85 %  warning  hold  2026-11-24T08:01:00Z  30-budgets.toml:4
                vision    7.5 kg  15 kg/month    50 %  open     hold  2026-11-24T08:01:00Z  30-budgets.toml:5
                theses    22 EUR  20 EUR/month  110 %  spent    hold  2026-11-24T08:01:00Z  30-budgets.toml:9

                """)
            let json = await Terminal().run(["budget", "--format", "json"], socket: server.socket)
            let expected = try JSON.text(Self.report, pretty: true) + "\n"
            #expect(json.out == expected)
            #expect(json.out.contains("\"energy_spent_j\" : 153000000"))
        }
    }

    @Test func aGrantIsAskedForAndShown() async throws {
        var report = Self.report
        report.budgets = [report.budgets[0]]
        report.budgets[0].granted = "10 kWh"
        let path = "POST /v1/budgets/vision/grants"
        try await FakeServer.with([path: [try .json(report)]]) { server in
            let arguments = ["budget", "grant", "vision", "10 kWh", "--reason", "deadline"]
            let outcome = await Terminal().run(arguments, socket: server.socket)
            #expect(outcome.status == 0)
            expectSnapshot(
                outcome.out,
                """
                BUDGET     SPENT  LIMIT                  PART  STATE    THEN  UNTIL                 SET BY
                vision  42.5 kWh  50 kWh/month + 10 kWh  85 %  warning  hold  2026-11-24T08:01:00Z  30-budgets.toml:4

                """)
        }
    }

    @Test func withoutBudgetsThatIsSaid() async throws {
        try await FakeServer.with(["GET /v1/budgets": [try .json(BudgetReport(budgets: []))]]) { server in
            let outcome = await Terminal().run(["budget"], socket: server.socket)
            expectSnapshot(outcome.out, "no budgets that mld counts\n")
        }
    }
}
