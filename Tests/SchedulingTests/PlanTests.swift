import JobAPI
import Policy
import Testing
import Units

@testable import Scheduling

@Suite struct PlanTests {
    @Test func startsWhatFitsInOrder() {
        var scheduler = Scheduler(capacity: vector(4, gib: 16, gpus: 1))
        scheduler.add(waiting(1, vector(2)))
        scheduler.add(waiting(2, vector(2, gpus: 1)))
        scheduler.add(waiting(3))
        #expect(scheduler.run(at: 1) == [1, 2])
        #expect(scheduler.run(at: 2) == [])
        scheduler.ended(JobID(2))
        #expect(scheduler.run(at: 3) == [3])
        #expect(scheduler.freeOfAll == vector(1, gib: 14, gpus: 1))
    }

    @Test func everyKindOfResourceCounts() {
        for request in [vector(5), vector(1, gib: 17), vector(1, gpus: 2)] {
            var scheduler = Scheduler(capacity: vector(4, gib: 16, gpus: 1))
            scheduler.add(waiting(1, request))
            #expect(scheduler.run(at: 1) == [])
        }
        for second in [vector(3), vector(1, gib: 11), vector(1, gpus: 1)] {
            var scheduler = Scheduler(capacity: vector(4, gib: 16, gpus: 1))
            scheduler.add(waiting(1, vector(2, gib: 6, gpus: 1)))
            scheduler.add(waiting(2, second))
            #expect(scheduler.run(at: 1) == [1])
        }
    }

    @Test func priorityIsWorthSixMinutesAPoint() {
        var scheduler = Scheduler(capacity: vector(1))
        scheduler.add(waiting(1, priority: 10, at: 0))
        scheduler.add(waiting(2, uid: 2, priority: 100, at: 90 * 360 - 1))
        scheduler.add(waiting(3, uid: 2, priority: 100, at: 90 * 360 + 1))
        var order: [Int64] = []
        for second in 0..<3 {
            let started = scheduler.run(at: 40_000 + Double(second))
            order += started
            for id in started { scheduler.ended(JobID(id)) }
        }
        #expect(order == [2, 1, 3])
    }

    @Test func equalsGoByNumber() {
        var scheduler = Scheduler(capacity: vector(1))
        for id in [5, 3, 4] as [Int64] { scheduler.add(waiting(id, uid: UInt32(id))) }
        #expect(scheduler.plan(now: t(0)).starts == [JobID(3)])
    }

    @Test func heldJobsWaitUntilAddedAgain() {
        var scheduler = Scheduler(capacity: vector(4))
        scheduler.add(waiting(1, held: true))
        #expect(scheduler.run(at: 1) == [])
        scheduler.add(waiting(1))
        #expect(scheduler.pendingCount == 1)
        #expect(scheduler.run(at: 2) == [1])
    }

    @Test func notBefore() {
        var scheduler = Scheduler(capacity: vector(4, gib: 4))
        scheduler.add(waiting(1, notBefore: 100))
        scheduler.add(waiting(2, notBefore: 50))
        scheduler.add(waiting(3, notBefore: 70))
        scheduler.remove(JobID(3))
        #expect(scheduler.plan(now: t(0)).wakeAt == t(50))
        #expect(scheduler.run(at: 0) == [])
        #expect(scheduler.run(at: 50) == [2])
        #expect(scheduler.plan(now: t(99)).wakeAt == t(100))
        #expect(scheduler.run(at: 100) == [1])
        #expect(scheduler.plan(now: t(100)).wakeAt == nil)
    }

    /// A job cannot gather age by asking for a start far ahead.
    @Test func ageCountsFromNotBefore() {
        var scheduler = Scheduler(capacity: vector(1))
        scheduler.add(waiting(1, at: 0, notBefore: 1000))
        scheduler.add(waiting(2, at: 500))
        #expect(scheduler.run(at: 1000) == [2])
    }

    @Test func runningPerUser() {
        var scheduler = Scheduler(capacity: vector(8, gib: 8), maxRunningPerUser: limit(2))
        for id in 1...4 as ClosedRange<Int64> { scheduler.add(waiting(id, uid: 1)) }
        scheduler.add(waiting(5, uid: 2))
        // The one at the limit holds up nobody.
        #expect(scheduler.run(at: 1) == [1, 2, 5])
        scheduler.ended(JobID(1))
        #expect(scheduler.run(at: 2) == [3])
    }

    @Test func aUserAtTheLimitHidesNobodyHoweverManyTheirJobs() {
        var scheduler = Scheduler(capacity: vector(8, gib: 8), maxRunningPerUser: limit(1), lookAhead: 4)
        // Each of another shape.
        for id in 1...50 as ClosedRange<Int64> { scheduler.add(waiting(id, uid: 1, limit: Double(id))) }
        scheduler.add(waiting(99, uid: 2, at: 9))
        #expect(scheduler.run(at: 10) == [1, 99])
    }

