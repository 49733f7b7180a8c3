import Policy
import Scheduling
import TestSupport
import Testing
import Units

@testable import Simulation

/// Limits that say little, and what the scheduler learns beside them.
@Suite struct ReplayLearningTests {
    /// Jobs of a few kinds that take about as long each time, of which the limits are all ten hours.
    private func trace(_ seed: UInt64) -> Trace {
        var random = Seeded(seed)
        var now = 0.0
        var trace = Trace(users: ["user0", "user1", "user2"])
        let kinds = (0..<6).map { _ in
            (run: Double.random(in: 30...2000, using: &random), cpus: Int.random(in: 1...6, using: &random))
        }
        for _ in 0..<1500 {
            now += Double.random(in: 0...1000, using: &random)
            let kind = Int.random(in: 0..<kinds.count, using: &random)
            var job = traced(
                "kind-\(kind)", at: now, run: kinds[kind].run * .random(in: 0.7...1.1, using: &random),
                cpus: kinds[kind].cpus, limit: 36_000, user: Int32(kind % 3))
            job.application = Int32(kind)
            trace.jobs.append(job)
        }
        return trace
    }

    private func meanWait(_ trace: Trace, _ options: Replay.Options) -> Double {
        let log = Replay.run(trace, under: .builtIn, on: machine(8), options: options)
        #expect(log.runs.allSatisfy { $0.state == .finished })
        let waits = zip(log.runs, trace.jobs).compactMap { run, job in run.started?.since(job.submit).seconds }
        #expect(waits.count == trace.jobs.count)
        return waits.reduce(0, +) / Double(waits.count)
    }

    /// With limits that all are the same only what fits beside the first may pass; what is learned lets the short ones pass.
    @Test func whatIsLearnedLetsMorePass() {
        var (limits, learned, fifo) = (0.0, 0.0, 0.0)
        for seed in 1...8 as ClosedRange<UInt64> {
            let trace = trace(seed)
            limits += meanWait(trace, .init(limits: .stated))
            learned += meanWait(trace, .init(limits: .learned))
            fifo += meanWait(trace, .init(limits: .learned, lookAhead: 1))
        }
        #expect(learned < 0.95 * limits, "\(learned) s against \(limits) s")
        #expect(limits < fifo)
    }

    @Test func theSameTraceIsReplayedTheSame() {
        let trace = trace(3)
        let options = Replay.Options(limits: .learned)
        #expect(
            Replay.run(trace, under: .builtIn, on: machine(8), options: options)
                == Replay.run(trace, under: .builtIn, on: machine(8), options: options))
    }

    /// What its limit ends is learned as such: of jobs that all are cut nobody says how long they take.
    @Test func whatIsCutIsNotTakenForWhole() {
        let jobs = (0..<6).map { traced("a", at: Double($0) * 100, run: 90, cpus: 1, limit: 60) }
        var replay = Replay(
            Trace(jobs: jobs), under: .builtIn, on: machine(1), options: .init(limits: .learned))
        for index in 0..<6 {
            let now = t(Double(index) * 100)
            replay.submit(index, at: now)
            for id in replay.scheduler.plan(now: now).starts { replay.start(id, at: now) }
            guard let (id, job) = replay.active.first else { continue }
            replay.end(id, job, at: now.advanced(by: .seconds(60)))
        }
        let estimate = replay.scheduler.history.estimate(replay.keys(of: jobs[0]), cpus: 1)
        #expect(estimate?.cut == 6 && estimate?.runs == 0 && estimate?.seconds.median == nil)
    }

    @Test func likesAreThoseThatRanTheSame() {
        let replay = Replay(Trace(), under: .builtIn, on: machine(1), options: .init(limits: .learned))
        var one = traced("7", at: 0, run: 1)
        var two = traced("8", at: 0, run: 1)
        #expect(replay.keys(of: one).work == replay.keys(of: two).work)
        (one.application, two.application) = (1, 2)
        #expect(replay.keys(of: one).work != replay.keys(of: two).work)
        two.application = 1
        #expect(replay.keys(of: one) == replay.keys(of: two))
        two.user = 5
        #expect(replay.keys(of: one).work != replay.keys(of: two).work)
    }
}
