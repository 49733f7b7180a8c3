import Glibc
import Metering
import Testing
import Units

/// Power sensors and energy counters of cards and boards; the joules are worked out by hand.
@Suite struct HwmonTests {
    private let card = "gpu-0000:03:00.0"

    @Test func powerBecomesEnergyBetweenTwoReadings() throws {
        let machine = try FakeMachine()
        try machine.chip(0, "amdgpu", address: "0000:03:00.0", ["power1_average": "100000000"])
        var meters = machine.meters()
        try machine.sensor(0, "power1_average", 140_000_000)
        let sample = try #require(machine.tick(&meters, after: 2)[card])
        // 2 s at 120 W; between 2 s at 100 W and 2 s at 140 W.
        #expect(sample.joules == 240 && sample.energy?.low.joules == 200 && sample.energy?.high.joules == 280)
        #expect(sample.kind == .gpu && sample.tier == .measured)
        #expect(sample.source == "power sensor of amdgpu (power1_average)")
    }

    @Test func whoComputesOnAnAMDCardIsKnownAndHowMuchIsNot() throws {
        let machine = try FakeMachine()
        let kfd = "sys/class/kfd/kfd/"
        // The second card of the bus: 0x83 << 8 | 1 << 3; the processors' node comes first.
        try machine.write(kfd + "topology/nodes/0/gpu_id", "0\n")
        for (node, id, location) in [(1, 111, 0x8300), (2, 222, 0x8308)] {
            try machine.write(kfd + "topology/nodes/\(node)/gpu_id", "\(id)\n")
            try machine.write(
                kfd + "topology/nodes/\(node)/properties", "simd_count 240\nlocation_id \(location)\ndomain 1\n")
        }
        try machine.chip(0, "amdgpu", address: "0001:83:01.0", ["power1_average": "50000000"])
        try machine.write(kfd + "proc/70/vram_222", "4096\n")
        try machine.write(kfd + "proc/70/vram_111", "0\n")
        try machine.write(kfd + "proc/71/vram_111", "4096\n")
        try machine.write(kfd + "proc/72/vram_222", "0\n")
        try machine.write(kfd + "proc/x/vram_222", "1\n")
        var meters = machine.meters()
        let card = "gpu-0001:83:01.0"
        #expect(machine.tick(&meters)[card]?.processes == [ProcessUse(pid: 70, memoryBytes: 4096)])
        try machine.remove(kfd + "proc/70")
        #expect(machine.tick(&meters)[card]?.processes?.map(\.pid) == [70], "it was there at the start")
        // Somebody may be drawing on it.
        let quiet = machine.tick(&meters)[card]
        #expect(quiet?.joules == 50 && quiet?.processes == nil)
        try machine.write(kfd + "proc/73/vram_222", "-5\n")
        #expect(machine.tick(&meters)[card]?.processes == nil)
        let status = meters.descriptions.first { $0.domain == card }?.status
        #expect(status?.hasPrefix("ok; who is on it cannot be told") == true)
    }

    @Test func ofACardWithoutSuchADriverNobodyCanTell() throws {
        let machine = try FakeMachine()
        try machine.chip(0, "amdgpu", address: "0000:03:00.0", ["power1_average": "50000000"])
        try machine.write("sys/class/kfd/kfd/topology/nodes/1/gpu_id", "5\n")
        try machine.write("sys/class/kfd/kfd/topology/nodes/1/properties", "location_id 99999999\nlocation_id\n")
        var meters = machine.meters()
        let sample = machine.tick(&meters)[card]
        #expect(sample?.joules == 50 && sample?.processes == nil)
        #expect(meters.descriptions.first { $0.domain == card }?.status == "ok")
    }

    @Test func theAverageIsTakenBeforeTheMoment() throws {
        let machine = try FakeMachine()
        try machine.chip(3, "amdgpu", ["power1_input": "9000000", "power1_average": "8000000"])
        var meters = machine.meters()
        // Without an address the card is called after its chip.
        #expect(machine.tick(&meters)["gpu-hwmon3"]?.joules == 8)
    }

    @Test func ofIntelsCountersTheWholeCards() throws {
        let machine = try FakeMachine()
        try machine.chip(
            1, "xe", address: "0000:03:00.0",
            [
                "energy1_input": "5000000", "energy1_label": "pkg", "energy2_input": "7000000", "energy2_label": "card",
            ])
        var meters = machine.meters()
        try machine.sensor(1, "energy1_input", 25_000_000)
        try machine.sensor(1, "energy2_input", 37_500_000)
        #expect(machine.tick(&meters)[card]?.joules == 30.5)
    }

