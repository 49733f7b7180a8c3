import JobAPI
import Policy
import Testing
import Units

@testable import Scheduling

@Suite struct SmallestChangeTests {
    /// 6 of 8 CPUs and 6 of 16 GiB are held until 1000.
    private func busy() -> Scheduler {
        var scheduler = Scheduler(capacity: vector(8, gib: 16, gpus: 1))
        scheduler.add(waiting(1, vector(6, gib: 6, gpus: 1), limit: 1000))
        _ = scheduler.run(at: 0)
        return scheduler
    }

    private func change(_ job: PendingJob, _ scheduler: Scheduler, at now: Double = 10) -> String? {
        var scheduler = scheduler
        scheduler.add(job)
        _ = scheduler.run(at: now)
        return scheduler.smallestChange(for: job.id, now: t(now))
    }

    @Test func itIsTheLeastThatHelps() {
        #expect(change(waiting(2, vector(4), limit: 60), busy()) == "with 2 cpus instead of 4 it would start now")
        #expect(
            change(waiting(2, vector(2, gib: 12), limit: 60), busy())
                == "with 10 GiB of memory instead of 12 GiB it would start now")
        #expect(change(waiting(2, vector(1, gpus: 1), limit: 60), busy()) == "with no gpu it would start now")
        #expect(change(waiting(2, vector(4, gib: 12), limit: 60), busy()) == nil, "two changes")
        #expect(change(waiting(2, vector(2), limit: 60), busy()) == nil, "it starts")
        #expect(change(waiting(2, vector(4), held: true), busy()) == nil, "somebody holds it")
        #expect(change(waiting(2, vector(4), notBefore: 500), busy()) == nil, "its time has not come")
    }

    /// The first needs all at 1000; what ends by then may pass it.
    @Test func aShorterLimitLetsItPass() {
        var scheduler = busy()
        scheduler.add(waiting(2, vector(8), limit: 100))
        _ = scheduler.run(at: 5)
        #expect(
            change(waiting(3, vector(2), at: 6, limit: 3600), scheduler)
                == "with a time limit of at most 16 min it would start now")
        #expect(
            change(waiting(3, vector(2), at: 6), scheduler) == "with a time limit of at most 16 min it would start now")
    }

    /// It is asked of the planner itself, so limits count as well.
    @Test func whatALimitForbidsNoChangeHelps() {
        var scheduler = Scheduler(capacity: vector(8, gib: 16), maxRunningPerUser: limit(1))
        scheduler.add(waiting(1, vector(6), limit: 1000))
        _ = scheduler.run(at: 0)
        #expect(change(waiting(2, vector(4), limit: 60), scheduler) == nil)
    }
}
