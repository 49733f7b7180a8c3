import JobAPI
import Policy
import TestSupport
import Testing
import Units

@testable import Scheduling

/// Rules and budgets that keep jobs from starting, and let them stand still.
@Suite struct HoldingRuleTests {
    /// 2023-11-14 22:13:20 UTC, a Tuesday.
    private static let nights = """
        [[rule]]
        name = "nights"
        match = { user = "bob", hour = "22-00" }
        then = "hold"
        """

    private func time(_ text: String) throws -> Double { try Timestamp(parsing: text).since(t(0)).seconds }

    private func scheduler(_ text: String, cpus: Int = 4) throws -> Scheduler {
        var scheduler = try Scheduler(text, cpus: cpus)
        scheduler.know(Submitter(uid: 1, user: "ada", groups: ["staff"]))
        scheduler.know(Submitter(uid: 2, user: "bob", groups: ["students"]))
        return scheduler
    }

    @Test func jobsOfARuleWaitForItsHoursAndOthersPass() throws {
        var scheduler = try scheduler(Self.nights)
        scheduler.add(waiting(1, uid: 2, at: 0))
        scheduler.add(waiting(2, uid: 1, at: 1))
        let plan = scheduler.plan(now: t(2))
        #expect(plan.starts == [JobID(2)])
        #expect(plan.blocked == nil)
        #expect(plan.wakeAt == (try Timestamp(parsing: "2023-11-15T00:00:00Z")))
        #expect(scheduler.text(1, at: 2) == "held by rule \"nights\" (p.toml:3)")
        #expect(scheduler.hint(1, at: 2) == "asked again at 2023-11-15T00:00:00Z")
        #expect(scheduler.run(at: try time("2023-11-15T00:00:00Z")) == [1, 2])
        // Taken up at later hours too.
        let evening = try time("2023-11-15T22:00:00Z")
        scheduler.add(waiting(3, uid: 2, at: evening - 10))
        #expect(scheduler.run(at: evening) == [])
        #expect(scheduler.plan(now: t(evening)).wakeAt == (try Timestamp(parsing: "2023-11-16T00:00:00Z")))
        // While nobody is bound by it, it wakes nobody.
        scheduler.remove(JobID(3))
        #expect(scheduler.plan(now: t(evening)).wakeAt == nil)
    }

    @Test func theGridHoldsJobsWhileItIsDirty() throws {
        var scheduler = try scheduler(
            "[[rule]]\nname = \"dirty\"\nmatch = { group = \"students\", intensity-above = \"300 g/kWh\" }\nthen = \"hold\"\n"
        )
        scheduler.add(waiting(1, uid: 2, at: 0))
        scheduler.adopt(conditions: Conditions(intensity: CarbonIntensity(gramsPerKilowattHour: 400)))
        #expect(scheduler.run(at: 1) == [])
        #expect(scheduler.text(1, at: 1)?.hasPrefix("held by rule \"dirty\" (p.toml:3)") == true)
        #expect(scheduler.plan(now: t(1)).wakeAt == nil)
        scheduler.adopt(conditions: .unknown)
        #expect(scheduler.run(at: 2) == [1])
    }

    @Test func aSpentBudgetHoldsItsJobsAlone() throws {
        var scheduler = try scheduler("[budget.nlp]\nenergy = \"1 kWh/month\"\n")
        scheduler.add(waiting(1, uid: 1, project: "nlp", at: 0))
        scheduler.add(waiting(2, uid: 1, project: "vision", at: 1))
        let rule = RuleReference(file: "p.toml", line: 3, name: "budget.nlp")
        scheduler.adopt(spent: ["nlp": SpentBudget(until: t(1000), reason: "all is spent", rule: rule)])
        #expect(scheduler.run(at: 2) == [2])
        #expect(scheduler.text(1, at: 2) == "all is spent")
        #expect(scheduler.plan(now: t(3)).wakeAt == t(1000))
        // Its period ends by itself.
        #expect(scheduler.run(at: 1000) == [1])
    }

    /// A rule that holds very many costs a plan nothing.
    @Test func thoseThatAreHeldAreNotLookedAt() throws {
        var scheduler = try scheduler(Self.nights)
        for id in 1...5000 as ClosedRange<Int64> { scheduler.add(waiting(id, uid: 2, at: 0, limit: Double(id))) }
        scheduler.add(waiting(9000, uid: 1, at: 1))
        #expect(scheduler.run(at: 2) == [9000])
        var walk = Walk(scheduler.line)
        #expect(walk.next() == nil)
        #expect(scheduler.run(at: try time("2023-11-15T00:00:00Z")).count == 3)
    }

    // MARK: - Jobs that run

