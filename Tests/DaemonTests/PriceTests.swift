import Carbon
import Foundation
import JobAPI
import JobClient
import Ledger
import Policy
import Synchronization
import Testing
import Units

@testable import Daemon

/// What energy cost, from the price of its moment to the report.
@Suite(.serialized) struct PriceTests {
    /// Each reading has the price that was in force until then; where there was none it has none.
    @Test func eachReadingHasItsPrice() async throws {
        try await DaemonParts.with { parts in
            let stored = try await parts.startedJob()
            let id = stored.record.id
            let cpu = Mutex(0.0)
            var site = await parts.meter.site
            site.pue = 1.25
            func figures() async throws -> EnergyFigures {
                await parts.meter.flush()
                return try #require(try await parts.ledger.job(id)).record.energy
            }
            try await parts.ledger.recordIntensity(
                from: .now(), zone: "x", intensity: site.intensity, pue: site.pue, source: "test")
            var job = parts.tracked(id)
            job.cpuSeconds = { _ in cpu.withLock { $0 } }
            await parts.meter.begin([job])
            var expected = 0.0
            var unpriced = 0.0
            var before = 0.0
            for amount in [1000.0, -300, nil, 500] {
                site.energyPrice = amount.map { EnergyPrice(perKilowattHour: $0, currency: "EUR") }
                try await parts.ledger.recordPrice(site.energyPrice, from: .now())
                await parts.meter.adopt(site)
                before = try await figures().energyJ
                for _ in 0..<4 {
                    cpu.withLock { $0 += 0.01 }
                    try await parts.draw(joules: 1, over: .milliseconds(50))
                }
                let drawn = try await figures().energyJ - before
                #expect(drawn > 0)
                if let amount { expected += drawn / 3.6e6 * 1.25 * amount } else { unpriced += drawn }
            }
            let all = try await figures()
            // Whole millionths of each domain and account.
            #expect(abs((all.cost ?? 0) - expected) < 3e-6, "\(all) \(expected)")
            #expect(all.currency == "EUR" && abs((all.unpricedJ ?? 0) - unpriced) < 1e-5)
            let report = try await parts.report(by: .job)
            #expect(report.rows.first?.figures == all)
            // Its policy is none that is kept.
            let findings = try await parts.ledger.audit(now: .now()).findings
            #expect(findings.allSatisfy { $0.check == "policy" }, "\(findings)")
        }
    }

    private func policy(_ directory: String, _ more: String) -> String {
        """
        [site]
        pue = 1.5
        [carbon]
        price = { file = "\(directory)/prices.csv", currency = "EUR"\(more) }
        [budget.nlp]
        money = "1000 EUR/year"
        """
    }

    private func prepare(_ counter: RisingCounter, _ more: String = "", from hours: Double) -> (String) throws -> Void {
        { directory in
            try counter.start(below: directory + "/sys")
            let now = Timestamp.now()
            let lines = ["time,price"] + [hours, hours + 6].map { "\(now.advanced(by: .seconds($0 * 3600))),250" }
            try (lines.joined(separator: "\n") + "\n").write(
                toFile: directory + "/prices.csv", atomically: true, encoding: .utf8)
            try FileManager.default.createDirectory(atPath: directory + "/policies", withIntermediateDirectories: true)
            try policy(directory, more).write(
                toFile: directory + "/policies/10.toml", atomically: true, encoding: .utf8)
        }
    }

    private let burn = ["sh", "-c", "end=$(($(date +%s) + 2)); while [ $(date +%s) -lt $end ]; do :; done"]

