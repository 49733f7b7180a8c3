import Carbon
import Policy
import Testing
import Units

@testable import Simulation

/// Ada's jobs come first; Ben's wait behind them. With shares, whoever has used more stands back.
@Suite struct FairShareReplayTests {
    /// Two jobs of Ada and one of Ben, all of an hour, one after the other on a machine for one. Ben's comes last.
    private func trace(adaWatts: Double = 100) -> Trace {
        Trace(
            jobs: [
                traced("a1", at: 0, run: 3600, power: adaWatts, user: 0),
                traced("a2", at: 1, run: 3600, power: 0, user: 0),
                traced("b1", at: 2, run: 3600, power: 0, user: 1),
            ], users: ["ada", "ben"])
    }

    private func starts(_ fairShare: String, adaWatts: Double = 100, intensity: SignalSeries? = nil) throws -> ReplayLog
    {
        Replay.run(
            trace(adaWatts: adaWatts), under: try policy(fairShare), on: machine(1),
            options: .init(forecast: intensity.map { SimulatedForecast(.perfect, intensity: $0) }))
    }

    @Test func withoutSharesTheLineIsTheOrder() throws {
        #expect(try starts("").starts == [0, 3600, 7200])
    }

    @Test(arguments: ["energy", "cpu-time", "carbon"])
    func whoUsedMoreStandsBack(measure: String) throws {
        let log = try starts("[fair-share]\nstrength = 1000\nby = \"\(measure)\"")
        #expect(log.starts == [0, 7200, 3600])
        #expect(log.notes.isEmpty)
    }

    /// Without a power nothing is energy, but time is time.
    @Test func eachMeasureCountsItsOwn() throws {
        let energy = try starts("[fair-share]\nstrength = 1000\nby = \"energy\"", adaWatts: 0)
        #expect(energy.starts == [0, 3600, 7200])
        #expect(energy.notes.count == 1)
        let time = try starts("[fair-share]\nstrength = 1000\nby = \"cpu-time\"", adaWatts: 0)
        #expect(time.starts == [0, 7200, 3600])
        // The hour in which Ada computed caused no carbon.
        let clean = try SignalSeries(start: t(-10_000), step: .seconds(1000), values: Array(repeating: 0, count: 60))
        let carbon = try starts("[fair-share]\nstrength = 1000\nby = \"carbon\"", intensity: clean)
        #expect(carbon.starts == [0, 3600, 7200])
    }

    @Test func projectsShareWhereTheyAreTheAccounts() throws {
        // All are of one project: nobody stands back.
        let log = try starts("[fair-share]\nstrength = 1000\naccounts = \"projects\"")
        #expect(log.starts == [0, 3600, 7200])
    }

    /// Without stated limits a job is as long as it is, whatever its queue allows.
    @Test func exactLimitsCutNobodyShort() throws {
        let short = try policy("[queue.batch]\ndefault = true\nmax-time = \"10 min\"")
        let exact = Replay.run(trace(), under: short, on: machine(1), options: .init(limits: .exact))
        #expect(exact.runs.allSatisfy { $0.state == .finished })
        #expect(exact.notes == ["3 jobs longer than the queue's max-time are replayed whole: nobody stated a limit"])
        let stated = Replay.run(trace(), under: short, on: machine(1), options: .init(limits: .stated))
        #expect(stated.runs.allSatisfy { $0.state == .timedOut })
    }
}
