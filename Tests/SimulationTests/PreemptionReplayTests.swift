import JobAPI
import Policy
import Scheduling
import Testing
import Units

@testable import Simulation

/// A queue that preempts another, over a trace.
@Suite struct PreemptionReplayTests {
    private let rules = """
        [queue.batch]
        default = true
        [queue.urgent]
        priority = 1000
        preempts = ["batch"]
        """

    private func trace(_ jobs: [TraceJob]) -> Trace { Trace(jobs: jobs, queues: ["batch", "urgent"]) }

    @Test func theOneThatLosesLeastComputesAgain() throws {
        let jobs = trace([
            traced("a", at: 0, run: 1000, power: 100, queue: 0), traced("b", at: 50, run: 1000, power: 100, queue: 0),
            traced("c", at: 100, run: 10, power: 0, queue: 1),
        ])
        let machine = machine(2)
        let log = Replay.run(jobs, under: try policy(rules), on: machine)
        #expect(log.ends == [1000, 1110, 110])
        #expect(log.starts == [0, 50, 100])
        #expect(log.runs.map(\.preemptions) == [0, 1, 0])
        let figures = Outcome(log, of: jobs, on: machine).figures
        #expect(figures.preemptions == 1 && figures.jobsFinished == 3)
        // 1000 s each, and the 50 s that were lost.
        #expect(figures.jobsEnergyJ == 205_000)
    }

    /// Urgent jobs keep coming; each of the others comes to its end all the same.
    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func allComeToTheirEnd(seed: UInt64) throws {
        var jobs = randomTrace(seed, jobs: 200, cpus: 4)
        jobs.queues = ["batch", "urgent"]
        for index in jobs.jobs.indices { jobs.jobs[index].queue = index % 3 == 0 ? 1 : 0 }
        let log = Replay.run(jobs, under: try policy(rules), on: machine(4))
        #expect(log.runs.allSatisfy { $0.state == .finished })
        #expect(log.runs.map(\.preemptions).reduce(0, +) > 0, "nobody was preempted")
        #expect(log.runs.enumerated().allSatisfy { $0.offset % 3 != 0 || $0.element.preemptions == 0 })
        #expect(log == Replay.run(jobs, under: try policy(rules), on: machine(4)))
    }
}
