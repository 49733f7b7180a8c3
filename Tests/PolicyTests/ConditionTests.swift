import Testing
import Units

@testable import Policy

/// Rules that ask how things stand now.
@Suite struct ConditionTests {
    private func rule(_ match: String, then: String, more: String = "") -> String {
        "[carbon]\nsource = { file = \"/i.csv\" }\nprice = { file = \"/p.csv\", currency = \"EUR\" }\n"
            + "[[rule]]\nname = \"r\"\nmatch = { \(match) }\nthen = \"\(then)\"\n\(more)\n"
    }

    private func grid(_ grams: Double? = nil, price: Double? = nil, watts: Double? = nil) -> Conditions {
        Conditions(
            intensity: grams.map { CarbonIntensity(gramsPerKilowattHour: $0) },
            price: price.map { EnergyPrice(perKilowattHour: $0, currency: "EUR") },
            power: watts.map { Power(watts: $0) })
    }

    @Test func whatIsAboveMatches() throws {
        let cases: [(String, Conditions, Bool)] = [
            ("intensity-above = \"300 g/kWh\"", grid(301), true), ("intensity-above = \"300 g/kWh\"", grid(300), false),
            ("intensity-above = \"300 g/kWh\"", grid(price: 9, watts: 9999), false),
            ("price-above = \"0.4 EUR/kWh\"", grid(price: 0.41), true),
            ("price-above = \"400 EUR/MWh\"", grid(price: 0.4), false),
            ("price-above = \"0.4 EUR/kWh\"", grid(999), false),
            ("power-above = \"1 kW\"", grid(watts: 1000.5), true), ("power-above = \"1 kW\"", grid(watts: 1000), false),
            ("power-above = \"0 W\", intensity-above = \"0 g/kWh\"", grid(1, watts: 1), true),
            ("power-above = \"0 W\", intensity-above = \"0 g/kWh\"", grid(1), false),
        ]
        for (match, conditions, expected) in cases {
            let set = try policy(rule(match, then: "deny"))
            let answer = set.ask(job(), in: conditions)
            #expect((answer.refusal != nil) == expected, "\(match)")
            #expect(answer.refusal.map { $0.hint?.contains("submit it again when that has passed") ?? false } ?? true)
        }
    }

    @Test func aPriceInAnotherCurrencyMatchesNothing() throws {
        let threshold = GridThreshold.price(EnergyPrice(perKilowattHour: 0.1, currency: "USD"))
        #expect(threshold.isExceeded(in: grid(price: 5)) == nil)
        #expect(threshold.isExceeded(in: .unknown) == nil)
    }

    @Test func figuresThatAreNoneMatchNothing() throws {
        let set = try policy(rule("power-above = \"1 W\"", then: "deny"))
        #expect(set.ask(job(), in: grid(watts: .nan)).refusal == nil)
    }

