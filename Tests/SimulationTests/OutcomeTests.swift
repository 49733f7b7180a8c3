import Carbon
import JobAPI
import Policy
import Scheduling
import Testing
import Units

@testable import Simulation

@Suite struct OutcomeTests {
    private func outcome(
        _ jobs: [TraceJob], on machine: SimulatedMachine, prices: GridPrices = GridPrices(),
        policy: PolicySet = .builtIn
    ) -> Outcome {
        let trace = Trace(jobs: jobs, users: ["ann", "bob"])
        return Outcome(Replay.run(trace, under: policy, on: machine), of: trace, on: machine, prices: prices)
    }

    /// Four jobs one after the other on one CPU: they wait 0, 90, 180 and 5 s.
    @Test func waitsAndSlowdowns() {
        let figures = outcome(
            [
                traced("a", at: 0, run: 100, user: 0), traced("b", at: 10, run: 100, user: 1),
                traced("c", at: 20, run: 5, user: 0), traced("d", at: 200, run: 20, user: 1),
            ], on: machine(1)
        ).figures
        #expect(figures.waitMeanS == 68.75)
        #expect(figures.waitMedianS == 47.5)
        #expect(figures.p95WaitS == 180)
        #expect(figures.waitMaxS == 180)
        // 100/100, 190/100, 185/10 as it is shorter than the bound, 25/20.
        #expect(figures.boundedSlowdownMean == (1 + 1.9 + 18.5 + 1.25) / 4)
        #expect(figures.makespanS == 225)
        #expect(figures.cpuUtilisationPercent == 100)
        #expect(figures.gpuUtilisationPercent == nil)
        #expect(figures.users.map(\.user) == ["ann", "bob"])
        #expect(figures.users.map(\.waitMeanS) == [90, 47.5])
        #expect(figures.users.map(\.p95WaitS) == [180, 90])
        #expect(figures.users.map(\.jobs) == [2, 2])
        #expect([figures.jobs, figures.jobsFinished, figures.jobsTimedOut, figures.jobsUnfinished] == [4, 4, 0, 0])
    }

    /// Three hours of 100, 300 and 200 g/kWh. A job of 1 kW from the middle of the first to the middle of the third, an idle
    /// machine of 100 W from the first submission on.
    @Test func energyIsPricedByTheIntensityInForce() throws {
        let start = try Timestamp(parsing: "2026-11-24T00:00:00Z")
        let series = try SignalSeries(start: start, step: .seconds(3600), values: [100, 300, 200])
        let trace = Trace(jobs: [
            TraceJob(
                name: "a", submit: start.advanced(by: .seconds(1800)), runTime: 7200,
                request: ResourceVector(cpus: 2, memory: .mebibytes(1)), power: 1000)
        ])
        let machine = machine(4, idle: 100)
        let prices = GridPrices(intensity: series, steadyPrice: 0.4, pue: 1.5)
        let outcome = Outcome(Replay.run(trace, under: .builtIn, on: machine), of: trace, on: machine, prices: prices)
        let figures = outcome.figures
        #expect(figures.jobsEnergyJ == 7.2e6)
        #expect(figures.idleEnergyJ == 0.72e6)
        #expect(figures.energyJ == 7.92e6)
        // 1.5 x (0.5 x 100 + 1 x 300 + 0.5 x 200), not 1.5 x 2 x the mean of 200.
        #expect(figures.jobsCarbonG == 675)
        #expect(figures.idleCarbonG.map { abs($0 - 67.5) < 1e-9 } == true)
        #expect(figures.carbonSavedPercent == 0)
        #expect(figures.carbonGapS == 0)
        #expect(figures.cost.map { abs($0 - 2.2 * 1.5 * 0.4) < 1e-9 } == true)
        #expect(figures.peakW == 1100)
        #expect(figures.cpuUtilisationPercent == 50)
        #expect(outcome.curves.carbonByHourG.map { $0.rounded() } == [83, 495, 165] + Array(repeating: 0, count: 21))
        #expect(outcome.curves.powerW.allSatisfy { abs($0 - 1100) < 1e-6 })
        #expect(outcome.notes.isEmpty)
    }