    @Test func manyLikeJobsHideNobody() {
        var scheduler = Scheduler(capacity: vector(4, gib: 99), lookAhead: 2)
        scheduler.started(ActiveJob(id: JobID(1000), uid: 9, request: vector(2), startedAt: t(0), expectedEnd: t(100)))
        for id in 1...500 as ClosedRange<Int64> { scheduler.add(waiting(id, vector(4), uid: 1, limit: 50)) }
        scheduler.add(waiting(501, vector(2), uid: 1, at: 5, limit: 50))
        #expect(scheduler.run(at: 10) == [501])
    }

    @Test func lookAheadIsBounded() {
        var scheduler = Scheduler(capacity: vector(4, gib: 999), lookAhead: 3)
        scheduler.started(ActiveJob(id: JobID(1000), uid: 9, request: vector(2), startedAt: t(0), expectedEnd: t(100)))
        for id in 1...3 as ClosedRange<Int64> { scheduler.add(waiting(id, vector(4, gib: id), uid: 1)) }
        scheduler.add(waiting(4, vector(1), uid: 1, at: 5, limit: 10))
        #expect(scheduler.run(at: 10) == [])
        #expect(scheduler.text(4, at: 10)?.hasPrefix("waits its turn") ?? false)
    }

    // MARK: - Backfill

    /// 4 CPUs, 3 held until 100; job 1 wants all 4.
    private func blocked(gpus: Int = 0) -> Scheduler {
        var scheduler = Scheduler(capacity: vector(4, gib: 99, gpus: gpus))
        scheduler.started(ActiveJob(id: JobID(90), uid: 9, request: vector(3), startedAt: t(0), expectedEnd: t(100)))
        scheduler.add(waiting(1, vector(4)))
        return scheduler
    }

    @Test func whatEndsBeforeTheReservationPasses() {
        var scheduler = blocked()
        scheduler.add(waiting(2, at: 1, limit: 91))
        #expect(scheduler.run(at: 10) == [])
        scheduler.add(waiting(3, at: 2, limit: 90))
        let plan = scheduler.plan(now: t(10))
        #expect(plan.starts == [JobID(3)])
        #expect(plan.blocked == JobID(1))
        #expect(plan.reservedFor == t(100))
    }

    @Test func whatIsLeftOverAtTheReservationPasses() {
        var scheduler = Scheduler(capacity: vector(4, gib: 99))
        scheduler.started(ActiveJob(id: JobID(90), uid: 9, request: vector(2), startedAt: t(0), expectedEnd: t(100)))
        scheduler.add(waiting(1, vector(3)))
        scheduler.add(waiting(2, at: 1))
        scheduler.add(waiting(3, at: 2))
        // One CPU is left over beside job 1; the second would be in its way.
        #expect(scheduler.run(at: 10) == [2])
        scheduler.ended(JobID(90))
        #expect(scheduler.run(at: 20) == [1])
    }

