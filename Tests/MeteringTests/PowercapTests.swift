import FoundationEssentials
import Glibc
import LinuxSystem
import Metering
import TestSupport
import Testing
import Units

/// Each test presents one trap of the powercap counters and states the joules worked out by hand.
@Suite struct PowercapTests {
    @Test func aPackageAndItsMemoryAreReadAndTheCoresInsideAreNotCounted() throws {
        let machine = try FakeMachine()
        try machine.zone("intel-rapl:0", name: "package-0", energy: 1_000_000)
        try machine.zone("intel-rapl:0:0", name: "core", energy: 500_000)
        try machine.zone("intel-rapl:0:1", name: "dram", energy: 200_000)
        var meters = machine.meters()
        try machine.energy("intel-rapl:0", 43_500_000)
        try machine.energy("intel-rapl:0:0", 30_000_000)
        try machine.energy("intel-rapl:0:1", 5_450_000)
        let samples = machine.tick(&meters)
        #expect(samples.keys.sorted() == ["dram-0", "package-0"])
        #expect(samples["package-0"]?.joules == 42.5)
        #expect(samples["dram-0"]?.joules == 5.25)
        #expect(samples["dram-0"]?.kind == .memory)
        #expect(samples.values.allSatisfy { $0.tier == .measured && $0.seconds == 1 })
        let core = meters.descriptions.first { $0.domain == "core of package-0" }
        #expect(core?.counted == false)
        #expect(core?.status == "lies inside package-0: not counted")
    }

    @Test func zonesInsideOneAnotherAreFoundAsWell() throws {
        let machine = try FakeMachine()
        try machine.zone("intel-rapl/intel-rapl:0", name: "package-0", energy: 10)
        try machine.zone("intel-rapl/intel-rapl:0/intel-rapl:0:0", name: "dram", energy: 10)
        #expect(machine.meters().descriptions.filter(\.counted).map(\.domain) == ["package-0", "dram-0"])
    }

