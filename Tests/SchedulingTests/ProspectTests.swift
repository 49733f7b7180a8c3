import JobAPI
import Policy
import TestSupport
import Testing
import Units

@testable import Scheduling

/// What is said of a job that was not submitted, and when those that wait would start.
@Suite struct ProspectTests {
    private func deferring() throws -> Scheduler {
        var scheduler = Scheduler(capacity: vector(8, gib: 64))
        scheduler.adopt(forecast: try forecast([400, 410, 300, 200, 210, 500, 100, 100]), now: t(h(0)))
        return scheduler
    }

    /// One of budgets, rules by the hour and rules by the grid.
    private func ruled(_ text: String) throws -> Scheduler {
        var scheduler = try Scheduler(text, cpus: 4)
        scheduler.know(Submitter(uid: 1, user: "ada", groups: ["staff"]))
        return scheduler
    }

    private func ask(_ scheduler: inout Scheduler, _ job: PendingJob, _ now: Timestamp) throws -> Prospect {
        let prospect = scheduler.prospect(of: job, now: now)
        return try #require(prospect)
    }

    private func spent(_ until: Double) -> [String: SpentBudget] {
        let rule = RuleReference(file: "p.toml", line: 3, name: "budget.nlp")
        return [
            "nlp": SpentBudget(
                until: t(until), reason: "all is spent", rule: rule, grants: ["mlctl budget grant nlp \"13 J\""])
        ]
    }

    @Test func itIsToldToBeDeferredAsItWouldBe() throws {
        var scheduler = try deferring()
        let asked = flexible(.max, deadline: 5)
        let prospect = try ask(&scheduler, asked, t(h(0)))
        #expect(prospect.start == ExpectedStart(at: t(h(3)), ahead: 0))
        #expect(prospect.undeferred == ExpectedStart(at: t(h(0)), ahead: 0))
        #expect(prospect.reason?.rule?.name == "queue.batch.defer" && !prospect.isKept)
        var other = scheduler
        other.add(asked)
        #expect(prospect.reason == other.reason(for: asked.id, now: t(h(0))))
        #expect(other.expectedStart(for: asked.id, now: t(h(0)))?.at == t(h(3)))
    }

