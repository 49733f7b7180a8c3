import Carbon
import TestSupport
import Testing
import Units

@testable import Scheduling

/// A whole multiple of an hour.
private let midnight = 1_699_920_000.0

private func at(_ minutes: Double) -> Timestamp { Timestamp(seconds: midnight + minutes * 60) }

private func shifts(_ values: [Double], step: Int = 30, slot: Int = 30) throws -> ShiftPlanner {
    ShiftPlanner(
        series: try SignalSeries(start: at(0), step: .seconds(step * 60), values: values), slot: .seconds(slot * 60))
}

private func window(_ earliest: Double, _ deadline: Double, _ minutes: Double) -> ShiftPlanner.Window {
    .init(earliest: at(earliest), deadline: at(deadline), duration: .seconds(Int64(minutes * 60)))
}

private func run(_ from: Double, _ to: Double) -> ShiftPlanner.Run { .init(from: at(from), to: at(to)) }

@Suite struct ShiftPlannerTests {
    @Test func contiguousTakesTheCheapestWindow() throws {
        let planner = try shifts([300, 200, 100, 150, 400, 50])
        #expect(planner.start(in: window(0, 180, 60)) == at(60))
        #expect(planner.start(in: window(0, 90, 60)) == at(30))
        #expect(planner.start(in: window(0, 180, 30)) == at(150))
        #expect(planner.start(in: window(0, 179, 30)) == at(60))
        // Off the slots: at once is one of the choices.
        #expect(planner.start(in: window(75, 180, 30)) == at(150))
        #expect(planner.start(in: window(75, 170, 30)) == at(75))
    }

    /// 40 minutes from 1:00 are 30 at 100 and 10 at 900, from 0:30 they are 30 at 200 and 10 at 100.
    @Test func aLastPartOfASlotIsWeighedByItsLength() throws {
        let planner = try shifts([300, 200, 100, 900, 900])
        #expect(planner.start(in: window(0, 150, 40)) == at(30))
        #expect(planner.start(in: window(0, 150, 31)) == at(60))
        #expect(planner.runs(in: window(0, 150, 40), restart: .zero) == [run(30, 70)])
        #expect(planner.mean([run(30, 70)]) == 175)
    }

    @Test func equalsGoToTheEarliest() throws {
        let planner = try shifts([Double](repeating: 0.1, count: 96))
        #expect(planner.start(in: window(7, 2000, 95)) == at(7))
        #expect(planner.start(in: window(30, 2000, 90)) == at(30))
        for restart in [0, 600] {
            #expect(planner.runs(in: window(7, 2000, 95), restart: .seconds(restart)) == [run(7, 102)])
        }
        let waves = try shifts([2, 1, 2, 1, 2, 1])
        #expect(waves.runs(in: window(0, 180, 60), restart: .zero) == [run(30, 60), run(90, 120)])
    }

    @Test func aDeadlineWithoutSlackMeansAtOnce() throws {
        let planner = try shifts([300, 200, 100, 50])
        for deadline in [60.0, 59, 0, -500] {
            #expect(planner.start(in: window(0, deadline, 60)) == at(0))
            #expect(planner.runs(in: window(0, deadline, 60), restart: .zero) == [run(0, 60)])
        }
        // The slack is less than a slot, and off the slots: all of it has to be used.
        #expect(planner.runs(in: window(10, 75, 60), restart: .zero) == [run(10, 70)])
    }

    @Test func whatIsNotCoveredIsNotGuessed() throws {
        let planner = try shifts([300, 200, 100, 50])
        #expect(planner.start(in: window(-30, 120, 30)) == at(-30))
        #expect(planner.start(in: window(0, 900, 150)) == at(0))
        #expect(planner.start(in: window(0, 900, 60)) == at(60))
        #expect(planner.runs(in: window(-10, 120, 30), restart: .zero) == [run(-10, 20)])
        #expect(planner.runs(in: window(0, 900, 60), restart: .zero) == [run(60, 120)])
        #expect(planner.mean([run(90, 150)]) == nil && planner.mean([]) == nil)
    }