    @Test func aCounterThatGoesBackIsAGapAndANewBaseline() throws {
        let machine = try FakeMachine()
        try machine.chip(1, "i915", address: "0000:03:00.0", ["energy1_input": "90000000"])
        var meters = machine.meters()
        try machine.sensor(1, "energy1_input", 4_000_000)
        #expect(machine.tick(&meters)[card]?.gap == "the counter went back and its range cannot be read")
        try machine.sensor(1, "energy1_input", 5_250_000)
        #expect(machine.tick(&meters)[card]?.joules == 1.25)
        #expect(machine.tick(&meters)[card]?.gap == "the counter stood still")
        // 2,501 W for the 1.1 s in which the energy of one second may arrive.
        try machine.sensor(1, "energy1_input", 5_250_000 + 2_751_000_000)
        #expect(machine.tick(&meters)[card]?.gap?.hasPrefix("the counter jumped above physical power") == true)
    }

    @Test func aCardThatVanishesLeavesGaps() throws {
        let machine = try FakeMachine()
        try machine.chip(0, "amdgpu", address: "0000:03:00.0", ["power1_average": "50000000"])
        var meters = machine.meters()
        #expect(machine.tick(&meters)[card]?.joules == 50)
        try machine.remove("sys/class/hwmon/hwmon0")
        #expect(machine.tick(&meters)[card]?.gap == "the sensor vanished")
        #expect(meters.descriptions.first { $0.domain == card }?.status == "the sensor vanished")
        try machine.sensor(0, "power1_average", 70_000_000)
        #expect(machine.tick(&meters)[card]?.gap == "the sensor came back: no reading at the start of the interval")
        #expect(machine.tick(&meters)[card]?.joules == 70)
    }

    @Test(arguments: ["-1", "2500000001", "99999999999999999999", "N/A", ""])
    func nonsenseIsAGap(value: String) throws {
        let machine = try FakeMachine()
        try machine.chip(0, "amdgpu", address: "0000:03:00.0", ["power1_average": "50000000"])
        var meters = machine.meters()
        try machine.write("sys/class/hwmon/hwmon0/power1_average", value)
        #expect(machine.tick(&meters)[card]?.gap != nil)
        try machine.sensor(0, "power1_average", 60_000_000)
        #expect(machine.tick(&meters)[card]?.gap != nil)
        #expect(machine.tick(&meters)[card]?.joules == 60)
    }

    @Test func aSensorOfSomethingUnknownIsShownAndNotCounted() throws {
        let machine = try FakeMachine()
        try machine.chip(4, "ina226", ["power1_input": "3000000"])
        try machine.chip(5, "coretemp", ["temp1_input": "40000"])
        var meters = machine.meters()
        #expect(machine.tick(&meters)["ina226 at hwmon4"] == nil)
        let shown = try #require(meters.descriptions.first { $0.domain == "ina226 at hwmon4" })
        #expect(!shown.counted && shown.status == "what it feeds is not known: not counted")
        #expect(!meters.descriptions.contains { $0.domain.hasPrefix("coretemp") })
    }

    @Test func theBoardsMeterStandsInForTheProcessorsCounters() throws {
        let machine = try FakeMachine()
        try machine.chip(0, "power_meter", ["power1_average": "200000000"])
        try machine.write("proc/meminfo", "MemTotal: 1048576 kB\n")
        var meters = machine.meters()
        let samples = machine.tick(&meters)
        #expect(samples.keys.sorted() == ["platform"] && samples["platform"]?.joules == 200)

        try machine.zone("intel-rapl:0", name: "package-0", energy: 1_000_000)
        var both = machine.meters()
        try machine.energy("intel-rapl:0", 2_000_000)
        #expect(machine.tick(&both).keys.sorted() == ["package-0"])
        let board = both.descriptions.first { $0.domain == "platform" }
        #expect(board?.status == "holds the packages, which are counted one by one")
    }

    @Test func aBatterysMeterIsNoBoards() throws {
        let machine = try FakeMachine()
        try machine.chip(0, "power_meter", ["power1_average": "200000000", "power1_is_battery": "1"])
        #expect(!machine.meters().descriptions.contains { $0.domain == "platform" })
    }

