import JobAPI
import TestSupport
import Testing

@testable import Scheduling

@Suite struct PreemptionTests {
    private func job(_ id: Int64, _ joules: Double?, cpus: Int = 1) -> Preemption.Candidate {
        .init(id: JobID(id), held: vector(cpus), atStake: joules)
    }

    @Test func thoseThatLoseLeastComeFirst() {
        let jobs = [job(1, 500), job(2, nil), job(3, 0), job(4, 500), job(5, -3), job(6, .nan)]
        #expect(Preemption.order(jobs).map(\.id.number) == [5, 3, 4, 1, 6, 2])
    }

    @Test func onlyThoseWhoHelpAreStopped() {
        let free = vector(0, gib: 99)
        // The small one is cheapest, but the large one alone is enough.
        #expect(Preemption.victims(for: vector(4), free: free, among: [job(1, 10), job(2, 20, cpus: 4)]) == [JobID(2)])
        #expect(
            Preemption.victims(for: vector(2), free: free, among: [job(1, 10), job(2, 5), job(3, 7)]) == [
                JobID(2), JobID(3),
            ])
        #expect(Preemption.victims(for: vector(2), free: vector(2), among: [job(1, 10)]) == [])
        #expect(Preemption.victims(for: vector(9), free: free, among: [job(1, 10)]) == nil)
    }

    @Test(arguments: Array(1...50) as [UInt64]) func noneIsStoppedInVain(seed: UInt64) {
        var random = Seeded(seed)
        let jobs = (1...Int64.random(in: 1...10, using: &random)).map {
            Preemption.Candidate(
                id: JobID($0),
                held: vector(
                    .random(in: 1...4, using: &random), gib: .random(in: 1...4, using: &random),
                    gpus: .random(in: 0...1, using: &random)),
                atStake: .random(in: 0...100, using: &random))
        }
        let free = vector(.random(in: 0...2, using: &random), gib: .random(in: 0...2, using: &random))
        let request = vector(
            .random(in: 1...8, using: &random), gib: .random(in: 1...8, using: &random),
            gpus: .random(in: 0...2, using: &random))
        let held = Dictionary(uniqueKeysWithValues: jobs.map { ($0.id, $0.held) })
        func freed(_ ids: [JobID]) -> ResourceVector { ids.reduce(free) { $0 + (held[$1] ?? .zero) } }
        guard let victims = Preemption.victims(for: request, free: free, among: jobs) else {
            #expect(!request.fits(in: freed(jobs.map(\.id))))
            return
        }
        #expect(request.fits(in: freed(victims)))
        for spared in victims { #expect(!request.fits(in: freed(victims.filter { $0 != spared })), "seed \(seed)") }
    }
}