    private static let dirty = """
        [queue.batch]
        default = true
        defer = { suspend-above = "400 g/kWh", resume-below = "300 g/kWh" }
        """

    private func grid(_ grams: Double) -> Conditions {
        Conditions(intensity: CarbonIntensity(gramsPerKilowattHour: grams))
    }

    @Test func interruptibleJobsStandStillBetweenTwoThresholds() throws {
        var scheduler = try scheduler(Self.dirty)
        scheduler.add(waiting(1, vector(3), uid: 1, at: 0, interruptible: true))
        scheduler.add(waiting(2, vector(1), uid: 1, at: 1))
        scheduler.adopt(conditions: grid(350))
        #expect(scheduler.run(at: 2) == [1, 2])
        #expect(scheduler.plan(now: t(3)).halts == [])
        scheduler.adopt(conditions: grid(450))
        #expect(scheduler.plan(now: t(4)).halts == [JobID(1)])
        #expect(
            scheduler.suspension(of: JobID(1), now: t(4))?.text
                == "suspended while above 400 g/kWh (queue.batch.defer.suspend-above, p.toml:5)")
        scheduler.halted(JobID(1), at: t(4))
        // What it gave up is for others, also for such as are not suspended themselves.
        scheduler.add(waiting(3, vector(2), uid: 2, at: 5))
        #expect(scheduler.run(at: 5) == [3])
        scheduler.adopt(conditions: grid(350))
        #expect(scheduler.plan(now: t(6)).goOns == [])
        scheduler.adopt(conditions: grid(300))
        // It may go on, and cannot: what becomes free is kept for it.
        scheduler.add(waiting(4, vector(1), uid: 2, at: 6))
        let plan = scheduler.plan(now: t(7))
        #expect(plan.goOns == [] && plan.starts == [])
        #expect(scheduler.text(1, at: 7) == "suspended; it goes on when 3 cpus are free")
        scheduler.ended(JobID(3))
        #expect(scheduler.plan(now: t(8)).goOns == [JobID(1)])
        scheduler.wentOn(JobID(1), at: t(8))
        #expect(scheduler.free.cpus == 0)
        #expect(scheduler.plan(now: t(9)).halts == [])
    }

    @Test func aRuleSuspendsByTheHourAndAnAdminSpares() throws {
        var scheduler = try scheduler(
            "[[rule]]\nname = \"day\"\nmatch = { hour = \"22-23\" }\nthen = \"suspend\"\n")
        let before = try time("2023-11-14T21:00:00Z")
        scheduler.add(waiting(1, uid: 1, at: before, interruptible: true))
        scheduler.add(waiting(2, uid: 1, at: before))
        #expect(scheduler.run(at: before) == [1, 2])
        #expect(scheduler.plan(now: t(before)).wakeAt == (try Timestamp(parsing: "2023-11-14T22:00:00Z")))
        let begin = try time("2023-11-14T22:00:00Z")
        #expect(scheduler.plan(now: t(begin)).halts == [JobID(1)])
        scheduler.halted(JobID(1), at: t(begin))
        scheduler.spare(JobID(1))
        #expect(scheduler.plan(now: t(begin + 1)).goOns == [JobID(1)])
        scheduler.wentOn(JobID(1), at: t(begin + 1))
        #expect(scheduler.plan(now: t(begin + 2)).halts == [])
        // Another is not started meanwhile.
        scheduler.add(waiting(3, uid: 1, at: begin, interruptible: true))
        #expect(scheduler.run(at: begin + 3) == [])
        #expect(scheduler.run(at: begin + 3600) == [3])
    }

    @Test func capsCountWhereTheyAreLessThanWasAskedFor() throws {
        var scheduler = try scheduler(
            "[[rule]]\nname = \"calm\"\nmatch = { hour = \"22-23\" }\nthen = \"cap\"\ncpus = 2\n")
        scheduler.add(waiting(1, vector(3), uid: 1, at: 0))
        scheduler.add(waiting(2, vector(1), uid: 1, at: 0))
        #expect(scheduler.run(at: 1) == [1, 2])
        #expect(scheduler.cpuCap(JobID(1))?.value == 2)
        #expect(scheduler.cpuCap(JobID(1))?.place == "p.toml:3")
        #expect(scheduler.cpuCap(JobID(2)) == nil)
        _ = scheduler.plan(now: try Timestamp(parsing: "2023-11-14T23:00:00Z"))
        #expect(scheduler.cpuCap(JobID(1)) == nil)
    }

    @Test func aReloadAsksAnew() throws {
        var scheduler = try scheduler(Self.nights)
        scheduler.add(waiting(1, uid: 2, at: 0))
        #expect(scheduler.run(at: 1) == [])
        let machine = MachineCapacity(cpus: 4, memory: .gibibytes(64), gpus: 0)
        scheduler.adopt(policy: try policy(""), machine: machine)
        #expect(scheduler.run(at: 2) == [1])
        scheduler.add(waiting(2, uid: 1, at: 3))
        scheduler.adopt(
            policy: try policy(Self.nights.replacing("bob", with: "ada")), machine: machine)
        #expect(scheduler.run(at: 4) == [])
        #expect(scheduler.text(2, at: 4) == "held by rule \"nights\" (p.toml:1)")
    }

    // MARK: - Properties

    private static let many = """
        [queue.batch]
        default = true
        defer = { suspend-above = "500 g/kWh", resume-below = "300 g/kWh" }
        [queue.fast]
        [[rule]]
        name = "spared"
        match = { user = "ada", hour = "00-12" }
        then = "allow"
        [[rule]]
        name = "dirty"
        match = { intensity-above = "450 g/kWh", group = "students" }
        then = "hold"
        [[rule]]
        name = "evenings"
        match = { queue = "batch", hour = "18-22" }
        then = "suspend"
        [[rule]]
        name = "wide"
        match = { cpus-above = 2, hour = "08-16", weekday = "mon-fri" }
        then = "hold"
        """

    /// Whatever comes, nothing starts that the policy says must wait, asked for that one job at that moment; and nothing that it
    /// suspends runs, once the daemon did as told.
    @Test(arguments: Array(1...12) as [UInt64])
    func whatThePolicyHoldsNeverStarts(seed: UInt64) throws {
        var random = Seeded(seed)
        var scheduler = try scheduler(Self.many, cpus: 8)
        let rules = try policy(Self.many)
        let people = [
            Submitter(uid: 1, user: "ada", groups: ["staff"]), Submitter(uid: 2, user: "bob", groups: ["students"]),
        ]
        func subject(_ uid: UInt32, _ queue: String, _ request: ResourceVector, _ isSoft: Bool) -> RuleMatch.Subject {
            RuleMatch.Subject(
                submitter: people[uid == 1 ? 0 : 1], project: "default", queue: queue, kind: "command",
                cpus: request.cpus, gpus: request.gpus, memory: request.memory, interruptible: isSoft)
        }
        var next: Int64 = 1
        var (starts, holds, suspensions, resumes) = (0, 0, 0, 0)
        var conditions = Conditions.unknown
        for step in 0..<600 {
            let now = Double(step) * 1300
            if Int.random(in: 0..<3, using: &random) == 0 {
                conditions = grid(Double(Int.random(in: 200...600, using: &random)))
                scheduler.adopt(conditions: conditions)
            }
            for _ in 0..<2 {
                scheduler.add(
                    waiting(
                        next, vector(Int.random(in: 1...4, using: &random)),
                        uid: UInt32.random(in: 1...2, using: &random),
                        queue: ["batch", "fast"].randomElement(using: &random) ?? "batch", at: now,
                        limit: [nil, 600].randomElement(using: &random) ?? nil,
                        interruptible: Bool.random(using: &random)))
                next += 1
            }
            for id in scheduler.active.keys.sorted() where Int.random(in: 0..<4, using: &random) == 0 {
                // What stands still does not end.
                if scheduler.active[id]?.isHalted == false { scheduler.ended(id) }
            }
            let before = scheduler.pending
            let plan = scheduler.plan(now: t(now))
            for id in plan.starts {
                let job = try #require(before[id])
                let wait = rules.waits(
                    subject(job.uid, job.queue, job.request, job.isInterruptible), at: t(now), in: conditions)
                #expect(wait == nil, "seed \(seed): job \(id) starts against \(wait?.reason ?? "")")
                if let active = scheduler.starting(id, at: t(now)) { scheduler.started(active) }
                starts += 1
            }
            for id in plan.halts {
                #expect(scheduler.active[id]?.isInterruptible == true)
                scheduler.halted(id, at: t(now))
                suspensions += 1
            }
            for id in plan.goOns {
                scheduler.wentOn(id, at: t(now))
                resumes += 1
            }
            #expect(scheduler.active.values.reduce(ResourceVector.zero) { $0 + $1.held }.fits(in: vector(8, gib: 1024)))
            for job in scheduler.active.values {
                let bounds = rules.bounds(
                    for: subject(job.uid, job.queue, job.request, job.isInterruptible), at: t(now), in: conditions,
                    whileSuspended: job.isHalted)
                if !job.isHalted { #expect(bounds.suspension == nil, "seed \(seed), step \(step): job \(job.id)") }
            }
            holds += scheduler.bindings.waits.count
        }
        #expect(
            starts > 100 && holds > 50 && suspensions > 5 && resumes > 5, "\(starts) \(holds) \(suspensions) \(resumes)"
        )
    }
}
