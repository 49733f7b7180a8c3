import JobAPI
import Policy
import TestSupport
import Testing
import Units

@testable import Scheduling

/// Plans that are answered from what the last one found are those that a whole look at the queue would have made.
@Suite struct StandstillTests {
    private static func keys(_ kind: Int) -> JobKeys {
        JobKeys(
            user: 1, name: "kind\(kind)", work: "kind\(kind)".utf8, shape: "kind\(kind)".utf8, queue: "batch",
            request: vector(1))
    }

    private static func randomJob(_ id: Int64, at now: Double, _ random: inout Seeded) -> PendingJob {
        let limits: [Double?] = [nil, 0, 10, 60, 300, 301, 3000]
        var job = waiting(
            id,
            vector(
                Int.random(in: 1...6, using: &random), gib: Int64.random(in: 1...8, using: &random),
                gpus: [0, 0, 0, 1].randomElement(using: &random) ?? 0),
            uid: UInt32.random(in: 1...4, using: &random),
            priority: [0, 0, 0, 1, 10].randomElement(using: &random) ?? 0,
            at: now,
            notBefore: Int.random(in: 0..<6, using: &random) == 0
                ? now + Double(Int.random(in: 0...200, using: &random)) : nil,
            held: Int.random(in: 0..<12, using: &random) == 0, limit: limits.randomElement(using: &random) ?? nil)
        job.account = "user\(job.uid)"
        job.likes = Int.random(in: 0..<3, using: &random) == 0 ? keys(Int.random(in: 1...3, using: &random)).work : 0
        if Int.random(in: 0..<8, using: &random) == 0 {
            job.array = ArrayPlace(id: JobID(1_000_000 + id / 20), index: Int(id))
            job.arrayLimit = 2
        }
        return job
    }

    @Test(arguments: Array(1...30) as [UInt64])
    func asAWholeLookWouldSay(seed: UInt64) throws {
        var random = Seeded(seed)
        var scheduler = Scheduler(capacity: vector(8, gib: 24, gpus: 2), lookAhead: seed % 3 == 0 ? 6 : 256)
        if seed % 2 == 0 { scheduler.share(FairShare.Rules(halfLife: .seconds(3600))) }
        var now = 0.0
        var kept = 0
        var known: [PendingJob] = []
        for id in 1...600 as ClosedRange<Int64> {
            now += Double(Int.random(in: 0...12, using: &random)) / 4
            switch Int.random(in: 0..<16, using: &random) {
            case 0..<11:
                known.append(Self.randomJob(id, at: now, &random))
                scheduler.add(known[known.count - 1])
            case 11:
                if let job = known.randomElement(using: &random) { scheduler.remove(job.id) }
            case 12:
                if var job = known.randomElement(using: &random), scheduler.isPending(job.id) {
                    job.held = false
                    scheduler.add(job)
                }
            case 13:
                scheduler.learn(
                    RunSample(seconds: Double.random(in: 1...200, using: &random), cpus: 1),
                    of: Self.keys(Int.random(in: 1...3, using: &random)))
            default:
                if let done = scheduler.active.keys.sorted().randomElement(using: &random) {
                    let job = scheduler.ended(done)
                    scheduler.charge("user\(job?.uid ?? 0)", 100, at: t(now))
                }
            }
            // Their limits end some.
            for job in scheduler.active.values where job.expectedEnd.map({ $0 <= t(now) }) ?? false {
                if Int.random(in: 0..<3, using: &random) > 0 { scheduler.ended(job.id) }
            }
            var whole = scheduler
            whole.standstill = nil
            let expected = whole.plan(now: t(now))
            let before = scheduler.standstill != nil
            let plan = scheduler.plan(now: t(now))
            #expect(plan == expected, "seed \(seed), job \(id), at \(now)")
            if before, scheduler.standstill(at: t(now)) != nil, plan.starts.isEmpty { kept += 1 }
            for (place, id) in plan.starts.enumerated() {
                var job = try #require(scheduler.starting(id, at: t(now)))
                // Some start later than planned, or are never told of.
                if Int.random(in: 0..<10, using: &random) == 0 { job.startedAt = t(now + 0.5) }
                if place > 0, Int.random(in: 0..<20, using: &random) == 0 { continue }
                scheduler.started(job)
            }
        }
        #expect(kept > 20, "the test must see plans that are kept")
    }

    /// Time alone changes what holds: the first that waits is overdue, or a job should have ended.
    @Test func untilAJobShouldHaveEnded() {
        var scheduler = Scheduler(capacity: vector(4, gib: 99))
        scheduler.add(waiting(1, vector(3), limit: 100))
        #expect(scheduler.run(at: 0) == [1])
        scheduler.add(waiting(2, vector(4), at: 1, limit: 100))
        #expect(scheduler.run(at: 1) == [])
        #expect(scheduler.standstill(at: t(99)) != nil)
        #expect(scheduler.standstill(at: t(100)) == nil)
        scheduler.add(waiting(3, at: 2, limit: 1000))
        #expect(scheduler.standstill(at: t(3)) != nil, "it would delay the second")
        scheduler.add(waiting(4, at: 3, limit: 50))
        #expect(scheduler.standstill(at: t(3)) == nil)
        #expect(scheduler.run(at: 3) == [4])
        #expect(scheduler.standstill(at: t(3)) != nil, "what was planned has started")
        scheduler.ended(JobID(4))
        #expect(scheduler.standstill(at: t(4)) == nil)
    }
}
