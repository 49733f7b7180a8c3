import JobAPI
import Policy
import TestSupport
import Testing
import Units

@testable import Scheduling

/// What is learned of run times, in plans.
@Suite struct LearnedTimesTests {
    private static func keys(_ kind: Int) -> JobKeys {
        JobKeys(
            user: 1, name: "kind\(kind)", work: "kind\(kind)".utf8, shape: "kind\(kind)".utf8, queue: "batch",
            request: vector(1))
    }

    private func waits(
        _ id: Int64, _ request: ResourceVector = vector(1), kind: Int? = nil, at time: Double = 0, limit: Double? = nil
    ) -> PendingJob {
        var job = waiting(id, request, at: time, limit: limit)
        job.likes = kind.map { Self.keys($0).work } ?? 0
        return job
    }

    private func learned(_ times: [Int: Double], cpus: Int = 4) -> Scheduler {
        var scheduler = Scheduler(capacity: vector(cpus, gib: 99))
        for (kind, seconds) in times.sorted(by: { $0.key < $1.key }) {
            for _ in 0..<3 { scheduler.learn(RunSample(seconds: seconds, cpus: 1), of: Self.keys(kind)) }
        }
        return scheduler
    }

    /// All limits are a day. By them nothing may pass; by what is learned the short one may and the long one may not.
    @Test func shortOnesPassByWhatTheirLikesTook() {
        for knows in [false, true] {
            var scheduler = learned(knows ? [1: 1000, 2: 60, 3: 5000] : [:])
            scheduler.add(waits(1, vector(3), kind: 1, limit: 86_400))
            #expect(scheduler.run(at: 0) == [1])
            scheduler.add(waits(2, vector(4), at: 1, limit: 86_400))
            scheduler.add(waits(3, kind: 3, at: 2, limit: 864_000))
            scheduler.add(waits(4, kind: 2, at: 3, limit: 864_000))
            #expect(scheduler.run(at: 4) == (knows ? [4] : []))
        }
    }

    @Test func whyTellsAnEstimateAndTheLatest() throws {
        var scheduler = learned([1: 1024])
        scheduler.add(waits(1, vector(3), kind: 1, limit: 86_400))
        #expect(scheduler.run(at: 0) == [1])
        scheduler.add(waits(2, vector(4), at: 1, limit: 86_400))
        #expect(scheduler.run(at: 1) == [])
        let text = try #require(scheduler.text(2, at: 2))
        #expect(text.contains("expected at about \(t(1024)), an estimate by how long their likes ran"))
        #expect(scheduler.hint(2, at: 2) == "it is next; at \(t(86_400)) time limits end those jobs at the latest")
    }

    /// What overruns is given as long again, never an end in the past, and never beyond its limit.
    @Test func whatOverrunsIsExpectedLater() {
        var scheduler = learned([1: 64])
        scheduler.add(waits(1, kind: 1, limit: 300))
        #expect(scheduler.run(at: 0) == [1])
        let job = scheduler.active[JobID(1)]
        for (now, end) in [(0.0, 64.0), (63, 64), (64, 128), (130, 256), (257, 300), (299, 300)] {
            #expect(job?.likelyEnd(now: t(now)) == t(end), "at \(now)")
        }
        var endless = learned([1: 64])
        endless.add(waits(1, kind: 1))
        #expect(endless.run(at: 0) == [1])
        #expect(endless.active[JobID(1)]?.likelyEnd(now: t(1e6)) ?? t(0) > t(1e6))
        endless.expect(JobID(1), toEnd: nil)
        #expect(endless.active[JobID(1)]?.likelyEnd(now: t(1)) == nil, "it stood still: nobody knows")
    }