    /// Gaps at first, then out of use; what is next best stands in.
    @Test func aCounterThatNeverMovesMakesPlaceForTheModel() throws {
        let machine = try FakeMachine()
        try machine.zone("intel-rapl:0", name: "package-0", energy: 77)
        try machine.write("proc/meminfo", "MemTotal: 1048576 kB\n")
        var meters = machine.meters()
        for _ in 1...30 { #expect(machine.tick(&meters).mapValues(\.gap) == ["package-0": "the counter stood still"]) }
        let package = meters.descriptions.first
        #expect(package?.counted == false)
        #expect(package?.status == "the counter stood still for 30 s: not used any more")
        // 1 GiB at 0.3725 W/GiB; the processor's load is not known.
        #expect(machine.tick(&meters).mapValues(\.joules) == ["cpu-model": nil, "memory-model": 0.3725])
    }

    @Test func twoPackagesAreCountedEach() throws {
        let machine = try FakeMachine()
        for index in 0..<2 {
            try machine.zone("intel-rapl:\(index)", name: "package-\(index)", energy: 0)
            try machine.zone("intel-rapl:\(index):0", name: "dram", energy: 0)
        }
        var meters = machine.meters()
        try machine.energy("intel-rapl:0", 40_000_000)
        try machine.energy("intel-rapl:1", 60_000_000)
        try machine.energy("intel-rapl:0:0", 3_000_000)
        try machine.energy("intel-rapl:1:0", 4_000_000)
        let samples = machine.tick(&meters)
        #expect(samples.mapValues(\.joules) == ["package-0": 40, "package-1": 60, "dram-0": 3, "dram-1": 4])
    }

    @Test func theMemoryMappedCopyIsIgnored() throws {
        let machine = try FakeMachine()
        try machine.zone("intel-rapl-mmio:0", name: "package-0", energy: 0)
        try machine.zone("intel-rapl:0", name: "package-0", energy: 0)
        var meters = machine.meters()
        try machine.energy("intel-rapl-mmio:0", 20_000_000)
        try machine.energy("intel-rapl:0", 20_100_000)
        #expect(machine.tick(&meters).mapValues(\.joules) == ["package-0": 20.1])
        let copy = meters.descriptions.first { $0.source.contains("intel-rapl-mmio:0") }
        #expect(copy?.counted == false)
        #expect(copy?.status == "repeats package-0, which is already counted")
    }

    @Test func thePlatformIsNotAddedToThePackagesItHolds() throws {
        let machine = try FakeMachine()
        try machine.zone("intel-rapl:1", name: "psys", energy: 0)
        try machine.zone("intel-rapl:0", name: "package-0", energy: 0)
        var meters = machine.meters()
        try machine.energy("intel-rapl:0", 10_000_000)
        try machine.energy("intel-rapl:1", 30_000_000)
        #expect(machine.tick(&meters).mapValues(\.joules) == ["package-0": 10])
        #expect(meters.descriptions.first { $0.domain == "psys" }?.status.hasPrefix("holds the packages") == true)
    }

    @Test func thePlatformAloneIsTheWhole() throws {
        let machine = try FakeMachine()
        try machine.zone("intel-rapl:0", name: "psys", energy: 0)
        try machine.zone("intel-rapl:1", name: "dram", energy: 0)
        var meters = machine.meters()
        try machine.energy("intel-rapl:0", 30_000_000)
        try machine.energy("intel-rapl:1", 2_000_000)
        let samples = machine.tick(&meters)
        #expect(samples.mapValues(\.joules) == ["psys": 30])
        #expect(samples["psys"]?.kind == .platform)
    }

    @Test func memoryOutsideAnyPackageIsCountedBesideIt() throws {
        let machine = try FakeMachine()
        try machine.zone("intel-rapl:0", name: "package-0", energy: 0)
        try machine.zone("intel-rapl:1", name: "dram", energy: 0)
        var meters = machine.meters()
        try machine.energy("intel-rapl:0", 10_000_000)
        try machine.energy("intel-rapl:1", 2_000_000)
        #expect(machine.tick(&meters).mapValues(\.joules) == ["package-0": 10, "dram": 2])
    }

    /// What 0400, as the kernel has it, is to a daemon in user mode.
    @Test func aCounterForRootOnlyIsAbsentWithTheReason() throws {
        let machine = try FakeMachine()
        try machine.zone("intel-rapl:0", name: "package-0", energy: 0)
        chmod(machine.directory + "/sys/class/powercap/intel-rapl:0/energy_uj", 0)
        let found = try asAnotherUser { machine.meters().descriptions }
        #expect(found.first?.counted == false)
        #expect(found.first?.status == "cannot be read: Permission denied (energy_uj is readable by root only)")
        #expect(found.contains { $0.domain == "cpu-model" && $0.counted }, "the model stands in")
    }

    /// A driver loaded anew may take the permission away while the daemon runs.
    @Test func aCounterThatIsClosedWhileItIsReadIsAGap() throws {
        let machine = try FakeMachine()
        try machine.zone("intel-rapl:0", name: "package-0", energy: 0)
        var meters = machine.meters()
        try machine.energy("intel-rapl:0", 12_000_000)
        chmod(machine.directory + "/sys/class/powercap/intel-rapl:0/energy_uj", 0)
        let sample = try asAnotherUser { machine.tick(&meters)["package-0"] }
        #expect(sample?.gap == "the counter is unreadable: Permission denied" && sample?.seconds == 1)
        chmod(machine.directory + "/sys/class/powercap/intel-rapl:0/energy_uj", 0o600)
        #expect(machine.tick(&meters)["package-0"]?.gap == "the counter came back: new baseline")
        try machine.energy("intel-rapl:0", 15_000_000)
        #expect(machine.tick(&meters)["package-0"]?.joules == 3)
    }

    @Test func aCounterThatCannotBeReadIsAbsentWithTheReason() throws {
        let machine = try FakeMachine()
        try machine.zone("intel-rapl:0", name: "package-0", energy: 0)
        try machine.write("sys/class/powercap/intel-rapl:0/energy_uj", "not a number\n")
        let meters = machine.meters()
        let package = meters.descriptions.first { $0.domain == "package-0" }
        #expect(package?.counted == false)
        #expect(package?.status.hasPrefix("cannot be read: ") == true)
        #expect(meters.descriptions.contains { $0.domain == "cpu-model" && $0.counted }, "the model stands in")
    }

    /// Leaving the one out would make the other look like the whole: a gap until it can be read.
    @Test(arguments: [0, 1]) func aZoneUnreadableAtTheStartIsAGapBesideItsSibling(unreadable: Int) throws {
        let machine = try FakeMachine()
        for index in 0..<2 {
            try machine.zone("intel-rapl:\(index)", name: "package-\(index)", energy: 0)
            try machine.zone("intel-rapl:\(index):0", name: "dram", energy: 0)
        }
        try machine.write("sys/class/powercap/intel-rapl:\(unreadable)/energy_uj", "")
        try machine.write("sys/class/powercap/intel-rapl:\(unreadable):0/energy_uj", "")
        var meters = machine.meters()
        #expect(meters.descriptions.map(\.domain) == ["package-0", "package-1", "dram-0", "dram-1"])
        #expect(meters.descriptions.filter(\.counted).count == 4)
        let late = ["package-\(unreadable)", "dram-\(unreadable)"]
        let sound = ["package-\(1 - unreadable)", "dram-\(1 - unreadable)"]
        func energies(_ package: UInt64, _ memory: UInt64, of index: Int) throws {
            try machine.energy("intel-rapl:\(index)", package * 1_000_000)
            try machine.energy("intel-rapl:\(index):0", memory * 1_000_000)
        }
        try energies(80, 5, of: 1 - unreadable)
        var samples = machine.tick(&meters)
        #expect(sound.map { samples[$0]?.joules } == [80, 5])
        #expect(late.allSatisfy { samples[$0]?.gap?.hasPrefix("the counter is garbage") == true })
        #expect(late.allSatisfy { samples[$0]?.seconds == 1 })
        try energies(160, 10, of: 1 - unreadable)
        try energies(3000, 200, of: unreadable)
        samples = machine.tick(&meters)
        #expect(sound.map { samples[$0]?.joules } == [80, 5])
        #expect(late.allSatisfy { samples[$0]?.gap == "the counter came back: new baseline" })
        try energies(240, 15, of: 1 - unreadable)
        try energies(3090, 207, of: unreadable)
        samples = machine.tick(&meters)
        #expect((sound + late).map { samples[$0]?.joules } == [80, 5, 90, 7])
    }

    @Test func aZoneForRootOnlyBesideOneForAllIsAGapWithTheReason() throws {
        let machine = try FakeMachine()
        for index in 0..<2 { try machine.zone("intel-rapl:\(index)", name: "package-\(index)", energy: 0) }
        chmod(machine.directory + "/sys/class/powercap/intel-rapl:1/energy_uj", 0)
        try asAnotherUser {
            var meters = machine.meters()
            let package = meters.descriptions.first { $0.domain == "package-1" }
            #expect(package?.counted == true)
            #expect(machine.tick(&meters)["package-1"]?.gap == "the counter is unreadable: Permission denied")
        }
    }

    @Test func aCopyThatCanBeReadStandsInForAZoneThatCannot() throws {
        let machine = try FakeMachine()
        try machine.zone("intel-rapl:0", name: "package-0", energy: 0)
        try machine.write("sys/class/powercap/intel-rapl:0/energy_uj", "")
        try machine.zone("intel-rapl-mmio:0", name: "package-0", energy: 0)
        var meters = machine.meters()
        let counted = meters.descriptions.filter(\.counted).map(\.source)
        #expect(counted == ["RAPL counter package-0 (intel-rapl-mmio:0) through powercap"])
        try machine.energy("intel-rapl-mmio:0", 9_000_000)
        #expect(machine.tick(&meters).mapValues(\.joules) == ["package-0": 9])
    }

    @Test func aZoneThatVanishesAndReturnsStartsAnew() throws {
        let machine = try FakeMachine()
        try machine.zone("intel-rapl:0", name: "package-0", energy: 0)
        var meters = machine.meters()
        try machine.remove("sys/class/powercap/intel-rapl:0")
        #expect(machine.tick(&meters)["package-0"]?.gap == "the counter vanished")
        #expect(machine.tick(&meters)["package-0"]?.gap == "the counter vanished")
        try machine.zone("intel-rapl:0", name: "package-0", energy: 900_000_000)
        #expect(machine.tick(&meters)["package-0"]?.gap == "the counter came back: new baseline")
        try machine.energy("intel-rapl:0", 912_000_000)
        #expect(machine.tick(&meters)["package-0"]?.joules == 12)
    }

    @Test(arguments: ["", "-5\n", "1e9\n", "99999999999999999999999\n", "12 34\n", "\u{0}\u{0}"])
    func nonsenseInACounterIsAGap(text: String) throws {
        let machine = try FakeMachine()
        try machine.zone("intel-rapl:0", name: "package-0", energy: 0)
        var meters = machine.meters()
        try machine.write("sys/class/powercap/intel-rapl:0/energy_uj", text)
        #expect(machine.tick(&meters)["package-0"]?.gap?.hasPrefix("the counter is garbage") == true)
    }

    @Test func thousandsOfRandomReadingsNeverGiveANegativeOrImpossibleEnergy() throws {
        let machine = try FakeMachine()
        var generator = Seeded(7)
        try machine.zone("intel-rapl:0", name: "package-0", energy: 0, range: 65_532_610_987)
        var meters = machine.meters()
        for _ in 0..<2000 {
            try machine.energy("intel-rapl:0", UInt64.random(in: 0...70_000_000_000, using: &generator))
            let sample = try #require(machine.tick(&meters)["package-0"])
            if let energy = sample.energy { #expect((0...2_010_000_000).contains(energy.energy.microjoules)) }
        }
    }
}
