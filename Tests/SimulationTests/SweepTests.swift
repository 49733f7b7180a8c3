import Carbon
import JobAPI
import Policy
import Testing
import Units

@testable import Simulation

@Suite struct SweepTests {
    @Test(arguments: [
        ("queue.batch.priority=1, 10,100", ["1", "10", "100"]),
        ("queue.batch.max-time=0..48/24 h", ["0 h", "24 h", "48 h"]),
        ("queue.batch.defer.up-to=0h..48h/24", ["0 h", "24 h", "48 h"]),
        ("site.pue=1..1.5/0.25", ["1", "1.25", "1.5"]),
        ("machine.power-cap=300..500/100 W", ["300 W", "400 W", "500 W"]),
    ])
    func readsListsAndRanges(text: String, values: [String]) throws {
        #expect(try Knob(parsing: text).values == values)
    }

    @Test(arguments: [
        "queue.batch.priority", "=1", "priority=1", "queue..x=1", "queue.\"x\".y=1", "a.b=1..2", "a.b=2..1/1",
        "a.b=0..1e9/1", "a.b=nan..2/1", "a.b=0..2/0", "a.b=x..2/1", "a.b=", "a.b=0h..2min/1", "a.b=0..1e3/1",
    ])
    func refusesWhatIsNoSetting(text: String) {
        #expect(throws: SweepError.self) { try Knob(parsing: text) }
    }

    @Test func valuesAreWrittenAsTOMLWhateverTheyHold() throws {
        let knob = try Knob(name: "a.b", values: ["x"])
        #expect(knob.line("12") == "a.b = 12\n")
        #expect(knob.line("6 h") == "a.b = \"6 h\"\n")
        #expect(knob.line("true") == "a.b = true\n")
        #expect(knob.line("x\"\\\n[evil]") == "a.b = \"x\\\"\\\\?[evil]\"\n")
    }

    @Test func aQueueOfTheBuiltInPolicyCanBeTurned() throws {
        let knob = try Knob(parsing: "queue.batch.priority=55")
        let policy = try Sweep.policy(knob, "55", [])
        #expect(policy.queues.map(\.priority.value) == [100, 55, 1])
        #expect(policy.queues.map(\.maxTime.value) == PolicySet.builtIn.queues.map(\.maxTime.value))
        #expect(policy.defaultQueue?.name == "batch")
        let own = try Sweep.policy(knob, "55", [(name: "z.toml", text: "[queue.batch]\ndefault = true\npriority = 3")])
        #expect(own.queues.map(\.priority.value) == [55])
    }

    @Test func saysWhatDoesNotGoWithThePolicyBeforeReplaying() throws {
        let knob = try Knob(parsing: "queue.batch.priorty=1")
        let error = #expect(throws: SweepError.self) {
            try Sweep.run(knob, in: [], over: Trace(), named: "t", on: machine(1))
        }
        #expect(error?.description.contains("priority") == true, "\(error?.description ?? "")")
    }

    @Test(arguments: [
        ("queue.batc.priority", "did you mean \"queue.batch.priority\"?"),
        ("limits.max-runing-per-user", "did you mean \"limits.max-running-per-user\"?"),
        ("reservation.a-course-of-students.cpus", "its queues: interactive, batch, long"),
        ("rule.up-to", "rules have no key of their own"),
        ("site.zone", "all replays have one site"), ("carbon.price", "--price CSV"),
        ("sandbox.default.network", "a trace does not tell"), ("queue.batch.max-suspended", "as fast as they did then"),
    ])
    func refusesWhatThePolicyLacksOrAReplayIgnores(name: String, hint: String) throws {
        let knob = try Knob(name: name, values: ["1"])
        let error = #expect(throws: SweepError.self) { try knob.check(in: .builtIn) }
        #expect(error?.hint?.contains(hint) == true, "\(error?.description ?? "")")
    }

    @Test(arguments: [
        "queue.batch.defer.up-to", "machine.reserve-cpus", "machine.power-cap", "fair-share.strength",
        "fair-share.weights.ann", "limits.max-cpus-per-user", "sandbox.default.max-cpus", "access.submit",
    ])
    func takesWhatAReplayGoesBy(name: String) throws {
        try Knob(name: name, values: ["1"]).check(in: .builtIn)
    }

    @Test func whatChangesNothingIsSaid() throws {
        let trace = Trace(jobs: [traced("one", at: 0, run: 60)])
        let report = try Sweep.run(
            try Knob(parsing: "queue.batch.priority=1,2"), in: [], over: trace, named: "t", on: machine(1))
        #expect(report.notes.last?.hasPrefix("no value of queue.batch.priority changes anything") == true)
    }

    @Test func pointsThatAnotherBeatsAreNotBest() {
        #expect(
            Sweep.best([(1, 5), (2, 4), (2, 5), (3, 1), (3, 1), (4, 1)]) == [true, true, false, true, true, false])
        #expect(Sweep.best([]) == [])
    }

    /// With a longer limit more of the long job's work is done: more energy, a longer wait for the short one.
    @Test func eachValueIsReplayed() throws {
        let trace = Trace(jobs: [
            traced("long", at: 0, run: 3600, power: 100), traced("short", at: 1, run: 60, power: 100),
        ])
        let knob = try Knob(parsing: "queue.batch.max-time=10..30/10 min")
        let report = try Sweep.run(
            knob, in: [], over: trace, named: "two jobs", on: machine(1),
            prices: GridPrices(steadyIntensity: CarbonIntensity(gramsPerKilowattHour: 100)))
        #expect(report.rows.map(\.value) == ["10 min", "20 min", "30 min"])
        #expect(report.rows.map(\.figures.energyJ) == [66_000, 126_000, 186_000])
        #expect(report.rows.map(\.figures.waitMaxS) == [599, 1199, 1799])
        #expect(report.rows.map(\.isBest) == [true, false, false])
    }

    @Test func policiesAreComparedOnTheSameTrace() throws {
        let trace = Trace(
            jobs: [traced("long", at: 0, run: 3600), traced("short", at: 1, run: 60)], notes: ["made for a test"])
        let short = try policy("[queue.batch]\ndefault = true\nmax-time = \"10 min\"")
        let report = Comparison.run(
            trace, named: "two jobs", under: [("now", .builtIn), ("new", short)], on: machine(1))
        #expect(report.rows.map(\.name) == ["now", "new"])
        #expect(report.rows.map(\.figures.waitMaxS) == [3599, 599])
        #expect(report.notes == ["made for a test"])
    }
}
