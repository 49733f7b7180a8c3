import Carbon
import JobAPI
import Policy
import Scheduling
import TestSupport
import Testing
import Units

@testable import Simulation

/// Jobs with deadlines under a changing intensity. Slots of half an hour begin at whole half hours, as does `zero`.
@Suite struct ShiftingTests {
    private static let zero = Timestamp(seconds: 1_700_001_000 - 1_700_001_000.truncatingRemainder(dividingBy: 1800))

    private func at(_ slots: Double) -> Timestamp { Self.zero.advanced(by: .seconds(slots * 1800)) }

    private func series(_ values: [Double]) throws -> SignalSeries {
        try SignalSeries(start: Self.zero, step: .seconds(1800), values: values)
    }

    private func job(
        at submit: Double, slots: Double, deadline: Double?, interruptible: Bool = false, cpus: Int = 1
    ) -> TraceJob {
        TraceJob(
            name: "j", submit: at(submit), runTime: slots * 1800,
            request: ResourceVector(cpus: cpus, memory: .mebibytes(1)), deadline: deadline.map(at),
            interruptible: interruptible, power: 1000)
    }

    private func replay(
        _ jobs: [TraceJob], _ values: [Double], kind: SimulatedForecast.Kind = .perfect, restart: Double = 0,
        on machine: SimulatedMachine = SimulatedMachine(capacity: nil)
    ) throws -> (log: ReplayLog, outcome: Outcome) {
        let series = try series(values)
        let options = Replay.Options(
            limits: .exact, forecast: SimulatedForecast(kind, intensity: series, restart: restart))
        let trace = Trace(jobs: jobs)
        let log = Replay.run(trace, under: .builtIn, on: machine, options: options)
        return (
            log,
            Outcome(log, of: trace, on: machine, prices: GridPrices(intensity: series), restart: restart)
        )
    }

    @Test func aJobRunsInItsCheapestWindow() throws {
        let (log, outcome) = try replay(
            [job(at: 0, slots: 2, deadline: 6), job(at: 0, slots: 2, deadline: nil)], [400, 400, 300, 100, 200, 400, 0])
        #expect(log.runs.map(\.started) == [at(3), at(0)])
        // Of four slots of 400 the first job runs in 100 and 200.
        #expect(outcome.figures.carbonSavedPercent.map { abs($0 - 500 / 16.0) < 1e-9 } == true)
        #expect(outcome.figures.deadlinesMissed == 0)
    }

    @Test func anInterruptibleJobRunsInItsCheapestSlots() throws {
        let (log, outcome) = try replay(
            [job(at: 0, slots: 2, deadline: 6, interruptible: true)], [400, 100, 300, 300, 200, 400, 0])
        #expect(log.segments.map(\.from) == [at(1), at(4)])
        #expect(log.segments.map(\.to) == [at(2), at(5)])
        #expect(log.runs.map(\.ended) == [at(5)])
        #expect(outcome.figures.suspensions == 1)
        #expect(outcome.figures.carbonSavedPercent.map { abs($0 - 40) < 1e-9 } == true)
    }

    /// Half an hour of work for going on at 200 is more than running through 300 instead.
    @Test func goingOnHasItsPrice() throws {
        let values = [400, 100, 300, 300, 200, 400, 0] as [Double]
        let jobs = [job(at: 0, slots: 2, deadline: 6, interruptible: true)]
        #expect(try replay(jobs, values, restart: 1800).outcome.figures.suspensions == 0)
        let figures = try replay(jobs, values, restart: 180).outcome.figures
        #expect(figures.suspensions == 1)
        #expect(figures.restartEnergyJ == 180_000)
        #expect(figures.energyJ == 3_780_000)
        // 500 W h at 100 and at 200 g/kWh, and 50 W h at 200.
        #expect(figures.jobsCarbonG.map { abs($0 - 160) < 1e-6 } == true)
    }

