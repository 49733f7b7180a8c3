import Carbon
import JobAPI
import Policy
import TestSupport
import Testing
import Units

@testable import Scheduling

/// Hours from a whole hour on; `t(0)` of the other tests is 800 s after it.
private let hour = 3600.0
let slotZero = -800.0

func h(_ hours: Double) -> Double { slotZero + hours * hour }

func forecast(_ hourly: [Double], from first: Double = 0, price: [Double]? = nil) throws -> ShiftForecast {
    func series(_ values: [Double]) throws -> SignalSeries {
        try SignalSeries(start: t(h(first)), step: .seconds(3600), values: values)
    }
    return ShiftForecast(carbon: try series(hourly), price: try price.map(series))
}

func flexible(
    _ id: Int64, _ request: ResourceVector = vector(1), at time: Double = 0, hours: Double = 1,
    deadline: Double? = nil, latestStart: Double? = nil, goal: Flexibility.Goal = .carbon, threshold: Double? = nil,
    notBefore: Double? = nil, interruptible: Bool = false, restart: Double = 0, limit: Double? = nil
) -> PendingJob {
    var job = waiting(id, request, at: h(time), notBefore: notBefore.map(h), limit: limit)
    job.flexibility = Flexibility(
        deadline: deadline.map { t(h($0)) }, latestStart: latestStart.map { t(h($0)) }, runTime: hours * hour,
        isInterruptible: interruptible, restart: restart, goal: goal, threshold: threshold,
        source: RuleReference(file: "site.toml", line: 7, name: "queue.batch.defer"))
    return job
}

@Suite struct DeferralTests {
    private static let day = [400, 410, 300, 200, 210, 500, 100, 100] as [Double]

    private func scheduler(_ values: [Double] = day) throws -> Scheduler {
        var scheduler = Scheduler(capacity: vector(8, gib: 64))
        scheduler.adopt(forecast: try forecast(values), now: t(h(0)))
        return scheduler
    }

    @Test func aJobWaitsForItsCheapestHour() throws {
        var scheduler = try scheduler()
        scheduler.add(flexible(1, deadline: 5))
        scheduler.add(waiting(2, at: h(0)))
        #expect(scheduler.run(at: h(0)) == [2])
        #expect(scheduler.plan(now: t(h(0))).wakeAt == t(h(3)))
        #expect(scheduler.run(at: h(3) - 1) == [])
        #expect(scheduler.run(at: h(3)) == [1])
        #expect(scheduler.plan(now: t(h(3))).wakeAt == nil)
    }

    @Test func aDeadlineAloneBoundsAJobThatHasOne() throws {
        var scheduler = try scheduler()
        scheduler.add(flexible(1, deadline: 8, latestStart: 2))
        scheduler.add(flexible(2, latestStart: 2))
        scheduler.add(flexible(3, latestStart: 3))
        scheduler.add(flexible(4, hours: 2, deadline: 8))
        #expect(scheduler.run(at: h(0)) == [])
        #expect(scheduler.run(at: h(2)) == [2])
        #expect(scheduler.run(at: h(3)) == [3])
        #expect(scheduler.run(at: h(6)) == [1, 4])
    }

    @Test func whatMayNotWaitStartsAtOnce() throws {
        var scheduler = try scheduler()
        scheduler.add(flexible(1, deadline: 1))
        scheduler.add(flexible(2))  // Nothing bounds it.
        scheduler.add(flexible(3, deadline: -5))
        scheduler.add(flexible(4, hours: .nan, deadline: 8))
        scheduler.add(flexible(5, deadline: 8, goal: .cost))  // No prices are known.
        scheduler.add(flexible(6, deadline: 8, threshold: 400))
        scheduler.add(flexible(7, deadline: 8, threshold: 399))
        #expect(scheduler.run(at: h(0)) == [1, 2, 3, 4, 5, 6])
        var without = Scheduler(capacity: vector(4))
        without.add(flexible(1, deadline: 8))
        #expect(without.run(at: h(0)) == [1])
    }

    @Test func costHasItsOwnSeries() throws {
        var scheduler = Scheduler(capacity: vector(8, gib: 64))
        scheduler.adopt(
            forecast: try forecast([9, 8, 1, 7], price: [0.3, 0.1, 0.3, 0.3]), now: t(h(0)))
        scheduler.add(flexible(1, deadline: 4))
        scheduler.add(flexible(2, deadline: 4, goal: .cost))
        #expect(scheduler.run(at: h(1)) == [2])
        #expect(scheduler.run(at: h(2)) == [1])
    }

