import FoundationEssentials
import Testing
import Units

@testable import JobAPI

@Suite struct WireTests {
    @Test func keysAreSnakeCaseWithUnits() throws {
        let figures = EnergyFigures(energyJ: 1.5, tier: .table)
        let text = try JSON.text(figures)
        #expect(text.contains("\"energy_j\":1.5"))
        #expect(text.contains("\"reserved_idle_j\":0"))
        #expect(try JSON.decode(EnergyFigures.self, from: Data(text.utf8)) == figures)
    }

    @Test func environmentNamesAreNotRewritten() throws {
        let spec = JobSpec(command: .init(argv: ["a"], env: ["OMP_NUM_THREADS": "2", "someThing": "x"]))
        #expect(try JSON.decode(JobSpec.self, from: JSON.encode(spec)).command?.env == spec.command?.env)
    }

    @Test func aSmallBodyIsEnough() throws {
        let body = Data(#"{"command": {"argv": ["true"]}, "resources": {"cpus": 2}}"#.utf8)
        let spec = try JSON.decode(JobSpec.self, from: body)
        #expect(spec.resources == .init(cpus: 2))
        #expect(spec.command?.argv == ["true"])
    }

    @Test(arguments: [
        (#"{"command": {"argv": ["a"]}, "bogus": 1}"#, "unknown key \"bogus\""),
        (#"{"command": {"argv": ["a"]}, "resources": {"time_limit": 5}}"#, "did you mean \"time_limit_s\"?"),
        (#"{"command": {"argv": ["a"], "environment": {}}}"#, "unknown key \"environment\""),
        (#"{"command": {"argv": ["a"]}, "sandbox": {"readonly": []}}"#, "did you mean \"read_only\"?"),
        (#"{"command": {"argv": ["a"]}, "schedule": {"notbefore": "2026-11-24"}}"#, "did you mean \"not_before\"?"),
    ])
    func aMisspeltKeyIsRefused(body: String, message: String) {
        let error = #expect(throws: DecodingError.self) { try JSON.decode(JobSpec.self, from: Data(body.utf8)) }
        guard case .dataCorrupted(let context) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(context.debugDescription.contains(message))
    }

    @Test(arguments: [
        TrainingEvent.progress(.init(epoch: 1, epochs: 2, step: 3, steps: 4, samples: 5)),
        .metric(.init(name: "loss", split: "train", value: 0.5, epoch: 1)), .checkpoint(path: "a", step: 2),
        .artifact(.init(kind: "model", path: "m")), .done,
    ])
    func eventsSurviveTheWire(event: TrainingEvent) throws {
        #expect(try JSON.decode(TrainingEvent.self, from: JSON.encode(event)) == event)
    }

    @Test(arguments: [
        "{}", "[]", "{\"event\":\"x\"}", "{\"event\":\"progress\"}", "nope", "{\"event\":\"metric\",\"value\":\"a\"}",
    ])
    func hostileEventsAreErrors(line: String) {
        #expect(throws: (any Error).self) { try JSON.decode(TrainingEvent.self, from: Data(line.utf8)) }
    }

    @Test func everyStateButFinalOnesHasSuccessors() {
        for state in JobState.allCases { #expect(state.successors.isEmpty == state.isFinal) }
    }

    @Test func progressFraction() {
        #expect(Progress(epoch: 2, epochs: 4, step: 5, steps: 10).fraction == 0.375)
        #expect(Progress(epoch: 9, epochs: 4).fraction == 1)
        #expect(Progress(epoch: 1).fraction == nil)
    }

    @Test func jobNumbers() {
        #expect(JobID("42")?.number == 42)
        for text in ["", "0", "-1", "4x", "42.7"] { #expect(JobID(text) == nil) }
    }
}
