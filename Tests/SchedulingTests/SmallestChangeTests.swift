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

    /// All but one CPU is held for ever, and the first that waits needs all: nobody behind it can tell when.
    private func stuck(_ rules: String = "") throws -> Scheduler {
        var scheduler = try Scheduler(
            "[queue.batch]\ndefault = true\n[queue.greener]\npriority = 200\n[queue.kept]\npriority = 200\n"
                + "[queue.high]\npriority = 100\n" + rules, cpus: 8)
        scheduler.adopt(forecast: try forecast([400, 410, 100, 100, 400]), now: t(h(0)))
        scheduler.started(ActiveJob(id: JobID(1), uid: 9, request: vector(7), startedAt: t(0)))
        scheduler.add(waiting(2, vector(8), at: h(0)))
        scheduler.add(waiting(3, vector(1), at: h(0), limit: 600))
        #expect(scheduler.run(at: h(0)) == [])
        return scheduler
    }

    /// As the third would wait there.
    private func third(in queue: String, priority: Int, upTo latestStart: Double? = nil) -> PendingJob {
        var job = waiting(3, vector(1), queue: queue, priority: priority, at: h(0), limit: 600)
        job.flexibility = latestStart.map { Flexibility(latestStart: t(h($0)), runTime: 600) }
        return job
    }

    @Test func theQueueIsTheOneWithTheEarliestStart() throws {
        let match = "{ queue = \"kept\", intensity-above = \"300 g/kWh\" }"
        var scheduler = try stuck("[[rule]]\nname = \"dirty\"\nmatch = \(match)\nthen = \"hold\"\n")
        scheduler.adopt(conditions: Conditions(intensity: CarbonIntensity(gramsPerKilowattHour: 400)))
        let greener = third(in: "greener", priority: 200, upTo: 4)
        let kept = third(in: "kept", priority: 200)
        let high = third(in: "high", priority: 100)
        func better(_ others: PendingJob...) -> String? {
            scheduler.betterQueue(for: JobID(3), among: others, now: t(h(0)))
        }
        #expect(better(greener, kept, high) == "in queue high it would start now")
        #expect(better(kept) == nil, "the rule holds it there")
        #expect(better(third(in: "batch", priority: 0)) == nil, "no better than it is")
        #expect(better(greener, kept) == "in queue greener it would start at \(t(h(2)))")
        // Asking leaves the queue as it was.
        #expect(scheduler.pendingCount == 2 && scheduler.expectedStart(for: JobID(3), now: t(h(0)))?.at == nil)
    }

    /// Once it is known when the line moves on, a queue that defers it beyond that is no better.
    @Test func aQueueThatDefersItToALaterStartIsNotProposed() throws {
        var scheduler = try stuck()
        scheduler.expect(JobID(1), toEnd: t(h(0) + 600))
        scheduler.add(waiting(2, vector(8), at: h(0), limit: 600))
        // Without its limit it could not pass the second, which ends after twenty minutes.
        scheduler.add(waiting(3, vector(1), at: h(0)))
        let now = t(h(0))
        #expect(scheduler.expectedStart(for: JobID(3), now: now)?.at == t(h(0) + 1200))
        func better(_ latestStart: Double) -> String? {
            scheduler.betterQueue(
                for: JobID(3), among: [third(in: "greener", priority: 200, upTo: latestStart)], now: now)
        }
        #expect(better(4) == nil)
        #expect(better(0) == "in queue greener it would start now")
    }

    /// It is asked of the planner itself, so limits count as well.
    @Test func whatALimitForbidsNoChangeHelps() {
        var scheduler = Scheduler(capacity: vector(8, gib: 16), maxRunningPerUser: limit(1))
        scheduler.add(waiting(1, vector(6), limit: 1000))
        _ = scheduler.run(at: 0)
        #expect(change(waiting(2, vector(4), limit: 60), scheduler) == nil)
    }
}
