import JobAPI
import TestSupport
import Testing

@testable import Scheduling

/// What is done when the machine draws more than its cap.
@Suite struct CapKeeperTests {
    @Test func itActsOnWhatLastsAndNotOnAPeak() {
        var keeper = CapKeeper()
        var verdicts: [Double: CapKeeper.Verdict] = [:]
        for second in stride(from: 0.0, through: 40, by: 1) {
            // A peak of five seconds, then for good.
            let watts = (3..<8).contains(second) || second >= 12 ? 130.0 : 90
            let verdict = keeper.note(watts, cap: 100, at: second)
            if verdict != .steady { verdicts[second] = verdict }
        }
        #expect(verdicts == [22: .tighten(by: 30), 32: .tighten(by: 30)])
    }

    /// Readings may be rare: two are no proof.
    @Test func itWantsThreeReadings() {
        var keeper = CapKeeper()
        #expect(keeper.note(130, cap: 100, at: 0) == .steady)
        #expect(keeper.note(130, cap: 100, at: 30) == .steady)
        #expect(keeper.note(130, cap: 100, at: 60) == .tighten(by: 30))
    }

    @Test func itLetsGoLateAndLaterEachTimeThatWasTooEarly() {
        var keeper = CapKeeper()
        var watts = 130.0
        var loosened: [Double] = []
        for second in stride(from: 0.0, through: 2000, by: 1) {
            switch keeper.note(watts, cap: 100, at: second) {
            case .steady: break
            case .tighten:
                keeper.did(.freeze(JobID(1)))
                watts = 80
            case .loosen:
                #expect(keeper.undo() == [.freeze(JobID(1))])
                loosened.append(second)
                watts = 130
            }
        }
        // 60, 120, 240, 480 and 960 seconds after the step of each time.
        #expect(loosened.count == 5)
        let waits = zip(loosened, loosened.dropFirst()).map { $1 - $0 }
        #expect(waits.count == 4 && zip(waits, waits.dropFirst()).allSatisfy { $0 < $1 }, "\(loosened)")
        // Between the two lines nothing is done.
        #expect(keeper.note(95, cap: 100, at: 5000) == .steady)
        #expect(keeper.note(95, cap: 100, at: 9000) == .steady)
    }

    @Test func firstTheHardwareThenCPUsThenWhatMayStandStill() {
        let package = CapKeeper.Part(key: "p", drawn: 90, limit: 200, least: 50)
        let card = CapKeeper.Part(key: "g", drawn: 210, limit: 250, least: 170)
        #expect(
            CapKeeper.steps(against: 40, parts: [package, card], jobs: [])
                == [.limit(key: "p", watts: 70), .limit(key: "g", watts: 190)])
        // Never below what each bears, however much is too much.
        #expect(
            CapKeeper.steps(against: 1000, parts: [package, card], jobs: [])
                == [.limit(key: "p", watts: 50), .limit(key: "g", watts: 170)])
        let spent = CapKeeper.Part(key: "p", drawn: 50, limit: 50, least: 50)
        var jobs = [
            CapKeeper.Candidate(id: JobID(1), priority: 0, cpus: 4, canFreeze: true),
            CapKeeper.Candidate(id: JobID(2), priority: 0, cpus: 3, canFreeze: false),
            CapKeeper.Candidate(id: JobID(3), priority: 9, cpus: 8, canFreeze: true),
        ]
        #expect(CapKeeper.steps(against: 40, parts: [spent], jobs: jobs) == [.cpus(JobID(2), 1)])
        jobs[1].cpus = 1
        #expect(CapKeeper.steps(against: 40, parts: [spent], jobs: jobs) == [.cpus(JobID(1), 2)])
        for index in jobs.indices { jobs[index].cpus = 1 }
        #expect(CapKeeper.steps(against: 40, parts: [], jobs: jobs) == [.freeze(JobID(1))])
        jobs.removeFirst()
        #expect(CapKeeper.steps(against: 40, parts: [], jobs: jobs) == [.freeze(JobID(3))])
        #expect(CapKeeper.steps(against: 40, parts: [], jobs: [jobs[0]]) == [])
    }

    @Test func stepsAreUndoneFromTheLast() {
        var keeper = CapKeeper()
        let steps: [CapKeeper.Step] = [
            .limit(key: "p", watts: 60), .limit(key: "p", watts: 50), .cpus(JobID(1), 2), .cpus(JobID(1), 1),
            .freeze(JobID(2)),
        ]
        for step in steps { keeper.did(step) }
        keeper.forget(JobID(2))
        #expect(keeper.undo() == [steps[3]])
        #expect(keeper.undo() == [steps[2]])
        #expect(keeper.undo() == [steps[1], steps[0]])
        #expect(keeper.undo() == [] && keeper.steps.isEmpty)
    }

    /// Whatever the readings: limits stay within their bounds, and all that was done is undone in the end.
    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func limitsStayWithinTheirBounds(seed: UInt64) {
        var random = Seeded(seed)
        var keeper = CapKeeper()
        var limit = 200.0
        var cpus = 8
        for second in 0..<3000 {
            let watts = second < 1500 ? Double.random(in: 50...250, using: &random) : 20
            switch keeper.note(watts, cap: 120, at: Double(second)) {
            case .steady: break
            case .tighten(let excess):
                #expect(excess > 0)
                let part = CapKeeper.Part(key: "p", drawn: watts, limit: limit, least: 60)
                let job = CapKeeper.Candidate(id: JobID(1), priority: 0, cpus: cpus, canFreeze: false)
                for step in CapKeeper.steps(against: excess, parts: [part], jobs: [job]) {
                    if case .limit(_, let watts) = step { limit = watts }
                    if case .cpus(_, let count) = step { cpus = count }
                    #expect(limit >= 60 && limit <= 200 && cpus >= 1)
                    keeper.did(step)
                }
            case .loosen: #expect(!keeper.undo().isEmpty)
            }
        }
        #expect(keeper.steps.isEmpty)
    }
}