    /// Whatever runs longer than its likes: from the time on at which the first was expected to start, only what ends by its
    /// limit before the limits let the first start may pass it. So its wait is bounded as it is by limits.
    @Test func whatIsOverdueIsKeptByLimits() {
        var scheduler = learned([1: 64, 2: 16])
        scheduler.add(waits(1, vector(3), kind: 1, limit: 1000))
        #expect(scheduler.run(at: 0) == [1])
        scheduler.add(waits(2, vector(4), at: 1, limit: 1000))
        scheduler.add(waits(3, kind: 2, at: 1, limit: 5000))
        #expect(scheduler.run(at: 2) == [3])
        scheduler.ended(JobID(3))
        // 64 s are past and job 1 still runs.
        scheduler.add(waits(4, kind: 2, at: 65, limit: 5000))
        scheduler.add(waits(5, kind: 2, at: 65, limit: 800))
        #expect(scheduler.run(at: 70) == [5])
        #expect(scheduler.text(4, at: 71)?.contains("would fit") == false)
        #expect(scheduler.text(2, at: 71)?.contains("expected by \(t(1000))") == true)
    }

    /// Where the likes of all tell the truth or more, the first that waits starts no later than it was first expected to,
    /// whoever passes it: the same property as with limits. Where they do not, it starts no later than its limits say then.
    @Test(arguments: Array(1...20) as [UInt64], [false, true])
    func backfillDoesNotDelayTheFirst(seed: UInt64, tellsTheTruth: Bool) {
        var random = Seeded(seed &+ 77)
        let times = Dictionary(
            uniqueKeysWithValues: (0..<8).map { ($0, Double(5 * Int.random(in: 1...40, using: &random))) })
        var scheduler = learned(times, cpus: 8)
        var ends: [JobID: Double] = [:]
        var lengths: [JobID: Double] = [:]
        var expected: [JobID: Timestamp] = [:]
        var bound: [JobID: Timestamp] = [:]
        var (nextID, passed, late) = (Int64(1), 0, 0)
        for second in stride(from: 0.0, to: 4000, by: 5) {
            for (id, end) in ends where end <= second {
                scheduler.ended(id)
                ends[id] = nil
            }
            if second < 3000 {
                let kind = Int.random(in: 0..<8, using: &random)
                let time = times[kind] ?? 5
                var job = waits(
                    nextID, vector(Int.random(in: 1...6, using: &random)), kind: kind, at: second, limit: 600)
                job.uid = UInt32.random(in: 1...3, using: &random)
                let factor =
                    tellsTheTruth ? Double.random(in: 0.3...1, using: &random) : .random(in: 0.5...3, using: &random)
                lengths[job.id] = min(600, max(5, (time * factor / 5).rounded(.down) * 5))
                scheduler.add(job)
                nextID += 1
            }
            let plan = scheduler.plan(now: t(second))
            for id in plan.starts {
                if let promise = expected[id], t(second) > promise { late += 1 }
                if let latest = bound[id] { #expect(t(second) <= latest, "seed \(seed), job \(id)") }
                if let blocked = plan.blocked, id > blocked { passed += 1 }
                if let job = scheduler.starting(id, at: t(second)) { scheduler.started(job) }
                ends[id] = second + (lengths[id] ?? 5)
            }
            if let blocked = plan.blocked, let at = plan.reservedFor, expected[blocked] == nil {
                expected[blocked] = at
            }
            if let blocked = plan.blocked, let promise = expected[blocked], t(second) > promise, bound[blocked] == nil {
                // It is overdue: what its limits say now holds, whatever starts from here on.
                bound[blocked] = plan.reservedFor
            }
        }
        #expect(passed > 10, "the test must see backfill at work")
        #expect(expected.count > 10)
        if tellsTheTruth { #expect(late == 0) } else { #expect(late > 0 && !bound.isEmpty, "some run longer") }
    }

    /// What is learned while jobs wait counts for those that wait.
    @Test func thoseThatWaitLearnToo() {
        var scheduler = learned([1: 1000])
        scheduler.add(waits(1, vector(3), kind: 1, limit: 86_400))
        #expect(scheduler.run(at: 0) == [1])
        scheduler.add(waits(2, vector(4), at: 1, limit: 86_400))
        for id in 3..<10 { scheduler.add(waits(Int64(id), kind: 2, at: 3, limit: 864_000)) }
        #expect(scheduler.run(at: 4) == [])
        for _ in 0..<3 { scheduler.learn(RunSample(seconds: 60, cpus: 1), of: Self.keys(2)) }
        #expect(scheduler.run(at: 5) == [3])
        #expect(scheduler.active[JobID(3)]?.predictedEnd == t(5 + 64))
    }
}
