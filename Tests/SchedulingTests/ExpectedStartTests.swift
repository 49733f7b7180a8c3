import JobAPI
import Policy
import TestSupport
import Testing
import Units

@testable import Scheduling

@Suite struct ExpectedStartTests {
    private func asked(_ request: ResourceVector = vector(1), priority: Int = 0, limit: Double? = 10) -> PendingJob {
        waiting(.max, request, uid: 9, priority: priority, at: 0, limit: limit)
    }

    @Test func atOnceWhereThereIsRoom() {
        var scheduler = Scheduler(capacity: vector(4, gib: 99))
        #expect(scheduler.expectedStart(of: asked(), now: t(5)) == ExpectedStart(at: t(5), ahead: 0))
        scheduler.add(waiting(1, vector(3), limit: 100))
        _ = scheduler.run(at: 0)
        #expect(scheduler.expectedStart(of: asked(), now: t(5)).at == t(5))
        #expect(scheduler.expectedStart(of: asked(vector(2)), now: t(5)).at == t(100))
        #expect(scheduler.expectedStart(of: asked(vector(5)), now: t(5)).at == nil, "it never fits")
        #expect(scheduler.earliestRoom(for: vector(2), now: t(5)) == t(100))
    }

    /// 4 CPUs until 100, then two wide jobs of 50 s each; a small one fits beside none of them, one of higher priority goes first.
    @Test func afterThoseThatWaitBeforeIt() {
        var scheduler = Scheduler(capacity: vector(4, gib: 99))
        scheduler.add(waiting(1, vector(4), limit: 100))
        _ = scheduler.run(at: 0)
        for id in 2...3 as ClosedRange<Int64> { scheduler.add(waiting(id, vector(4), uid: 2, at: -10, limit: 50)) }
        scheduler.add(waiting(4, vector(4), uid: 3, at: 3000, limit: 50))
        #expect(scheduler.expectedStart(of: asked(), now: t(5)) == ExpectedStart(at: t(200), ahead: 2))
        #expect(scheduler.expectedStart(of: asked(priority: 10), now: t(5)) == ExpectedStart(at: t(100), ahead: 0))
        #expect(scheduler.text(2, at: 5)?.contains("expected by") == true)
    }

