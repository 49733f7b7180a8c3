import LinuxSystem
import TestSupport
import Testing
import Units

@testable import Metering

/// NVIDIA cards through a stand-in for their library; the joules are worked out by hand.
@Suite(.enabled(if: FakeNVML.library != nil, "a C compiler makes the library that stands in for NVIDIA's"))
struct NVMLTests {
    private let card = "gpu-00000000-0000-0000-0000-000000000000"

    /// Waits for as long as a busy machine needs, unless a test wants to see what happens before.
    private func reader(
        _ machine: FakeMachine, _ library: FakeNVML, patience: Double = 60, startPatience: Double = 60
    ) throws -> NVMLReader {
        var roots = machine.roots
        roots.nvml = library.path
        return try #require(NVMLReader(roots: roots, patience: patience, startPatience: startPatience))
    }

    private func meters(_ machine: FakeMachine, _ lines: String...) throws -> (MeterSet, FakeNVML) {
        let library = try FakeNVML(in: machine.directory)
        try library.say(lines.joined(separator: "\n"))
        var meters = MeterSet(readers: [try reader(machine, library)])
        #expect(machine.tick(&meters).isEmpty)
        return (meters, library)
    }

    @Test func theCountersMillijoulesAreRead() throws {
        let machine = try FakeMachine()
        var (meters, library) = try meters(machine, "0 energy 1000000", "1 energy 5", "1 power 9000")
        try library.say("0 energy 1300500", "1 energy 20005", "1 power 11000")
        let samples = machine.tick(&meters, after: 2)
        #expect(samples[card]?.joules == 300.5 && samples[card]?.kind == .gpu && samples[card]?.tier == .measured)
        // Its counter is not checked yet: 2 s at 10 W by the sensor, at 9 W to 11 W, and 20 J by the counter.
        let other = samples["gpu-00000000-0000-0000-0000-000000000001"]
        #expect(other?.energy == EnergyRange(Energy(joules: 20), low: Energy(joules: 18), high: Energy(joules: 22)))
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
        var (meters, library) = try meters(machine, "0 energy 1000000")
        try library.say("0 energy 1100000", "0 result 15")
        #expect(machine.tick(&meters)[card]?.gap == "the GPU fell off the bus")
        try library.say("0 energy 1200000")
        #expect(machine.tick(&meters)[card]?.gap == "the counter came back: new baseline")
        try library.say("0 energy 1250000")
        #expect(machine.tick(&meters)[card]?.joules == 50)
        // A driver loaded anew counts from nothing, with a sensor or without.
        try library.say("0 energy 20000")
        #expect(machine.tick(&meters)[card]?.gap == "the counter went back and its range cannot be read")
    }

    /// A card without a name is there all the same: its time is a gap, until a look finds it.
    @Test func aCardThatIsLostAtTheStartIsAGapAndCountsOnceItIsBack() throws {
        let machine = try FakeMachine()
        var (meters, library) = try meters(machine, "0 energy 5", "0 result 15", "1 energy 0", "1 power 9000")
        let samples = machine.tick(&meters)
        #expect(samples["gpu 0"]?.gap == "the GPU fell off the bus" && samples["gpu 0"]?.seconds == 1)
        #expect(samples["gpu-00000000-0000-0000-0000-000000000001"]?.joules == 9)
        try library.say("0 energy 1000000", "1 energy 0", "1 power 9000")
        for _ in 2...60 { #expect(machine.tick(&meters)["gpu 0"]?.gap != nil) }
        try library.say("0 energy 1070000", "1 energy 0", "1 power 9000")
        let after = machine.tick(&meters)
        #expect(after[card]?.joules == 70 && after["gpu 0"] == nil)
        #expect(meters.descriptions.map(\.domain).sorted() == [card, "gpu-00000000-0000-0000-0000-000000000001"])
    }

    /// It has told its name, but not yet whether it has a counter.
    @Test func aCardWhoseMetersAreLostAtTheStartStaysACard() throws {
        let machine = try FakeMachine()
        var (meters, library) = try meters(machine, "0 energy 5", "0 meter-result 15")
        #expect(machine.tick(&meters)[card]?.gap == "the GPU fell off the bus")
        try library.say("0 energy 1000000")
        #expect(
            machine.tick(&meters)[card]?.gap == "the card came back: no reading at the start of the interval")
        try library.say("0 energy 1080000")
        let sample = machine.tick(&meters)[card]
        #expect(sample?.joules == 80 && sample?.source == "energy counter of Fake through NVML")
    }