    @Test func cardsAreTakenOutOfTheBoardTheyAreOn() throws {
        let machine = try FakeMachine()
        try machine.chip(0, "power_meter", ["power1_average": "400000000"])
        try machine.chip(1, "amdgpu", address: "0000:03:00.0", ["power1_average": "200000000"])
        var meters = machine.meters()
        try machine.sensor(1, "power1_average", 300_000_000)
        let samples = machine.tick(&meters)
        #expect(samples[card]?.joules == 250)
        // 400 J less 250 J, where the card drew 200 J to 300 J.
        let board = try #require(samples["platform"]?.energy)
        #expect(board.energy.joules == 150 && board.low.joules == 100 && board.high.joules == 200)

        try machine.sensor(0, "power1_average", 100_000_000)
        // The board 250 J, the card 300 J.
        #expect(machine.tick(&meters)["platform"]?.gap == "its parts drew more than the whole")
        try machine.write("sys/class/hwmon/hwmon1/power1_average", "?")
        #expect(machine.tick(&meters)[card]?.gap != nil)
        // Of the board's 100 J any may be the card's, for which nothing is booked.
        try machine.sensor(0, "power1_average", 100_000_000)
        let rest = try #require(machine.tick(&meters)["platform"]?.energy)
        #expect(rest.energy.joules == 100 && rest.low == .zero && rest.high.joules == 100)
    }

    /// An AMD card at rest is switched off: the board's meter goes on.
    @Test func aCardThatSleepsDoesNotTakeTheBoardWithIt() throws {
        let machine = try FakeMachine()
        try machine.chip(0, "power_meter", ["power1_average": "100000000"])
        try machine.chip(1, "amdgpu", address: "0000:03:00.0", ["power1_average": "0"])
        var meters = machine.meters()
        for _ in 0..<40 {
            let samples = machine.tick(&meters)
            #expect(samples[card]?.gap != nil && samples["platform"]?.joules == 100)
        }
    }

    // MARK: - Sensors that tell nothing

    /// The board is powered, so its sensor is dead: gaps, and after half a minute the next best meter.
    @Test func aBoardsSensorAtZeroWattsMakesPlaceForTheNextMeter() throws {
        let machine = try FakeMachine(cpus: 4, cpuinfo: ModelTests.cascadeLake)
        try machine.chip(0, "power_meter", ["power1_average": "0"])
        var meters = machine.meters()
        #expect(meters.descriptions.map(\.domain) == ["platform"])
        for _ in 1...30 {
            let samples = machine.tick(&meters, load: MachineLoad(busy: 1))
            #expect(samples.keys.sorted() == ["platform"])
            #expect(samples["platform"]?.gap == "the sensor tells 0 W, which nothing powered draws")
        }
        let samples = machine.tick(&meters, load: MachineLoad(busy: 1))
        #expect(samples.keys.sorted() == ["cpu-model", "memory-model"])
        #expect(samples.values.allSatisfy { $0.tier == .table && $0.energy != nil })
        let board = meters.descriptions.first { $0.domain == "platform" }
        #expect(board?.status == "told 0 W for 30 s: not used any more" && board?.counted == false)
    }

