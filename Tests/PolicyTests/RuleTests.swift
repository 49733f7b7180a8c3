import ConfigFile
import JobAPI
import Testing
import Units

@testable import Policy

@Suite struct RuleTests {
    private func rule(_ match: String, then: String = "deny", more: String = "") -> String {
        "[[rule]]\nname = \"r\"\nmatch = { \(match) }\nthen = \"\(then)\"\n\(more)\n"
    }

    @Test(arguments: [
        ("user = \"alice\"", true), ("user = \"bob\"", false), ("user = [\"bob\", \"alice\"]", true),
        ("group = \"vision\"", true), ("group = \"root\"", false), ("project = \"default\"", true),
        ("project = \"nlp\"", false), ("queue = \"batch\"", true), ("queue = \"long\"", false),
        ("kind = \"command\"", true), ("kind = \"train\"", false), ("cpus-above = 1", true),
        ("cpus-above = 2", false), ("gpus-above = 0", true), ("gpus-above = 1", false),
        ("memory-above = \"1 GiB\"", true), ("memory-above = \"2 GiB\"", false), ("hour = \"10-11\"", true),
        ("hour = \"11-10\"", false), ("weekday = \"tue\"", true), ("weekday = \"wed-mon\"", false),
        ("user = \"alice\", queue = \"long\"", false), ("user = \"alice\", queue = \"batch\"", true), ("", true),
    ])
    func matching(match: String, expected: Bool) throws {
        let answer = try policy(rule(match)).ask(job(cpus: 2, memory: gib(2), gpus: 1))
        #expect((answer.refusal != nil) == expected)
    }

    @Test func theFirstThatMatchesDecides() throws {
        let allow = "[[rule]]\nname = \"friends\"\nmatch = { user = \"alice\" }\nthen = \"allow\"\n"
        let deny = "[[rule]]\nname = \"closed\"\nthen = \"deny\"\nmessage = \"closed for repair\"\n"
        let set = try policy(allow + deny)
        #expect(set.ask(job()).job?.rule == RuleReference(file: "p.toml", line: 1, name: "friends"))
        let refusal = try #require(set.ask(job(), by: Submitter(uid: 7, user: "bob", groups: [])).refusal)
        #expect(refusal.message == "refused by rule \"closed\" (p.toml:5): closed for repair")
        #expect(refusal.hint == "the rule is: deny always")
        #expect(refusal.rule?.line == 5)
    }

    /// Allowing is not more than the machine, the queue and the sandbox allow.
    @Test func anAllowingRuleOpensNothing() throws {
        let set = try policy(rule("user = \"alice\"", then: "allow"))
        #expect(set.ask(job(cpus: 64)).refusal != nil)
        #expect(set.ask(job(time: 1e6)).refusal != nil)
        #expect(set.ask(job(sandbox: .init(network: true))).refusal != nil)
    }

    @Test func aDenialByTheClockSaysWhenItPasses() throws {
        let set = try policy(rule("hour = \"08-20\", weekday = \"mon-fri\""))
        let refusal = try #require(set.ask(job()).refusal)
        #expect(
            refusal.hint
                == "submit it again after 2026-11-24T20:00:00Z, or with not-before = \"2026-11-24T20:00:00Z\"; the rule is: deny when hour = 08-20 UTC and weekday = mon-fri"
        )
        // And it does pass.
        #expect(set.ask(job(notBefore: try at("2026-11-24T20:00:00Z"))).job != nil)
        #expect(set.ask(job(), now: try at("2026-11-24T20:00:00Z")).job != nil)
    }

    @Test func aHoldWithoutAClockWaitsForAPerson() throws {
        let set = try policy(rule("gpus-above = 0", then: "hold", more: "message = \"ask first\""))
        let held = try #require(set.ask(job(gpus: 1)).job)
        #expect(held.held)
        #expect(held.notBefore == nil)
        #expect(held.reason == "held by rule \"r\" (p.toml:1): ask first")
        #expect(held.rule?.place == "p.toml:1")
        #expect(set.ask(job()).job?.held == false)
    }

    @Test func aHoldByTheClockEndsByItself() throws {
        let set = try policy(rule("queue = \"batch\", hour = \"06-20\"", then: "hold"))
        let held = try #require(set.ask(job()).job)
        #expect(!held.held)
        #expect(held.notBefore == (try at("2026-11-24T20:00:00Z")))
        #expect(held.reason == "held by rule \"r\" (p.toml:1) until 2026-11-24T20:00:00Z")
        #expect(set.ask(job(), now: try at("2026-11-24T22:00:00Z")).job?.notBefore == nil)
    }

    /// Asking for a start in forbidden hours from within the allowed ones must not get round the rule.
    @Test func theEarliestStartCounts() throws {
        let set = try policy(rule("hour = \"06-20\"", then: "hold"))
        let night = try at("2026-11-24T22:00:00Z")
        let spec = job(notBefore: try at("2026-11-25T09:30:00Z"))
        #expect(set.ask(spec, now: night).job?.notBefore == (try at("2026-11-25T20:00:00Z")))
    }

    @Test func holdsOneAfterTheOther() throws {
        let text = """
            [[rule]]
            name = "day"
            match = { hour = "06-20" }
            then = "hold"
            [[rule]]
            name = "evening"
            match = { hour = "20-23" }
            then = "deny"
            """
        #expect(try policy(text).ask(job()).job?.notBefore == (try at("2026-11-24T23:00:00Z")))
        // Between them they leave no hour.
        let never = text + "\n[[rule]]\nname = \"night\"\nmatch = { hour = \"23-06\" }\nthen = \"hold\"\n"
        let held = try #require(try policy(never).ask(job()).job)
        #expect(held.held && held.notBefore == nil)
    }

    @Test func anotherHourMayAllow() throws {
        let text = rule("hour = \"22-06\"", then: "allow") + "[[rule]]\nname = \"else\"\nthen = \"hold\"\n"
        #expect(try policy(text).ask(job()).job?.notBefore == (try at("2026-11-24T22:00:00Z")))
    }
}