    @Test func interruptibleTakesTheCheapestSlots() throws {
        let planner = try shifts([50, 300, 100, 400, 60, 500])
        #expect(planner.runs(in: window(0, 180, 60), restart: .zero) == [run(0, 30), run(120, 150)])
        #expect(planner.runs(in: window(0, 180, 90), restart: .zero) == [run(0, 30), run(60, 90), run(120, 150)])
        // The last is used for 10 minutes.
        #expect(planner.runs(in: window(0, 180, 70), restart: .zero) == [run(0, 30), run(60, 90), run(120, 130)])
    }

    /// A resume at 60 for 20 minutes of work is charged 20 x 60.
    @Test func resumesAreCharged() throws {
        let planner = try shifts([50, 95, 400, 60, 500])
        #expect(planner.runs(in: window(0, 150, 60), restart: .seconds(17 * 60)) == [run(0, 30), run(90, 120)])
        #expect(planner.runs(in: window(0, 150, 60), restart: .seconds(18 * 60)) == [run(0, 60)])
        // The first start is no resume, but for a job that ran before.
        let later = try shifts([90, 50])
        #expect(later.runs(in: window(0, 60, 30), restart: .seconds(1800)) == [run(30, 60)])
        #expect(later.runs(in: window(0, 60, 30), restart: .seconds(1800), progress: .running) == [run(0, 30)])
        #expect(later.runs(in: window(0, 60, 30), restart: .seconds(1800), progress: .suspended) == [run(30, 60)])
        #expect(later.runs(in: window(5, 60, 30), restart: .seconds(1800), progress: .running) == [run(5, 35)])
    }

    @Test func timesAndLengthsAtTheEndsDoNotTrap() throws {
        let planner = try shifts([1, 2, 3])
        let ends = [Timestamp(microseconds: .min), at(0), at(10), Timestamp(microseconds: .max)]
        for earliest in ends {
            for deadline in ends {
                for duration in [.zero, .seconds(-4), .seconds(1), .seconds(Int64.max)] as [Duration] {
                    let window = ShiftPlanner.Window(earliest: earliest, deadline: deadline, duration: duration)
                    _ = planner.start(in: window)
                    for progress in [.notStarted, .running, .suspended] as [ShiftPlanner.Progress] {
                        #expect(!planner.runs(in: window, restart: .seconds(9), progress: progress).isEmpty)
                    }
                }
            }
        }
    }
}

@Suite struct ShiftPlannerPropertyTests {
    private static let seeds = Array(1...60) as [UInt64]