    @Test func aNewForecastMovesTheStart() throws {
        var scheduler = try scheduler()
        scheduler.add(flexible(1, deadline: 5))
        scheduler.add(flexible(2, deadline: 5))
        scheduler.adopt(forecast: try forecast([410, 300, 400, 150], from: 1), now: t(h(1)))
        #expect(scheduler.plan(now: t(h(1))).wakeAt == t(h(4)))
        // Nothing is known any more: what was planned stays.
        scheduler.adopt(forecast: ShiftForecast(), now: t(h(1.5)))
        #expect(scheduler.plan(now: t(h(1.5))).wakeAt == t(h(4)))
        // Nobody is asked any more: there is nothing to wait for.
        var other = scheduler
        other.adopt(forecast: ShiftForecast(), now: t(h(1.5)), gone: [.cost])
        #expect(other.run(at: h(1.5)) == [])
        other.adopt(forecast: ShiftForecast(), now: t(h(1.5)), gone: [.carbon])
        #expect(other.run(at: h(1.5)) == [1, 2])
        scheduler.remove(JobID(2))
        scheduler.adopt(forecast: try forecast([100, 300, 400], from: 2), now: t(h(2)))
        #expect(scheduler.run(at: h(2)) == [1])
        #expect(scheduler.plan(now: t(h(2))).wakeAt == nil && scheduler.pendingCount == 0)
    }

    /// It goes before those of its priority that were submitted while it was deferred, and keeps what it needs.
    @Test func afterItsPlannedStartItIsAnOrdinaryJob() throws {
        var scheduler = Scheduler(capacity: vector(4, gib: 64))
        scheduler.adopt(forecast: try forecast(Self.day), now: t(h(0)))
        scheduler.started(
            ActiveJob(id: JobID(9), uid: 9, request: vector(2), startedAt: t(h(0)), expectedEnd: t(h(4))))
        scheduler.add(flexible(1, vector(4), deadline: 5))
        scheduler.add(waiting(2, vector(2), at: h(1), limit: 3600))
        scheduler.add(waiting(3, vector(2), uid: 2, at: h(1), limit: 7200))
        #expect(scheduler.run(at: h(2.5)) == [2])
        scheduler.ended(JobID(2))
        let plan = scheduler.plan(now: t(h(3)))
        #expect(plan.starts == [] && plan.blocked == JobID(1) && plan.reservedFor == t(h(4)))
        // The next forecast defers it no more.
        scheduler.adopt(forecast: try forecast([500, 500, 1], from: 3), now: t(h(3.5)))
        scheduler.ended(JobID(9))
        #expect(scheduler.run(at: h(3.5)) == [1])
    }

    @Test func aSourceThatComesLateDefersWhatStillWaits() throws {
        var scheduler = Scheduler(capacity: vector(8, gib: 64))
        scheduler.add(flexible(1, deadline: 5))
        scheduler.add(waiting(2, at: h(0)))
        // Nobody planned yet; with no forecast all would start.
        #expect(scheduler.reason(for: JobID(1), now: t(h(0)))?.text == "about to start")
        scheduler.adopt(forecast: try forecast(Self.day), now: t(h(0)))
        #expect(scheduler.run(at: h(0)) == [2])
        #expect(scheduler.run(at: h(3)) == [1])
    }

    @Test func notBeforeComesFirst() throws {
        var scheduler = try scheduler()
        scheduler.add(flexible(1, deadline: 8, notBefore: 4))
        scheduler.add(flexible(2, hours: 2, deadline: 5, notBefore: 1))
        #expect(scheduler.text(1, at: h(0))?.hasPrefix("deferred until 2023-11-15T04:00:00Z") ?? false)
        #expect(scheduler.run(at: h(3)) == [2])
        #expect(scheduler.run(at: h(5)) == [])
        #expect(scheduler.run(at: h(6)) == [1])
    }

    @Test func heldJobsAreDeferredOnceReleased() throws {
        var scheduler = try scheduler()
        var job = flexible(1, deadline: 5)
        job.held = true
        scheduler.add(job)
        #expect(scheduler.plan(now: t(h(1))).wakeAt == nil)
        job.held = false
        scheduler.add(job)
        #expect(scheduler.plan(now: t(h(1))).wakeAt == t(h(3)))
        scheduler.remove(JobID(1))
        #expect(scheduler.plan(now: t(h(1))).wakeAt == nil)
    }

