import JobAPI
import Testing

@testable import Scheduling

/// Which power limit a job's likes ran well under.
@Suite struct PowerLimitHistoryTests {
    private let keys = JobKeys(user: 1, name: "a", work: [1], shape: [1], queue: "batch", request: vector(1))

    private func history(_ runs: (limit: RunSample.Limit, seconds: [Double], watts: Double)...) throws -> RunHistory {
        var history = RunHistory()
        for (limit, times, watts) in runs {
            for seconds in times {
                let joules = watts * seconds
                var run = try #require(
                    RunSample(
                        seconds: seconds, isWhole: true, cpus: 1, energy: (joules, joules, joules), tier: .measured))
                run.limit = limit
                history.note(run, of: keys)
            }
        }
        return history
    }

    @Test func theLowestThatCostsHardlyAnyTime() throws {
        let history = try history(
            (.none, [100, 101, 99], 300), (.held(250), [100, 100, 101], 250), (.held(200), [104, 103, 200], 200),
            (.held(150), [130, 131, 132], 150), (.changing, [1, 1, 1], 10))
        guard case .limit(let choice) = history.limit(keys.work) else {
            Issue.record("\(history.limit(keys.work))")
            return
        }
        #expect(choice.watts == 200 && choice.runs == 3)
        #expect(abs(choice.slowdown - 0.04) < 1e-9)
        // 300 W for 100 s on the mean against 200 W for 407 s in three.
        #expect(abs(choice.saved - (30_000 - 200 * 407 / 3.0)) < 1e-6)
    }

    @Test func whatIsNotKnownIsNotChosen() throws {
        #expect(RunHistory().limit(keys.work) == .noLimitedRuns)
        #expect(RunHistory().limit(0) == .noLimitedRuns)
        #expect(try history((.none, [1, 1, 1], 9), (.held(100), [1, 1], 5)).limit(keys.work) == .noLimitedRuns)
        #expect(try history((.none, [1, 1], 9), (.held(100), [1, 1, 1], 5)).limit(keys.work) == .noFreeRuns)
        #expect(try history((.none, [10, 10, 10], 9), (.held(100), [11, 11, 11], 5)).limit(keys.work) == .allSlow)
    }
}