    /// A wait that moves a job into a cleaner hour saves, one into a dirtier hour costs.
    @Test func savingsAreAgainstTheStartAtSubmission() throws {
        let series = try SignalSeries(start: t(0), step: .seconds(100), values: [400, 100, 800, 0])
        let figures = outcome(
            [traced("a", at: 0, run: 100, power: 36), traced("b", at: 0, run: 100, power: 36)], on: machine(1),
            prices: GridPrices(intensity: series)
        ).figures
        // 36 W for 100 s is 1 Wh: 0.4 g and 0.1 g against twice 0.4 g.
        #expect(figures.jobsCarbonG.map { abs($0 - 0.5) < 1e-12 } == true)
        #expect(figures.carbonBaselineG.map { abs($0 - 0.8) < 1e-12 } == true)
        #expect(figures.carbonSavedPercent.map { abs($0 - 37.5) < 1e-9 } == true)
    }

    @Test func whatTheSeriesDoesNotCoverIsAGapOrTheSteadyFigure() throws {
        let series = try SignalSeries(start: t(50), step: .seconds(100), values: [360])
        let jobs = [traced("a", at: 0, run: 100, power: 3600)]
        let gap = outcome(jobs, on: machine(1), prices: GridPrices(intensity: series))
        #expect(gap.figures.jobsCarbonG == 18)
        #expect(gap.figures.carbonGapS == 50)
        #expect(gap.notes.first?.contains("50 s") == true)
        let steady = outcome(
            jobs, on: machine(1),
            prices: GridPrices(intensity: series, steadyIntensity: CarbonIntensity(gramsPerKilowattHour: 720)))
        #expect(steady.figures.jobsCarbonG == 54)
        #expect(steady.figures.carbonGapS == 0)
        // Of another year altogether: 0 g would be a claim.
        let elsewhere = try SignalSeries(start: t(1e6), step: .seconds(100), values: [360])
        let unknown = outcome(jobs, on: machine(1), prices: GridPrices(intensity: elsewhere))
        #expect(unknown.figures.carbonG == nil)
        #expect(unknown.figures.carbonSavedPercent == nil)
        #expect(unknown.figures.carbonGapS == 100)
        let none = outcome(jobs, on: machine(1))
        #expect(none.figures.carbonG == nil)
        #expect(none.figures.cost == nil)
        #expect(none.curves.carbonByHourG.isEmpty)
    }

