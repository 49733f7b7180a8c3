import Carbon
import FoundationEssentials
import JobAPI
import Policy
import TestSupport
import Testing
import Units

@testable import Simulation

/// What `policies/carbon-aware.toml` saves on jobs with deadlines, against the most that can be saved: each job's places are tried one
/// by one here, by code that has nothing of the planner's. Where there is room for all, the best of each is the best of all.
@Suite struct ShiftingOptimumTests {
    /// The beginning of 2024; times of the trace are counted from it in slots of half an hour.
    private static let zero = Timestamp(seconds: 1_704_067_200)

    private struct Job {
        var submit: Int
        var slots: Int
        /// May be too early: then it runs at once.
        var deadline: Int

        var isLate: Bool { deadline < submit + slots }
    }

    /// Two weeks of submissions: half an hour to six hours, every tenth up to two days, with up to three days to spare; every
    /// twentieth has less time than it needs.
    private static func jobs(_ random: inout Seeded) -> [Job] {
        (0..<300).map { number in
            let submit = Int.random(in: 0..<672, using: &random)
            let slots = Int.random(in: 2...(number % 10 == 0 ? 96 : 12), using: &random)
            let spare = number % 20 == 7 ? -slots / 2 : Int.random(in: 0...144, using: &random)
            return Job(submit: submit, slots: slots, deadline: submit + slots + spare)
        }.sorted { $0.submit < $1.submit }
    }

    /// Three weeks of days and weather, below what the policy's rule suspends jobs at.
    private static func intensities(_ random: inout Seeded) -> [Double] {
        var weather = 80.0
        return (0..<1008).map { slot in
            weather = min(max(0, weather + Double.random(in: -15...15, using: &random)), 160)
            return 130 + 18 * abs(Double(slot % 48) / 2 - 12) + weather + Double.random(in: 0...9, using: &random)
        }
    }

    private static func csv(_ jobs: [Job], isInterruptible: Bool, hasDeadlines: Bool = true) -> String {
        func time(_ slot: Int) -> String { "\(zero.advanced(by: .seconds(slot * 1800)))" }
        let lines = jobs.enumerated().map { number, job in
            let deadline = hasDeadlines ? time(job.deadline) : ""
            return "\(number),\(time(job.submit)),\(job.slots * 30),\(deadline),\(isInterruptible)\n"
        }
        return "job,submit,duration_min,deadline,interruptible\n" + lines.joined()
    }

    /// In percent of running each job at its submission.
    private static func mostSaved(_ jobs: [Job], _ values: [Double], isInterruptible: Bool) -> Double {
        func sum(_ first: Int, _ count: Int) -> Double { values[first..<(first + count)].reduce(0, +) }
        var atOnce = 0.0
        var best = 0.0
        for job in jobs {
            atOnce += sum(job.submit, job.slots)
            let end = max(job.deadline, job.submit + job.slots)
            if isInterruptible {
                best += values[job.submit..<end].sorted().prefix(job.slots).reduce(0, +)
            } else {
                best += (job.submit...(end - job.slots)).reduce(.infinity) { min($0, sum($1, job.slots)) }
            }
        }
        return 100 * (atOnce - best) / atOnce
    }

    /// The shipped policy, and the same with other bounds for jobs without a deadline.
    private static func policies(_ bounds: [String], _ file: String = #filePath) throws -> [(String, PolicySet)] {
        let root = file.split(separator: "/").dropLast(3).joined(separator: "/")
        let path = "/\(root)/policies/carbon-aware.toml"
        let shipped = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
        let old = "defer = { up-to = \"24 h\""
        try #require(shipped.contains(old))
        return try [("shipped", policy(shipped))]
            + bounds.map { ($0, try policy(shipped.replacing(old, with: "defer = { up-to = \"\($0)\""))) }
    }

    private static func replay(
        _ text: String, _ values: [Double], under policies: [(String, PolicySet)]
    ) throws -> [SimulationReport.Row] {
        let series = try SignalSeries(start: zero, step: .seconds(1800), values: values)
        let options = Replay.Options(
            limits: .exact, forecast: SimulatedForecast(.perfect, intensity: series, restart: 0))
        return Comparison.run(
            try Trace.csv(text, file: "jobs.csv"), named: "jobs.csv",
            under: policies.map { (name: $0.0, policy: $0.1) },
            on: SimulatedMachine(capacity: nil, cpuPower: 10), prices: GridPrices(intensity: series),
            options: options
        ).rows
    }

    @Test(arguments: [1, 2] as [UInt64], [false, true])
    func theShippedPolicySavesAllThereIs(seed: UInt64, isInterruptible: Bool) throws {
        var random = Seeded(seed)
        let jobs = Self.jobs(&random)
        let values = Self.intensities(&random)
        let most = Self.mostSaved(jobs, values, isInterruptible: isInterruptible)
        #expect(most > 10)
        let rows = try Self.replay(
            Self.csv(jobs, isInterruptible: isInterruptible), values,
            under: try Self.policies(["0 s", "1 h", "7 d"]))
        for row in rows {
            let saved = try #require(row.figures.carbonSavedPercent)
            #expect(abs(saved - most) <= 0.05, "\(row.name): \(saved) % of \(most) %")
            #expect(row.figures.jobsFinished == jobs.count)
            #expect(row.figures.deadlinesMissed == jobs.filter(\.isLate).count, "\(row.name)")
            #expect((row.figures.suspensions > 0) == isInterruptible)
        }
    }

    /// The bounds are there: without deadlines they decide.
    @Test func withoutDeadlinesThePolicysBoundDecides() throws {
        var random = Seeded(1)
        let jobs = Self.jobs(&random)
        let rows = try Self.replay(
            Self.csv(jobs, isInterruptible: false, hasDeadlines: false), Self.intensities(&random),
            under: try Self.policies(["0 s", "1 h"]))
        let saved = rows.map { $0.figures.carbonSavedPercent ?? .nan }
        #expect(abs(saved[1]) < 1e-9)
        #expect(saved[0] > saved[2] && saved[2] > 0, "\(saved)")
    }
}
