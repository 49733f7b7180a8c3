import JobAPI
import Policy
import Testing
import Units

@testable import Simulation

/// The daemon's own cap, over a trace.
@Suite struct PowerCapReplayTests {
    @Test(arguments: 1...10 as ClosedRange<UInt64>)
    func thePeakStaysBelowTheCap(seed: UInt64) throws {
        let trace = randomTrace(seed, jobs: 200, cpus: 4)
        let machine = machine(16, idle: 80, perCPU: 20)
        let free = Outcome(Replay.run(trace, under: .builtIn, on: machine), of: trace, on: machine)
        let capped = try policy("[machine]\nreserve-memory = \"0 B\"\npower-cap = \"450 W\"\n")
        let log = Replay.run(trace, under: capped, on: machine)
        let held = Outcome(log, of: trace, on: machine)
        #expect(free.figures.peakW > 450, "the trace must go beyond the cap")
        #expect(held.figures.peakW <= 450)
        #expect(log.runs.allSatisfy { $0.isOver })
        #expect(log == Replay.run(trace, under: capped, on: machine))
    }

    @Test func whatAloneIsTooMuchIsRefused() throws {
        let trace = Trace(jobs: [
            traced("a", at: 0, run: 10, power: 400), traced("b", at: 0, run: 10, power: 300),
            traced("c", at: 0, run: 10, power: 60),
        ])
        let capped = try policy("[machine]\nreserve-memory = \"0 B\"\npower-cap = \"450 W\"\n")
        let log = Replay.run(trace, under: capped, on: machine(8, idle: 80))
        #expect(log.runs.map(\.state) == [.refused, .finished, .finished])
        #expect(
            log.refusals.keys.first
                == "is expected to draw up to 400 W as its likes did on top of the idle machine's 80 W; machine.power-cap is 450 W (p.toml:3)"
        )
        #expect(log.starts == [nil, 0, 0])
    }

    @Test func anIdlePowerThatIsStatedTooLowIsSaid() throws {
        let low = try policy("[machine]\npower-cap = \"450 W\"\nidle-power = \"10 W\"\n")
        let log = Replay.run(Trace(jobs: [traced("a", at: 0, run: 10)]), under: low, on: machine(8, idle: 80))
        #expect(log.notes.contains { $0.hasPrefix("machine.idle-power is 10 W, less than the machine's 80 W") })
    }
}
