import JobAPI
import TestSupport
import Testing
import Units

@testable import Scheduling

@Suite struct RunHistoryTests {
    private func run(_ seconds: Double, whole: Bool = true, cpus: Int = 1, watts: Double? = nil) -> RunSample {
        RunSample(
            seconds: seconds, isWhole: whole, cpus: cpus,
            watts: watts.map { .init(low: $0 * 0.5, mean: $0, high: $0 * 2, tier: .table) })
    }

    private func keys(
        _ command: [String], user: UInt32 = 1, name: String? = nil, queue: String = "batch", cpus: Int = 1,
        gpus: Int = 0
    ) -> JobKeys {
        JobKeys(
            JobSpec(name: name, resources: .init(cpus: cpus, gpus: gpus), command: .init(argv: command)), user: user,
            queue: queue)
    }

    // MARK: - Quantiles

    @Test func quantilesAreValuesThatWereSeen() {
        let quantiles = Quantiles((1...20).map { run(Double($0)) })
        #expect(quantiles.low == 2 && quantiles.median == 10 && quantiles.high == 18)
        let one = Quantiles([run(7)])
        #expect(one.low == 7 && one.median == 7 && one.high == 7)
        #expect(Quantiles([]) == Quantiles([run(5, whole: false)]), "nothing is known of either")
    }

    @Test func theShortWayIsTheLongOne() {
        var random = Seeded(9)
        for count in 1...40 {
            let runs = (0..<count).map { _ in run(Double(Int.random(in: 1...20, using: &random))) }
            #expect(Quantiles.high(runs) == Quantiles(runs).high)
        }
        #expect(Quantiles.high([run(5, whole: false)]) == nil && Quantiles.high([]) == nil)
    }

    /// Worked out by hand: after 1 of 4 a quarter has ended, the run cut at 2 leaves 2 of which one ends at 3, half of the rest:
    /// 5/8 have ended. The last is cut, so nobody knows what nine tenths come to.
    @Test func whatWasCutOffCountsUpToThere() {
        let quantiles = Quantiles([run(3), run(4, whole: false), run(1), run(2, whole: false)])
        #expect(quantiles.low == 1 && quantiles.median == 3 && quantiles.high == nil)
    }

    /// Against the truth: run times of which those above a limit are cut off there. The estimator stays with the quantiles of all,
    /// where leaving the cut ones out, or taking them for whole, does not.
    @Test(arguments: [1, 2, 3] as [UInt64]) func cuttingOffDoesNotBiasTheMedian(seed: UInt64) throws {
        var random = Seeded(seed)
        let times = (0..<4000).map { _ in Double.random(in: 0...100, using: &random) }
        let cut = times.map { time in
            let limit = Double.random(in: 20...120, using: &random)
            return run(min(time, limit), whole: time <= limit)
        }
        let median = try #require(Quantiles(cut).median)
        #expect(abs(median - 50) < 3)
        let naive = try #require(Quantiles(cut.filter(\.isWhole)).median)
        #expect(naive < 45)
    }

    // MARK: - Likes

