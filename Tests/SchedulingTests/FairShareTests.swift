import JobAPI
import Policy
import TestSupport
import Testing
import Units

@testable import Scheduling

@Suite struct FairShareTests {
    private func rules(_ weights: [String: Double] = [:], halfLife: Double = 7 * 86_400) -> FairShare.Rules {
        FairShare.Rules(halfLife: .seconds(halfLife), weights: weights)
    }

    @Test func aRatioIsUsageOverWeight() {
        var share = FairShare(rules(["b": 3]))
        #expect(share.ratio(of: "a") == 0)
        share.charge("a", 50, at: t(0))
        share.charge("b", 50, at: t(0))
        // Half was used where a quarter was due, and half where three quarters were.
        #expect(abs(share.ratio(of: "a") - 2) < 1e-9 && abs(share.ratio(of: "b") - 2.0 / 3) < 1e-9)
        #expect(abs(share.penalty(of: "a") - 2000) < 1e-6)
    }

    @Test func usageCountsHalfAfterAHalfLife() {
        var share = FairShare(rules(halfLife: 3600))
        share.charge("a", 100, at: t(0))
        share.charge("b", 50, at: t(3600))
        #expect(abs(share.ratio(of: "a") - 1) < 1e-9 && abs(share.ratio(of: "b") - 1) < 1e-9)
        // After a year of half-lives what was is gone, and nothing overflows.
        share.charge("b", 1, at: t(365 * 86_400))
        #expect(share.ratio(of: "a") == 0)
        share.charge("c", 1, at: t(0))
        #expect(share.ratio(of: "c") < 1e-9)
    }

    @Test func whatIsForgottenCountsNoMore() {
        var scheduler = Scheduler(capacity: vector(1))
        scheduler.share(rules())
        scheduler.charge("a", 1000, at: t(0))
        for (id, account) in [(1, "a"), (2, "b")] as [(Int64, String)] {
            var job = waiting(id, uid: 1, at: Double(id), limit: 10)
            job.account = account
            scheduler.add(job)
        }
        _ = scheduler.reason(for: JobID(1), now: t(5))
        scheduler.forgetUse()
        #expect(scheduler.run(at: 10) == [1])
    }