    /// Else the reserved job would be at its user's limit when its time comes.
    @Test func theLastRunOfItsUserIsKeptForTheReservedJob() {
        var scheduler = Scheduler(capacity: vector(4, gib: 99), maxRunningPerUser: limit(2))
        scheduler.started(ActiveJob(id: JobID(90), uid: 9, request: vector(2), startedAt: t(0), expectedEnd: t(100)))
        scheduler.add(waiting(1, vector(4), uid: 1))
        for id in 2...3 as ClosedRange<Int64> { scheduler.add(waiting(id, uid: 1, at: 1, limit: 5)) }
        #expect(scheduler.run(at: 10) == [2])
        #expect(
            scheduler.text(3, at: 10)
                == "limits.max-running-per-user is 2 (x.toml:12): job 2 runs, and the last is kept for job 1")
        #expect(scheduler.plan(now: t(11)).blocked == JobID(1))
    }

    @Test func overdueJobsAreAboutToEnd() {
        var scheduler = blocked()
        scheduler.add(waiting(2, at: 1, limit: 5))
        let plan = scheduler.plan(now: t(150))
        #expect(plan.starts == [])
        #expect(plan.reservedFor == t(150))
    }

    /// Without limits on what runs nobody knows when; what becomes free is kept, or the wide job waits for ever.
    @Test func withoutTimeLimitsWhatBecomesFreeIsKept() {
        var scheduler = Scheduler(capacity: vector(4, gib: 99, gpus: 1))
        for id in 91...94 as ClosedRange<Int64> {
            scheduler.started(ActiveJob(id: JobID(id), uid: 9, request: vector(1), startedAt: t(0)))
        }
        scheduler.add(waiting(1, vector(4)))
        scheduler.add(waiting(2, at: 1, limit: 5))
        for (second, id) in [(10.0, 91), (11, 92), (12, 93)] as [(Double, Int64)] {
            scheduler.ended(JobID(id))
            let plan = scheduler.plan(now: t(second))
            #expect(plan.starts == [])
            #expect(plan.blocked == JobID(1))
            #expect(plan.reservedFor == nil)
        }
        scheduler.ended(JobID(94))
        #expect(scheduler.run(at: 13) == [1])
    }

    @Test func withoutTimeLimitsWhatTheFirstDoesNotNeedIsGiven() {
        var scheduler = Scheduler(capacity: vector(4, gib: 99, gpus: 1))
        scheduler.started(ActiveJob(id: JobID(90), uid: 9, request: vector(1, gpus: 1), startedAt: t(0)))
        scheduler.add(waiting(1, vector(2, gpus: 1)))
        scheduler.add(waiting(2, vector(1), at: 1))
        scheduler.add(waiting(3, vector(1), at: 2))
        // Three CPUs are free, two are job 1's.
        #expect(scheduler.run(at: 10) == [2])
    }

    /// The endless job might end now, the limited one cannot before 100: until then a short job harms nobody.
    @Test func mixedLimitsGiveALowerBound() {
        var scheduler = Scheduler(capacity: vector(4, gib: 99))
        scheduler.started(ActiveJob(id: JobID(90), uid: 9, request: vector(1), startedAt: t(0)))
        scheduler.started(ActiveJob(id: JobID(91), uid: 9, request: vector(2), startedAt: t(0), expectedEnd: t(100)))
        scheduler.add(waiting(1, vector(4)))
        scheduler.add(waiting(2, at: 1, limit: 91))
        scheduler.add(waiting(3, at: 2, limit: 90))
        #expect(scheduler.run(at: 10) == [3])
    }

    // MARK: - Changes

    @Test func aMachineThatShrank() {
        var scheduler = Scheduler(capacity: vector(8, gib: 16))
        scheduler.add(waiting(1, vector(6)))
        #expect(scheduler.run(at: 0) == [1])
        scheduler.add(waiting(2, vector(6), at: 1))
        scheduler.add(waiting(3, vector(1), at: 2))
        let machine = MachineCapacity(cpus: 4, memory: .gibibytes(16), gpus: 0)
        scheduler.adopt(policy: .builtIn, machine: machine)
        #expect(scheduler.free.cpus == -2)
        #expect(scheduler.run(at: 3) == [])
        scheduler.ended(JobID(1))
        // The one that can never start stops nobody.
        #expect(scheduler.run(at: 4) == [3])
        #expect(scheduler.text(2, at: 4) == "asks for 6 cpus; all that jobs may use now is 4 cpus and 15.5 GiB")
    }

    @Test func adoptionOfRunningJobs() {
        var scheduler = Scheduler(capacity: vector(2), maxRunningPerUser: limit(1))
        let job = ActiveJob(id: JobID(7), uid: 1, request: vector(1), startedAt: t(0))
        scheduler.started(job)
        scheduler.started(job)
        #expect(scheduler.free.cpus == 1)
        scheduler.add(waiting(8, uid: 1))
        #expect(scheduler.run(at: 1) == [])
        #expect(scheduler.ended(JobID(7)) == job)
        #expect(scheduler.ended(JobID(7)) == nil)
        #expect(scheduler.freeOfAll == vector(2))
        #expect(scheduler.run(at: 1) == [8])
    }

    @Test func unboundedNumbersDoNotTrap() {
        var scheduler = Scheduler(capacity: vector(4))
        scheduler.started(ActiveJob(id: JobID(9), uid: 1, request: vector(4), startedAt: t(0), expectedEnd: t(1)))
        let ends = [Double.infinity, .nan, -1, 1e300]
        for (index, limit) in ends.enumerated() {
            var job = waiting(Int64(index + 1), limit: limit)
            job.priority = index % 2 == 0 ? .max : .min
            job.submittedAt = Timestamp(microseconds: index < 2 ? .min : .max)
            scheduler.add(job)
        }
        _ = scheduler.plan(now: t(0))
        for id in 1...4 as ClosedRange<Int64> { #expect(scheduler.text(id, at: 0) != nil) }
        for id in 1...4 as ClosedRange<Int64> { scheduler.remove(JobID(id)) }
        #expect(scheduler.line.isEmpty && scheduler.line.leaders.isEmpty)
    }
}
