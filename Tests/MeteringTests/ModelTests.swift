import LinuxSystem
import Metering
import Testing
import Units

@Suite struct ModelTests {
    static let cascadeLake = """
        processor	: 0
        vendor_id	: GenuineIntel
        cpu family	: 6
        model		: 85
        model name	: Intel(R) Xeon(R) Gold 6248 CPU @ 2.50GHz
        stepping	: 7

        processor	: 1
        """

    private func machine(cpus: Int = 4, cpuinfo: String = cascadeLake) throws -> FakeMachine {
        try FakeMachine(cpus: cpus, cpuinfo: cpuinfo)
    }

    private func load(busy: Double, steal: Double = 0, cpus: Int = 4) -> MachineLoad {
        MachineLoad(busy: busy, steal: steal, cpus: cpus)
    }

    @Test func theModelGivesTheTablesWattsAtItsEnds() throws {
        let machine = try machine()
        var meters = machine.meters()
        // Cascade Lake: 0.6389 W idle and (3.6425 + 3.9673) / 2 = 3.8049 W full, per thread; 4 threads.
        let idle = try #require(machine.tick(&meters, load: load(busy: 0))["cpu-model"])
        #expect(idle.joules == 2.5556)
        let full = try #require(machine.tick(&meters, load: load(busy: 4))["cpu-model"])
        #expect(full.joules == 15.2196)
        #expect(full.tier == .table)
        // Half of it to twice of it.
        #expect(full.energy?.low.joules == 7.6098)
        #expect(full.energy?.high.joules == 30.4392)
        #expect(meters.idlePower(of: "cpu-model", baseline: IdleBaseline()) == Power(watts: 2.5556))
    }

    @Test func theCurveIsConcaveAndRises() throws {
        let curve = PowerCurve(idleWatts: 10, fullWatts: 110)
        // Its four points.
        #expect(curve.watts(at: 0) == 10)
        #expect(abs(curve.watts(at: 0.2) - 50) < 1e-9)
        #expect(abs(curve.watts(at: 0.6) - 97.5) < 1e-9)
        #expect(curve.watts(at: 1) == 110)
        var lastStep = Double.infinity
        for step in 1...100 {
            let rise = curve.watts(at: Double(step) / 100) - curve.watts(at: Double(step - 1) / 100)
            #expect(rise > 0 && rise <= lastStep + 1e-9)
            lastStep = rise
        }
        #expect(curve.watts(at: -1) == 10 && curve.watts(at: .nan) == 10 && curve.watts(at: 7) == 110)
    }

    @Test func stolenTimeIsNotBusy() throws {
        let machine = try machine()
        var meters = machine.meters()
        let stolen = machine.tick(&meters, load: load(busy: 0, steal: 3))["cpu-model"]
        #expect(stolen?.joules == 2.5556, "the host ran someone else")
    }

    @Test func aLoadBeyondTheMachineIsFullLoad() throws {
        let machine = try machine()
        var meters = machine.meters()
        for busy in [400, Double.greatestFiniteMagnitude] {
            #expect(machine.tick(&meters, load: load(busy: busy))["cpu-model"]?.joules == 15.2196)
        }
        #expect(machine.tick(&meters, load: load(busy: -9))["cpu-model"]?.joules == 2.5556)
    }

    @Test func withoutALoadTheProcessorIsAGapAndTheMemoryIsNot() throws {
        let machine = try machine()
        var meters = machine.meters()
        let samples = machine.tick(&meters, load: nil)
        #expect(samples["cpu-model"]?.gap == "the machine's CPU time could not be read")
        // 8 GiB x 0.3725 W
        #expect(samples["memory-model"]?.joules == 2.98)
        #expect(samples["memory-model"]?.energy?.low == .zero)
        #expect(samples["memory-model"]?.energy?.high.joules == 5.96)
    }

    @Test func aMissedIntervalIsAGapOfTheModelToo() throws {
        let machine = try machine()
        var meters = machine.meters()
        let samples = machine.tick(&meters, after: 60, load: load(busy: 2))
        #expect(samples.count == 2 && samples.values.allSatisfy { $0.gap == "no reading for 1 min" })
    }

    @Test func aTreeWithoutMemoryInformationHasNoMemoryModel() throws {
        let machine = try machine()
        try machine.remove("proc/meminfo")
        var meters = machine.meters()
        #expect(machine.tick(&meters, load: load(busy: 1)).keys.sorted() == ["cpu-model"])
        let memory = meters.descriptions.first { $0.domain == "memory-model" }
        #expect(memory?.counted == false && memory?.status.contains("cannot be read") == true)
    }

    @Test func anUnknownProcessorIsTheMeanOfAllAndWide() throws {
        let machine = try machine(cpus: 1, cpuinfo: "model name : Frobnicator 9000\n")
        var meters = machine.meters()
        let full = try #require(machine.tick(&meters, load: load(busy: 1, cpus: 1))["cpu-model"])
        // The mean over the twelve rows of the table, by hand: 49.1048 / 12.
        #expect(abs(try #require(full.joules) - 4.0920666667) < 1e-6)
        // The lowest and the highest generation.
        #expect(full.energy?.low.joules == 1.5752)
        #expect(full.energy?.high.joules == 8.5754)
        #expect(full.source.contains("unknown"))
    }