    // MARK: - Reasons

    @Test func theReasonTellsBothFiguresAndTheHintIsTrue() throws {
        var scheduler = try scheduler()
        scheduler.add(flexible(1, deadline: 5))
        #expect(
            scheduler.reason(for: JobID(1), now: t(h(0)))
                == WaitReason(
                    "deferred until 2023-11-15T01:00:00Z: grid expected at 200 g/kWh then, 400 g/kWh now;"
                        + " deadline 2023-11-15T03:00:00Z; by queue.batch.defer (site.toml:7)",
                    rule: RuleReference(file: "site.toml", line: 7, name: "queue.batch.defer"),
                    hint: "with a deadline before 2023-11-15T00:30:00Z it would start now"))
        // Half an hour at 410 and half at 300 are better than one at 400: from 23:30 on.
        for (deadline, starts) in [(2.5 - 1 / hour, [2]), (2.5, [])] as [(Double, [Int64])] {
            var other = try self.scheduler()
            other.add(flexible(2, deadline: deadline))
            #expect(other.run(at: h(0)) == starts)
        }
    }

    /// What is the grid's at the time before which it may not start is not called that of now, nor could a deadline start it now.
    @Test func oneThatIsKeptFirstIsNotComparedWithNow() throws {
        var scheduler = try scheduler()
        var job = flexible(1, deadline: 5, notBefore: 1)
        scheduler.add(job)
        var reason = try #require(scheduler.reason(for: JobID(1), now: t(h(0))))
        #expect(
            reason.text
                == "deferred until 2023-11-15T01:00:00Z: grid expected at 200 g/kWh then, 410 g/kWh at"
                + " 2023-11-14T23:00:00Z; deadline 2023-11-15T03:00:00Z; by queue.batch.defer (site.toml:7);"
                + " not before 2023-11-14T23:00:00Z")
        #expect(reason.hint == "with a deadline before 2023-11-15T00:30:00Z it would start at 2023-11-14T23:00:00Z")
        job.note = "held by rule \"day\" (site.toml:3) until 2023-11-14T23:00:00Z"
        scheduler.add(job)
        reason = try #require(scheduler.reason(for: JobID(1), now: t(h(0))))
        #expect(reason.text.hasSuffix("(site.toml:7); " + (job.note ?? "")), "\(reason)")
        // From then on it is.
        #expect(scheduler.text(1, at: h(1.5))?.contains(" g/kWh now; ") == true)
        #expect(scheduler.hint(1, at: h(1.5))?.hasSuffix("it would start now") == true)
    }

    @Test func aReasonForCostIsInMoney() throws {
        var scheduler = Scheduler(capacity: vector(8, gib: 64))
        scheduler.adopt(forecast: try forecast([9, 8], price: [0.31, 0.1]), now: t(h(0)))
        scheduler.add(flexible(1, deadline: 2, goal: .cost))
        #expect(
            scheduler.text(1, at: h(0))
                == "deferred until 2023-11-14T23:00:00Z: price expected at 0.1 per kWh then, 0.31 per kWh now;"
                + " deadline 2023-11-15T00:00:00Z; by queue.batch.defer (site.toml:7)")
    }

    @Test func numbersAtTheEndsDoNotTrap() throws {
        var scheduler = try scheduler()
        let ends: [Timestamp?] = [nil, Timestamp(microseconds: .min), t(h(2)), Timestamp(microseconds: .max)]
        var id: Int64 = 1
        for deadline in ends {
            for latest in ends {
                for run in [Double.nan, .infinity, -1, 0, 1e300] {
                    for interruptible in [false, true] {
                        var job = waiting(id, limit: run)
                        job.flexibility = Flexibility(
                            deadline: deadline, latestStart: latest, runTime: run, isInterruptible: interruptible,
                            restart: run)
                        if id % 3 == 0 { job.submittedAt = deadline ?? job.submittedAt }
                        scheduler.add(job)
                        _ = scheduler.text(id, at: h(1))
                        if let active = scheduler.starting(JobID(id), at: t(h(1))) {
                            scheduler.started(active)
                            scheduler.suspended(JobID(id), at: t(h(1)))
                            _ = scheduler.text(id, at: h(1))
                            scheduler.ended(JobID(id))
                        }
                        scheduler.add(job)
                        id += 1
                    }
                }
            }
        }
        scheduler.adopt(forecast: try forecast([5, 4, 3]), now: t(h(1)))
        _ = scheduler.run(at: h(2))
    }
}

