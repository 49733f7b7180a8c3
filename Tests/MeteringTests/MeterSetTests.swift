import LinuxSystem
import Metering
import Testing
import Units

/// What the clocks do to an interval, and which meters are taken.
@Suite struct MeterSetTests {
    @Test func theReadingAfterTheClockWasSetBackIsAGapThatOverlapsNothing() throws {
        let machine = try FakeMachine()
        try machine.zone("intel-rapl:0", name: "package-0", energy: 0)
        var meters = machine.meters()
        try machine.energy("intel-rapl:0", 10_000_000)
        machine.wallOffset = -3600
        let sample = try #require(machine.tick(&meters)["package-0"])
        #expect(sample.gap?.contains("set back") == true)
        #expect(sample.seconds == 1 && sample.start == sample.end)
        try machine.energy("intel-rapl:0", 15_000_000)
        #expect(machine.tick(&meters)["package-0"]?.joules == 5)
    }

    @Test func theReadingAfterASleepOfTheMachineIsAGap() throws {
        let machine = try FakeMachine()
        try machine.zone("intel-rapl:0", name: "package-0", energy: 0)
        var meters = machine.meters()
        try machine.energy("intel-rapl:0", 10_000_000)
        machine.wallOffset = 7200
        let sample = try #require(machine.tick(&meters)["package-0"])
        #expect(sample.gap?.contains("slept") == true)
        #expect(abs(sample.seconds - 7201) < 0.001)
        // What the counter told over the sleep is not handed to the interval after it: 16 J less 10 J.
        try machine.energy("intel-rapl:0", 16_000_000)
        #expect(machine.tick(&meters)["package-0"]?.joules == 6)
    }

    @Test func aMissedIntervalIsAGapWithItsDuration() throws {
        let machine = try FakeMachine()
        try machine.zone("intel-rapl:0", name: "package-0", energy: 0)
        var meters = machine.meters()
        try machine.energy("intel-rapl:0", 10_000_000)
        #expect(machine.tick(&meters, after: 29)["package-0"]?.joules == 10)
        try machine.energy("intel-rapl:0", 20_000_000)
        let sample = try #require(machine.tick(&meters, after: 31)["package-0"])
        #expect(sample.gap == "no reading for 31 s")
        #expect(sample.seconds == 31)
    }

    @Test func aMonotonicClockThatGoesBackIsAGap() throws {
        let machine = try FakeMachine()
        try machine.zone("intel-rapl:0", name: "package-0", energy: 0)
        var meters = machine.meters()
        try machine.energy("intel-rapl:0", 10_000_000)
        #expect(machine.tick(&meters, after: -0.5)["package-0"]?.gap == "the monotonic clock went backwards")
    }

    @Test func twoReadingsAtOnceAreOne() throws {
        let machine = try FakeMachine()
        try machine.zone("intel-rapl:0", name: "package-0", energy: 0)
        var meters = machine.meters()
        try machine.energy("intel-rapl:0", 10_000_000)
        #expect(machine.tick(&meters, after: 0).isEmpty)
        #expect(machine.tick(&meters)["package-0"]?.joules == 10, "nothing is lost")
    }

    @Test func extremeClocksDoNotTrap() throws {
        let machine = try FakeMachine()
        try machine.zone("intel-rapl:0", name: "package-0", energy: 0)
        var meters = machine.meters()
        for value in [Int64.max, .min, 0, .max] {
            let samples = meters.sample(
                at: Timestamp(microseconds: value / 4), monotonicNanoseconds: value, load: nil)
            #expect(samples.count == 1 && samples[0].gap != nil)
        }
    }

    @Test func withoutACounterTheModelStandsIn() throws {
        let machine = try FakeMachine()
        #expect(machine.meters().descriptions.map(\.domain) == ["cpu-model", "memory-model"])
    }

    @Test func besideAMeasuredPackageNothingIsModelled() throws {
        let machine = try FakeMachine()
        try machine.zone("intel-rapl:0", name: "package-0", energy: 0)
        #expect(machine.meters().descriptions.map(\.domain) == ["package-0"])
    }