    /// There is room on the machine, but not in what the user, the project or the array may have.
    @Test func limitsAreWaitedForToo() {
        func scheduler(_ limits: SchedulerLimits) -> Scheduler {
            var scheduler = Scheduler(capacity: vector(9, gib: 99), limits: limits)
            scheduler.add(waiting(1, vector(2), uid: 9, limit: 100))
            _ = scheduler.run(at: 0)
            return scheduler
        }
        let one = Setting<Int?>(1)
        #expect(
            scheduler(.init(user: .init(running: one))).expectedStart(of: asked(), now: t(5)).at == t(100))
        #expect(
            scheduler(.init(project: .init(running: one))).expectedStart(of: asked(), now: t(5)).at == t(100))
        let three = scheduler(.init(user: .init(cpus: Setting(3))))
        #expect(three.expectedStart(of: asked(vector(1)), now: t(5)).at == t(5))
        #expect(three.expectedStart(of: asked(vector(2)), now: t(5)).at == t(100))
        #expect(three.expectedStart(of: asked(vector(4)), now: t(5)).at == nil, "more than the user may ever have")
        // Another of the user waits before it: one after the other.
        var two = scheduler(.init(user: .init(running: one)))
        two.add(waiting(2, vector(1), uid: 9, at: -10, limit: 50))
        #expect(two.expectedStart(of: asked(), now: t(5)) == ExpectedStart(at: t(150), ahead: 1))
        #expect(two.expectedStart(of: waiting(.max, vector(1), uid: 8, at: 0, limit: 10), now: t(5)).at == t(5))
        // An array's own limit.
        var array = Scheduler(capacity: vector(9, gib: 99))
        var element = waiting(3, vector(1), uid: 9, limit: 40)
        (element.array, element.arrayLimit) = (ArrayPlace(id: JobID(2), index: 1), 1)
        array.add(element)
        _ = array.run(at: 0)
        (element.id, element.array) = (JobID(4), ArrayPlace(id: JobID(2), index: 2))
        #expect(array.expectedStart(of: element, now: t(5)).at == t(40))
    }

    @Test func nobodyKnowsWhatHasNoEnd() {
        var scheduler = Scheduler(capacity: vector(4, gib: 99))
        scheduler.add(waiting(1, vector(2)))
        _ = scheduler.run(at: 0)
        #expect(scheduler.expectedStart(of: asked(vector(3)), now: t(5)).at == nil)
        #expect(scheduler.expectedStart(of: asked(vector(2)), now: t(5)).at == t(5))
    }

    @Test func theWorkIsBounded() {
        var scheduler = Scheduler(capacity: vector(4, gib: 99))
        for id in 1...1000 as ClosedRange<Int64> {
            scheduler.add(waiting(id, vector(4), uid: UInt32(id % 7), at: -100, limit: 50))
        }
        let start = scheduler.expectedStart(of: asked(), now: t(5))
        #expect(start == ExpectedStart(at: nil, ahead: Scheduler.mostAhead, isBeyond: true))
    }

    /// A job that waits alone, and of which the run times are known, starts when it was expected to.
    @Test(arguments: Array(1...30) as [UInt64]) func itHoldsWhereRunTimesAreKnown(seed: UInt64) throws {
        var random = Seeded(seed)
        var scheduler = Scheduler(capacity: vector(8, gib: 99), lookAhead: 1)
        var ends: [JobID: Double] = [:]
        // All of one size, so that nobody passes anybody.
        for id in 1...30 as ClosedRange<Int64> {
            scheduler.add(
                waiting(
                    id, vector(2), uid: UInt32.random(in: 1...3, using: &random), at: -Double(id),
                    limit: Double(Int.random(in: 1...50, using: &random))))
        }
        let mine = waiting(31, vector(2), uid: 4, at: 0, limit: 5)
        scheduler.add(mine)
        let expected = try #require(scheduler.expectedStart(of: mine, now: t(0)).at)
        for second in 0..<2000 {
            let now = Double(second)
            for (id, end) in ends where end <= now {
                scheduler.ended(id)
                ends[id] = nil
            }
            for id in scheduler.run(at: now) {
                if id == 31 { #expect(t(now) == expected) }
                ends[JobID(id)] = scheduler.active[JobID(id)]?.expectedEnd?.since(t(0)).seconds
            }
        }
        #expect(!scheduler.isPending(JobID(31)))
    }

    /// Against counting second by second.
    @Test(arguments: Array(1...30) as [UInt64]) func theProfileIsThatOfEverySecond(seed: UInt64) {
        var random = Seeded(seed)
        var free = [Int](repeating: 0, count: 400)
        let base = Int.random(in: 0...2, using: &random)
        let ends = (0..<6).map { _ in
            (at: Int.random(in: 0...100, using: &random), cpus: Int.random(in: 1...3, using: &random))
        }
        for second in 0..<400 { free[second] = base + ends.filter { $0.at <= second }.map(\.cpus).reduce(0, +) }
        func amount(_ cpus: Int) -> ResourceVector { ResourceVector(cpus: cpus, memory: .zero) }
        var profile = FreeProfile(
            free: Room(amounts: amount(base), cards: CardRoom()), now: t(0),
            ends: ends.map { end in
                let job = ActiveJob(id: JobID(1), uid: 1, request: amount(end.cpus), startedAt: t(0))
                return (t(Double(end.at)), job)
            })
        for _ in 0..<12 {
            let (cpus, length) = (Int.random(in: 1...5, using: &random), Int.random(in: 1...30, using: &random))
            let found = profile.start(of: amount(cpus), for: .seconds(length))
            let naive = (0..<360).first { start in free[start..<start + length].allSatisfy { $0 >= cpus } }
            guard let naive else {
                #expect(found == nil)
                continue
            }
            #expect(found?.at == t(Double(naive)), "seed \(seed)")
            profile.take(amount(cpus), on: [], from: t(Double(naive)), for: .seconds(length))
            for second in naive..<naive + length { free[second] -= cpus }
        }
    }
}
