import JobAPI
import Policy
import TestSupport
import Testing
import Units

@testable import Scheduling

@Suite struct PropertyTests {
    private static let seeds = Array(1...20) as [UInt64]

    private static func randomRequest(_ random: inout Seeded) -> ResourceVector {
        var request = vector(
            Int.random(in: 1...4, using: &random), gib: Int64.random(in: 1...8, using: &random),
            gpus: [0, 0, 0, 1].randomElement(using: &random) ?? 0)
        request.power = Int.random(in: 1...200, using: &random) * 1000
        return request
    }

    private static func randomJob(_ id: Int64, at now: Double, _ random: inout Seeded) -> PendingJob {
        let limits: [Double?] = [nil, 10, 60, 300, 301]
        return waiting(
            id, randomRequest(&random), uid: UInt32.random(in: 1...3, using: &random),
            priority: [0, 1, 10].randomElement(using: &random) ?? 0, at: now,
            notBefore: Int.random(in: 0..<6, using: &random) == 0
                ? now + Double(Int.random(in: 0...200, using: &random)) : nil,
            held: Int.random(in: 0..<12, using: &random) == 0, limit: limits.randomElement(using: &random) ?? nil)
    }

    /// Random arrivals, cancellations, releases and ends; jobs may end early, on time, or never.
    @Test(arguments: seeds)
    func likeTheNaiveSchedulerAndNeverOvercommitted(seed: UInt64) {
        var random = Seeded(seed)
        var capacity = vector(8, gib: 16, gpus: 2)
        capacity.power = 400_000
        let perUser: Int? = seed % 2 == 0 ? 3 : nil
        var scheduler = Scheduler(
            capacity: capacity, maxRunningPerUser: perUser.map(limit) ?? Setting(nil), lookAhead: .max)
        var naive = NaiveScheduler(capacity: capacity, maxRunning: perUser)
        var now = 0.0
        var nextID: Int64 = 1
        var starts = 0
        for _ in 0..<400 {
            now += Double(Int.random(in: 0...20, using: &random))
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5:
                let job = Self.randomJob(nextID, at: now, &random)
                nextID += 1
                scheduler.add(job)
                naive.pending.append(job)
            case 5:
                if let victim = naive.pending.randomElement(using: &random) {
                    #expect(scheduler.remove(victim.id) == victim)
                    naive.pending.removeAll { $0.id == victim.id }
                }
            case 6:
                if let index = naive.pending.indices.randomElement(using: &random) {
                    naive.pending[index].held = false
                    scheduler.add(naive.pending[index])
                }
            default:
                if let done = naive.active.randomElement(using: &random) {
                    #expect(scheduler.ended(done.id) == done)
                    naive.active.removeAll { $0.id == done.id }
                }
            }
            let plan = scheduler.plan(now: t(now))
            #expect(plan.starts == naive.plan(now: t(now)), "seed \(seed) at \(now)")
            for id in plan.starts {
                guard let job = scheduler.starting(id, at: t(now)) else {
                    Issue.record("planned a job that does not wait")
                    continue
                }
                scheduler.started(job)
                naive.active.append(job)
                naive.pending.removeAll { $0.id == id }
                starts += 1
            }
            #expect(naive.active.reduce(ResourceVector.zero) { $0 + $1.request }.fits(in: capacity))
            #expect(scheduler.free == naive.active.reduce(capacity) { $0 - $1.request })
            #expect(scheduler.pendingCount == naive.pending.count)
            #expect(Set(scheduler.active.keys) == Set(naive.active.map(\.id)))
            if let perUser {
                for uid in 1...3 as ClosedRange<UInt32> {
                    #expect(naive.active.filter { $0.uid == uid }.count <= perUser)
                }
            }
            for job in naive.pending {
                let reason = scheduler.reason(for: job.id, now: t(now))
                #expect(reason.map { !$0.text.isEmpty && $0.hint != nil } ?? false, "job \(job.id)")
                // With all started that could be, no reason may say that nothing is in the way.
                #expect(reason?.hint != "nothing is in its way", "job \(job.id): \(reason?.text ?? "")")
            }
        }
        #expect(starts > 50)
        for job in naive.pending { scheduler.remove(job.id) }
        #expect(scheduler.line.isEmpty && scheduler.line.leaders.isEmpty)
    }

    /// With run times exactly as declared, the first that waits starts no later than it was first promised, whoever passes.
    @Test(arguments: seeds)
    func backfillNeverDelaysTheReservation(seed: UInt64) {
        var random = Seeded(seed &+ 1000)
        var capacity = vector(8, gib: 16, gpus: 2)
        capacity.power = 400_000
        var scheduler = Scheduler(capacity: capacity)
        var promised: [JobID: Timestamp] = [:]
        var nextID: Int64 = 1
        var passed = 0
        for second in stride(from: 0.0, to: 4000, by: 5) {
            let now = t(second)
            for job in scheduler.active.values where job.expectedEnd ?? now <= now { scheduler.ended(job.id) }
            if second < 3000 {
                // Of one priority, so that nobody who comes later is first.
                scheduler.add(
                    waiting(
                        nextID, Self.randomRequest(&random), uid: UInt32.random(in: 1...3, using: &random), at: second,
                        limit: Double(5 * Int.random(in: 1...40, using: &random))))
                nextID += 1
            }
            let plan = scheduler.plan(now: now)
            for id in plan.starts {
                if let promise = promised[id] { #expect(now <= promise, "seed \(seed), job \(id)") }
                if let blocked = plan.blocked, id > blocked { passed += 1 }
                if let job = scheduler.starting(id, at: now) { scheduler.started(job) }
            }
            if let blocked = plan.blocked {
                guard let reserved = plan.reservedFor else {
                    Issue.record("all have limits, so the start can be predicted")
                    continue
                }
                if let earlier = promised[blocked] { #expect(reserved <= earlier) }
                promised[blocked] = min(promised[blocked] ?? reserved, reserved)
            }
        }
        #expect(passed > 10, "the test must see backfill at work")
        #expect(promised.count > 10)
    }

    @Test(arguments: seeds.prefix(5))
    func sameInputsSamePlan(seed: UInt64) {
        func run() -> [[Int64]] {
            var random = Seeded(seed)
            var scheduler = Scheduler(capacity: vector(8, gib: 16, gpus: 2), maxRunningPerUser: limit(4))
            var plans: [[Int64]] = []
            for step in 0..<300 {
                scheduler.add(Self.randomJob(Int64(step + 1), at: Double(step), &random))
                let old = scheduler.active.keys.min()
                if step % 3 == 0, let old { scheduler.ended(old) }
                plans.append(scheduler.run(at: Double(step)))
            }
            return plans
        }
        #expect(run() == run())
    }

    /// A machine kept full by a stream of higher priority: the lower one waits for the difference in points, no longer.
    @Test func noStarvationByPriority() throws {
        var scheduler = Scheduler(capacity: vector(1))
        scheduler.add(waiting(1, uid: 1, priority: 1, at: 0))
        var startedAt: Double?
        for step in 0..<1000 {
            let now = Double(step) * 10
            scheduler.add(waiting(Int64(step + 2), uid: 2, priority: 11, at: now, limit: 10))
            for id in scheduler.active.keys { scheduler.ended(id) }
            if scheduler.run(at: now).contains(1) {
                startedAt = now
                break
            }
        }
        // Ten points are an hour.
        let waited = try #require(startedAt)
        #expect(waited >= 3590 && waited <= 3620)
    }

    /// A stream of small jobs of the same priority never lets enough become free by itself.
    @Test(arguments: [nil, 30.0])
    func noStarvationOfWideJobs(limit: Double?) throws {
        var scheduler = Scheduler(capacity: vector(4, gib: 99))
        var random = Seeded(5)
        var ends: [Int64: Double] = [:]
        var nextID: Int64 = 1
        var startedAt: Double?
        for second in 0..<400 {
            let now = Double(second)
            for (id, end) in ends where end <= now {
                scheduler.ended(JobID(id))
                ends[id] = nil
            }
            let id = second == 20 ? 1_000_000 : nextID
            scheduler.add(waiting(id, vector(second == 20 ? 4 : 1), uid: UInt32(second % 3), at: now, limit: limit))
            if second != 20 { nextID += 1 }
            for id in scheduler.run(at: now) {
                if id == 1_000_000 { startedAt = now }
                ends[id] = now + Double(Int.random(in: 2...30, using: &random))
            }
        }
        // Those ahead of it take at most 30 s each on 4 CPUs.
        #expect(try #require(startedAt) < 200)
    }
}