    @Test func measuredMemoryWithoutAPackageIsJoinedByAModelOfTheCPUOnly() throws {
        let machine = try FakeMachine()
        try machine.zone("intel-rapl:0", name: "dram", energy: 0)
        #expect(machine.meters().descriptions.map(\.domain) == ["dram", "cpu-model"])
    }

    @Test func theIdlePowerIsTheModelsOwnOrTheOneObserved() throws {
        let machine = try FakeMachine()
        try machine.zone("intel-rapl:0", name: "package-0", energy: 0)
        var meters = machine.meters()
        var baseline = IdleBaseline()
        #expect(meters.idlePower(of: "package-0", baseline: baseline) == nil)
        try machine.energy("intel-rapl:0", 20_000_000)
        let quiet = MachineLoad(busySeconds: 0.02, idleSeconds: 3.98, stealSeconds: 0, cpus: 4)
        for sample in machine.tick(&meters, load: quiet).values {
            baseline.observe(sample, jobsRan: false, load: quiet)
        }
        #expect(meters.idlePower(of: "package-0", baseline: baseline) == Power(watts: 20))
    }

    /// Whatever a reader makes of a driver's nonsense: 10 kW for the second and one more are the most that is believed.
    @Test(arguments: [20_000_000_001, Int64.max, -1, .min])
    func whatNoMachineDrawsIsAGapWhoeverReadIt(microjoules: Int64) throws {
        var meters = MeterSet(readers: [Claimant(claim: EnergyRange(Energy(microjoules: microjoules)))])
        let sample = try #require(second(of: &meters))
        #expect(sample.gap?.hasSuffix("no machine draws that") == true && sample.tier == .gap && sample.seconds == 1)
    }

    @Test func aRangeReachesNoFurtherThanWhatAMachineDraws() throws {
        let claim = EnergyRange(Energy(joules: 20_000), low: Energy(joules: -5), high: Energy(microjoules: .max))
        var meters = MeterSet(readers: [Claimant(claim: claim)])
        let sample = try #require(second(of: &meters))
        #expect(sample.energy == EnergyRange(Energy(joules: 20_000), low: .zero, high: Energy(joules: 20_000)))
    }

    private func second(of meters: inout MeterSet) -> DomainSample? {
        _ = meters.sample(at: Timestamp(seconds: 100), monotonicNanoseconds: 0, load: nil)
        return meters.sample(at: Timestamp(seconds: 101), monotonicNanoseconds: 1_000_000_000, load: nil).first
    }

    private struct Claimant: MeterReader {
        let claim: EnergyRange
        let descriptions: [MeterDescription] = []

        mutating func begin() {}

        mutating func sample(_ tick: MeterTick) -> [DomainSample] {
            [
                DomainSample(
                    domain: "claimed", kind: .gpu, start: tick.start, end: tick.end, seconds: tick.seconds,
                    reading: .energy(claim), tier: .measured, source: "a test")
            ]
        }
    }

    @Test func theMetersOfThisMachineAddUp() throws {
        let roots = SystemRoots()
        var meters = MeterSet(discovering: roots)
        var loads = LoadMeter(roots: roots)
        _ = try loads.sample()
        let size = MachineSize(
            cpus: Double(CPUTopology.usableCPUs()), memoryBytes: try MemoryInfo(roots: roots).totalBytes)
        let clock = SystemClock.monotonicNanoseconds()
        #expect(meters.sample(at: .now(), monotonicNanoseconds: clock, load: nil).isEmpty)
        let load = try #require(try loads.sample())
        let samples = meters.sample(
            at: .now(), monotonicNanoseconds: SystemClock.monotonicNanoseconds(), load: load)
        #expect(samples.map(\.domain) == meters.descriptions.filter(\.counted).map(\.domain))
        for sample in samples {
            let shares = attribute(
                sample, idlePower: meters.idlePower(of: sample.domain, baseline: IdleBaseline()),
                usages: Usage.withSystem([], busySeconds: load.busySeconds), machine: size)
            #expect(shares.reduce(.zero) { $0 + $1.energy } == sample.energy?.energy ?? .zero)
        }
    }
}
