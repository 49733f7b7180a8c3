import Carbon
import Policy
import Scheduling
import Testing
import Units

@testable import Simulation

/// Budgets in a replay: the daemon's judgement of them, and what follows.
@Suite struct BudgetReplayTests {
    private func trace(_ jobs: [TraceJob]) -> Trace {
        var trace = Trace(jobs: jobs)
        trace.users = ["u", "v"]
        trace.projects = ["p"]
        return trace
    }

    private func job(_ name: String, at submit: Double, run: Double, watts: Double, user: Int32 = 0) -> TraceJob {
        var job = traced(name, at: submit, run: run, power: watts, user: user)
        job.project = 0
        return job
    }

    /// The test's time is 22:13:20: a day ends at 6400.
    private let midnight = 6400.0

    private func budget(_ limit: String, then: String = "hold", user: String = "u") throws -> PolicySet {
        try policy("[budget.b]\n\(limit)\nuser = \"\(user)\"\nwhen-spent = \"\(then)\"\n")
    }

    @Test func whatIsSpentHoldsUntilTheNextPeriod() throws {
        let jobs = [
            job("a", at: 0, run: 100, watts: 100), job("b", at: 50, run: 10, watts: 100),
            job("c", at: 100, run: 10, watts: 100), job("other", at: 100, run: 10, watts: 100, user: 1),
        ]
        // 100 W for 100 s and for 10 s are 11 kJ: spent at 91 s.
        let log = Replay.run(trace(jobs), under: try budget("energy = \"10 kJ/day\""), on: machine(4))
        #expect(log.starts == [0, 50, midnight, 100])
        #expect(log.ends == [100, 60, midnight + 10, 110])
        let more = Replay.run(trace(jobs), under: try budget("energy = \"12 kJ/day\""), on: machine(4))
        #expect(more.starts == [0, 50, 100, 100])
        let warned = Replay.run(trace(jobs), under: try budget("energy = \"10 kJ/day\"", then: "warn"), on: machine(4))
        #expect(warned.starts == [0, 50, 100, 100])
        #expect(log.notes.contains { $0.hasPrefix("budgets begin with nothing spent") })
    }

    @Test func oneThatPreemptsStopsWhatRunsInTheMoment() throws {
        let jobs = [
            job("a", at: 0, run: 90, watts: 100), job("b", at: 0, run: 200, watts: 100, user: 1),
            job("c", at: 0, run: 40, watts: 150),
        ]
        let rules = try budget("energy = \"10 kJ/day\"", then: "preempt")
        let log = Replay.run(trace(jobs), under: rules, on: machine(4))
        #expect(log.runs[0].preemptions == 1 && log.runs[1].preemptions == 0)
        let first = try #require(log.segments.first { $0.job == 0 })
        // 250 W for 40 s are 10 kJ: c has just ended.
        #expect(first.to == t(40))
        // All of it is computed again, the next day, which has 9 kJ for it.
        #expect(log.ends == [midnight + 90, 200, 40])
    }

    /// It is stopped in each period, and the replay comes to an end all the same.
    @Test func whatNoPeriodIsEnoughForIsLeftOut() throws {
        let rules = try budget("energy = \"10 kJ/day\"", then: "preempt")
        let log = Replay.run(trace([job("a", at: 0, run: 200, watts: 100)]), under: rules, on: machine(4))
        #expect(log.runs[0].state == .waiting && log.runs[0].preemptions == 21)
        #expect(log.notes.contains { $0.hasPrefix("1 stopped by a budget 20 times") })
    }

    /// What is drawn on both sides of a border counts to the period in which it was drawn.
    @Test func aPeriodCountsItsOwn() throws {
        let jobs = [
            job("a", at: midnight - 100, run: 200, watts: 100), job("b", at: midnight + 50, run: 10, watts: 100),
            job("c", at: midnight + 110, run: 10, watts: 100),
        ]
        let log = Replay.run(trace(jobs), under: try budget("energy = \"11 kJ/day\""), on: machine(4))
        // By midnight 10 kJ; then 11 kJ, with what b took, at the end of a.
        #expect(log.starts == [midnight - 100, midnight + 50, midnight + 86_400])
    }