    @Test func anotherMeterOfTheBoardTakesOver() throws {
        let machine = try FakeMachine()
        try machine.chip(0, "power_meter", ["power1_average": "0"])
        try machine.chip(1, "power_meter", ["power1_average": "200000000"])
        var meters = machine.meters()
        for _ in 1...30 { #expect(machine.tick(&meters)["platform"]?.gap != nil) }
        let samples = machine.tick(&meters)
        #expect(samples.mapValues(\.joules) == ["platform": 200])
    }

    @Test func aMomentAtZeroWattsIsAGapAndNotTheEnd() throws {
        let machine = try FakeMachine()
        try machine.chip(0, "power_meter", ["power1_average": "200000000"])
        var meters = machine.meters()
        try machine.sensor(0, "power1_average", 0)
        for _ in 1...29 { #expect(machine.tick(&meters)["platform"]?.gap != nil) }
        try machine.sensor(0, "power1_average", 210_000_000)
        #expect(machine.tick(&meters)["platform"]?.gap != nil)
        #expect(machine.tick(&meters)["platform"]?.joules == 210)
    }

    /// It may be asleep; what little it draws then is not known.
    @Test func aCardsSensorAtZeroWattsStaysAGap() throws {
        let machine = try FakeMachine()
        try machine.chip(0, "amdgpu", address: "0000:03:00.0", ["power1_average": "0"])
        var meters = machine.meters()
        for _ in 1...40 {
            #expect(machine.tick(&meters)[card]?.gap == "the sensor tells 0 W, which nothing powered draws")
        }
        #expect(meters.descriptions.first { $0.domain == card }?.counted == true)
    }

    // MARK: - A counter and the sensor beside it

    @Test func aCounterThatStandsStillIsReplacedByTheSensorBesideIt() throws {
        let machine = try FakeMachine()
        try machine.chip(
            0, "amdgpu", address: "0000:03:00.0", ["energy1_input": "0", "power1_average": "150000000"])
        var meters = machine.meters()
        for _ in 1...29 { #expect(machine.tick(&meters)[card]?.joules == 150) }
        let sample = try #require(machine.tick(&meters)[card])
        #expect(sample.joules == 150 && sample.source == "power sensor of amdgpu (power1_average)")
        let status = meters.descriptions.first { $0.domain == card }?.status
        #expect(status == "ok; its energy counter told 0 J where the power sensor told 4500 J, and is not used")
    }

    @Test func aCounterThatTheSensorConfirmsCounts() throws {
        let machine = try FakeMachine()
        try machine.chip(
            0, "amdgpu", address: "0000:03:00.0", ["energy1_input": "7", "power1_average": "150000000"])
        var meters = machine.meters()
        for second in 1...31 {
            try machine.sensor(0, "energy1_input", 7 + 160_000_000 * second)
            let energy = machine.tick(&meters)[card]?.energy
            // Until it is checked: 150 J by the sensor, up to 160 J by the counter.
            #expect(
                energy == EnergyRange(Energy(joules: second < 30 ? 150 : 160), high: Energy(joules: 160)))
        }
        #expect(
            meters.descriptions.first { $0.domain == card }?.source == "energy counter of amdgpu (energy1_input)")
    }

    // MARK: - Cards that are none, or not there yet

    /// A node of the kernel's driver that has cores of both kinds is a processor with graphics.
    @Test func theGraphicsPartOfAProcessorIsNotCountedBesideIt() throws {
        let machine = try FakeMachine()
        let node = "sys/class/kfd/kfd/topology/nodes/0/"
        try machine.write(node + "gpu_id", "9\n")
        try machine.write(node + "properties", "cpu_cores_count 16\nsimd_count 32\nlocation_id 1024\ndomain 0\n")
        try machine.chip(0, "amdgpu", address: "0000:04:00.0", ["power1_average": "45000000"])
        try machine.zone("intel-rapl:0", name: "package-0", energy: 0)
        var meters = machine.meters()
        try machine.energy("intel-rapl:0", 40_000_000)
        #expect(machine.tick(&meters).mapValues(\.joules) == ["package-0": 40])
        let part = meters.descriptions.first { $0.domain == "gpu-0000:04:00.0" }
        #expect(part?.status == "lies inside the processor: its power is the socket's" && part?.counted == false)
    }

    /// Newer kernels list the two parts as two nodes; the voltage of the northbridge only such chips tell.
    @Test func itIsKnownByItsNorthbridgeToo() throws {
        let machine = try FakeMachine()
        try machine.chip(
            0, "amdgpu", address: "0000:04:00.0",
            ["power1_input": "45000000", "in0_label": "vddgfx", "in1_label": "vddnb", "in1_input": "800"])
        // A card on the bus beside it.
        try machine.chip(
            1, "amdgpu", address: "0000:03:00.0", ["power1_average": "90000000", "in0_label": "vddgfx"])
        var meters = machine.meters()
        let samples = machine.tick(&meters)
        #expect(samples[card]?.joules == 90 && samples["gpu-0000:04:00.0"] == nil)
    }

    @Test func aCardThatCannotBeReadAtTheStartStaysACard() throws {
        let machine = try FakeMachine()
        try machine.chip(0, "amdgpu", address: "0000:03:00.0", ["power1_average": ""])
        var meters = machine.meters()
        let sample = machine.tick(&meters)[card]
        #expect(sample?.gap == "the sensor is garbage: empty" && sample?.seconds == 1)
        try machine.sensor(0, "power1_average", 50_000_000)
        #expect(machine.tick(&meters)[card]?.gap != nil)
        #expect(machine.tick(&meters)[card]?.joules == 50)
    }

    @Test func aCardThatIsNotForUsIsNotCounted() throws {
        let machine = try FakeMachine()
        try machine.chip(0, "amdgpu", address: "0000:03:00.0", ["power1_average": "50000000"])
        chmod(machine.directory + "/sys/class/hwmon/hwmon0/power1_average", 0o400)
        var meters = try asAnotherUser { machine.meters() }
        #expect(try asAnotherUser { machine.tick(&meters) }[card] == nil)
        #expect(
            meters.descriptions.first { $0.domain == card }?.status == "cannot be read: Permission denied")
    }
}