    @Test func keysTellJobsApart() {
        let one = keys(["train.py", "--lr", "0.1"], name: "a")
        #expect(one == keys(["train.py", "--lr", "0.1"], name: "a"))
        let swept = keys(["train.py", "--lr", "25"], name: "a")
        #expect(one.job != swept.job && one.work == swept.work && one.name == swept.name)
        #expect(one.work == keys(["train.py", "--lr", "1e-05"], name: "b").work)
        let other = keys(["train.py", "--lr", "0.1"], user: 2, name: "a")
        for likeness in Likeness.allCases { #expect(one[likeness] != other[likeness]) }
        let card = keys(["train.py", "--lr", "0.1"], name: "a", gpus: 1)
        for likeness in Likeness.allCases { #expect(one[likeness] != card[likeness]) }
        let wide = keys(["train.py", "--lr", "0.1"], name: "a", cpus: 2)
        #expect(one.job != wide.job && one.work != wide.work && one.name == wide.name && one.queue == wide.queue)
        #expect(keys(["a", "bc"]).job != keys(["ab", "c"]).job)
    }

    @Test func theMostSpecificLikesThatSayEnoughCount() throws {
        var history = RunHistory()
        let mine = keys(["train.py", "1"], name: "a")
        #expect(history.estimate(mine, cpus: 1) == nil)
        for _ in 0..<10 { history.note(run(100), of: keys(["other"], name: "z")) }
        #expect(history.estimate(mine, cpus: 1)?.likeness == .queue)
        #expect(history.predicted(mine) == nil, "a queue says too little to plan with")
        for _ in 0..<5 { history.note(run(50), of: keys(["else", "x"], name: "a")) }
        #expect(history.estimate(mine, cpus: 1)?.likeness == .name)
        for _ in 0..<3 { history.note(run(20), of: keys(["train.py", "2"], name: "b")) }
        #expect(history.estimate(mine, cpus: 1)?.likeness == .work)
        for _ in 0..<2 { history.note(run(10), of: mine) }
        #expect(history.estimate(mine, cpus: 1)?.likeness == .work, "two are not enough")
        history.note(run(12), of: mine)
        let estimate = try #require(history.estimate(mine, cpus: 1))
        #expect(estimate.likeness == .job && estimate.runs == 3 && estimate.seconds.median == 10)
        let predicted = try #require(history.predicted(mine)).seconds
        #expect(predicted >= 12 && predicted <= 12 * 1.2)
    }

    @Test func powerGoesByTheCPUsAndKeepsTheWorstTier() throws {
        var history = RunHistory()
        for watts in [10.0, 20, 30] { history.note(run(5, cpus: 2, watts: watts), of: keys(["t"], cpus: 2)) }
        for _ in 0..<2 { history.note(run(5, cpus: 2), of: keys(["t"], cpus: 2)) }
        let same = try #require(history.estimate(keys(["t"], cpus: 2), cpus: 2)?.watts)
        #expect(same.mean == 20 && same.low == 5 && same.high == 60 && same.tier == .table)
        let wide = try #require(history.estimate(keys(["t"], cpus: 4), cpus: 4))
        #expect(wide.likeness == .name && wide.watts?.mean == 40)
    }

    @Test func whatIsCutTooOftenIsNotPredicted() {
        var history = RunHistory()
        let mine = keys(["t"])
        for _ in 0..<2 { history.note(run(10), of: mine) }
        for _ in 0..<2 { history.note(run(60, whole: false), of: mine) }
        #expect(history.predicted(mine.work) == nil)
        #expect(history.estimate(mine, cpus: 1)?.cut == 2)
    }

    // MARK: - Bounds

    @Test func theLastRunsCount() {
        var history = RunHistory()
        let mine = keys(["t"])
        for _ in 0..<100 { history.note(run(1000), of: mine) }
        for _ in 0..<RunHistory.samplesPerKey { history.note(run(10), of: mine) }
        #expect(history.estimate(mine, cpus: 1)?.seconds == Quantiles([run(10)]))
    }

    @Test func keysAreBoundedAndThoseThatAreMetStay() {
        var history = RunHistory()
        let mine = keys(["mine"], user: 7, name: "mine")
        for _ in 0..<3 { history.note(run(10), of: mine) }
        for index in 0..<20_000 {
            history.note(run(20), of: keys(["other", "x\(index)"], user: UInt32(index), name: "n\(index)"))
            #expect(history.keyCount <= RunHistory.mostKeys)
            if index % 200 == 0 { history.note(run(10), of: mine) }
        }
        #expect(history.estimate(mine, cpus: 1)?.runs == RunHistory.samplesPerKey)
        #expect(history.estimate(keys(["other", "x0"], user: 0, name: "n0"), cpus: 1) == nil)
    }

    @Test func stepsAreAFifthApart() {
        var random = Seeded(3)
        for _ in 0..<1000 {
            let seconds = Double.random(in: 1...1e6, using: &random)
            let predicted = PredictedTime(atLeast: seconds).seconds
            #expect(predicted >= seconds * (1 - 1e-9) && predicted <= seconds * 1.1893)
        }
        #expect(PredictedTime(atLeast: 0).seconds == 1 && PredictedTime(atLeast: .nan).seconds >= 1)
        #expect(PredictedTime(atLeast: .infinity).seconds > 1e9)
    }

    @Test func whatIsNoRunIsNone() {
        for seconds in [0, -1, Double.nan, .infinity, 1e11] {
            #expect(RunSample(seconds: seconds, isWhole: true, cpus: 1, energy: nil, tier: nil) == nil)
        }
        let odd = RunSample(seconds: 5, isWhole: true, cpus: 1, energy: (9, 5, 7), tier: .measured)
        #expect(odd != nil && odd?.watts == nil, "a figure outside of its range")
    }
}