    /// The driver counts cards that were given to others too.
    @Test func aCardThatIsNotForUsIsNotCounted() throws {
        let machine = try FakeMachine()
        var (meters, _) = try meters(machine, "0 energy 5", "0 result 4")
        #expect(machine.tick(&meters).isEmpty)
        let shown = try #require(meters.descriptions.first)
        #expect(!shown.counted && shown.status == "cannot be read: NVML error 4, Unknown Error")
    }

    /// A sensor beside a counter that has not been checked yet stands in while that one says nothing.
    @Test func aCounterThatStandsStillIsReplacedByTheSensor() throws {
        let machine = try FakeMachine()
        var (meters, _) = try meters(machine, "0 energy 1000000", "0 power 100000")
        for _ in 1...29 { #expect(machine.tick(&meters)[card]?.joules == 100) }
        let sample = try #require(machine.tick(&meters)[card])
        #expect(sample.joules == 100 && sample.source == "power sensor of Fake through NVML")
        let status = meters.descriptions.first { $0.domain == card }?.status
        #expect(status == "ok; its energy counter told 0 J where the power sensor told 3000 J, and is not used")
    }

    @Test func aCounterInAnotherUnitIsReplacedByTheSensor() throws {
        let machine = try FakeMachine()
        var (meters, library) = try meters(machine, "0 energy 1000000", "0 power 100000")
        // Twice what flows: 200 J a second at 100 W. Before it is refuted nobody knows which of them is right.
        for second in 1...31 {
            try library.say("0 energy \(1_000_000 + 200_000 * second)", "0 power 100000")
            let high = Energy(joules: second < 30 ? 200 : 100)
            #expect(machine.tick(&meters)[card]?.energy == EnergyRange(Energy(joules: 100), high: high))
        }
    }

    @Test func aSoundCounterIsUsedOnceItIsChecked() throws {
        let machine = try FakeMachine()
        var (meters, library) = try meters(machine, "0 energy 1000000", "0 power 100000")
        for second in 1...90 {
            try library.say("0 energy \(1_000_000 + 110_000 * second)", "0 power 100000")
            let energy = machine.tick(&meters)[card]?.energy
            #expect(
                energy == EnergyRange(Energy(joules: second < 30 ? 100 : 110), high: Energy(joules: 110)))
        }
        #expect(meters.descriptions.first { $0.domain == card }?.status == "ok")
    }

    /// Such as of a card that sleeps. That it drew nothing is not known.
    @Test func aSensorThatTellsNothingIsAGapForEver() throws {
        let machine = try FakeMachine()
        var (meters, library) = try meters(machine, "0 power 0")
        for _ in 1...40 {
            #expect(machine.tick(&meters)[card]?.gap == "the sensor tells 0 W, which nothing powered draws")
        }
        #expect(meters.descriptions.first { $0.domain == card }?.counted == true)
        try library.say("0 power 60000")
        #expect(machine.tick(&meters)[card]?.gap == "the sensor came back: no reading at the start of the interval")
        #expect(machine.tick(&meters)[card]?.joules == 60)
    }

    @Test func aSensorThatTellsNothingRefutesNoCounter() throws {
        let machine = try FakeMachine()
        var (meters, library) = try meters(machine, "0 energy 1000000", "0 power 0")
        for second in 1...70 {
            try library.say("0 energy \(1_000_000 + 80_000 * second)", "0 power 0")
            #expect(machine.tick(&meters)[card]?.energy == EnergyRange(Energy(joules: 80)))
        }
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

    /// 2,501 W for the 1.1 s in which the energy of one second may arrive. The sensor beside it does not make it less odd.
    @Test func aJumpAbovePhysicalPowerIsAGap() throws {
        let machine = try FakeMachine()
        var (meters, library) = try meters(machine, "0 energy 1000000", "0 power 100000")
        try library.say("0 energy \(1_000_000 + 2_751_100)", "0 power 100000")
        #expect(machine.tick(&meters)[card]?.gap?.hasPrefix("the counter jumped above physical power") == true)
        try library.say("0 energy \(1_000_000 + 2_751_100 + 80_000)", "0 power 100000")
        #expect(machine.tick(&meters)[card]?.energy?.low.joules == 80)
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
