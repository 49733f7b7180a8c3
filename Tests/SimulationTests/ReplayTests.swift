import Policy
import Scheduling
import TestSupport
import Testing
import Units

@testable import Simulation

@Suite struct ReplayTests {
    private func replay(
        _ jobs: [TraceJob], on machine: SimulatedMachine = machine(4), policy: PolicySet = .builtIn,
        queues: [String] = [], options: Replay.Options = .init()
    ) -> ReplayLog {
        let trace = Trace(jobs: jobs, users: ["ann", "bob"], queues: queues)
        return Replay.run(trace, under: policy, on: machine, options: options)
    }

    @Test func jobsRunBesideEachOtherWhileThereIsRoom() {
        let log = replay([
            traced("a", at: 0, run: 100, cpus: 2), traced("b", at: 10, run: 100, cpus: 2),
            traced("c", at: 20, run: 50, cpus: 3),
        ])
        #expect(log.starts == [0, 10, 110])
        #expect(log.ends == [100, 110, 160])
        #expect(log.runs.allSatisfy { $0.state == .finished })
        #expect(log.segments.map(\.job) == [0, 1, 2])
        #expect(log.begin == t(0))
        #expect(log.end == t(160))
    }

    @Test func whatEndsAtTheMomentOfASubmissionMakesRoomForIt() {
        let log = replay([traced("a", at: 0, run: 100, cpus: 4), traced("b", at: 100, run: 10, cpus: 4)])
        #expect(log.starts == [0, 100])
    }

    /// A job of 3 CPUs has to wait; one that is short enough passes it, one that is not does not.
    @Test func backfillsAsTheDaemonDoesAndNotWithALookAheadOfOne() {
        let jobs = [
            traced("first", at: 0, run: 100, cpus: 2, limit: 100), traced("wide", at: 1, run: 100, cpus: 4, limit: 100),
            traced("short", at: 2, run: 50, cpus: 2, limit: 50), traced("long", at: 3, run: 200, cpus: 2, limit: 200),
        ]
        #expect(replay(jobs).starts == [0, 100, 2, 200])
        #expect(replay(jobs, options: .init(lookAhead: 1)).starts == [0, 100, 200, 200])
    }

    /// The scheduler believes the limits, which are far from the truth here: what looks too long does not pass.
    @Test func theSchedulerDoesNotKnowRunTimes() {
        let jobs = [
            traced("first", at: 0, run: 100, cpus: 2, limit: 100), traced("wide", at: 1, run: 100, cpus: 4, limit: 100),
            traced("short", at: 2, run: 50, cpus: 2, limit: 3600),
        ]
        #expect(replay(jobs).starts == [0, 100, 200])
        #expect(replay(jobs, options: .init(limits: .exact)).starts == [0, 100, 2])
    }

    @Test func aLimitEndsWhatRunsLonger() throws {
        let log = replay([
            traced("cut", at: 0, run: 100, limit: 60), traced("just", at: 0, run: 60.7, limit: 60.7),
        ])
        #expect(log.runs.map(\.state) == [.timedOut, .finished])
        #expect(log.ends == [60, 60.7])
        let short = try policy("[queue.batch]\ndefault = true\nmax-time = \"30 s\"")
        #expect(replay([traced("cut", at: 0, run: 100)], policy: short).ends == [30])
    }

    @Test func thePolicyRefusesHoldsAndOrders() throws {
        let rules = try policy(
            """
            [queue.batch]
            default = true
            [queue.urgent]
            priority = 100
            [[rule]]
            name = "no-bob"
            match = { user = "bob" }
            then = "deny"
            [[rule]]
            name = "wide-is-held"
            match = { cpus-above = 3 }
            then = "hold"
            """)
        let log = replay(
            [
                traced("a", at: 0, run: 100, cpus: 3, limit: 100, user: 0), traced("bob", at: 1, run: 100, user: 1),
                traced("wide", at: 1, run: 100, cpus: 4, user: 0), traced("late", at: 2, run: 10, cpus: 3, user: 0),
                traced("urgent", at: 3, run: 10, cpus: 3, user: 0, queue: 0),
                traced("elsewhere", at: 4, run: 1, limit: 1, user: 0, queue: 1),
            ], policy: rules, queues: ["urgent", "nowhere"])
        #expect(log.runs.map(\.state) == [.finished, .refused, .waiting, .finished, .finished, .finished])
        #expect(log.starts == [0, nil, nil, 110, 100, 4])
        #expect(log.refusals.count == 1)
        #expect(log.refusals.keys.first?.contains("no-bob") == true)
    }

    /// 2023-11-14 22:13:20: the rule holds the job until midnight.
    @Test func wakesUpWhenTheHourOfARuleIsOver() throws {
        let nights = try policy(
            "[[rule]]\nname = \"evening\"\nmatch = { hour = \"20-24\" }\nthen = \"hold\"")
        let log = replay([traced("a", at: 0, run: 10)], policy: nights)
        #expect(log.runs.first?.started == (try? Timestamp(parsing: "2023-11-15T00:00:00Z")))
    }

    @Test func withoutACapacityNobodyWaits() {
        let log = replay(
            (0..<50).map { traced("\($0)", at: 0, run: 10, cpus: 1_000_000, gpus: 1_000_000) },
            on: SimulatedMachine(capacity: nil))
        #expect(log.starts == Array(repeating: 0, count: 50))
    }

    @Test func anEmptyTraceIsOverAtOnce() {
        let log = replay([])
        #expect(log.runs.isEmpty)
        #expect(log.plans == 0)
    }

    /// Queued one after the other these jobs would go on for three thousand years.
    @Test func whatGoesOnForEverIsStopped() throws {
        let endless = try policy("[queue.batch]\ndefault = true")
        let log = replay(
            (0..<300).map { traced("\($0)", at: 0, run: Trace.longestRun, cpus: 4) }, policy: endless)
        #expect(log.runs.filter { $0.state == .waiting }.count > 150)
        #expect(log.notes.first?.contains("a thousand years") == true)
    }
}
