@testable import Metering
import Glibc
import LinuxSystem
import Testing
import Units

/// A machine of 4 CPUs that draws `10 + 60 (1 - (1 - u)^2)` W and whose clock only waiting moves.
final class SyntheticMachine {
    var seconds = 0.0
    var busy = 0.0
    var loads: [Double] = []
    var lines: [String] = []
    /// CPUs that others keep busy, by the time of the clock.
    var others: (Double) -> Double = { _ in 0 }
    /// Watts that a reading is off by, by the count of readings.
    var noise: (Int) -> Double = { _ in 0 }
    var interruptAt = Double.infinity
    var gap: (Double) -> String? = { _ in nil }
    private var readings = 0

    static func watts(_ utilisation: Double) -> Double { 10 + 60 * (1 - (1 - utilisation) * (1 - utilisation)) }

    func run(_ plan: CalibrationPlan) throws(CalibrationError) -> CalibrationRun.Outcome { try prepared(plan).run() }

    func prepared(_ plan: CalibrationPlan) -> CalibrationRun {
        CalibrationRun(
            plan: plan,
            setLoad: { [self] busy throws(CalibrationError) in
                self.busy = busy
                loads.append(busy)
            },
            wait: { [self] time throws(CalibrationError) in
                seconds += time
                if seconds >= interruptAt { throw .interrupted }
            },
            read: { [self] in
                readings += 1
                if let reason = gap(seconds) { return .gap(reason) }
                let utilisation = min(1, (busy + others(seconds)) / 4)
                return .sample(utilisation: utilisation, watts: Self.watts(utilisation) + noise(readings))
            },
            report: { [self] in lines.append($0) }
        )
    }
}

@Suite struct CalibrationRunTests {
    private let plan = CalibrationPlan(cpus: 4, stepSeconds: 10, settleSeconds: 2)

    @Test func theStepsAreHalfCPUsOnSmallMachinesAndEightOnLargeOnes() {
        #expect(CalibrationPlan(cpus: 1, stepSeconds: 10, settleSeconds: 2).levels == [0.25, 0.5, 0.75, 1])
        #expect(CalibrationPlan(cpus: 2, stepSeconds: 10, settleSeconds: 2).levels == [0.5, 1, 1.5, 2])
        #expect(plan.levels == [0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4])
        #expect(CalibrationPlan(cpus: 64, stepSeconds: 10, settleSeconds: 2).levels == [8, 16, 24, 32, 40, 48, 56, 64])
        #expect(CalibrationPlan(cpus: 4, stepSeconds: 3, settleSeconds: 1, isQuick: true).levels == [1, 2, 3, 4])
        #expect(plan.seconds == 108)
    }

    @Test func aQuietMachineIsMeasuredAsItIs() throws {
        let machine = SyntheticMachine()
        let outcome = try machine.run(plan)
        #expect(outcome.points.map(\.utilisation) == [0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1])
        for point in outcome.points {
            #expect(abs(point.watts - SyntheticMachine.watts(point.utilisation)) < 1e-9 && point.spreadWatts == 0)
        }
        #expect(outcome.leftOut.isEmpty && machine.seconds == 108 && machine.loads.last == 0)
        // Without 0.125, 0.375, ...: the straight line over an interval of 0.25 lies 60 x 0.125^2 = 0.9375 W below the
        // curve's middle; the other way round, at the ends of the range, no less. The first level errs most: 0.9375 /
        // 24.0625.
        #expect(abs(outcome.error.p90 - 0.9375 / 24.0625) < 1e-6)
        #expect(outcome.error.mean > 0.9375 / 70 && outcome.error.mean < outcome.error.p90)
    }

    @Test func aWildReadingMovesNothing() throws {
        let machine = SyntheticMachine()
        machine.noise = { $0 % 11 == 5 ? 500 : 0 }
        let outcome = try machine.run(plan)
        #expect(outcome.points.allSatisfy { abs($0.watts - SyntheticMachine.watts($0.utilisation)) < 1e-9 })
    }

    @Test func theSpreadIsTheMedianDistance() throws {
        let machine = SyntheticMachine()
        // Up and down by 2 W in turn: the median lies in the middle, all are 2 W away.
        machine.noise = { $0 % 2 == 0 ? 2 : -2 }
        let outcome = try machine.run(plan)
        #expect(outcome.points.allSatisfy { abs($0.spreadWatts - 2) < 1e-9 })
    }