    @Test func carbonAndMoneyAreCountedByTheirPrices() throws {
        let jobs = [job("a", at: 0, run: 3600, watts: 1000), job("b", at: 3600, run: 10, watts: 1000)]
        let series = try SignalSeries(start: t(0), step: .seconds(1800), values: [100, 300])
        // 0.5 kWh at 100 and 0.5 at 300 g/kWh, with a PUE of 1.5: 300 g. The product of the means says so too: so at 1.5 PUE
        // and 301 g nothing is spent.
        for (limit, start) in [("0.299 kg", midnight), ("0.301 kg", 3600)] {
            let prices = GridPrices(intensity: series, steadyIntensity: .init(gramsPerKilowattHour: 0), pue: 1.5)
            let log = Replay.run(
                trace(jobs), under: try budget("carbon = \"\(limit)/day\""), on: machine(4),
                options: .init(prices: prices))
            #expect(log.starts == [0, start], "\(limit)")
        }
        let money = "[carbon]\nprice = \"0.5 EUR/kWh\"\n[budget.b]\nmoney = \"0.7 EUR/day\"\nuser = \"u\"\n"
        let log = Replay.run(
            trace(jobs), under: try policy(money), on: machine(4),
            options: .init(prices: GridPrices(steadyPrice: 0.5, pue: 1.5)))
        #expect(log.starts == [0, midnight])
        let unknown = Replay.run(trace(jobs), under: try policy(money), on: machine(4))
        #expect(unknown.starts == [0, 3600])
        #expect(unknown.notes.contains("budget \"b\" counts no money: nobody tells what energy costs"))
    }

    /// What is left is spent faster from the moment on at which the grid gets dirtier, or dearer.
    @Test(arguments: [1800, 20]) func oneThatPreemptsFollowsTheGrid(step: Int) throws {
        let slots = 1800 / step
        let values = Array(repeating: 10.0, count: slots) + Array(repeating: 1000, count: slots)
        func series(_ factor: Double) throws -> SignalSeries {
            try SignalSeries(start: t(0), step: .seconds(step), values: values.map { $0 * factor })
        }
        let trace = trace([job("a", at: 0, run: 3600, watts: 1000)])
        // Half an hour of 1 kW is 5 g, six minutes more are 100 g.
        let carbon = Replay.run(
            trace, under: try budget("carbon = \"105 g/day\"", then: "preempt"), on: machine(4),
            options: .init(prices: GridPrices(intensity: try series(1))))
        let money = Replay.run(
            trace,
            under: try policy(
                "[carbon]\nprice = \"9 EUR/kWh\"\n[budget.b]\nmoney = \"0.105 EUR/day\"\nuser = \"u\"\n"
                    + "when-spent = \"preempt\"\n"), on: machine(4),
            options: .init(prices: GridPrices(price: try series(0.001))))
        for log in [carbon, money] {
            let first = try #require(log.segments.first)
            #expect(abs(first.to.since(t(2160)).seconds) <= 1 && log.runs[0].preemptions > 0, "\(first)")
        }
    }

    @Test func groupsAreThoseOfTheTrace() throws {
        var (a, b) = (job("a", at: 0, run: 10, watts: 1), job("b", at: 0, run: 10, watts: 1, user: 1))
        (a.group, b.group) = (0, 1)
        var trace = trace([a, b])
        trace.groups = [["staff", "students"], ["staff"]]
        let rules = try policy("[[rule]]\nname = \"r\"\nmatch = { group = \"students\" }\nthen = \"deny\"\n")
        let log = Replay.run(trace, under: rules, on: machine(4))
        #expect(log.runs.map(\.state) == [.refused, .finished])
    }
}
