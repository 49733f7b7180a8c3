import ConfigFile
import LinuxSystem
@testable import Metering
import Testing
import Units

@Suite struct CalibrationFileTests {
    static let cpu = CPUIdentity(
        modelName: "Intel(R) Xeon(R) Gold 6248 CPU @ 2.50GHz", vendor: "GenuineIntel", family: 6, model: 85, stepping: 7
    )

    /// 4 CPUs: 20 W idle, 60 W at half load, 80 W at full load.
    static func calibration(
        _ coverage: Calibration.Coverage = .cpu, source: String = "package-0", without: Set<String> = [],
        p90: Double = 0.05
    ) throws -> Calibration {
        try #require(
            Calibration(
                date: Timestamp(parsing: "2026-11-25T10:00:00Z"), cpu: cpu, cpus: 4, memoryBytes: 8 << 30,
                source: source,
                coverage: coverage, without: without,
                points: [
                    CalibrationPoint(utilisation: 0, watts: 20, spreadWatts: 0.25),
                    CalibrationPoint(utilisation: 0.5, watts: 60), CalibrationPoint(utilisation: 1, watts: 80),
                ], error: RelativeErrors(mean: 0.02, p90: p90)))
    }

    @Test func whatIsWrittenIsReadBack() throws {
        let written = try Self.calibration(
            .board, source: "external: awk '{print \"x\\n\"}' \t\u{7}\u{7f} ü", without: ["gpu-b", "gpu-\"a"])
        #expect(try Calibration(parsing: written.text, file: "c.toml") == written)
    }

    @Test func anArmProcessorIsReadBackToo() throws {
        let cpu = CPUIdentity(armImplementer: 0x41, armPart: 0xd0c)
        var written = try Self.calibration()
        written.cpu = cpu
        #expect(try Calibration(parsing: written.text, file: "c.toml").cpu == cpu)
    }

    @Test(arguments: [
        ("version = 1", "version = 2", "c.toml:2: \"version\" is 2; this mld reads 1; run mld calibrate again"),
        ("covers = \"cpu\"", "covers = \"cpus\"", "c.toml:6: \"covers\" is \"cpus\"; it must be one of cpu, "),
        ("cpus = 4\n", "", "\"cpus\" is missing in [machine]; run mld calibrate again"),
        ("cpus = 4\n", "cpus = 0\n", "\"machine.cpus\" is 0; it must be from 1"),
        (
            "idle-watts = 20", "idle-wats = 20",
            "unknown key \"idle-wats\" at the top level; did you mean \"idle-watts\"?"
        ),
        ("idle-watts = 20", "idle-watts = 2", "\"idle-watts\" is 2.0, but the points say 20"),
        ("watts = 60.000000", "watts = -60.0", "\"points.watts\" is -60.0; it must be between"),
        ("watts = 60.000000", "watts = nan", "\"points.watts\" is nan"),
        ("watts = 60.000000", "watts = \"60 W\"", "\"points.watts\" must be a number, not a string"),
        (
            "utilisation = 0.500000", "utilisation = 50",
            "\"points.utilisation\" is 50.0; it must be between 0.0 and 1.0"
        ),
        ("date = 2026", "date = x2026", "c.toml:3: "),
    ])
    func whatIsWrongIsNamedWithItsLine(old: String, new: String, message: String) throws {
        let text = try Self.calibration().text
        let changed = text.replacing(old, with: new, maxReplacements: 1)
        #expect(changed != text)
        do {
            _ = try Calibration(parsing: changed, file: "c.toml")
            Issue.record("\(new) was taken")
        } catch {
            #expect("\(error)".contains(message) && "\(error)".hasPrefix("c.toml:"), "\(error)")
        }
    }

    @Test func aFileWithoutPointsOrWithNothingIsRefused() throws {
        let text = try Self.calibration().text
        let head = text.split(separator: "\n").prefix { $0 != "[[points]]" }.joined(separator: "\n")
        for wrong in [head, "", "version = 1", "[[points]]", "points = 3"] {
            #expect(throws: (any Error).self) { try Calibration(parsing: wrong, file: "c.toml") }
        }
        #expect(throws: SystemFileError.self) { try Calibration.read("/nonexistent/calibration.toml") }
    }

    // MARK: - The meter

    private func machine(cpus: Int = 4, stepping: Int = 7) throws -> FakeMachine {
        try FakeMachine(
            cpus: cpus,
            cpuinfo: ModelTests.cascadeLake.replacing("stepping\t: 7", with: "stepping\t: \(stepping)"))
    }

    @Test func aCalibratedMachineIsMeteredByItsOwnCurve() throws {
        let machine = try machine()
        var meters = machine.meters(calibration: try Self.calibration())
        // A quarter busy: half way from 20 to 60 W. Stolen time is not busy.
        let samples = machine.tick(&meters, load: MachineLoad(busy: 1, steal: 2))
        let sample = try #require(samples["cpu-model"])
        #expect(sample.joules == 40 && sample.tier == .calibrated && sample.kind == .cpu)
        // 30 % either way: more than the 5 % of the levels held out.
        #expect(sample.energy?.low.joules == 28 && sample.energy?.high.joules == 52)
        #expect(sample.source == "calibrated on 2026-11-25 from package-0")
        #expect(meters.idlePower(of: "cpu-model", baseline: IdleBaseline()) == Power(watts: 20))
        #expect(samples["memory-model"]?.tier == .table, "the watts held no memory")
    }

    @Test func anErrorBeyondTheSmallestRangeWidensIt() throws {
        let machine = try machine()
        var meters = machine.meters(calibration: try Self.calibration(p90: 0.5))
        let full = try #require(machine.tick(&meters, load: MachineLoad(busy: 4))["cpu-model"])
        #expect(full.joules == 80 && full.energy?.low.joules == 40 && full.energy?.high.joules == 120)
        #expect(try Self.calibration(p90: 7).relativeRange == 1)
    }

    @Test func memoryThatWasInTheWattsIsNotAddedAgain() throws {
        let machine = try machine()
        for (coverage, domain, kind) in [
            (Calibration.Coverage.cpuAndMemory, "cpu-model", DomainKind.cpu), (.board, "board-model", .platform),
        ] {
            var meters = machine.meters(calibration: try Self.calibration(coverage))
            let samples = machine.tick(&meters, load: MachineLoad(busy: 0))
            #expect(samples.keys.sorted() == [domain])
            #expect(samples[domain]?.kind == kind && samples[domain]?.joules == 20)
        }
    }

    @Test func cardsAreNotTakenOffABoardThatNeverHeldThem() throws {
        let machine = try machine()
        let board = try Self.calibration(.board, without: ["card"])
        var meters = MeterSet(readers: [
            try #require(ModelReader(roots: machine.roots, calibration: board, cards: ["card"])),
            FixedCard(watts: 300),
        ])
        #expect(machine.tick(&meters).isEmpty)
        let samples = machine.tick(&meters, load: MachineLoad(busy: 4))
        #expect(samples["board-model"]?.joules == 80 && samples["card"]?.joules == 300)
    }

    /// Calibrated while no card was counted, or another one, the board's curve holds what is counted beside it, or lacks what
    /// is not.
    @Test func aBoardsCalibrationHoldsOnlyBesideTheCardsItLeftOut() throws {
        let machine = try machine()
        try machine.chip(0, "amdgpu", address: "0000:03:00.0", ["power1_average": "50000000"])
        let card = "gpu-0000:03:00.0"
        for without in [[], ["gpu-x"], [card, "gpu-x"]] as [Set<String>] {
            let meters = machine.meters(calibration: try Self.calibration(.board, without: without))
            let description = try #require(meters.descriptions.first { $0.domain == "cpu-model" })
            #expect(description.tier == .table && description.status.contains("while \(card) is counted now"))
        }
        var meters = machine.meters(calibration: try Self.calibration(.board, without: [card]))
        let samples = machine.tick(&meters, load: MachineLoad(busy: 4))
        #expect(samples.mapValues(\.joules) == ["board-model": 80, card: 50])
        // Nothing but the processors was measured: the cards do not matter.
        let cpu = machine.meters(calibration: try Self.calibration(.cpu))
        #expect(cpu.descriptions.contains { $0.domain == "cpu-model" && $0.tier == .calibrated })
    }

    @Test func anotherMachinesCalibrationIsNotUsedAndSaidSo() throws {
        let calibration = try Self.calibration()
        for (machine, words) in [
            (try machine(cpus: 8), "calibrated on 4 CPUs of"), (try machine(stepping: 6), "this is 4 CPUs of"),
        ] {
            var meters = machine.meters(calibration: calibration)
            for _ in 0..<2 {
                let description = try #require(meters.descriptions.first { $0.domain == "cpu-model" })
                #expect(description.tier == .table && description.status.contains(words))
                #expect(description.status.contains("run mld calibrate again"))
                _ = machine.tick(&meters, load: MachineLoad(busy: 1))
            }
        }
    }

    @Test func memoryWithAMeterOfItsOwnRulesOutACalibrationThatHeldIt() throws {
        let machine = try machine()
        try machine.zone("intel-rapl:0", name: "dram", energy: 0)
        let meters = machine.meters(calibration: try Self.calibration(.cpuAndMemory))
        let description = try #require(meters.descriptions.first { $0.domain == "cpu-model" })
        #expect(description.tier == .table && description.status.contains("holds memory, which a meter already counts"))
    }

    @Test func aCPUThatWentOfflineIsAGap() throws {
        let machine = try machine()
        var meters = machine.meters(calibration: try Self.calibration())
        let sample = machine.tick(&meters, load: MachineLoad(busy: 1, cpus: 3))["cpu-model"]
        #expect(sample?.gap == "3 CPUs are online, the calibration is of 4")
    }

    @Test func aMeasuredPackageNeedsNoCalibration() throws {
        let machine = try machine()
        try machine.zone("intel-rapl:0", name: "package-0", energy: 0)
        #expect(machine.meters(calibration: try Self.calibration()).descriptions.map(\.domain) == ["package-0"])
    }

    // MARK: - The source of truth

    @Test func theCountersOfTheProcessorsAndTheirMemoryAreTheTruth() throws {
        let machine = try machine()
        try machine.zone("intel-rapl:0", name: "package-0", energy: 0)
        try machine.zone("intel-rapl:0:0", name: "dram", energy: 0)
        let meter = try CalibrationMeter(roots: machine.roots, command: nil, isCancelled: { false })
        #expect(meter.coverage == .cpuAndMemory && meter.source.hasPrefix("package-0 + dram"))
    }

    @Test func theCountersAreAddedUp() throws {
        let machine = try machine()
        try machine.zone("intel-rapl:0", name: "package-0", energy: 0)
        try machine.zone("intel-rapl:0:0", name: "dram", energy: 0)
        var meter = try CalibrationMeter(roots: machine.roots, command: nil, isCancelled: { false })
        _ = meter.read(nil, at: Timestamp(seconds: 0), monotonicNanoseconds: 0)
        try machine.energy("intel-rapl:0", 60_000_000)
        try machine.energy("intel-rapl:0:0", 10_000_000)
        // 60 J and 10 J in 2 s.
        let reading = meter.read(nil, at: Timestamp(seconds: 2), monotonicNanoseconds: 2_000_000_000)
        #expect(reading == .sample(utilisation: 0, watts: 35))
    }

    /// What goes on without the memory must not be taken for a measure of both.
    @Test func aCounterThatIsTakenOutOfUseMeanwhileEndsTheSamples() throws {
        let machine = try machine()
        try machine.zone("intel-rapl:0", name: "package-0", energy: 0)
        try machine.zone("intel-rapl:0:0", name: "dram", energy: 0)
        var meter = try CalibrationMeter(roots: machine.roots, command: nil, isCancelled: { false })
        for second in 0...60 {
            try machine.energy("intel-rapl:0", UInt64(second) * 50_000_000)
            let reading = meter.read(
                nil, at: Timestamp(seconds: Double(second)), monotonicNanoseconds: Int64(second) * 1_000_000_000)
            guard case .gap(let reason) = reading else {
                Issue.record("a sample without the memory after \(second) s")
                return
            }
            if second > 35 { #expect(reason.hasSuffix(" gave no sample")) }
        }
    }

    /// A meter outside holds the cards; those with meters of their own are taken off and named.
    @Test func cardsAreTakenOffAMeterOutside() throws {
        let machine = try machine()
        try machine.chip(0, "amdgpu", address: "0000:03:00.0", ["power1_average": "50000000"])
        var meter = try CalibrationMeter(roots: machine.roots, command: "echo 120", isCancelled: { false })
        #expect(meter.without == ["gpu-0000:03:00.0"])
        #expect(meter.source == "external: echo 120, less gpu-0000:03:00.0")
        _ = meter.read(.success(120), at: Timestamp(seconds: 0), monotonicNanoseconds: 0)
        let reading = meter.read(.success(120), at: Timestamp(seconds: 1), monotonicNanoseconds: 1_000_000_000)
        #expect(reading == .sample(utilisation: 0, watts: 70))
        try machine.write("sys/class/hwmon/hwmon0/power1_average", "?")
        let gap = meter.read(.success(120), at: Timestamp(seconds: 2), monotonicNanoseconds: 2_000_000_000)
        guard case .gap = gap else {
            Issue.record("a sample that holds the card")
            return
        }
    }

    @Test func withoutAMeterPeopleAreToldWhatIsNeeded() throws {
        let machine = try machine()
        let error = #expect(throws: CalibrationError.self) {
            _ = try CalibrationMeter(roots: machine.roots, command: nil, isCancelled: { false })
        }
        let message = "\(try #require(error))"
        #expect(message.contains("run as root") && message.contains("--watts-from"))
    }

    @Test func anExternalMeterMeasuresTheBoard() throws {
        let machine = try machine()
        var meter = try CalibrationMeter(roots: machine.roots, command: "echo 100", isCancelled: { false })
        #expect(meter.coverage == .board && meter.source == "external: echo 100")
        #expect(meter.read() == .gap("the first reading has no interval"))
        guard case .sample(_, 100) = meter.read() else {
            Issue.record("no sample")
            return
        }
        #expect(throws: CalibrationError.self) {
            _ = try CalibrationMeter(roots: machine.roots, command: "echo nothing", isCancelled: { false })
        }
    }
}

/// A card that always draws the same.
private struct FixedCard: MeterReader {
    var watts: Double
    var descriptions: [MeterDescription] {
        [MeterDescription(domain: "card", kind: .gpu, source: "a test", tier: .measured)]
    }

    mutating func begin() {}

    mutating func sample(_ tick: MeterTick) -> [DomainSample] {
        let energy = EnergyRange(Power(watts: watts).over(seconds: tick.seconds))
        return [
            DomainSample(
                domain: "card", kind: .gpu, start: tick.start, end: tick.end, seconds: tick.seconds,
                reading: .energy(energy), tier: .measured, source: "a test")
        ]
    }
}
