import JobAPI
import Policy
import Scheduling
import Testing
import Units

@testable import Simulation

/// GPUs that are given one by one, and shared, in a replay.
@Suite struct CardReplayTests {
    private let csv = """
        job,submit,duration_min,gpus,gpu_memory,gpu_model,gpu_share
        a,2026-11-24T08:00:00Z,60,1,8 GiB,T4,
        b,2026-11-24T08:00:00Z,60,1,6 GiB,,
        c,2026-11-24T08:00:00Z,60,1,4 GiB,T4,
        d,2026-11-24T08:00:00Z,60,1,2 GiB,T4,false
        e,2026-11-24T08:00:00Z,60,1,20 GiB,T4,
        f,2026-11-24T08:00:00Z,60,0,,,
        """

    private func machine(_ cards: [MachineCapacity.Card]) -> SimulatedMachine {
        SimulatedMachine(
            capacity: MachineCapacity(
                cpus: 64, memory: .gibibytes(1024), gpus: max(1, cards.count), cards: cards), gpuPower: 250)
    }

    @Test func theColumnsAreRead() throws {
        let trace = try Trace.csv(csv, file: "t.csv")
        #expect(trace.gpuModels == ["T4"])
        #expect(trace.jobs.map(\.gpuModel) == [0, -1, 0, 0, 0, -1])
        #expect(trace.jobs.map(\.request.card.mebibytes) == [8192, 6144, 4096, 2048, 20480, 0])
        #expect(trace.jobs.map(\.request.card.mayShare) == [true, true, true, false, true, false])
        for (line, message) in [
            ("a,2026-11-24T08:00:00Z,60,1,lots,,", "gpu_memory is"),
            ("a,2026-11-24T08:00:00Z,60,1,,--,", "gpu_model is"),
            ("a,2026-11-24T08:00:00Z,60,1,,,perhaps", "gpu_share is"),
        ] {
            let header = csv.split(separator: "\n")[0]
            let error = #expect(throws: TraceError.self) { try Trace.csv("\(header)\n\(line)\n", file: "t.csv") }
            #expect(error?.description.hasPrefix("t.csv:2: \(message)") == true, "\(error?.description ?? "")")
        }
    }

    @Test func cardsAreSharedAsTheDaemonWould() throws {
        let trace = try Trace.csv(csv, file: "t.csv")
        let card = machine([.init(model: "Tesla T4", memory: .gibibytes(16))])
        func hours(_ text: String) throws -> (starts: [Double?], states: [ReplayLog.Run.State], log: ReplayLog) {
            let log = Replay.run(trace, under: try policy(text), on: card, options: .init(limits: .exact))
            let begin = trace.jobs[0].submit
            return (
                log.runs.map { $0.started?.since(begin).seconds }.map { $0.map { $0 / 3600 } }, log.runs.map(\.state),
                log
            )
        }
        let shared = try hours("[machine]\ngpu-share = \"memory\"\nreserve-memory = \"0 B\"\n")
        #expect(shared.starts == [0, 0, 1, 2, nil, 0])
        #expect(shared.states == [.finished, .finished, .finished, .finished, .refused, .finished])
        #expect(shared.log.refusals.keys.first?.contains("there is 1 x Tesla T4 with 16 GiB") == true)
        let outcome = Outcome(shared.log, of: trace, on: card, prices: GridPrices())
        // 8 + 6 + 4 of 16 GiB for an hour each, and the whole card for one, of three.
        #expect(abs((outcome.figures.gpuUtilisationPercent ?? 0) - 100 * (18.0 / 16 + 1) / 3) < 1e-6)
        // They draw in the same proportion, and never more than the card.
        #expect(abs(outcome.figures.jobsEnergyJ - 250 * 3600 * (18.0 / 16 + 1)) < 1e-6)
        #expect(abs(outcome.figures.peakW - 250) < 1e-9)
        let alone = try hours("[machine]\nreserve-memory = \"0 B\"\n")
        #expect(alone.starts == [0, 1, 2, 3, nil, 0])
    }

    @Test func whereCardsAreOnlyCountedTheyAreWhole() throws {
        let trace = try Trace.csv(csv, file: "t.csv")
        let log = Replay.run(
            trace, under: try policy("[machine]\ngpu-share = \"memory\"\nreserve-memory = \"0 B\"\n"), on: machine([]),
            options: .init(limits: .exact))
        #expect(log.runs.allSatisfy { $0.state == .finished })
        #expect(log.notes.contains { $0.hasPrefix("GPUs are only counted, whole") })
    }
}