    @Test func aGenerationThatIsNotListedIsTheMeanOfItsMaker() throws {
        let cpu = CPUIdentity(modelName: "AMD EPYC", vendor: "AuthenticAMD", family: 26, model: 2, stepping: 1)
        let figures = CPUCoefficients(for: cpu)
        // (2.5531 + (1.5752 + 1.6930) / 2 + (1.8719 + 2.0193) / 2) / 3
        #expect(abs(figures.point.fullWatts - 2.0442666667) < 1e-9)
        #expect(figures.low.fullWatts == figures.point.fullWatts / 2 && figures.high.fullWatts == 8.5754)
        #expect(figures.basis.contains("AMD"))
    }

    @Test(arguments: [
        ("Intel(R) Xeon(R) CPU E5-2620 v3 @ 2.40GHz", Microarchitecture.haswell),
        ("Intel(R) Xeon(R) CPU E5-2670 0 @ 2.60GHz", .sandyBridge),
        ("Intel(R) Xeon(R) CPU E5-2680 v2 @ 2.80GHz", .ivyBridge),
        ("Intel(R) Xeon(R) CPU E5-2673 v4 @ 2.30GHz", .broadwell),
        ("Intel(R) Xeon(R) Platinum 8171M CPU @ 2.60GHz", .skylake),
        ("Intel(R) Xeon(R) Platinum 8272CL CPU @ 2.60GHz", .cascadeLake),
        ("Intel Xeon Processor (Cascadelake)", .cascadeLake),
        ("Intel Xeon Processor (Skylake, IBRS)", .skylake),
        ("AMD EPYC 7551P 32-Core Processor", .epyc1),
        ("AMD EPYC 7R32", .epyc2),
        ("AMD EPYC 7452 32-Core Processor", .epyc2),
        ("AMD EPYC 7763 64-Core Processor", .epyc3),
        ("AMD EPYC 9654 96-Core Processor", nil),
        ("Intel(R) Xeon(R) Platinum 8375C CPU @ 2.90GHz", nil),
        ("Intel(R) Xeon(R) Processor @ 2.20GHz", nil),
        ("", nil),
    ])
    func namesAreMatchedToGenerations(name: String, expected: Microarchitecture?) {
        #expect(Microarchitecture(CPUIdentity(modelName: name)) == expected)
    }

    @Test(arguments: [
        ("GenuineIntel", 6, 85, 4, Microarchitecture.skylake), ("GenuineIntel", 6, 85, 7, .cascadeLake),
        ("GenuineIntel", 6, 85, 11, nil), ("GenuineIntel", 6, 79, 1, .broadwell), ("GenuineIntel", 6, 63, 2, .haswell),
        ("GenuineIntel", 6, 106, 6, nil), ("AuthenticAMD", 23, 1, 2, .epyc1), ("AuthenticAMD", 23, 49, 0, .epyc2),
        ("AuthenticAMD", 25, 1, 1, .epyc3), ("AuthenticAMD", 25, 17, 1, nil), ("AuthenticAMD", 6, 85, 4, nil),
    ])
    func numbersDecideOverNames(
        vendor: String, family: Int, model: Int, stepping: Int, expected: Microarchitecture?
    ) {
        let cpu = CPUIdentity(
            modelName: "Intel Xeon Processor (Skylake)", vendor: vendor, family: family, model: model,
            stepping: stepping)
        #expect(Microarchitecture(cpu) == expected)
    }

    @Test func theLoadIsTheDifferenceOfTwoReadings() throws {
        let machine = try machine(cpus: 2)
        func stat(_ numbers: String, cpus: Int = 2) throws {
            let lines = (0..<cpus).map { "cpu\($0) 0 0 0 0\n" }.joined()
            try machine.write("proc/stat", "cpu  \(numbers)\n" + lines)
        }
        try stat("100 10 50 1000 20 3 2 7 0 0")
        var meter = LoadMeter(roots: machine.roots)
        #expect(try meter.sample() == nil)
        // 60 ticks user, 10 nice, 20 system, 5 interrupts, 5 soft interrupts: 1 s at 100 per second; 10 waited, 3 stolen.
        try stat("160 20 70 1090 30 8 7 10 0 0")
        let load = try #require(try meter.sample())
        #expect(abs(load.busySeconds - 1) < 1e-9)
        #expect(abs(load.idleSeconds - 1) < 1e-9)
        #expect(abs(load.stealSeconds - 0.03) < 1e-9)
        #expect(load.cpus == 2)
        // A CPU was taken out: no load, and a new start.
        try stat("200 20 70 1090 30 8 7 10 0 0", cpus: 1)
        #expect(try meter.sample() == nil)
        try stat("100 20 70 1090 30 8 7 10 0 0", cpus: 1)
        #expect(try meter.sample() == nil)
        try machine.remove("proc/stat")
        #expect(throws: SystemFileError.self) { try meter.sample() }
    }
}
