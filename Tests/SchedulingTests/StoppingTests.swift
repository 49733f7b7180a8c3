import JobAPI
import TestSupport
import Testing
import Units

@testable import Scheduling

/// Whom the first that waits has stopped for it.
@Suite struct StoppingTests {
    private func running(_ scheduler: Scheduler, _ stakes: [Int64: Double], attempt: Int = 1) -> [Scheduler.Stoppable] {
        scheduler.active.values.sorted { $0.id < $1.id }.map { job in
            Scheduler.Stoppable(
                pending: waiting(job.id.number, job.request, at: 0), attempt: attempt, atStake: stakes[job.id.number],
                isStopping: false)
        }
    }

    private func full() -> Scheduler {
        var scheduler = Scheduler(capacity: vector(4, gib: 99))
        for id in 1...4 as ClosedRange<Int64> { scheduler.add(waiting(id)) }
        #expect(scheduler.run(at: 0).count == 4)
        return scheduler
    }

    @Test func thoseThatLoseLeastAndNoMore() {
        var scheduler = full()
        scheduler.add(waiting(9, vector(2), uid: 2, priority: 100, at: 10))
        #expect(scheduler.run(at: 10) == [])
        var jobs = running(scheduler, [1: 50, 2: 10, 3: 40, 4: 20])
        #expect(scheduler.victims(for: JobID(9), among: jobs, now: t(10)) == [JobID(2), JobID(4)])
        // While they save what they have nobody else is asked.
        jobs[1].isStopping = true
        jobs[3].isStopping = true
        #expect(scheduler.victims(for: JobID(9), among: jobs, now: t(11)) == [])
        scheduler.ended(JobID(2))
        scheduler.ended(JobID(4))
        #expect(scheduler.run(at: 12) == [9])
    }

    @Test func nobodyIsStoppedInVain() {
        var scheduler = full()
        scheduler.add(waiting(9, vector(4), uid: 2, priority: 100, at: 10))
        let jobs = running(scheduler, [:])
        #expect(scheduler.victims(for: JobID(9), among: Array(jobs.dropLast()), now: t(10)) == [])
        #expect(scheduler.victims(for: JobID(9), among: jobs, now: t(10)).count == 4)
        // Put back they would be ahead of it: they waited for a day.
        scheduler.add(waiting(8, vector(2), uid: 2, priority: 1, at: 86_400))
        #expect(scheduler.victims(for: JobID(8), among: jobs, now: t(86_400)) == [])
        #expect(scheduler.victims(for: JobID(77), among: jobs, now: t(10)) == [])
    }

    /// Under a stream of urgent jobs that never ends one of the others comes to its end.
    @Test func whatIsStoppedAgainAndAgainRunsLongerEachTime() {
        #expect(Scheduler.protection(ofAttempt: 1) == .zero)
        #expect(Scheduler.protection(ofAttempt: 2) == .seconds(120))
        #expect(Scheduler.protection(ofAttempt: 1000) == .seconds(3840))
        var scheduler = Scheduler(capacity: vector(1))
        var attempt = 0
        var remaining = 1000.0
        var batch: Double?
        var urgent: Int64 = 100
        scheduler.add(waiting(1, at: 0))
        for second in stride(from: 0.0, to: 40_000, by: 10) where remaining > 0 {
            for job in scheduler.active.values where job.expectedEnd.map({ $0 <= t(second) }) ?? false {
                scheduler.ended(job.id)
            }
            if let began = batch, second - began >= remaining {
                remaining = 0
                break
            }
            // One is always waiting.
            if !scheduler.isPending(JobID(urgent)), second.truncatingRemainder(dividingBy: 600) == 0 {
                urgent += 1
                scheduler.add(waiting(urgent, uid: 2, priority: 1000, at: second, limit: 100))
            }
            for id in scheduler.run(at: second) where id == 1 {
                attempt += 1
                batch = second
            }
            guard batch != nil, scheduler.active[JobID(1)] != nil, scheduler.isPending(JobID(urgent)) else { continue }
            let job = Scheduler.Stoppable(pending: waiting(1, at: 0), attempt: attempt, isStopping: false)
            if scheduler.victims(for: JobID(urgent), among: [job], now: t(second)) == [JobID(1)] {
                // It writes no checkpoints: all is lost.
                scheduler.ended(JobID(1))
                scheduler.add(waiting(1, at: 0))
                batch = nil
            }
        }
        #expect(remaining == 0 && attempt > 3, "attempt \(attempt)")
    }
}