    @Test func aSpentBudgetKeepsItUntilItsPeriodEnds() throws {
        var scheduler = try ruled("[budget.nlp]\nenergy = \"1 kWh/month\"\n")
        scheduler.adopt(spent: spent(1000))
        let prospect = try ask(&scheduler, waiting(.max, project: "nlp", at: 2, limit: 10), t(2))
        #expect(prospect.start == ExpectedStart(at: t(1000), ahead: 0) && prospect.isKept)
        #expect(prospect.reason?.text == "all is spent" && prospect.reason?.rule?.line == 3)
        #expect(
            prospect.reason?.hint == "nothing is left; with mlctl budget grant nlp \"13 J\" it would start now")
        let free = try ask(&scheduler, waiting(.max, project: "cv", at: 2), t(2))
        #expect(free.reason == nil && free.start.at == t(2) && !free.isKept)
    }

    /// The hint says no more than a grant would do.
    @Test func aGrantFreesAJobForWhichThereIsNoRoom() throws {
        var scheduler = try ruled("[budget.nlp]\nenergy = \"1 kWh/month\"\n")
        scheduler.started(ActiveJob(id: JobID(1), uid: 1, request: vector(4), startedAt: t(0)))
        scheduler.add(waiting(2, project: "nlp", at: 1))
        scheduler.add(waiting(3, project: "cv", at: 1))
        scheduler.adopt(spent: spent(1000))
        #expect(scheduler.run(at: 2) == [])
        let hint = "nothing is left; with mlctl budget grant nlp \"13 J\" it would be free to start"
        #expect(scheduler.grantHint(for: JobID(2), now: t(2)) == hint)
        #expect(scheduler.grantHint(for: JobID(3), now: t(2)) == nil)
    }

    @Test func rulesKeepItAsLongAsTheClockTells() throws {
        // t(0) is 22:13:20.
        let nights = "[[rule]]\nname = \"nights\"\nmatch = { user = \"ada\", hour = \"22-00\" }\nthen = \"hold\"\n"
        var scheduler = try ruled(nights)
        let midnight = try Timestamp(parsing: "2023-11-15T00:00:00Z")
        let prospect = try ask(&scheduler, waiting(.max), t(2))
        #expect(prospect.start.at == midnight && prospect.isKept)
        #expect(prospect.reason?.text == "held by rule \"nights\" (p.toml:3)")
        let dirty = "[[rule]]\nname = \"dirty\"\nmatch = { intensity-above = \"300 g/kWh\" }\nthen = \"hold\"\n"
        scheduler = try ruled(dirty)
        scheduler.adopt(conditions: Conditions(intensity: CarbonIntensity(gramsPerKilowattHour: 400)))
        let held = try ask(&scheduler, waiting(.max), t(2))
        #expect(held.start.at == nil && held.isKept && held.reason?.rule?.place == "p.toml:3")
        scheduler.adopt(conditions: Conditions(intensity: CarbonIntensity(gramsPerKilowattHour: 200)))
        let clean = try ask(&scheduler, waiting(.max), t(2))
        #expect(clean.start.at == t(2))
    }

    /// Before midnight, when the day of the one is over, the hours of the other begin.
    @Test func aRuleThatAllowsIsWaitedFor() throws {
        let rules = """
            [[rule]]
            name = "late"
            match = { user = "ada", hour = "23-00" }
            then = "allow"
            [[rule]]
            name = "dirty"
            match = { user = "ada", weekday = "tue", intensity-above = "300 g/kWh" }
            then = "hold"
            """
        var scheduler = try ruled(rules)
        scheduler.adopt(conditions: Conditions(intensity: CarbonIntensity(gramsPerKilowattHour: 400)))
        let prospect = try ask(&scheduler, waiting(.max), t(2))
        #expect(prospect.start.at == (try Timestamp(parsing: "2023-11-14T23:00:00Z")) && prospect.isKept)
        #expect(prospect.reason?.hint?.contains("2023-11-14T23:00:00Z") == true, "\(prospect)")
    }

    @Test func thresholdsOfAQueueKeepWhatMayBeInterrupted() throws {
        var scheduler = try ruled("[queue.batch]\ndefault = true\ndefer = { suspend-above = \"300 g/kWh\" }\n")
        scheduler.adopt(conditions: Conditions(intensity: CarbonIntensity(gramsPerKilowattHour: 400)))
        let soft = try ask(&scheduler, waiting(.max, interruptible: true), t(2))
        #expect(soft.start.at == nil && soft.reason?.text.contains("suspend-above, p.toml:5") == true)
        let hard = try ask(&scheduler, waiting(.max), t(2))
        #expect(hard.reason == nil)
    }

    // MARK: - Those that wait

    /// 4 CPUs until 100, then two wide jobs of 50 s each, one after the other.
    @Test func eachThatWaitsIsToldWhen() {
        var scheduler = Scheduler(capacity: vector(4, gib: 99))
        scheduler.add(waiting(1, vector(4), limit: 100))
        _ = scheduler.run(at: 0)
        for id in 2...4 as ClosedRange<Int64> { scheduler.add(waiting(id, vector(4), at: Double(id), limit: 50)) }
        scheduler.add(waiting(5, at: 5, held: true))
        let starts = (2...4 as ClosedRange<Int64>).map { scheduler.expectedStart(for: JobID($0), now: t(9)) }
        #expect(
            starts == [
                ExpectedStart(at: t(100), ahead: 0), ExpectedStart(at: t(150), ahead: 1),
                ExpectedStart(at: t(200), ahead: 2),
            ])
        for id in [1, 5, 9] as [Int64] { #expect(scheduler.expectedStart(for: JobID(id), now: t(9)) == nil) }
    }

    /// Nobody knows when the first starts, so nobody knows when one starts that must not pass it: now is wrong.
    @Test func whoMayNotPassIsNotToldToStart() throws {
        var scheduler = Scheduler(capacity: vector(4, gib: 99))
        scheduler.started(ActiveJob(id: JobID(1), uid: 9, request: vector(2), startedAt: t(0)))
        scheduler.add(waiting(2, vector(4)))
        scheduler.add(waiting(3, vector(2), at: 1, limit: 5))
        #expect(scheduler.run(at: 2) == [])
        #expect(scheduler.expectedStart(for: JobID(3), now: t(2)) == ExpectedStart(at: nil, ahead: 1))
        let asked = try ask(&scheduler, waiting(.max, vector(2), at: 2, limit: 5), t(2))
        #expect(asked.reason != nil)
    }

    /// Asking changes no plan, and tells what is told of the job once it waits.
    @Test(arguments: Array(1...30) as [UInt64]) func askingLeavesNothingBehind(seed: UInt64) throws {
        var random = Seeded(seed)
        var scheduler = try ruled(
            """
            [limits]
            max-running-per-user = 3
            [budget.nlp]
            energy = "1 kWh/month"
            [[rule]]
            name = "nights"
            match = { project = "bio", hour = "22-00" }
            then = "hold"
            """)
        scheduler.adopt(forecast: try forecast([400, 410, 300, 200]), now: t(h(0)))
        scheduler.adopt(spent: spent(1e6))
        func job(_ id: Int64, at time: Double) -> PendingJob {
            var job = waiting(
                id, vector(Int.random(in: 1...4, using: &random)), uid: UInt32.random(in: 1...4, using: &random),
                project: ["nlp", "cv", "bio"].randomElement(using: &random) ?? "cv",
                priority: Int.random(in: 0...3, using: &random), at: time,
                notBefore: Int.random(in: 0...4, using: &random) == 0 ? time + 300 : nil,
                limit: Bool.random(using: &random) ? 600 : nil)
            if Int.random(in: 0...3, using: &random) == 0 {
                job.flexibility = Flexibility(latestStart: t(h(3)), runTime: 600)
            }
            return job
        }
        var untouched = scheduler
        for step in 0..<40 as Range<Int64> {
            let now = Double(step) * 60
            let new = job(step + 1, at: now)
            scheduler.add(new)
            untouched.add(new)
            #expect(scheduler.run(at: now) == untouched.run(at: now), "step \(step)")
            let asked = job(.max, at: now)
            let prospect = try ask(&scheduler, asked, t(now))
            var submitted = untouched
            submitted.add(asked)
            #expect(submitted.expectedStart(for: asked.id, now: t(now)) == prospect.start)
            if let reason = prospect.reason {
                #expect(submitted.reason(for: asked.id, now: t(now))?.text == reason.text)
            }
            // What is told to start now does, and nothing else.
            #expect(submitted.plan(now: t(now)).starts.contains(asked.id) == (prospect.reason == nil), "step \(step)")
            #expect(scheduler.pendingCount == untouched.pendingCount)
            for id in untouched.active.keys.sorted().prefix(1) where Bool.random(using: &random) {
                scheduler.ended(id)
                untouched.ended(id)
            }
        }
    }
}
