import JobAPI
import Policy
import Scheduling
import Testing
import Units

@testable import Simulation

/// Rules that leave jobs fewer CPUs, in a replay.
@Suite struct CapReplayTests {
    /// The test's time is 22:13:20: the hour from 23 on begins at 2800 and ends at 6400.
    private let rules = "[[rule]]\nname = \"night\"\nmatch = { hour = \"23-00\" }\nthen = \"cap\"\ncpus = 1\n"

    @Test func aCappedJobComputesInProportion() throws {
        // 1000 s before the hour, then at a quarter of its pace: 3600 s are worth 900, and the last 100 are at full pace again.
        let job = traced("a", at: 1800, run: 2000, cpus: 4, power: 400)
        let trace = Trace(jobs: [job])
        let free = Replay.run(trace, under: try policy(rules), on: machine(4))
        #expect(free.ends == [6500] && free.runs[0].state == .finished)
        #expect(free.segments.map(\.share) == [1, 0.25, 1])
        let figures = Outcome(free, of: trace, on: machine(4)).figures
        // It draws in proportion: the same energy as at once.
        #expect(abs(figures.jobsEnergyJ - 800_000) < 1e-6)
        #expect(figures.peakW == 400)
        #expect(free.notes.contains { $0.contains("in proportion to the CPUs") })
    }

    /// Its limit is time, not work.
    @Test func itsLimitEndsItAsItWould() throws {
        let job = traced("a", at: 2800, run: 1000, cpus: 2, limit: 1500)
        let log = Replay.run(Trace(jobs: [job]), under: try policy(rules), on: machine(4))
        #expect(log.ends == [4300] && log.runs[0].state == .timedOut)
    }

    /// Started at once it would have done no more than it did: under one intensity nothing is saved.
    @Test func whatItsLimitCutShortSavesNothing() throws {
        let trace = Trace(jobs: [traced("a", at: 2800, run: 1000, cpus: 2, limit: 1500, power: 400)])
        let log = Replay.run(trace, under: try policy(rules), on: machine(4))
        let steady = GridPrices(steadyIntensity: .init(gramsPerKilowattHour: 100))
        let figures = Outcome(log, of: trace, on: machine(4), prices: steady).figures
        #expect(figures.jobsTimedOut == 1)
        // 750 s of 400 W.
        #expect(abs((figures.carbonBaselineG ?? 0) - 25.0 / 3) < 1e-9)
        #expect(abs(figures.carbonSavedPercent ?? 100) < 1e-9)
    }

    @Test func oneWithGPUsGoesOnAsItDidAndIsCounted() throws {
        let job = traced("a", at: 2800, run: 100, cpus: 2, gpus: 1)
        let log = Replay.run(Trace(jobs: [job]), under: try policy(rules), on: machine(4, gpus: 1))
        #expect(log.ends == [2900])
        #expect(log.notes.contains { $0.hasPrefix("1 job with GPUs is not slowed") })
    }

    @Test func powerLimitsAreNamed() throws {
        let limit = "[[rule]]\nname = \"low\"\nmatch = { user = \"u\" }\nthen = \"cap\"\npower = \"50 W\"\n"
        let log = Replay.run(Trace(jobs: [traced("a", at: 0, run: 1)]), under: try policy(limit), on: machine(1))
        #expect(log.notes.contains { $0.hasPrefix("power limits of jobs are not acted on") })
    }
}