    /// The policy's bound acts on jobs without a deadline, and on no other.
    @Test func aQueueLetsItsJobsWait() throws {
        let series = try series([400, 300, 400, 100, 400, 0, 400, 400])
        let deferring = "[queue.batch]\ndefault = true\ninterruptible = INT\ndefer = { up-to = \"BOUND\" }"
        func starts(_ bound: String, interruptible: Bool = false) throws -> ReplayLog {
            let text = deferring.replacing("BOUND", with: bound).replacing("INT", with: "\(interruptible)")
            let jobs = [job(at: 0, slots: 2, deadline: nil), job(at: 0, slots: 2, deadline: 4)]
            return Replay.run(
                Trace(jobs: jobs), under: try policy(text), on: SimulatedMachine(capacity: nil),
                options: .init(limits: .exact, forecast: SimulatedForecast(.perfect, intensity: series, restart: 0)))
        }
        #expect(try starts("0 s").runs.map(\.started) == [at(0), at(2)])
        #expect(try starts("1 h").runs.map(\.started) == [at(2), at(2)])
        #expect(try starts("2 h").runs.map(\.started) == [at(4), at(2)])
        // Whoever may stop in between takes the two best slots up to the latest start and its run time.
        #expect(try starts("2 h", interruptible: true).segments.map(\.from) == [at(1), at(3), at(3), at(5)])
    }

    /// A deferral for less money looks at prices alone.
    @Test func aQueueDefersForLessCost() throws {
        let text = "[queue.batch]\ndefault = true\ndefer = { up-to = \"2 h\", minimise = \"cost\" }"
        let forecast = SimulatedForecast(
            .perfect, intensity: try series([100, 200, 300, 400, 500]), price: try series([0.4, 0.3, 0.1, 0.2, 0.4]))
        let log = Replay.run(
            Trace(jobs: [job(at: 0, slots: 1, deadline: nil)]), under: try policy(text),
            on: SimulatedMachine(capacity: nil), options: .init(limits: .exact, forecast: forecast))
        #expect(log.runs.map(\.started) == [at(2)])
    }

    @Test func withoutAForecastNothingIsDeferred() {
        let trace = Trace(jobs: [job(at: 0, slots: 2, deadline: 6, interruptible: true)])
        let log = Replay.run(
            trace, under: .builtIn, on: SimulatedMachine(capacity: nil), options: .init(limits: .exact))
        #expect(log.runs.map(\.started) == [at(0)])
    }

    private static let seeds = Array(1...3) as [UInt64]

    /// A week with a daily wave and noise.
    private func week(_ seed: UInt64) -> [Double] {
        var random = Seeded(seed)
        return (0..<480).map { slot in
            let hour = Double(slot % 48) / 2
            return 300 + 10 * abs(hour - 12) * 2 + Double.random(in: 0...40, using: &random)
        }
    }

    private func flexibleJobs(_ seed: UInt64) -> [TraceJob] {
        var random = Seeded(seed)
        return (0..<40).map { _ in
            let submit = Double(Int.random(in: 0..<250, using: &random))
            let slots = Double(Int.random(in: 1...12, using: &random))
            return job(
                at: submit, slots: slots, deadline: submit + slots + Double(Int.random(in: 0...48, using: &random)),
                interruptible: Bool.random(using: &random))
        }.sorted { $0.submit < $1.submit }
    }

    /// Whatever is foretold: every job does all of its work by its deadline, and never two parts of it at once.
    @Test(arguments: seeds)
    func deadlinesHold(seed: UInt64) throws {
        let jobs = flexibleJobs(seed)
        for kind in [.perfect, .noise(percent: 30, seed: seed), .model] as [SimulatedForecast.Kind] {
            let (log, outcome) = try replay(jobs, week(seed), kind: kind)
            #expect(log.runs.allSatisfy { $0.state == .finished })
            #expect(outcome.figures.deadlinesMissed == 0, "\(kind)")
            var done = Array(repeating: 0.0, count: jobs.count)
            var last = Array(repeating: Timestamp(microseconds: .min), count: jobs.count)
            for segment in log.segments {
                let job = Int(segment.job)
                #expect(segment.from >= last[job] && segment.from >= jobs[job].submit)
                last[job] = segment.to
                done[job] += segment.to.since(segment.from).seconds
            }
            #expect(done == jobs.map(\.runTime), "\(kind)")
        }
    }

