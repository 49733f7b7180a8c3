import LinuxSystem
import Metering
import Testing
import Units

/// NVIDIA cards through a stand-in for their library; the joules are worked out by hand.
@Suite(.enabled(if: FakeNVML.library != nil, "a C compiler makes the library that stands in for NVIDIA's"))
struct NVMLTests {
    private let card = "gpu-00000000-0000-0000-0000-000000000000"

    private func meters(_ machine: FakeMachine, _ lines: String...) throws -> (MeterSet, FakeNVML) {
        let library = try FakeNVML(in: machine.directory)
        try library.say(lines.joined(separator: "\n"))
        var roots = machine.roots
        roots.nvml = library.path
        var meters = MeterSet(discovering: roots)
        #expect(machine.tick(&meters).isEmpty)
        return (meters, library)
    }

    @Test func theCountersMillijoulesAreRead() throws {
        let machine = try FakeMachine()
        var (meters, library) = try meters(machine, "0 energy 1000000", "0 power 150000", "1 energy 5", "1 power 9000")
        try library.say("0 energy 1300500", "0 power 150000", "1 energy 20005", "1 power 10000")
        let samples = machine.tick(&meters, after: 2)
        #expect(samples[card]?.joules == 300.5 && samples[card]?.kind == .gpu && samples[card]?.tier == .measured)
        #expect(samples["gpu-00000000-0000-0000-0000-000000000001"]?.joules == 20)
        #expect(samples[card]?.source == "energy counter of Fake through NVML")
    }

    @Test func anOlderCardsPowerIsIntegrated() throws {
        let machine = try FakeMachine()
        var (meters, library) = try meters(machine, "0 power 100000")
        try library.say("0 power 200000")
        let sample = try #require(machine.tick(&meters)[card])
        #expect(sample.joules == 150 && sample.energy?.low.joules == 100 && sample.energy?.high.joules == 200)
        #expect(sample.source == "power sensor of Fake through NVML")
    }

    @Test func aCardThatFallsOffTheBusLeavesGaps() throws {
        let machine = try FakeMachine()
        var (meters, library) = try meters(machine, "0 energy 1000000", "0 power 100000")
        try library.say("0 energy 1100000", "0 power 100000", "0 result 15")
        #expect(machine.tick(&meters)[card]?.gap == "the GPU fell off the bus")
        try library.say("0 energy 1200000", "0 power 100000")
        #expect(machine.tick(&meters)[card]?.gap == "the counter came back: new baseline")
        try library.say("0 energy 1250000", "0 power 100000")
        #expect(machine.tick(&meters)[card]?.joules == 50)
        // A driver loaded anew counts from nothing.
        try library.say("0 energy 20000", "0 power 100000")
        #expect(machine.tick(&meters)[card]?.gap == "the counter went back and its range cannot be read")
    }

    /// One that stands still while watts flow is first a gap, and after half a minute out of use.
    @Test func aCounterThatStandsStillIsReplacedByTheSensor() throws {
        let machine = try FakeMachine()
        var (meters, _) = try meters(machine, "0 energy 1000000", "0 power 100000")
        for _ in 1...29 { #expect(machine.tick(&meters)[card]?.gap == "the counter stood still") }
        let sample = try #require(machine.tick(&meters)[card])
        #expect(sample.joules == 100 && sample.source == "power sensor of Fake through NVML")
        let status = meters.descriptions.first { $0.domain == card }?.status
        #expect(status == "ok; its energy counter told 0 J where the power sensor told 3000 J, and is not used")
    }

    @Test func aCounterInAnotherUnitIsReplacedByTheSensor() throws {
        let machine = try FakeMachine()
        var (meters, library) = try meters(machine, "0 energy 1000000", "0 power 100000")
        // Twice what flows: 200 J a second at 100 W.
        for second in 1...30 {
            try library.say("0 energy \(1_000_000 + 200_000 * second)", "0 power 100000")
            let joules = machine.tick(&meters)[card]?.joules
            #expect(joules == (second < 30 ? 200 : 100))
        }
    }

    @Test func aSoundCounterStaysInUse() throws {
        let machine = try FakeMachine()
        var (meters, library) = try meters(machine, "0 energy 1000000", "0 power 100000")
        for second in 1...60 {
            try library.say("0 energy \(1_000_000 + 110_000 * second)", "0 power 100000")
            #expect(machine.tick(&meters)[card]?.joules == 110)
        }
        #expect(meters.descriptions.first { $0.domain == card }?.status == "ok")
    }

    /// Without a sensor to refute it there is nothing better: gaps for ever, and never zero joules.
    @Test func aCounterThatStandsStillWithoutASensorStaysAGap() throws {
        let machine = try FakeMachine()
        var (meters, library) = try meters(machine, "0 energy 1000000")
        for _ in 1...40 { #expect(machine.tick(&meters)[card]?.gap == "the counter stood still") }
        try library.say("0 energy 1050000")
        #expect(machine.tick(&meters)[card]?.gap?.hasPrefix("the counter moved again after 40 s") == true)
        try library.say("0 energy 1080000")
        #expect(machine.tick(&meters)[card]?.joules == 30)
    }

    /// 2,501 W for the 1.1 s in which the energy of one second may arrive.
    @Test func aJumpAbovePhysicalPowerIsAGap() throws {
        let machine = try FakeMachine()
        var (meters, library) = try meters(machine, "0 energy 1000000", "0 power 100000")
        try library.say("0 energy \(1_000_000 + 2_751_100)", "0 power 100000")
        #expect(machine.tick(&meters)[card]?.gap?.hasPrefix("the counter jumped above physical power") == true)
        try library.say("0 energy \(1_000_000 + 2_751_100 + 80_000)", "0 power 100000")
        #expect(machine.tick(&meters)[card]?.joules == 80)
    }

    @Test func aDividedCardSaysSo() throws {
        let machine = try FakeMachine()
        let (meters, _) = try meters(machine, "0 energy 1000000", "0 power 100000", "0 mig 1")
        let source = meters.descriptions.first { $0.domain == card }?.source
        #expect(source?.hasSuffix("divided into instances (MIG): metered as a whole") == true)
    }

    @Test func aLibraryThatDoesNotStartIsShownWithItsReason() throws {
        let machine = try FakeMachine()
        var (meters, _) = try meters(machine, "-1 result 9", "0 power 100000")
        #expect(machine.tick(&meters)[card] == nil)
        let shown = meters.descriptions.first { $0.domain == "nvml" }
        #expect(shown?.status == "cannot be read: NVML error 9, Unknown Error" && shown?.counted == false)
    }

    @Test func whatIsNoLibraryIsShownAndWhatIsNotThereIsNot() throws {
        let machine = try FakeMachine()
        try machine.write("libnvidia-ml.so.1", "not a library")
        var roots = machine.roots
        roots.nvml = machine.directory + "/libnvidia-ml.so.1"
        #expect(MeterSet(discovering: roots).descriptions.contains { $0.domain == "nvml" && !$0.counted })
        roots.nvml = machine.directory + "/nothing.so.1"
        #expect(!MeterSet(discovering: roots).descriptions.contains { $0.domain == "nvml" })
        #expect(SystemRoots(sysfs: machine.directory).nvml == nil)
    }
}