    @Test func whatThePricesDoNotCoverIsAGapOrTheSteadyPrice() throws {
        let series = try SignalSeries(start: t(50), step: .seconds(100), values: [0.36])
        let jobs = [traced("a", at: 0, run: 100, power: 36_000)]
        let gap = outcome(jobs, on: machine(1, idle: 36_000), prices: GridPrices(price: series))
        // 0.5 kWh of the job and as much of the machine.
        #expect(gap.figures.cost.map { abs($0 - 0.36) < 1e-9 } == true)
        #expect(gap.figures.costGapS == 50)
        #expect(
            gap.notes == [
                "the price is not known for 50 s of the jobs' time and 50 s of the machine's idling, which is not in the cost"
            ])
        let steady = outcome(jobs, on: machine(1), prices: GridPrices(price: series, steadyPrice: 0.72))
        #expect(steady.figures.cost.map { abs($0 - 0.18 - 0.36) < 1e-9 } == true)
        #expect(steady.figures.costGapS == 0 && steady.notes.isEmpty)
        // Of another year altogether: nothing paid would be a claim.
        let elsewhere = try SignalSeries(start: t(1e6), step: .seconds(100), values: [0.36])
        let unknown = outcome(jobs, on: machine(1), prices: GridPrices(price: elsewhere))
        #expect(unknown.figures.cost == nil && unknown.figures.costGapS == 100)
        #expect(unknown.notes == ["the price is not known for 1 min 40 s of the jobs' time, which is not in the cost"])
    }

    @Test func deadlinesAreMissedByWhatEndsLateOrNotAtAll() {
        var jobs = [
            traced("in time", at: 0, run: 100), traced("late", at: 0, run: 100),
            traced("cut", at: 0, run: 10, limit: 5),
            traced("none", at: 0, run: 10), traced("refused", at: 0, run: 10, cpus: 9),
        ]
        for (index, deadline) in [100.0, 199, 1000, nil, 1000].enumerated() { jobs[index].deadline = deadline.map(t) }
        let figures = outcome(jobs, on: machine(1)).figures
        #expect(figures.deadlines == 4)
        #expect(figures.deadlinesMissed == 3)
        #expect(figures.jobsRefused == 1)
        #expect(figures.jobsTimedOut == 1)
    }

    @Test func theFiguresOfNothingAreZero() throws {
        let figures = outcome([], on: machine(1, idle: 100)).figures
        var none = SimulationFigures()
        none.peakW = 100
        #expect(figures == none)
        #expect(try JSON.text(figures).contains("\"p95_wait_s\":0"))
    }

    @Test func keysCarryTheirUnits() throws {
        let outcome = outcome(
            [traced("a", at: 0, run: 100, user: 0)], on: machine(1, idle: 1, perCPU: 1),
            prices: GridPrices(steadyIntensity: CarbonIntensity(gramsPerKilowattHour: 1)))
        let report = SimulationReport(trace: "t.swf", rows: [outcome.row(named: "a")])
        let text = try JSON.text(report)
        for key in [
            "energy_j", "carbon_g", "wait_mean_s", "p95_wait_s", "peak_w", "carbon_saved_percent", "makespan_s",
            "cpu_utilisation_percent", "jobs_energy_j", "bounded_slowdown_mean", "power_w", "step_s",
            "wait_by_percent_s", "carbon_by_hour_g", "deadlines_missed", "carbon_baseline_g",
        ] {
            #expect(text.contains("\"\(key)\":"), "\(key)")
        }
        #expect(try JSON.decode(SimulationReport.self, from: JSON.encode(report)).rows[0].figures == outcome.figures)
    }
}

@Suite struct OutcomePropertyTests {
    /// The sum over jobs and the idling is the area under the curve of power, which is found in another way.
    @Test(arguments: Array(1...10) as [UInt64])
    func energyIsConserved(seed: UInt64) throws {
        let trace = randomTrace(seed, jobs: 200, cpus: 8)
        let machine = machine(8, idle: 50, perCPU: 7.3)
        let log = Replay.run(trace, under: .builtIn, on: machine)
        let steady = GridPrices(steadyIntensity: CarbonIntensity(gramsPerKilowattHour: 360))
        let outcome = Outcome(log, of: trace, on: machine, prices: steady)
        let figures = outcome.figures
        let sweep = PowerSweep(log, trace, machine, steady)
        #expect(abs(sweep.energy - figures.energyJ) < 1e-9 * figures.energyJ)
        let curve = outcome.curves.powerW.reduce(0, +) * outcome.curves.stepS
        #expect(abs(curve - figures.energyJ) < 1e-9 * figures.energyJ)
        let byUser = figures.users.reduce(0) { $0 + $1.energyJ }
        #expect(abs(byUser - figures.jobsEnergyJ) < 1e-9 * figures.energyJ)
        // At 360 g/kWh a megajoule is 100 g.
        let grams = figures.energyJ / 1e4
        #expect(abs((figures.carbonG ?? 0) - grams) < 1e-9 * grams)
        #expect(abs(outcome.curves.carbonByHourG.reduce(0, +) - grams) < 1e-9 * grams)
        #expect(figures.peakW <= 50 + 8 * 300)
        #expect(figures.peakW >= figures.energyJ / figures.makespanS)
    }
}