@Suite struct SuspensionTests {
    private func scheduler(_ values: [Double], capacity: ResourceVector = vector(4, gib: 8, gpus: 1)) throws
        -> Scheduler
    {
        var scheduler = Scheduler(capacity: capacity)
        scheduler.adopt(forecast: try forecast(values), now: t(h(0)))
        return scheduler
    }

    /// Runs in hours 0, 2 and 4.
    private static let waves = [100, 400, 100, 500, 90, 600, 600] as [Double]

    @Test func aJobRunsInItsCheapestHours() throws {
        var scheduler = try scheduler(Self.waves)
        scheduler.add(
            flexible(1, vector(4, gib: 2, gpus: 1), hours: 3, deadline: 7, interruptible: true, limit: 4 * 3600))
        #expect(scheduler.run(at: h(0)) == [1])
        // Its limit counts while it runs: two hours of standing still come on top.
        #expect(scheduler.active[JobID(1)]?.expectedEnd == t(h(6)))
        var plan = scheduler.plan(now: t(h(0.5)))
        #expect(plan.suspends == [] && plan.wakeAt == t(h(1)))
        plan = scheduler.plan(now: t(h(1)))
        #expect(plan.suspends == [JobID(1)] && plan.resumes == [])
        #expect(scheduler.active[JobID(1)]?.expectedEnd == t(h(6)))
        // It is said until it is done.
        #expect(scheduler.plan(now: t(h(1))).suspends == [JobID(1)])
        scheduler.suspended(JobID(1), at: t(h(1)))
        #expect(scheduler.freeOfAll == vector(4, gib: 6, gpus: 0))
        plan = scheduler.plan(now: t(h(1)))
        #expect(plan.suspends == [] && plan.wakeAt == t(h(2)))
        #expect(
            scheduler.text(1, at: h(1))
                == "suspended until 2023-11-15T00:00:00Z: grid expected at 100 g/kWh then, 400 g/kWh now;"
                + " deadline 2023-11-15T05:00:00Z; by queue.batch.defer (site.toml:7)")
        #expect(scheduler.plan(now: t(h(2))).resumes == [JobID(1)])
        scheduler.resumed(JobID(1), at: t(h(2)))
        #expect(scheduler.freeOfAll == vector(0, gib: 6))
        #expect(scheduler.plan(now: t(h(2))).wakeAt == t(h(3)))
        #expect(scheduler.active[JobID(1)]?.expectedEnd == t(h(6)))
        #expect(scheduler.text(1, at: h(2)) == nil)
        // The last run has no end: it may take longer than predicted.
        scheduler.suspended(JobID(1), at: t(h(3)))
        scheduler.resumed(JobID(1), at: t(h(4)))
        #expect(scheduler.plan(now: t(h(9))) == Plan(starts: []))
        scheduler.ended(JobID(1))
        #expect(scheduler.freeOfAll == vector(4, gib: 8, gpus: 1) && scheduler.borders.isEmpty)
    }

    /// 1 has 3 of the 4 CPUs and stands still until 2:00.
    private func suspended() throws -> Scheduler {
        var scheduler = try scheduler(Self.waves)
        scheduler.add(flexible(1, vector(3, gib: 2), hours: 3, deadline: 7, interruptible: true))
        #expect(scheduler.run(at: h(0)) == [1])
        #expect(scheduler.plan(now: t(h(1))).suspends == [JobID(1)])
        scheduler.suspended(JobID(1), at: t(h(1)))
        return scheduler
    }

    @Test func itsCPUsAreLentUntilItGoesOn() throws {
        var scheduler = try suspended()
        scheduler.add(waiting(2, vector(2), at: h(1)))
        #expect(scheduler.run(at: h(1)) == [])
        #expect(
            scheduler.text(2, at: h(1)) == "would fit, but job 1 goes on at 2023-11-15T00:00:00Z and needs 3 cpus")
        #expect(scheduler.hint(2, at: h(1)) == "with a time limit of at most 1 h it would start now")
        scheduler.add(waiting(2, vector(2), at: h(1), limit: 3601))
        #expect(scheduler.run(at: h(1)) == [])
        scheduler.remove(JobID(2))
        // The one CPU that job 1 does not need, and what ends in time.
        scheduler.add(waiting(3, vector(1), uid: 4, at: h(1)))
        scheduler.add(waiting(4, vector(2), at: h(1), limit: 3600))
        #expect(scheduler.run(at: h(1)) == [3, 4])
        #expect(scheduler.plan(now: t(h(1))).wakeAt == t(h(2)))
    }

    @Test func memoryAndGPUsAreNotLent() throws {
        var scheduler = try suspended()
        scheduler.add(waiting(2, vector(1, gib: 7), at: h(1), limit: 60))
        #expect(scheduler.run(at: h(1)) == [])
        scheduler.remove(JobID(2))
        scheduler.add(waiting(3, vector(1, gib: 6), at: h(1), limit: 60))
        #expect(scheduler.run(at: h(1)) == [3])
    }

    /// A job that outstays its limit is in the way: the one that resumes waits, and what becomes free is its own.
    @Test func aResumeThatDoesNotFitIsKeptFor() throws {
        var scheduler = try suspended()
        scheduler.started(ActiveJob(id: JobID(7), uid: 7, request: vector(2), startedAt: t(h(1.5))))
        scheduler.add(waiting(8, vector(2), at: h(1)))
        let plan = scheduler.plan(now: t(h(2)))
        #expect(plan.resumes == [] && plan.starts == [])
        #expect(scheduler.text(1, at: h(2)) == "suspended; it goes on when 3 cpus are free")
        scheduler.ended(JobID(7))
        #expect(scheduler.plan(now: t(h(2.2))).resumes == [JobID(1)])
        #expect(scheduler.plan(now: t(h(2.2))).starts == [])
        scheduler.resumed(JobID(1), at: t(h(2.2)))
        #expect(scheduler.run(at: h(2.2)) == [])
        // What it missed is made up for.
        let runs = scheduler.active[JobID(1)]?.shift?.runs ?? []
        #expect(abs(runs.reduce(0) { $0 + $1.to.since($1.from).seconds } - 7200) < 1)
        #expect(runs.first?.from == t(h(2.2)) && runs.last.map { $0.to <= t(h(7)) } ?? false)
        #expect(scheduler.free.cpus == 1)
    }

    @Test func aNewForecastChangesTheHours() throws {
        var scheduler = try suspended()
        // All is cheap now: what is dear comes later.
        scheduler.adopt(forecast: try forecast([10, 10, 10, 500, 500, 500], from: 1), now: t(h(1.5)))
        #expect(scheduler.plan(now: t(h(1.5))).resumes == [JobID(1)])
        scheduler.resumed(JobID(1), at: t(h(1.5)))
        #expect(scheduler.plan(now: t(h(1.5))).wakeAt == nil)
        #expect(scheduler.plan(now: t(h(6))).suspends == [])
    }

    @Test func aJobThatWasFoundRunningGoesOnByTheForecast() throws {
        var scheduler = try scheduler(Self.waves)
        let shift = ActiveShift(
            flexibility: Flexibility(deadline: t(h(7)), runTime: 3 * 3600, isInterruptible: true, restart: 0),
            remaining: 2 * 3600, asOf: t(h(1)), isSuspended: true)
        scheduler.started(ActiveJob(id: JobID(1), uid: 1, request: vector(2), startedAt: t(h(0)), shift: shift))
        #expect(scheduler.freeOfAll == vector(4, gib: 7, gpus: 1))
        #expect(scheduler.plan(now: t(h(1))).wakeAt == t(h(2)))
        #expect(scheduler.plan(now: t(h(2))).resumes == [JobID(1)])
        // Without a forecast it goes on.
        var blind = Scheduler(capacity: vector(4))
        blind.started(ActiveJob(id: JobID(1), uid: 1, request: vector(2), startedAt: t(h(0)), shift: shift))
        #expect(blind.plan(now: t(h(1))).resumes == [JobID(1)])
    }

    @Test func whatSomebodyDidByHandStays() throws {
        var scheduler = try scheduler(Self.waves)
        scheduler.add(flexible(1, vector(3), hours: 3, deadline: 7, interruptible: true))
        #expect(scheduler.run(at: h(0)) == [1])
        scheduler.settle(JobID(1))
        #expect(scheduler.plan(now: t(h(1))) == Plan(starts: []))
        #expect(scheduler.free.cpus == 1)
    }
}
