import Policy
import Scheduling
import Testing
import Units

@testable import Simulation

@Suite struct ReplayPropertyTests {
    private static let seeds = Array(1...12) as [UInt64]
    private static let cpus = 8

    private static func order(_ log: ReplayLog) -> [(at: Timestamp, job: Int, isStart: Bool)] {
        log.segments.flatMap { [($0.from, Int($0.job), true), ($0.to, Int($0.job), false)] }
            .sorted { $0.0 == $1.0 ? !$0.2 && $1.2 : $0.0 < $1.0 }
    }

    @Test(arguments: seeds)
    func nothingIsGivenTwiceAndEveryJobEndsOnce(seed: UInt64) {
        let trace = randomTrace(seed, jobs: 200, cpus: Self.cpus)
        let limits: Replay.Limits = seed % 2 == 0 ? .exact : .stated
        let log = Replay.run(trace, under: .builtIn, on: machine(Self.cpus), options: .init(limits: limits))
        #expect(log.runs.allSatisfy { $0.state == .finished })
        #expect(log.segments.map { Int($0.job) }.sorted() == Array(trace.jobs.indices))
        var used = 0
        var most = 0
        for (_, job, isStart) in Self.order(log) {
            used += (isStart ? 1 : -1) * trace.jobs[job].request.cpus
            most = max(most, used)
        }
        #expect(used == 0)
        #expect(most <= Self.cpus)
        // Else the load was no load.
        #expect(most == Self.cpus)
        for (job, segment) in zip(trace.jobs, log.segments.sorted { $0.job < $1.job }) {
            #expect(segment.from >= job.submit)
            #expect(segment.to.since(segment.from).seconds == job.runTime)
        }
    }

    /// With limits that are the truth, a job that has been promised a start gets it: whoever backfills does not delay it.
    @Test(arguments: seeds)
    func backfillingKeepsItsPromises(seed: UInt64) {
        var trace = randomTrace(seed, jobs: 200, cpus: Self.cpus)
        for index in trace.jobs.indices { trace.jobs[index].timeLimit = trace.jobs[index].runTime }
        let log = Replay.run(
            trace, under: .builtIn, on: machine(Self.cpus), options: .init(recordsPromises: true))
        #expect(log.promises.count > 20)
        for (job, promised) in log.promises {
            guard let started = log.runs[Int(job)].started else {
                Issue.record("job \(job) never started")
                continue
            }
            #expect(started <= promised, "job \(job) of seed \(seed)")
        }
    }

    /// Backfilling changes who waits; over many loads the mean wait must fall.
    @Test func backfillingShortensTheMeanWait() {
        var first = 0.0
        var easy = 0.0
        for seed in Self.seeds.prefix(8) {
            let trace = randomTrace(seed, jobs: 200, cpus: Self.cpus)
            func wait(_ options: Replay.Options) -> Double {
                let log = Replay.run(trace, under: .builtIn, on: machine(Self.cpus), options: options)
                return zip(trace.jobs, log.runs).reduce(0) { $0 + ($1.1.started?.since($1.0.submit).seconds ?? 0) }
            }
            first += wait(.init(limits: .exact, lookAhead: 1))
            easy += wait(.init(limits: .exact))
        }
        #expect(easy < first * 0.8)
    }

    @Test func theSameReplayTwiceIsTheSame() {
        let trace = randomTrace(3, jobs: 500, cpus: Self.cpus)
        let once = Replay.run(trace, under: .builtIn, on: machine(Self.cpus))
        #expect(once == Replay.run(trace, under: .builtIn, on: machine(Self.cpus)))
    }
}
