import JobAPI
import Policy
import TestSupport
import Testing
import Units

@testable import Scheduling

/// The power cap as a thing that the machine has so much of.
@Suite struct PowerCapTests {
    /// 60 W idle, 10 W for each CPU and 200 W for each GPU beyond that.
    private func scheduler(_ cap: String, cpus: Int = 16, gpus: Int = 0, _ more: String = "") throws -> Scheduler {
        let text = "[machine]\nreserve-memory = \"0 B\"\npower-cap = \"\(cap)\"\n\(more)"
        let machine = MachineCapacity(cpus: cpus, memory: .gibibytes(1024), gpus: gpus)
        var scheduler = Scheduler(policy: try policy(text), machine: machine)
        scheduler.adopt(figures: PowerTerms.Figures(idle: 60, perCPU: 10, perGPU: 200))
        return scheduler
    }

    @Test func whatDoesNotFitBelowItWaits() throws {
        var scheduler = try scheduler("100 W")
        for id in 1...3 as ClosedRange<Int64> { scheduler.add(waiting(id, vector(2), limit: 100)) }
        #expect(scheduler.run(at: 0) == [1, 2])
        #expect(scheduler.predictedWatts == 100)
        let text = try #require(scheduler.text(3, at: 1))
        #expect(
            text.hasPrefix(
                "waits for 20 W of 20 W: held by jobs 1, 2; machine.power-cap is 100 W (p.toml:3): 60 W idle and")
                && text.contains("40 W expected of jobs that run leave 0 W; expected by"), "\(text)")
        #expect(scheduler.reason(for: JobID(3), now: t(1))?.rule?.line == 3)
        #expect(scheduler.smallestChange(for: JobID(3), now: t(1)) == nil)
        scheduler.ended(JobID(1))
        #expect(scheduler.run(at: 2) == [3])
    }

    @Test func fewerCPUsAreTheSmallestChange() throws {
        var scheduler = try scheduler("100 W")
        scheduler.add(waiting(1, vector(3), limit: 100))
        scheduler.add(waiting(2, vector(2), limit: 100))
        #expect(scheduler.run(at: 0) == [1])
        #expect(scheduler.smallestChange(for: JobID(2), now: t(1)) == "with 1 cpu instead of 2 it would start now")
    }

    /// The wide one has its reservation of watts too: what would delay it does not pass, what ends by then does.
    @Test func theFirstThatWaitsHasItsReservation() throws {
        var scheduler = try scheduler("160 W", gpus: 1)
        scheduler.add(waiting(1, vector(6), limit: 100))
        #expect(scheduler.run(at: 0) == [1])
        scheduler.add(waiting(2, vector(8), at: 1, limit: 100))
        scheduler.add(waiting(3, vector(4), at: 2, limit: 500))
        scheduler.add(waiting(4, vector(4), at: 3, limit: 90))
        #expect(scheduler.run(at: 4) == [4])
        #expect(scheduler.text(3, at: 5)?.contains("machine.power-cap is 160 W (p.toml:3)") == true)
        scheduler.ended(JobID(1))
        scheduler.ended(JobID(4))
        #expect(scheduler.run(at: 100) == [2])
    }

    @Test func aJobThatAloneIsTooMuchSaysSo() throws {
        var scheduler = try scheduler("100 W")
        scheduler.add(waiting(1, vector(5)))
        scheduler.add(waiting(2, vector(1)))
        #expect(scheduler.run(at: 0) == [2])
        let reason = try #require(scheduler.reason(for: JobID(1), now: t(1)))
        #expect(
            reason.text
                == "expected to draw up to 50 W; machine.power-cap is 100 W (p.toml:3), of which the idle machine draws 60 W"
        )
        let expected = scheduler.expectation(for: vector(5), likes: 0)
        #expect(expected.job == Power(watts: 50) && expected.mostCPUs == 4 && !expected.isLearned)
    }

    /// Three runs that drew 200 W, 50 of them idle power of what they had reserved.
    @Test func likesSayWhatAJobDraws() throws {
        var scheduler = try scheduler("300 W")
        let keys = JobKeys(user: 1, name: "a", work: [1], shape: [1], queue: "batch", request: vector(1))
        for _ in 0..<3 {
            let run = RunSample(
                seconds: 100, isWhole: true, cpus: 1, energy: (low: 19_000, mean: 20_000, high: 21_000),
                tier: .measured,
                idle: 5000)
            scheduler.learn(try #require(run), of: keys)
        }
        #expect(scheduler.draw(of: vector(1), likes: keys.work) == 160_000)
        for id in 1...2 as ClosedRange<Int64> {
            var job = waiting(id, vector(1), limit: 10)
            job.likes = keys.work
            scheduler.add(job)
        }
        #expect(scheduler.run(at: 0) == [1])
    }

    /// As the policy states it, and with another cap after a reload. What runs goes on.
    @Test func theIdleMachineCounts() throws {
        var scheduler = try scheduler("100 W", cpus: 16, "idle-power = \"80 W\"\n")
        scheduler.add(waiting(1, vector(2)))
        scheduler.add(waiting(2, vector(1)))
        #expect(scheduler.run(at: 0) == [1])
        let machine = MachineCapacity(cpus: 16, memory: .gibibytes(1024), gpus: 0)
        scheduler.adopt(policy: try policy("[machine]\npower-cap = \"70 W\""), machine: machine)
        #expect(scheduler.run(at: 1) == [])
        #expect(scheduler.free.power == -10_000)
        scheduler.adopt(policy: try policy("[machine]\nreserve-memory = \"0 B\""), machine: machine)
        #expect(scheduler.run(at: 2) == [2])
    }

    /// It computes no more, but nobody is lent its watts until the machine draws less.
    @Test func whatIsHeldOverTheCapStandsStill() throws {
        var scheduler = try scheduler("100 W")
        scheduler.add(waiting(1, vector(2), limit: 100, interruptible: true))
        #expect(scheduler.run(at: 0) == [1])
        scheduler.add(waiting(2, vector(3), limit: 100))
        scheduler.hold(JobID(1), overCap: true)
        #expect(scheduler.plan(now: t(1)).halts == [JobID(1)])
        #expect(
            scheduler.suspension(of: JobID(1), now: t(1))?.text
                == "suspended: the machine draws more than machine.power-cap, 100 W (p.toml:3)")
        scheduler.halted(JobID(1), at: t(1))
        #expect(scheduler.run(at: 2) == [])
        scheduler.hold(JobID(1), overCap: false)
        #expect(scheduler.plan(now: t(3)).goOns == [JobID(1)])
        scheduler.wentOn(JobID(1), at: t(3))
        #expect(scheduler.free.power == 20_000)
        // It draws more than expected: what is too much is nobody's.
        scheduler.noteExcess(15)
        #expect(scheduler.free.power == 5_000)
        scheduler.noteExcess(nil)
        #expect(scheduler.free.power == 20_000)
    }

    /// Never more than the cap by plan; all start in the end; the same once more.
    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func thePlanKeepsTheCap(seed: UInt64) throws {
        func run() throws -> [[Int64]] {
            var random = Seeded(seed)
            var scheduler = try scheduler("700 W", cpus: 24, gpus: 2)
            var plans: [[Int64]] = []
            var nextID: Int64 = 1
            for step in 0..<600 {
                let now = Double(step) * 5
                for job in scheduler.active.values where job.expectedEnd.map({ $0 <= t(now) }) ?? false {
                    scheduler.ended(job.id)
                }
                if step < 400 {
                    var request = vector(
                        Int.random(in: 1...12, using: &random), gpus: [0, 0, 0, 1].randomElement(using: &random) ?? 0)
                    // Stated, as a trace does, or by what it asks for.
                    if Bool.random(using: &random) { request.power = Int.random(in: 1...640, using: &random) * 1000 }
                    var job = waiting(
                        nextID, request, uid: UInt32.random(in: 1...3, using: &random), at: now,
                        limit: Double(Int.random(in: 1...60, using: &random)), interruptible: true)
                    job.likes = UInt64(Int.random(in: 0...3, using: &random))
                    scheduler.add(job)
                    nextID += 1
                }
                if step % 37 == 36, let id = scheduler.active.keys.min() {
                    scheduler.hold(id, overCap: true)
                    if scheduler.plan(now: t(now)).halts.contains(id) { scheduler.halted(id, at: t(now)) }
                    #expect(scheduler.predictedWatts <= 700)
                    scheduler.hold(id, overCap: false)
                }
                for id in scheduler.plan(now: t(now)).goOns { scheduler.wentOn(id, at: t(now)) }
                plans.append(scheduler.run(at: now))
                #expect(scheduler.predictedWatts <= 700, "seed \(seed) at \(now)")
                #expect(scheduler.free.power >= 0 && scheduler.free.cpus >= 0)
            }
            var now = 3000.0
            while scheduler.pendingCount > 0, now < 200_000 {
                now += 60
                for id in scheduler.active.keys { scheduler.ended(id) }
                plans.append(scheduler.run(at: now))
            }
            #expect(scheduler.pendingCount == 0, "seed \(seed)")
            return plans
        }
        let plans = try run()
        #expect(plans.joined().count == 400)
        #expect(plans == (try run()))
    }

    /// A stream of small jobs never lets enough watts become free by itself.
    @Test func noStarvationOfThirstyJobs() throws {
        var scheduler = try scheduler("160 W", cpus: 64)
        for id in 1...5 as ClosedRange<Int64> { scheduler.add(waiting(id, vector(2), limit: 30 + Double(id))) }
        #expect(scheduler.run(at: 0).count == 5)
        scheduler.add(waiting(100, vector(9), at: 1))
        var started: Double?
        for step in 1..<200 where started == nil {
            let now = Double(step)
            scheduler.add(waiting(Int64(1000 + step), vector(2), at: now + 1, limit: 30))
            for job in scheduler.active.values where job.expectedEnd.map({ $0 <= t(now) }) ?? false {
                scheduler.ended(job.id)
            }
            if scheduler.run(at: now).contains(100) { started = now }
        }
        #expect(started == 35)
    }
}
