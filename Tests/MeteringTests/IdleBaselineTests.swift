import FoundationEssentials
import Metering
import Testing
import Units

@Suite struct IdleBaselineTests {
    private let quiet = MachineLoad(busySeconds: 0.1, idleSeconds: 7.9, stealSeconds: 0, cpus: 8)

    private func sample(_ joules: Double?, seconds: Double = 1, tier: MeterTier = .measured) -> DomainSample {
        let start = Timestamp(seconds: 1_700_000_000)
        return DomainSample(
            domain: "package-0", kind: .cpu, start: start, end: start.advanced(by: .seconds(seconds)),
            seconds: seconds,
            reading: joules.map { .energy(EnergyRange(Energy(joules: $0))) } ?? .gap("none"), tier: tier,
            source: "a test")
    }

    @Test func quietIntervalsAreAveragedByTheirLength() {
        var baseline = IdleBaseline()
        baseline.observe(sample(20), jobsRan: false, load: quiet)
        baseline.observe(sample(26 * 2, seconds: 2), jobsRan: false, load: quiet)
        // 20 J in 1 s and 52 J in 2 s: 24 W.
        #expect(abs((baseline.power(of: "package-0")?.watts ?? 0) - 24) < 1e-9)
        #expect(baseline.power(of: "dram-0") == nil)
    }

    @Test func nothingIsLearnedFromAnIntervalThatWasNotQuiet() {
        var baseline = IdleBaseline()
        let busy = MachineLoad(busySeconds: 1, idleSeconds: 7, stealSeconds: 0, cpus: 8)
        baseline.observe(sample(20), jobsRan: true, load: quiet)
        baseline.observe(sample(20), jobsRan: false, load: busy)
        baseline.observe(sample(20), jobsRan: false, load: nil)
        baseline.observe(sample(nil), jobsRan: false, load: quiet)
        baseline.observe(sample(2, seconds: 0.1), jobsRan: false, load: quiet)
        baseline.observe(sample(20, tier: .table), jobsRan: false, load: quiet)
        #expect(baseline.entries.isEmpty)
    }

    /// What the CPUs do says nothing of a card.
    @Test func aCardIsQuietWhenNobodyIsOnIt() {
        let busy = MachineLoad(busySeconds: 8, idleSeconds: 0, stealSeconds: 0, cpus: 8)
        var card = sample(20)
        (card.domain, card.kind, card.processes) = ("gpu-0", .gpu, [])
        var baseline = IdleBaseline()
        baseline.observe(card, jobsRan: true, load: quiet)
        card.processes = [ProcessUse(pid: 7, seconds: 0)]
        baseline.observe(card, jobsRan: false, load: quiet)
        // Who is on it cannot be told: then the CPUs must be quiet too.
        card.processes = nil
        baseline.observe(card, jobsRan: false, load: busy)
        baseline.observe(card, jobsRan: false, load: nil)
        #expect(baseline.entries.isEmpty)
        baseline.observe(card, jobsRan: false, load: quiet)
        #expect(baseline.power(of: "gpu-0") == Power(watts: 20))
        card.processes = []
        card.reading = .energy(EnergyRange(Energy(joules: 30)))
        baseline.observe(card, jobsRan: false, load: busy)
        card.reading = .energy(EnergyRange(Energy(joules: 40)))
        baseline.observe(card, jobsRan: false, load: nil)
        // The mean of 20, 30 and 40 J in a second each.
        #expect(abs((baseline.power(of: "gpu-0")?.watts ?? 0) - 30) < 1e-9)
    }

    @Test func oldQuietTimeIsForgotten() {
        var baseline = IdleBaseline()
        for _ in 0..<5000 { baseline.observe(sample(20), jobsRan: false, load: quiet) }
        for _ in 0..<5000 { baseline.observe(sample(30), jobsRan: false, load: quiet) }
        #expect(abs((baseline.power(of: "package-0")?.watts ?? 0) - 30) < 0.1)
    }

    @Test func itIsKeptAsText() throws {
        var baseline = IdleBaseline()
        baseline.observe(sample(20), jobsRan: false, load: quiet)
        let copy = try JSONDecoder().decode(IdleBaseline.self, from: JSONEncoder().encode(baseline))
        #expect(copy == baseline)
    }

    @Test func aKeptValueWithoutSenseIsNotBelieved() {
        for watts in [-1, Double.nan, .infinity] {
            let entry = IdleBaseline.Entry(watts: watts, observedSeconds: 10, updated: Timestamp(seconds: 0))
            var baseline = IdleBaseline(entries: ["package-0": entry])
            #expect(baseline.power(of: "package-0") == nil)
            baseline.observe(sample(20), jobsRan: false, load: quiet)
            #expect(baseline.power(of: "package-0") == Power(watts: 20))
        }
    }
}
