import Carbon
import JobAPI
import Policy
import Scheduling
import Testing
import Units

@testable import Simulation

/// A site's own past as a trace.
@Suite struct HistoryTests {
    private func past(
        _ id: Int64, at submit: Double, run: Double = 60, change: (inout HistoryPage.Job) -> Void = { _ in }
    ) -> HistoryPage.Job {
        var job = HistoryPage.Job(
            id: JobID(id), name: "job", user: "ada", project: "nlp", queue: "batch", cpus: 1,
            memoryBytes: .mebibytes(64), gpus: 0, submittedAt: t(submit), durationS: run, waitedS: 5, powerW: 20,
            state: .succeeded, kind: "a")
        change(&job)
        return job
    }

    private func history(_ jobs: [HistoryPage.Job]) throws -> History {
        var history = History()
        #expect(try history.add(HistoryPage(jobs: jobs, until: t(100_000))) == nil)
        return history
    }

    @Test func aPastJobIsAJobOfATrace() throws {
        let trace = Trace(
            history: try history([
                past(1, at: 100) {
                    $0.notBefore = t(400)
                    $0.waitedS = 310
                    $0.timeLimitS = 600
                    $0.deadline = t(9000)
                    $0.gpus = 1
                    $0.gpuMemoryBytes = .gibibytes(8)
                    $0.gpuModel = "A100"
                    $0.groups = ["staff", "ada"]
                },
                past(2, at: 200) {
                    $0.user = "bob"
                    $0.kind = nil
                    $0.powerW = nil
                    $0.state = .failed
                    $0.waitedForOthers = true
                },
            ]))
        #expect(trace.jobs.map(\.submit) == [t(200), t(400)])
        #expect(trace.users == ["ada", "bob"] && trace.jobs.map(\.user) == [1, 0])
        let last = try #require(trace.jobs.last)
        #expect(last.timeLimit == 600 && last.deadline == t(9000) && last.power == 20 && last.recordedWait == 10)
        #expect(trace.jobs.map(\.application) == [-1, 0])
        #expect(trace.gpuModels == ["A100"] && trace.jobs.map(\.gpuModel) == [-1, 0])
        #expect(last.request.card.memory == .gibibytes(8) && last.request.card.mayShare)
        #expect(trace.jobs.map(\.group) == [-1, 0] && trace.groups == [["ada", "staff"]])
        #expect(
            trace.notes == [
                "what really happened: waits of 8 s on the mean, 95 % up to 10 s",
                "1 of 2 did not succeed then; they compute as long here as they did",
                "1 waited for other jobs then; here they may start at once",
                "1 is of a release that did not note its users' groups: what asks for a group is not about it",
                "1 were not metered: they draw what their CPUs and GPUs are taken to",
            ])
    }

    @Test(arguments: 0..<9) func whatMakesNoSenseIsLeftOutAndSaid(index: Int) throws {
        let spoil: [(inout HistoryPage.Job) -> Void] = [
            { $0.durationS = 0 }, { $0.durationS = .infinity }, { $0.durationS = .nan }, { $0.cpus = -1 },
            { $0.gpus = 1 << 40 }, { $0.powerW = -3 }, { $0.submittedAt = Timestamp(microseconds: .max) },
            { $0.timeLimitS = .nan }, { $0.waitedS = .infinity },
        ]
        let trace = Trace(history: try history([past(1, at: 0), past(2, at: 1, change: spoil[index])]))
        #expect(trace.jobs.count == 1)
        #expect(trace.notes.first == "left out: 1 of which what the daemon tells makes no sense")
    }

    @Test func pagesMustGoOn() throws {
        var history = History()
        #expect(try history.add(HistoryPage(jobs: [past(1, at: 0)], next: JobID(1), until: t(9))) == JobID(1))
        #expect(throws: TraceError.self) {
            try history.add(HistoryPage(jobs: [past(1, at: 0)], next: JobID(1), until: t(9)))
        }
        #expect(throws: TraceError.self) {
            try history.add(HistoryPage(jobs: [past(4, at: 0), past(3, at: 0)], until: t(9)))
        }
        #expect(try history.add(HistoryPage(jobs: [past(2, at: 0)], until: t(99), isEverybodys: false)) == nil)
        #expect(history.jobs.count == 2 && history.until == t(9) && !history.isEverybodys)
    }

    @Test func theIntensityOfTheBooksIsASignal() throws {
        var history = try history([past(1, at: 4000), past(2, at: 9000)])
        let step = Duration.seconds(1800)
        #expect(try history.intensity(step: step).last == nil)
        history.intensities = [.init(from: t(-1e6), gPerKwh: 400, pue: 1)]
        let steady = try history.intensity(step: step)
        #expect(steady.series == nil && steady.last?.gramsPerKilowattHour == 400)
        history.intensities.append(.init(from: t(6000), gPerKwh: 100, pue: 1.5))
        history.intensities.append(.init(from: t(6001), gPerKwh: .nan, pue: 2))
        let (series, last) = try history.intensity(step: step)
        let known = try #require(series)
        #expect(last?.gramsPerKilowattHour == 100)
        #expect(known.value(at: t(4000)) == 400 && known.value(at: t(9000)) == 100)
        #expect(known.start <= t(4000) && known.start > t(0) && known.end >= t(100_000))
    }

    /// The same jobs wait less where there is room for all.
    @Test func itIsReplayedAsAnyOther() throws {
        let trace = Trace(history: try history((0..<4).map { past($0 + 1, at: Double($0)) }))
        let narrow = Replay.run(trace, under: .builtIn, on: machine(1))
        #expect(narrow.starts == [0, 60, 120, 180])
        #expect(Replay.run(trace, under: .builtIn, on: machine(4)).starts == [0, 1, 2, 3])
    }
}
