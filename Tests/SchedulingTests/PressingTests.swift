import Carbon
import JobAPI
import Policy
import TestSupport
import Testing
import Units

@testable import Scheduling

/// What is better for the climate moves a job only inside the slack its deadline leaves.
@Suite struct PressingTests {
    private static let green = """
        [site]
        zone = "DE"
        [carbon]
        source = { file = "/x.csv" }
        [queue.batch]
        default = true
        interruptible = true
        defer = { up-to = "24 h", suspend-above = "400 g/kWh", resume-below = "300 g/kWh" }

        """
    private static func rule(_ action: String, _ match: String) -> String {
        "[[rule]]\nname = \"r\"\nmatch = { \(match) }\nthen = \"\(action)\"\n"
    }

    private func grid(_ value: Double) -> Conditions {
        Conditions(intensity: CarbonIntensity(gramsPerKilowattHour: value))
    }

    private func job(_ id: Int64 = 1, at hours: Double = 0, hours length: Double = 1, deadline: Double) -> PendingJob {
        var job = flexible(
            id, at: hours, hours: length, deadline: deadline, interruptible: true, restart: 60, limit: length * 3600)
        job.isInterruptible = true
        return job
    }

    @Test(arguments: [
        green, rule("suspend", "intensity-above = \"400 g/kWh\""), rule("hold", "intensity-above = \"400 g/kWh\""),
    ])
    func aJobStartsWhenItMustHoweverDirtyTheGridIs(text: String) throws {
        var scheduler = try Scheduler(text, cpus: 4)
        scheduler.adopt(conditions: grid(500))
        scheduler.add(job(deadline: 5))
        scheduler.add(waiting(2, at: h(0), interruptible: true))
        #expect(scheduler.run(at: h(0)) == [])
        #expect(scheduler.plan(now: t(h(0))).wakeAt == t(h(4)))
        #expect(scheduler.run(at: h(4) - 1) == [])
        #expect(scheduler.run(at: h(4)) == [1])
        #expect(scheduler.plan(now: t(h(4.5))).halts == [])
        #expect(scheduler.run(at: h(9)) == [], "one without a deadline waits for a clean grid")
        scheduler.ended(JobID(1))
        scheduler.remove(JobID(2))
        #expect(scheduler.pressing.isEmpty && scheduler.line.isEmpty)
    }

    @Test func whatStandsStillGoesOnWhenItMust() throws {
        var scheduler = try Scheduler(Self.green, cpus: 4)
        scheduler.adopt(conditions: grid(200))
        scheduler.add(job(deadline: 5))
        #expect(scheduler.run(at: h(0)) == [1])
        scheduler.adopt(conditions: grid(500))
        #expect(scheduler.plan(now: t(h(0.5))).halts == [JobID(1)])
        scheduler.halted(JobID(1), at: t(h(0.5)))
        // Half an hour is left, and a minute to go on.
        let last = h(4.5) - 60
        #expect(scheduler.plan(now: t(h(1))).wakeAt == t(last))
        #expect(scheduler.plan(now: t(last - 1)).goOns == [])
        #expect(scheduler.plan(now: t(last)).goOns == [JobID(1)])
        scheduler.wentOn(JobID(1), at: t(last))
        for minutes in 0..<30 { #expect(scheduler.plan(now: t(last + Double(60 * minutes))).halts == []) }
    }

    /// A rule's hours are known beforehand: the start that is planned is one at which the job may start.
    @Test func aStartIsPlannedInOpenHours() throws {
        // t(h(0)) is 22:00.
        var scheduler = try Scheduler(Self.rule("hold", "hour = \"23-04\""), cpus: 4)
        scheduler.adopt(forecast: try forecast([400, 500, 100, 100, 100, 100, 400, 300, 200, 500, 500]), now: t(h(0)))
        scheduler.add(flexible(1, deadline: 5))
        #expect(scheduler.run(at: h(0)) == [1], "later it would be too late")
        scheduler.add(flexible(2, deadline: 11))
        #expect(scheduler.run(at: h(0)) == [])
        #expect(scheduler.plan(now: t(h(0))).wakeAt == t(h(1)), "the hours of the rule begin")
        #expect(scheduler.run(at: h(7)) == [])
        #expect(scheduler.run(at: h(8)) == [2])
    }

    /// One job at a time, on a machine with room, under a threshold, a rule about the grid and hours without a start, with a forecast
    /// that has nothing to do with what comes.
    @Test(arguments: Array(1...40) as [UInt64])
    func deadlinesThatAreFeasibleAreMet(seed: UInt64) throws {
        var random = Seeded(seed)
        let first = Int.random(in: 0..<24, using: &random)
        let hours = "\(first)-\((first + Int.random(in: 1...6, using: &random)) % 24)"
        let rules =
            Self.rule("hold", "hour = \"\(hours)\"")
            + "[[rule]]\nname = \"s\"\nmatch = { intensity-above = \"600 g/kWh\" }\nthen = \"suspend\"\n"
        var scheduler = try Scheduler(Self.green + rules, cpus: 4)
        scheduler.adopt(
            forecast: try forecast((0..<120).map { _ in Double.random(in: 100...900, using: &random) }), now: t(h(0)))
        let minute = 1 / 60.0
        var length = 30 + Double(Int.random(in: 0...150, using: &random))
        var slack = Double(Int.random(in: 0...1200, using: &random))
        var submitted = Double(Int.random(in: 0...1400, using: &random))
        // Whole minutes, in which it is looked at.
        (length, slack, submitted) = (length.rounded(), slack.rounded(), submitted.rounded())
        let deadline = submitted + length + slack
        let policy = try policy(rules)
        let subject = RuleMatch.Subject(
            submitter: Submitter(uid: 1, user: "1", groups: []), project: "default", queue: "batch", kind: "command",
            cpus: 1, gpus: 0, memory: .gibibytes(1), interruptible: true)
        let isFeasible = stride(from: submitted, through: deadline - length, by: 1).contains {
            policy.waits(subject, at: t(h($0 * minute))) == nil
        }
        guard isFeasible else { return }
        var left = length
        var running = false
        for now in stride(from: submitted, through: deadline, by: 1) {
            if running { left -= 1 }
            if left <= 0 { break }
            if now == submitted {
                scheduler.add(job(at: now * minute, hours: length * minute, deadline: deadline * minute))
            }
            scheduler.adopt(conditions: grid(Double.random(in: 100...900, using: &random)))
            let time = t(h(now * minute))
            let plan = scheduler.plan(now: time)
            for id in plan.starts {
                scheduler.started(try #require(scheduler.starting(id, at: time)))
                running = true
            }
            for id in plan.suspends { scheduler.suspended(id, at: time) }
            for id in plan.halts { scheduler.halted(id, at: time) }
            for id in plan.resumes { scheduler.resumed(id, at: time) }
            for id in plan.goOns { scheduler.wentOn(id, at: time) }
            if let job = scheduler.active[JobID(1)] { running = !job.standsStill }
        }
        #expect(left <= 0, "seed \(seed): \(left) of \(length) minutes left at the deadline")
    }
}