    @Test func aStepThatIsDisturbedIsRepeatedAndThenUsed() throws {
        let machine = SyntheticMachine()
        // Steps last 12 s; the third, 1 CPU busy, begins at 24.
        machine.others = { (24..<36).contains($0) ? 2 : 0 }
        let outcome = try machine.run(plan)
        #expect(outcome.points.count == 9 && outcome.leftOut.isEmpty && machine.seconds == 120)
        #expect(
            machine.lines.contains { $0.contains("1 of 4 CPUs busy, once more: the machine was 75 % busy, where 25 %") }
        )
    }

    @Test func aStepThatStaysDisturbedIsLeftOutAndNamed() throws {
        let machine = SyntheticMachine()
        machine.others = { (24..<48).contains($0) ? 2 : 0 }
        let outcome = try machine.run(plan)
        #expect(outcome.points.count == 8 && !outcome.points.contains { $0.utilisation == 0.25 })
        #expect(outcome.leftOut == ["1 of 4 CPUs busy: the machine was 75 % busy, where 25 % was meant"])
    }

    @Test func theMeasuredUtilisationCountsNotTheIntended() throws {
        let machine = SyntheticMachine()
        machine.others = { _ in 0.2 }
        let outcome = try machine.run(plan)
        // 0.2 of 4 CPUs are 5 points.
        #expect(abs(outcome.points[0].utilisation - 0.05) < 1e-9 && abs(outcome.points[2].utilisation - 0.3) < 1e-9)
    }

    @Test func aMachineThatDoesNotIdleIsRefused() throws {
        let machine = SyntheticMachine()
        machine.others = { _ in 0.5 }
        let error = #expect(throws: CalibrationError.self) { try machine.run(plan) }
        #expect("\(try #require(error))".contains("the machine was 12.5 % busy, where 0 % was meant; stop mld's jobs"))
        #expect(machine.loads == [0, 0, 0])
    }

    @Test func aMeterThatFailsTooOftenIsNoStep() throws {
        let machine = SyntheticMachine()
        machine.gap = { $0 < 30 ? nil : "no answer within 5 s" }
        let error = #expect(throws: CalibrationError.self) { try machine.run(plan) }
        #expect("\(try #require(error))".contains("10 of 10 readings failed: no answer within 5 s"))
        #expect(machine.loads.last == 0)
    }

    @Test func withoutNearlyFullLoadThereIsNoCurve() throws {
        let machine = SyntheticMachine()
        // A quota: our load gets two CPUs at most.
        machine.others = { [machine] _ in min(0, 2 - machine.busy) }
        let error = #expect(throws: CalibrationError.self) { try machine.run(plan) }
        #expect("\(try #require(error))".contains("of 8 loads 4 could be used, the highest 50 % busy"))
    }

    @Test func interruptionEndsTheLoad() throws {
        let machine = SyntheticMachine()
        machine.interruptAt = 40
        #expect(throws: CalibrationError.interrupted) { try machine.run(plan) }
        #expect(machine.loads.last == 0 && machine.seconds < 42)
    }

    @Test(arguments: [
        ("215", 215.0), ("215.5 W\n", 215.5), (" 99W ", 99), ("7 watts", 7), ("", nil), ("-5", nil), ("0", nil),
        ("nan", nil),
        ("inf", nil), ("1e9", nil), ("12 kW", nil), ("12 W 13 W", nil), ("power: 12", nil),
    ])
    func anExternalMetersAnswerIsOneNumberOfWatts(text: String, expected: Double?) {
        #expect((try? ExternalMeter.watts(in: text).get()) == expected)
    }

    @Test func anExternalCommandIsAsked() throws {
        func answer(_ command: String) -> Result<Double, ExternalMeter.Failure> {
            ExternalMeter(command: command, isCancelled: { false }).watts()
        }
        #expect(try answer("echo 42 W; echo no >&2").get() == 42)
        #expect(throws: ExternalMeter.Failure(message: "\"exit 3\" failed")) { try answer("exit 3").get() }
        let cancelled = ExternalMeter(command: "sleep 600", isCancelled: { true }).watts()
        #expect(throws: ExternalMeter.Failure.self) { try cancelled.get() }
    }

    // MARK: - The command

    @Test func theCommandsStepsAreOfTenSecondsOrOfThreeOrAsTold() {
        func plan(_ seconds: Double?, external: Bool = false, quick: Bool = false) -> CalibrationPlan {
            CalibrationPlan(cpus: 4, askedSeconds: seconds, isExternal: external, isQuick: quick)
        }
        #expect(plan(nil) == CalibrationPlan(cpus: 4, stepSeconds: 10, settleSeconds: 2))
        #expect(plan(nil, quick: true).levels == [1, 2, 3, 4] && plan(nil, quick: true).stepSeconds == 3)
        #expect(plan(60, external: true, quick: true).stepSeconds == 60)
        #expect(plan(60, external: true).settleSeconds == 4)
        // Five steps of 3 s and 2 s.
        #expect(plan(nil, quick: true).seconds == 25)
    }

    private func calibration(_ outcome: CalibrationRun.Outcome) -> Calibration? {
        Calibration(
            date: Timestamp(seconds: 1_700_000_000), cpu: CPUIdentity(modelName: "x"), cpus: 4, memoryBytes: 1 << 30,
            source: "a test", coverage: .cpu, points: outcome.points, error: outcome.error)
    }

    @Test func theFileIsWrittenAtTheEndAndTheDaemonReadsIt() throws {
        let (machine, files) = (SyntheticMachine(), try FakeMachine())
        let path = files.directory + "/calibration.toml"
        let written = try #require(
            try machine.prepared(plan).run(writingTo: path, isCancelled: { false }, calibration: calibration))
        let read = try Calibration.read(path)
        #expect(written.leftOut.isEmpty && read.points.count == 9)
        // The synthetic machine's own figures: 10 W idle, 70 W at full load.
        #expect(abs(read.idleWatts - 10) < 0.01 && abs(read.curve.watts(at: 1) - 70) < 0.01)
    }

    @Test(arguments: [40, 108, .infinity])
    func interruptionLeavesNoFileAndEndsWith130(second: Double) throws {
        let (machine, files) = (SyntheticMachine(), try FakeMachine())
        machine.interruptAt = second
        let path = files.directory + "/calibration.toml"
        // The last of them comes when all is measured.
        let error = #expect(throws: CalibrationError.self) {
            try machine.prepared(plan).run(
                writingTo: path, isCancelled: { second == .infinity }, calibration: calibration)
        }
        #expect(error == .interrupted && error?.exitCode == 130 && machine.loads.last == 0)
        #expect(throws: SystemFileError.self) { try SystemFile.text(path) }
    }

    @Test func aFailureEndsWithOneAndLeavesAnOldFileAlone() throws {
        let (machine, files) = (SyntheticMachine(), try FakeMachine())
        machine.others = { _ in 0.5 }
        try files.write("calibration.toml", "old")
        let path = files.directory + "/calibration.toml"
        let error = #expect(throws: CalibrationError.self) {
            try machine.prepared(plan).run(writingTo: path, isCancelled: { false }, calibration: calibration)
        }
        #expect(error?.exitCode == 1)
        #expect(try SystemFile.text(path) == "old")
    }

    // MARK: - The load

    /// The CPU time of the load's own threads, whatever else runs in this process. A busy machine may give them less, but what
    /// they take is never more than half of the time and one batch between two looks at the clock.
    @Test func halfALoadTakesAtMostHalfOfTheTime() throws {
        let batch = Self.batchSeconds()
        let load = LoadGenerator(threads: 1, memoryBytes: 1 << 30)
        let start = SystemClock.monotonicNanoseconds()
        try load.keepBusy(0.5)
        usleep(UInt32(max(1, 8 * batch) * 1e6))
        let used = load.cpuSeconds
        let elapsed = Double(SystemClock.monotonicNanoseconds() - start) / 1e9
        try load.keepBusy(0)
        #expect(used > 0 && used <= 0.5 * elapsed + 2 * batch, "\(used) s of \(elapsed) s, batches of \(batch) s")
    }

    @Test func aWholeLoadHasAThreadForEachCPUAndNoLoadHasNone() throws {
        let load = LoadGenerator(threads: 2, memoryBytes: 1 << 30)
        try load.keepBusy(1.5)
        let end = SystemClock.monotonicNanoseconds() + 30_000_000_000
        while load.cpuSeconds < 0.05, SystemClock.monotonicNanoseconds() < end { usleep(10_000) }
        #expect(load.cpuSeconds >= 0.05 && load.threadCount == 2)
        try load.keepBusy(0)
        #expect(load.cpuSeconds == 0 && load.threadCount == 0)
    }

    /// CPU time that a thread works between two looks at the clock, in this build and on this machine.
    private static func batchSeconds() -> Double {
        var work = MixedWork()
        var stream = [Double](repeating: 1, count: 4 << 20)
        let before = SystemClock.threadNanoseconds()
        for _ in 0..<LoadGenerator.slices { work.slice(&stream) }
        return Double(SystemClock.threadNanoseconds() - before) / 1e9
    }
}