    /// The truth serves best, and what is foretold badly serves less.
    @Test func aWorseForecastSavesLess() throws {
        func saved(_ kind: SimulatedForecast.Kind) throws -> Double {
            try Self.seeds.reduce(0) { sum, seed in
                sum + (try replay(flexibleJobs(seed), week(seed), kind: kind).outcome.figures.carbonSavedPercent ?? 0)
            }
        }
        let perfect = try saved(.perfect)
        let good = try saved(.noise(percent: 5, seed: 1))
        let bad = try saved(.noise(percent: 100, seed: 1))
        #expect(try saved(.noise(percent: 0, seed: 1)) == perfect)
        #expect(perfect > good)
        #expect(good > bad)
        #expect(perfect > 0)
    }

    /// On a machine with room for three the line counts too; what is given is never more than there is.
    @Test(arguments: seeds)
    func suspendedJobsDoNotOvercommit(seed: UInt64) throws {
        let machine = machine(3)
        let (log, _) = try replay(flexibleJobs(seed), week(seed), on: machine)
        #expect(log.runs.allSatisfy { $0.state == .finished })
        var changes: [(at: Timestamp, cpus: Int)] = log.segments.map { ($0.from, 1) }
        changes += log.segments.map { ($0.to, -1) }
        changes.sort { $0.at == $1.at ? $0.cpus < $1.cpus : $0.at < $1.at }
        var used = 0
        for change in changes {
            used += change.cpus
            #expect(used <= 3)
        }
    }

    @Test func noiseIsSmallNearAndGrowsAndIsTheSameForTheSameSeed() throws {
        let truth = try series(Array(repeating: 100, count: 400))
        let noisy = try #require(ForecastSource.noisy(truth, Self.zero, 10, 7))
        #expect(noisy == ForecastSource.noisy(truth, Self.zero, 10, 7))
        #expect(noisy != ForecastSource.noisy(truth, Self.zero, 10, 8))
        #expect(noisy.values.count == 336)
        #expect(noisy.values[0] == 100)
        func deviation(_ range: Range<Int>) -> Double {
            let errors = range.map { (noisy.values[$0] - 100) / 100 }
            return (errors.reduce(0) { $0 + $1 * $1 } / Double(errors.count)).squareRoot()
        }
        // At a day ahead 10 percent, at six days 24.
        #expect((0.07...0.13).contains(deviation(24..<72)))
        #expect((0.2...0.29).contains(deviation(264..<312)))
        let later = try #require(ForecastSource.noisy(truth, at(100), 10, 7))
        #expect(abs(later.values[4] - 100) < abs(noisy.values[104] - 100))
    }

    /// Quarters of an hour of which two are missing, as in real files.
    @Test func slotsAreSampledFromPointsWithHoles() throws {
        func point(_ quarter: Double, _ value: Double) -> SignalPoint {
            SignalPoint(from: at(quarter / 2), to: at(quarter / 2 + 0.5), value: value)
        }
        let points = [(0, 10), (1, 11), (2, 12), (4, 14), (5, 15), (6, 16)].map { point($0.0, $0.1) }
        let sampled = try SignalSeries(sampling: points, step: .seconds(1800))
        #expect(sampled.values == [10, 12, 14, 16])
        #expect(sampled.start == Self.zero)
        #expect(try SignalSeries(sampling: Array(points.dropFirst()), step: .seconds(1800)).start == at(1))
        let holed = points.filter { $0.value != 12 }
        #expect(throws: CarbonError.self) { try SignalSeries(sampling: holed, step: .seconds(1800)) }
        #expect(throws: CarbonError.self) { try SignalSeries(sampling: [], step: .seconds(1800)) }
    }

    @Test func kindsAreRead() throws {
        #expect(try SimulatedForecast.kind(parsing: "perfect", seed: 1) == .perfect)
        #expect(try SimulatedForecast.kind(parsing: "model", seed: 1) == .model)
        #expect(try SimulatedForecast.kind(parsing: "5 %", seed: 1) == .noise(percent: 5, seed: 1))
        #expect(try SimulatedForecast.kind(parsing: "2.5%", seed: 1) == .noise(percent: 2.5, seed: 1))
        for bad in ["", "5", "%", "-1%", "nan%", "Perfect"] {
            #expect(throws: UnitError.self) { try SimulatedForecast.kind(parsing: bad, seed: 1) }
        }
    }
}