    /// By users the first goes first, by projects the one whose project used nothing; held ones and those of the future move too.
    @Test func whoPaysMayChangeWhileJobsWait() {
        var scheduler = Scheduler(capacity: vector(1))
        scheduler.share(rules())
        scheduler.charge("rich", 1000, at: t(0))
        for id in 1...4 as ClosedRange<Int64> {
            var job = waiting(id, uid: 1, at: Double(id), limit: 10)
            (job.account, job.project) = ("user", id % 2 == 1 ? "rich" : "poor")
            if id == 3 { job.held = true }
            if id == 4 { job.notBefore = t(1000) }
            scheduler.add(job)
        }
        scheduler.payAnew { $0.project }
        #expect(scheduler.waitingUsers == [1])
        #expect(
            (1...4 as ClosedRange<Int64>).map { scheduler.pendingJob(JobID($0))?.account } == [
                "rich", "poor", "rich", "poor",
            ])
        #expect(scheduler.run(at: 10) == [2])
        scheduler.ended(JobID(2))
        #expect(scheduler.run(at: 20) == [1])
        scheduler.ended(JobID(1))
        // Nobody is left in the line under the old account.
        #expect(scheduler.run(at: 30).isEmpty)
        #expect(scheduler.run(at: 1000) == [4])
    }

    /// A plan that was made before all was counted does not settle the order for a minute.
    @Test func whatIsCountedLateCountsAtOnce() {
        var scheduler = Scheduler(capacity: vector(1))
        scheduler.share(rules())
        for (id, account) in [(1, "a"), (2, "b")] as [(Int64, String)] {
            var job = waiting(id, uid: 1, at: Double(id), limit: 10)
            (job.account, job.held) = (account, false)
            scheduler.add(job)
        }
        scheduler.add(waiting(9, vector(1), uid: 2, priority: 1_000_000, at: 0, limit: 10))
        #expect(scheduler.run(at: 5) == [9])
        scheduler.charge("a", 1000, at: t(6))
        scheduler.useIsCounted()
        scheduler.ended(JobID(9))
        #expect(scheduler.run(at: 7) == [2])
    }

    @Test func whatIsNoAmountIsNone() {
        var share = FairShare(rules())
        for amount in [-1, .nan, .infinity, 0] { share.charge("a", amount, at: t(0)) }
        share.charge("b", 1, at: t(0))
        #expect(share.ratio(of: "a") == 0 && share.ratio(of: "b") == 1)
    }

    @Test func whoUsedLessGoesFirst() {
        var scheduler = Scheduler(capacity: vector(1))
        scheduler.share(rules())
        scheduler.charge("a", 1000, at: t(0))
        for (id, account) in [(1, "a"), (2, "b")] as [(Int64, String)] {
            var job = waiting(id, uid: 1, at: Double(id), limit: 10)
            job.account = account
            scheduler.add(job)
        }
        #expect(scheduler.run(at: 10) == [2])
        // Without shares the first that came is the first.
        scheduler.ended(JobID(2))
        scheduler.share(nil)
        var job = waiting(3, uid: 1, at: 3, limit: 10)
        job.account = "b"
        scheduler.add(job)
        #expect(scheduler.run(at: 20) == [1])
    }

    @Test func whyTellsOfTooMuchUse() {
        var scheduler = Scheduler(capacity: vector(1))
        let source = RuleReference(file: "p.toml", line: 7, name: "fair-share.strength")
        scheduler.share(FairShare.Rules(halfLife: .seconds(86_400), source: source))
        scheduler.charge("a", 3, at: t(0))
        scheduler.charge("b", 1, at: t(0))
        for (id, account) in [(1, "b"), (2, "a"), (3, "b")] as [(Int64, String)] {
            var job = waiting(id, uid: 1, at: 0, limit: 10)
            job.account = account
            scheduler.add(job)
        }
        #expect(scheduler.run(at: 1) == [1])
        let reason = scheduler.reason(for: JobID(2), now: t(1))
        #expect(reason?.text.hasSuffix("; a has used 1.5 times its share lately (fair-share, p.toml:7)") == true)
        #expect(scheduler.text(3, at: 1)?.contains("share") == false)
    }

    @Test func ageOutweighsUsageWithinAnHour() {
        var scheduler = Scheduler(capacity: vector(1))
        scheduler.share(FairShare.Rules(halfLife: .seconds(7 * 86_400), strength: 5))
        scheduler.charge("a", 1000, at: t(0))
        // Five points are half an hour.
        for (id, account, time) in [(1, "a", 1000), (2, "b", 2700), (3, "b", 2900)] as [(Int64, String, Double)] {
            var job = waiting(id, uid: 1, at: time, limit: 10)
            job.account = account
            scheduler.add(job)
        }
        var order: [Int64] = []
        for step in 0..<3 {
            let started = scheduler.run(at: 4000 + Double(step))
            order += started
            for id in started { scheduler.ended(JobID(id)) }
        }
        #expect(order == [2, 1, 3])
    }

    /// More work than the machine can do, from accounts that each would take all of it.
    @Test(arguments: Array(1...4) as [UInt64])
    func usageConvergesToTheWeights(seed: UInt64) {
        var random = Seeded(seed)
        let weights: [String: Double] = ["a": 1, "b": 2, "c": 5]
        var scheduler = Scheduler(capacity: vector(8, gib: 64))
        scheduler.share(rules(weights))
        var used: [String: Double] = [:]
        var running: [(end: Double, id: JobID, account: String, cost: Double)] = []
        var costs: [Int64: (account: String, time: Double)] = [:]
        var now = 0.0
        var next: Int64 = 1
        while now < 60 * 86_400 {
            // Each account asks for about twice the whole machine, whatever it gets.
            for account in ["a", "b", "c"] where costs.values.count(where: { $0.account == account }) < 60 {
                var job = waiting(
                    next, vector(Int.random(in: 1...4, using: &random)), uid: UInt32(account.utf8.first ?? 0), at: now,
                    limit: 7200)
                job.account = account
                costs[next] = (account, Double.random(in: 600...7000, using: &random))
                scheduler.add(job)
                next += 1
            }
            let plan = scheduler.plan(now: t(now))
            for id in plan.starts {
                guard let job = scheduler.starting(id, at: t(now)), let cost = costs.removeValue(forKey: id.number)
                else {
                    continue
                }
                scheduler.started(job)
                running.append((now + cost.time, id, cost.account, cost.time * Double(job.request.cpus)))
            }
            guard let first = running.min(by: { ($0.end, $0.id) < ($1.end, $1.id) }) else { break }
            now = max(now, first.end)
            running.removeAll { $0.id == first.id }
            scheduler.ended(first.id)
            scheduler.charge(first.account, first.cost, at: t(now))
            if now > 15 * 86_400 { used[first.account, default: 0] += first.cost }
        }
        let total = used.values.reduce(0, +)
        for (account, weight) in weights {
            let share = (used[account] ?? 0) / total / (weight / 8)
            #expect(abs(share - 1) < 0.05, "\(account): \(share) of its share")
        }
    }
}