    private func budget(_ daemon: RunningDaemon, after job: JobRecord) async throws -> BudgetReport.Row {
        let end = try #require(job.endedAt)
        for _ in 0..<600 {
            let report = try await daemon.client { try await $0.budgets() }
            if let at = report.at, at >= end { return try #require(report.budgets.first) }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw RunningDaemon.Failure("nobody looks at the budgets:\n\(daemon.log)")
    }

    /// By a file of prices: the job, the report and the budget say the same.
    @Test func aFileOfPricesIsWhatIsPaid() async throws {
        let counter = RisingCounter()
        defer { counter.stop() }
        try await RunningDaemon.with(
            arguments: ["--sysfs", "{}/sys"], prepare: prepare(counter, from: -1)
        ) { daemon in
            let id = try await daemon.submit(burn) { $0.project = "nlp" }
            let job = try await daemon.ended(id).job
            let energy = job.energy
            #expect(energy.energyJ > 1 && energy.currency == "EUR" && energy.unpricedJ == nil, "\(energy)")
            let expected = energy.energyJ / 3.6e6 * 1.5 * 250
            #expect(abs((energy.cost ?? 0) - expected) < 1e-5, "\(energy) \(expected)")
            #expect(try daemon.mlctl("show", "\(id)").out.contains("EUR"))
            let report = try daemon.mlctl("report", "--by", "project")
            #expect(report.out.contains("COST") && report.out.contains(" EUR"), "\(report)")
            let row = try await budget(daemon, after: job)
            #expect(abs((row.moneySpent ?? 0) - expected) < 1e-5 && row.unpricedJ == nil, "\(row)")
            #expect(try daemon.mlctl("report", "--audit").status == 0)
        }
    }

    /// The file tells of the day after tomorrow only: what is drawn now has no price, and a fallback where the policy has one.
    @Test func whereThePriceIsMissingThatIsSaid() async throws {
        let counter = RisingCounter()
        defer { counter.stop() }
        try await RunningDaemon.with(
            arguments: ["--sysfs", "{}/sys"], prepare: prepare(counter, from: 48)
        ) { daemon in
            let first = try await daemon.submit(burn) { $0.project = "nlp" }
            let job = try await daemon.ended(first).job
            #expect(job.energy.cost == nil, "\(job.energy)")
            let row = try await budget(daemon, after: job)
            #expect(row.moneySpent == 0 && abs((row.unpricedJ ?? 0) - job.energy.energyJ) < 1e-3, "\(row)")
            #expect(try daemon.mlctl("budget").out.contains("of which no price was known"))
            try daemon.write(policy: policy(daemon.directory, ", fallback = \"100 EUR/kWh\""))
            #expect(try daemon.mlctl("policy", "reload").status == 0)
            let second = try await daemon.submit(burn) { $0.project = "nlp" }
            let later = try await daemon.ended(second).job
            #expect(abs((later.energy.cost ?? 0) - later.energy.energyJ / 3.6e6 * 1.5 * 100) < 1e-5, "\(later.energy)")
            // What had none is counted by it too, so that the budget leaves nothing out.
            let all = try await budget(daemon, after: later)
            let sum = (job.energy.energyJ + later.energy.energyJ) / 3.6e6 * 1.5 * 100
            #expect(abs((all.moneySpent ?? 0) - sum) < 1e-5 && all.unpricedJ == nil, "\(all) \(sum)")
        }
    }

    /// To ask changes nothing: what was drawn since the last look is not in the answer, and holds nobody.
    @Test func askingForBudgetsActsOnNothing() async throws {
        try await DaemonParts.with { parts in
            let stored = try await parts.startedJob()
            let policy = try PolicySet.load(files: [("b.toml", "[budget.default]\nenergy = \"0.01 J/year\"\n")])
            await parts.jobs.put(policy)
            await parts.jobs.readBudgets()
            let before = await parts.jobs.budgetReport()
            #expect(before.budgets.first?.energySpentJ == 0 && before.budgets.first?.state == "open")
            let cpu = Mutex(0.0)
            var job = parts.tracked(stored.record.id)
            job.cpuSeconds = { _ in
                cpu.withLock {
                    $0 += 1
                    return $0
                }
            }
            await parts.meter.begin([job])
            for _ in 0..<4 { try await parts.draw(joules: 1, over: .milliseconds(50)) }
            await parts.meter.flush()
            #expect(await parts.jobs.budgetReport() == before)
            #expect(await parts.jobs.budgetStates.first?.verdict.holds == false)
            await parts.jobs.readBudgets()
            let after = await parts.jobs.budgetReport()
            #expect(after.budgets.first?.state == "spent", "\(after)")
            #expect(await parts.jobs.budgetStates.first?.verdict.holds == true)
        }
    }
}

extension JobController {
    fileprivate func put(_ new: PolicySet) { policy = new }
}
