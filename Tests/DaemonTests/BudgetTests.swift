import Foundation
import JobAPI
import JobClient
import Testing
import Units

/// Budgets through the whole of the daemon: from what was metered to who waits.
@Suite(.serialized) struct BudgetTests {
    private func policy(_ limit: String, then: String = "hold") -> String {
        "[budget.nlp]\nenergy = \"\(limit)\"\nwhen-spent = \"\(then)\"\n"
    }

    /// How the budgets stand when a look came after this job's end.
    private func looked(_ daemon: RunningDaemon, at id: JobID) async throws -> BudgetReport {
        let end = try #require(try await daemon.client { try await $0.job(id) }.job.endedAt)
        for _ in 0..<600 {
            let report = try await daemon.client { try await $0.budgets() }
            if let at = report.at, at >= end { return report }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw RunningDaemon.Failure("nobody looks at the budgets:\n\(daemon.log)")
    }

    private let burn = ["sh", "-c", "end=$(($(date +%s) + 3)); while [ $(date +%s) -lt $end ]; do :; done"]

    @Test func whatIsSpentHoldsItsJobsUntilThereIsMore() async throws {
        try await RunningDaemon.with(policy: policy("1 J/year")) { daemon in
            let first = try await daemon.submit(burn) { $0.project = "nlp" }
            #expect(try await daemon.ended(first).job.state == .succeeded)
            _ = try await looked(daemon, at: first)
            let shown = try daemon.mlctl("budget")
            #expect(shown.status == 0 && shown.out.contains("1 J/year") && shown.out.contains("spent"), "\(shown)")
            let held = try await daemon.submit(["true"]) { $0.project = "nlp" }
            let other = try await daemon.submit(["true"]) { $0.project = "vision" }
            #expect(try await daemon.ended(other).job.state == .succeeded)
            // Who holds it is one thing and the budget another, which a release does not change.
            _ = try await daemon.client { try await $0.act(.hold, on: held) }
            let onHold = try daemon.mlctl("why", "\(held)")
            #expect(onHold.out.contains("held by ") && !onHold.out.contains("10.toml:2"), "\(onHold)")
            _ = try await daemon.client { try await $0.act(.release, on: held) }
            let why = try daemon.mlctl("why", "\(held)")
            #expect(why.out.contains("budget \"nlp\" has spent") && why.out.contains("10.toml:2"), "\(why)")
            // Also by a daemon that has just read the ledger.
            await daemon.stop()
            try await daemon.start()
            let again = try await daemon.submit(["true"]) { $0.project = "vision" }
            #expect(try await daemon.ended(again).job.state == .succeeded)
            #expect(try await daemon.client { try await $0.job(held) }.job.state == .queued)
            try daemon.write(policy: policy("5 MWh/year"))
            #expect(try daemon.mlctl("policy", "reload").status == 0)
            #expect(try await daemon.ended(held).job.state == .succeeded)
        }
    }

    /// Of a group's members in one project, in money; and what is granted lets them go on.
    @Test func groupsAndMoneyAndAGrant() async throws {
        let gid = getgid()
        let group = getgrgid(gid).map { String(cString: $0.pointee.gr_name) } ?? ""
        let policy = """
            [carbon]
            price = "100 EUR/kWh"
            [budget.course]
            money = "0.000001 EUR/year"
            energy = "5 MWh/year"
            group = "\(group)"
            project = "nlp"
            """
        try await RunningDaemon.with(policy: policy) { daemon in
            let first = try await daemon.submit(burn) { $0.project = "nlp" }
            let before = try await daemon.submit(burn) { $0.project = "vision" }
            #expect(try await daemon.ended(first).job.state == .succeeded)
            #expect(try await daemon.ended(before).job.state == .succeeded)
            let report = try await looked(daemon, at: before)
            let row = try #require(report.budgets.first { $0.kind == "money" })
            let energy = try #require(report.budgets.first { $0.kind == "energy" }).energySpentJ ?? 0
            let job = try await daemon.client { try await $0.job(first) }.job
            // What the project "vision" used is not in it.
            #expect(abs(energy - job.energy.energyJ) < 0.01 * energy, "\(energy) \(job.energy.energyJ)")
            #expect(row.state == "spent" && row.currency == "EUR")
            #expect(abs((row.moneySpent ?? 0) - energy / 3.6e6 * 100) < 1e-5)
            let held = try await daemon.submit(["true"]) { $0.project = "nlp" }
            let other = try await daemon.submit(["true"]) { $0.project = "vision" }
            #expect(try await daemon.ended(other).job.state == .succeeded)
            #expect(try daemon.mlctl("why", "\(held)").out.contains("budget \"course\" has spent"))
            #expect(try daemon.mlctl("budget", "grant", "course", "2 kg").err.contains("has no limit of carbon"))
            #expect(try daemon.mlctl("budget", "grant", "cours", "2 EUR").err.contains("its budgets are course"))
            #expect(try daemon.mlctl("budget", "grant", "course", "2 USD").err.contains("is in EUR, not in USD"))
            let granted = try daemon.mlctl("budget", "grant", "course", "100 EUR", "--reason", "a deadline")
            #expect(granted.status == 0 && granted.out.contains("+ 100 EUR"), "\(granted)")
            #expect(try await daemon.ended(held).job.state == .succeeded)
            // It counts until the period ends, whoever asks.
            await daemon.stop()
            try await daemon.start()
            #expect(try daemon.mlctl("budget").out.contains("+ 100 EUR"))
        }
    }

    /// What follows for those that run, those that come, and of a grant: in money, of a group's members.
    @Test(arguments: ["warn", "hold", "preempt"]) func whatFollowsWhenAGroupsMoneyIsSpent(then: String) async throws {
        let group = getgrgid(getgid()).map { String(cString: $0.pointee.gr_name) } ?? ""
        let policy = """
            [carbon]
            price = "100 EUR/kWh"
            [budget.course]
            money = "0.000001 EUR/year"
            group = "\(group)"
            project = "nlp"
            when-spent = "\(then)"
            """
        try await RunningDaemon.with(policy: policy) { daemon in
            let script = "[ $MLD_ATTEMPT = 1 ] || exit 0; while [ ! -e go ]; do sleep 0.05; done"
            let runs = try await daemon.submit(["sh", "-c", script]) { $0.project = "nlp" }
            _ = try await daemon.reaches(runs) { $0.state == .running }
            let spends = try await daemon.submit(burn) { $0.project = "nlp" }
            #expect(try await daemon.ended(spends).job.state == .succeeded)
            let row = try #require(try await looked(daemon, at: spends).budgets.first)
            #expect(row.state == "spent" && row.whenSpent == then && (row.moneySpent ?? 0) > 1e-6, "\(row)")
            #expect(daemon.log.contains("budget \"course\" has spent"))
            let next = try await daemon.submit(["true"]) { $0.project = "nlp" }
            if then == "warn" {
                #expect(try await daemon.ended(next).job.state == .succeeded)
            } else {
                let why = try await daemon.client { try await $0.why(next) }
                #expect(why.state == .queued && why.reason.contains("budget \"course\" has spent"), "\(why)")
                #expect(why.rule?.contains("10.toml:4") == true, "\(why)")
            }
            if then == "preempt" {
                let stopped = try await daemon.reaches(runs) { $0.state == .queued }
                #expect(stopped.transitions.last?.cause.contains("budget \"course\" has spent") == true)
            } else {
                #expect(try await daemon.client { try await $0.job(runs) }.job.state == .running)
            }
            let granted = try daemon.mlctl("budget", "grant", "course", "100 EUR")
            #expect(granted.status == 0 && granted.out.contains("open"), "\(granted)")
            try daemon.touch("go")
            for id in [runs, next] { #expect(try await daemon.ended(id).job.state == .succeeded) }
            #expect(try await daemon.client { try await $0.job(runs) }.job.attempt == (then == "preempt" ? 2 : 1))
        }
    }

    @Test func aBudgetThatPreemptsStopsWhatRuns() async throws {
        try await RunningDaemon.with(policy: policy("5 MWh/year", then: "preempt")) { daemon in
            let script = "[ $MLD_ATTEMPT = 1 ] || exit 0; while :; do :; done"
            let id = try await daemon.submit(["sh", "-c", script]) { $0.project = "nlp" }
            _ = try await daemon.reaches(id) { $0.state == .running && $0.energy.energyJ > 1 }
            try daemon.write(policy: policy("1 J/year", then: "preempt"))
            #expect(try daemon.mlctl("policy", "reload").status == 0)
            let waits = try await daemon.reaches(id) { $0.state == .queued }
            let cause = try #require(waits.transitions.last).cause
            #expect(cause.contains("requeued by mld, for budget \"nlp\" has spent"), "\(cause)")
            try daemon.write(policy: policy("5 MWh/year", then: "warn"))
            #expect(try daemon.mlctl("policy", "reload").status == 0)
            let end = try await daemon.ended(id).job
            #expect(end.state == .succeeded && end.attempt == 2)
        }
    }
}
