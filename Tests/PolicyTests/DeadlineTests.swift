import JobAPI
import Testing
import Units

@testable import Policy

/// Deadlines that cannot be kept are not taken.
@Suite struct DeadlineTests {
    private func due(_ seconds: Double, time: Double? = nil, notBefore: Double? = nil) -> JobSpec {
        var spec = job(time: time)
        spec.schedule.deadline = tuesday.advanced(by: .seconds(seconds))
        spec.schedule.notBefore = notBefore.map { tuesday.advanced(by: .seconds($0)) }
        return spec
    }

    @Test func oneThatIsPast() throws {
        for seconds in [-1.0, 0] {
            let refusal = try #require(PolicySet.builtIn.ask(due(seconds)).refusal)
            #expect(refusal.message.hasSuffix("is past") && refusal.message.hasPrefix("the deadline 2026-11-24T"))
        }
    }

    @Test func oneThatEvenAStartNowWouldMiss() throws {
        let refusal = try #require(PolicySet.builtIn.ask(due(3600, time: 7200)).refusal)
        #expect(
            refusal.message
                == "a start at 2026-11-24T10:00:00Z would miss the deadline 2026-11-24T11:00:00Z: its time limit is 2 h"
        )
        #expect(
            refusal.hint == "state a time limit of at most 1 h, or a deadline of 2026-11-24T12:00:01Z or later")
        // What the hint says passes, each way.
        #expect(PolicySet.builtIn.ask(due(3600, time: 3600)).job?.deadline == tuesday.advanced(by: .seconds(3600)))
        #expect(PolicySet.builtIn.ask(due(7201, time: 7200)).job != nil)
        // The queue's limit is the job's where it states none.
        #expect(PolicySet.builtIn.ask(due(3600)).refusal != nil)
        // Where there is none, nobody can say.
        #expect(try policy("[queue.a]\ndefault = true\n").ask(due(3600)).job?.deadline != nil)
    }

    @Test func theTimeBeforeWhichItMayNotStartCounts() throws {
        #expect(PolicySet.builtIn.ask(due(3600, time: 1800, notBefore: 1800)).job != nil)
        let refusal = try #require(PolicySet.builtIn.ask(due(3600, time: 1800, notBefore: 2700)).refusal)
        #expect(refusal.message.hasPrefix("a start at 2026-11-24T10:45:00Z would miss"))
        let never = PolicySet.builtIn.ask(due(3600, time: 60, notBefore: 3600)).refusal
        #expect(never?.message.hasSuffix("before which the job may not start") == true)
        #expect(never?.hint == "submit it with a deadline of 2026-11-24T11:01:01Z or later, or an earlier not-before")
        // So does a rule that holds it.
        let nights = try policy("[[rule]]\nname = \"r\"\nmatch = { hour = \"08-20\" }\nthen = \"hold\"\n")
        let held = try #require(nights.ask(due(3600, time: 60)).refusal)
        #expect(
            held.message
                == "the deadline 2026-11-24T11:00:00Z is not after 2026-11-24T20:00:00Z, before which the job may not"
                + " start: held by rule \"r\" (p.toml:1) until 2026-11-24T20:00:00Z")
        #expect(held.hint == "submit it with a deadline of 2026-11-24T20:01:01Z or later; an admin may change the rule")
        #expect(nights.ask(due(10 * 3600 + 61, time: 60)).job != nil, "as the hint says")
        // One that leaves too little room after it names it too.
        let late = try #require(nights.ask(due(10 * 3600 + 1, time: 60)).refusal)
        #expect(late.message.hasSuffix("; held by rule \"r\" (p.toml:1) until 2026-11-24T20:00:00Z"), "\(late)")
        #expect(nights.ask(due(11 * 3600, time: 60)).job != nil)
    }

    @Test func whatIsLearnedCountsMoreThanTheLimit() throws {
        func ask(_ runTime: Double) -> Admission {
            PolicySet.builtIn.admit(
                due(3600), by: alice, machine: wholeMachine, queuedByUser: 0, now: tuesday, runTime: runTime)
        }
        #expect(ask(1800).job != nil)
        #expect(ask(4000).refusal?.message.contains("jobs like it ran 1 h 6 min") == true)
    }

    @Test func referencesAreReadAsTheyAreWritten() {
        for (file, name) in [("a/b (c).toml", "queue.x.defer"), ("p:1.toml", "a b"), ("", "n")] {
            let reference = RuleReference(file: file, line: 12, name: name)
            #expect(RuleReference(reference.description) == reference)
        }
        for text in ["", "x", "x (", "x (a:b)", "x (a)", "x(a:1)"] { #expect(RuleReference(text) == nil, "\(text)") }
    }
}