    /// Against the mean at each minute that may be a start.
    @Test(arguments: seeds)
    func noStartIsCheaper(seed: UInt64) throws {
        var random = Seeded(seed)
        let step = [5, 15, 30, 60].randomElement(using: &random) ?? 5
        let slot = [10, 30, 60].randomElement(using: &random) ?? 10
        let count = 1440 / step
        let isWhole = seed % 2 == 0
        let values = (0..<count).map { _ in
            isWhole ? Double(Int.random(in: 1...4, using: &random)) : Double.random(in: -20...500, using: &random)
        }
        let planner = try shifts(values, step: step, slot: slot)
        for _ in 0..<20 {
            let earliest = Double(Int.random(in: 0...600, using: &random))
            let duration = Double(Int.random(in: 1...400, using: &random))
            let deadline = Double(Int.random(in: 0...1440, using: &random))
            let start = planner.start(in: window(earliest, deadline, duration))
            guard earliest + duration <= deadline else {
                #expect(start == at(earliest))
                continue
            }
            #expect(start >= at(earliest) && start <= at(deadline - duration))
            func mean(_ from: Double) throws -> Double {
                try #require(planner.series.mean(at(from), at(from + duration)))
            }
            let found = try mean(start.since(at(0)).seconds / 60)
            for minute in stride(from: earliest, through: deadline - duration, by: 1)
            where minute == earliest || Int(minute) % slot == 0 {
                let other = try mean(minute)
                #expect(found <= other + 1e-6)
                if isWhole, at(minute) < start { #expect(found < other - 1e-9, "an earlier one costs as much") }
            }
        }
    }

    /// Against all sets of slots.
    @Test(arguments: seeds)
    func noSetOfSlotsIsCheaper(seed: UInt64) throws {
        var random = Seeded(seed)
        let count = 11
        let step = seed % 3 == 0 ? 10 : 30
        let values = (0..<(count * 30 / step)).map { _ in Double(Int.random(in: -5...90, using: &random)) }
        let planner = try shifts(values, step: step)
        var resumed = 0
        for _ in 0..<15 {
            let earliest = Double(Int.random(in: 0...3, using: &random) * (seed % 2 == 0 ? 30 : 13))
            let deadline = Double(Int.random(in: 8...11, using: &random) * 30 - (seed % 5 == 0 ? 12 : 0))
            let duration = Double(Int.random(in: 1...140, using: &random))
            let restart = [0, 0, 5, 20, 90].randomElement(using: &random) ?? 0
            let progress =
                ([.notStarted, .running, .suspended] as [ShiftPlanner.Progress]).randomElement(using: &random)
                ?? .running
            let runs = planner.runs(
                in: window(earliest, deadline, duration), restart: .seconds(restart * 60), progress: progress)
            #expect(runs.first.map { $0.from >= at(earliest) } ?? false)
            let length = runs.reduce(0) { $0 + $1.to.since($1.from).seconds }
            #expect(abs(length - duration * 60) < 1e-6)
            for (a, b) in zip(runs, runs.dropFirst()) { #expect(a.to < b.from) }
            guard earliest + duration <= deadline else {
                #expect(runs == [run(earliest, earliest + duration)])
                continue
            }
            #expect(runs.last.map { $0.to <= at(deadline) } ?? false)
            if runs.count > 1 { resumed += 1 }
            let cost = try #require(Brute.cost(runs, planner.series, restart: restart, progress, now: at(earliest)))
            let least = Brute.least(
                planner.series, earliest: earliest, deadline: deadline, duration: duration, restart: restart, progress)
            #expect(abs(cost - least) < 1e-3, "\(runs) costs \(cost), the least is \(least)")
        }
        #expect(resumed > 0, "no job was ever interrupted: the test shows nothing")
    }

    @Test(arguments: seeds.prefix(5))
    func sameQuestionSameAnswer(seed: UInt64) throws {
        var random = Seeded(seed)
        let planner = try shifts((0..<96).map { _ in Double.random(in: 0...500, using: &random) })
        let window = window(3, 2000, 333)
        #expect(planner.runs(in: window, restart: .seconds(60)) == planner.runs(in: window, restart: .seconds(60)))
    }
}

/// Tries everything.
private enum Brute {
    static func cost(
        _ runs: [ShiftPlanner.Run], _ series: SignalSeries, restart: Int, _ progress: ShiftPlanner.Progress,
        now: Timestamp
    ) -> Double? {
        var sum = 0.0
        for (index, run) in runs.enumerated() {
            guard let integral = series.integral(run.from, run.to), let price = series.value(at: run.from) else {
                return nil
            }
            let goesOn = progress == .running && run.from == now
            let isResume = index > 0 || (progress != .notStarted && !goesOn)
            sum += integral / 60 + (isResume ? max(0, price) * Double(restart) : 0)
        }
        return sum
    }

    static func least(
        _ series: SignalSeries, earliest: Double, deadline: Double, duration: Double, restart: Int,
        _ progress: ShiftPlanner.Progress
    ) -> Double {
        let first = (earliest / 30).rounded(.up) * 30
        let count = Int(((deadline - first) / 30).rounded(.up))
        var least = Double.infinity
        for usesHead in first > earliest ? [false, true] : [false] {
            for set in 0..<(1 << max(0, count)) {
                var left = duration
                var runs: [ShiftPlanner.Run] = []
                func add(_ from: Double, _ room: Double) {
                    let used = min(left, room)
                    guard used > 0 else { return }
                    left -= used
                    if let last = runs.last, last.to == at(from) {
                        runs[runs.count - 1].to = at(from + used)
                    } else {
                        runs.append(run(from, from + used))
                    }
                }
                if usesHead { add(earliest, first - earliest) }
                for index in 0..<max(0, count) where set & (1 << index) != 0 {
                    add(first + Double(index) * 30, 30)
                }
                guard left <= 0, let last = runs.last, last.to <= at(deadline) else { continue }
                if let cost = cost(runs, series, restart: restart, progress, now: at(earliest)) {
                    least = min(least, cost)
                }
            }
        }
        // The slack may be less than the slots allow for.
        return least.isFinite
            ? least
            : cost([run(earliest, earliest + duration)], series, restart: restart, progress, now: at(earliest)) ?? 0
    }
}