    /// Nobody knows when the grid gets better: the job is taken, and waits as long as that lasts.
    @Test func aHoldByTheGridIsAskedAgain() throws {
        let set = try policy(rule("intensity-above = \"300 g/kWh\"", then: "hold", more: "message = \"dirty\""))
        let admitted = try #require(set.ask(job(), in: grid(400)).job)
        #expect(!admitted.held && admitted.notBefore == nil)
        #expect(
            admitted.reason
                == "held by rule \"r\" (p.toml:4): dirty; the rule is: hold when intensity-above = 300 g/kWh")
        let wait = try #require(set.waits(subject(), at: tuesday, in: grid(400)))
        #expect(wait.rule?.place == "p.toml:4" && wait.askAgain == nil)
        #expect(wait.reason == admitted.reason)
        #expect(set.waits(subject(), at: tuesday, in: grid(300)) == nil)
        #expect(set.waits(subject(), at: tuesday) == nil)
        #expect(set.ask(job(), in: grid(300)).job?.rule == nil)
    }

    /// How the grid stands now says nothing about a job that starts later.
    @Test func aLaterStartIsNotAskedAboutNow() throws {
        let set = try policy(rule("intensity-above = \"300 g/kWh\"", then: "deny"))
        let later = tuesday.advanced(by: .seconds(3600))
        #expect(set.ask(job(notBefore: later), in: grid(400)).job != nil)
        #expect(set.ask(job(notBefore: tuesday), in: grid(400)).refusal != nil)
    }

    @Test func aHoldByTheClockIsAskedAgain() throws {
        let set = try policy(rule("hour = \"06-20\", queue = \"batch\"", then: "hold"))
        let wait = try #require(set.waits(subject(), at: tuesday))
        #expect(wait.askAgain == (try at("2026-11-24T20:00:00Z")))
        #expect(wait.reason == "held by rule \"r\" (p.toml:4)")
        #expect(set.waits(subject(), at: try at("2026-11-24T20:00:00Z")) == nil)
        #expect(set.waits(subject(queue: "long"), at: tuesday) == nil)
    }

    /// What lets a job go before the rule that holds it counts, too, and another that would hold it does not.
    @Test func anEarlierRuleThatBeginsIsAskedForAgain() throws {
        func rule(_ name: String, _ conditions: String, _ then: String) -> String {
            "[[rule]]\nname = \"\(name)\"\nmatch = { \(conditions) }\nthen = \"\(then)\"\n"
        }
        let free = rule("noon", "user = \"alice\", hour = \"12-13\"", "allow")
        let other = rule("other", "user = \"alice\", hour = \"11-12\"", "hold")
        let day = rule("day", "weekday = \"tue\", intensity-above = \"300 g/kWh\"", "hold")
        let set = try policy([other, free, day].joined(separator: "\n"))
        let wait = try #require(set.waits(subject(), at: tuesday, in: grid(400)))
        #expect(wait.askAgain == (try at("2026-11-24T12:00:00Z")))
        let last = try policy([day, free].joined(separator: "\n"))
        #expect(
            try #require(last.waits(subject(), at: tuesday, in: grid(400))).askAgain == (try at("2026-11-25T00:00:00Z"))
        )
    }

    /// From a hold at all times somebody has released the job, or it would not be asked about.
    @Test func whatHoldsAtAllTimesIsNotAskedAgain() throws {
        #expect(try policy(rule("queue = \"batch\"", then: "hold")).waits(subject(), at: tuesday) == nil)
        #expect(try policy(rule("hour = \"06-20\"", then: "deny")).waits(subject(), at: tuesday) == nil)
    }

    @Test func deferring() throws {
        let upTo = try policy(rule("cpus-above = 1", then: "defer", more: "up-to = \"12 h\"\nminimise = \"cost\""))
        let admitted = try #require(upTo.ask(job(cpus: 2)).job)
        let source = RuleReference(file: "p.toml", line: 4, name: "r")
        #expect(
            admitted.deferral
                == Deferral(latestStart: try at("2026-11-24T22:00:00Z"), goal: .cost, source: source))
        #expect(admitted.notBefore == nil && admitted.rule == source)
        #expect(
            admitted.reason == "may be deferred until 2026-11-24T22:00:00Z for less cost by rule \"r\" (p.toml:4)")
        #expect(upTo.ask(job()).job?.deferral == nil)
        let start = try at("2026-11-25T10:00:00Z")
        #expect(
            upTo.ask(job(cpus: 2, notBefore: start)).job?.deferral?.latestStart == (try at("2026-11-25T22:00:00Z")))
        let far = job(cpus: 2, notBefore: Timestamp(microseconds: .max))
        #expect(upTo.ask(far).job?.deferral?.latestStart.microseconds == .max)

        let until = try policy(rule("", then: "defer", more: "until = \"22:30\""))
        #expect(until.ask(job()).job?.notBefore == (try at("2026-11-24T22:30:00Z")))
        #expect(
            until.ask(job(), now: try at("2026-11-24T22:30:00Z")).job?.notBefore == (try at("2026-11-25T22:30:00Z")))
        #expect(until.ask(job()).job?.reason == "deferred until 2026-11-24T22:30:00Z by rule \"r\" (p.toml:4)")
        #expect(until.ask(job(notBefore: Timestamp(microseconds: .max))).job != nil)
    }

    @Test func aQueueDefersUnlessARuleDoes() throws {
        let queue = "[queue.a]\ndefault = true\ndefer = { up-to = \"2 h\" }\n[carbon]\nsource = { file = \"/i\" }\n"
        let plain = try #require(try policy(queue).ask(job()).job)
        #expect(plain.deferral?.latestStart == (try at("2026-11-24T12:00:00Z")))
        #expect(plain.deferral?.source?.name == "queue.a.defer.up-to" && plain.deferral?.goal == .carbon)
        #expect(plain.reason == "accepted")
        let shorter = queue + "[[rule]]\nname = \"r\"\nthen = \"defer\"\nup-to = \"1 h\"\n"
        #expect(try policy(shorter).ask(job()).job?.deferral?.latestStart == (try at("2026-11-24T11:00:00Z")))
        // From when it may start, not from when it was submitted.
        let held = queue + "[[rule]]\nname = \"r\"\nthen = \"hold\"\nmatch = { hour = \"06-20\" }\n"
        #expect(try policy(held).ask(job()).job?.deferral?.latestStart == (try at("2026-11-24T22:00:00Z")))
    }

    @Test func suspending() throws {
        let set = try policy(rule("intensity-above = \"300 g/kWh\"", then: "suspend"))
        let soft = subject(interruptible: true)
        #expect(set.bindsRunningJobs)
        #expect(set.bounds(for: soft, at: tuesday, in: grid(400)).suspension?.rule?.place == "p.toml:4")
        #expect(set.bounds(for: soft, at: tuesday, in: grid(300)).suspension == nil)
        #expect(set.bounds(for: subject(), at: tuesday, in: grid(400)).suspension == nil)
        // Nor does it start then; and it is taken all the same.
        #expect(set.waits(soft, at: tuesday, in: grid(400)) != nil)
        #expect(set.waits(subject(), at: tuesday, in: grid(400)) == nil)
        #expect(set.ask(job(), in: grid(400)).job?.rule == nil)
        #expect(!PolicySet.builtIn.bindsRunningJobs)
    }

    @Test func thresholdsOfAQueue() throws {
        let text = """
            [carbon]
            source = { file = "/i" }
            [queue.batch]
            default = true
            interruptible = true
            defer = { suspend-above = "400 g/kWh", resume-below = "350 g/kWh" }
            """
        let set = try policy(text)
        func suspends(_ grams: Double?, _ suspended: Bool) -> Bool {
            set.bounds(for: subject(), at: tuesday, in: grid(grams), whileSuspended: suspended).suspension != nil
        }
        #expect(!suspends(400, false) && suspends(401, false))
        #expect(suspends(400, true) && suspends(351, true) && !suspends(350, true))
        #expect(!suspends(nil, true) && !suspends(nil, false))
        #expect(
            set.bounds(for: subject(), at: tuesday, in: grid(500)).suspension?.reason
                == "suspended while above 400 g/kWh (queue.batch.defer.suspend-above, p.toml:6)")
        #expect(set.ask(job()).job?.interruptible == true)
    }

    @Test func theLowestCapCounts() throws {
        let text = """
            [queue.batch]
            default = true
            power-limit = "250 W"
            [[rule]]
            name = "free"
            match = { user = "bob" }
            then = "allow"
            [[rule]]
            name = "wide"
            match = { power-above = "1 kW" }
            then = "cap"
            power = "200 W"
            cpus = 8
            [[rule]]
            name = "narrow"
            match = { hour = "06-20" }
            then = "cap"
            cpus = 2
            """
        let set = try policy(text)
        let calm = set.bounds(for: subject(), at: tuesday)
        #expect(calm.power.value == Power(watts: 250) && calm.power.place == "p.toml:3")
        #expect(calm.cpus.value == 2 && calm.cpus.source?.name == "narrow")
        let busy = set.bounds(for: subject(), at: try at("2026-11-24T22:00:00Z"), in: grid(watts: 1200))
        #expect(busy.power.value == Power(watts: 200) && busy.cpus.value == 8)
        // Who is allowed before is spared; the queue's own limit is no rule.
        let bob = subject(Submitter(uid: 7, user: "bob", groups: []))
        let spared = set.bounds(for: bob, at: tuesday, in: grid(watts: 1200))
        #expect(spared.cpus.value == nil && spared.power.value == Power(watts: 250))
        // A cap decides nothing about who is taken.
        #expect(set.ask(job(), in: grid(watts: 1200)).job?.rule == nil)
    }

    @Test func nextChange() throws {
        #expect(PolicySet.builtIn.nextChange(after: tuesday) == nil)
        let rules = try policy(rule("hour = \"06-20\"", then: "hold"))
        #expect(rules.nextChange(after: tuesday) == (try at("2026-11-24T20:00:00Z")))
        let more = rule("hour = \"06-20\"", then: "hold") + "[budget.a]\nenergy = \"1 kWh/week\"\n"
        #expect(try policy(more).nextChange(after: try at("2026-11-29T20:00:00Z")) == at("2026-11-30T00:00:00Z"))
        #expect(try policy(rule("intensity-above = \"1 g/kWh\"", then: "hold")).nextChange(after: tuesday) == nil)
        #expect(rules.nextChange(after: Timestamp(microseconds: .max)) == nil)
    }
}
