import Carbon
import JobAPI
import Policy
import TestSupport
import Testing
import Units

@testable import Scheduling

/// A machine on which jobs run exactly as long as predicted, driven from event to event.
private struct ShiftMachine {
    struct Outcome: Hashable {
        var startedAt: Double
        var endedAt: Double
        var pauses: Int
    }

    var scheduler: Scheduler
    var now = h(0)
    var arrivals: [PendingJob] = []
    var forecasts: [(at: Double, forecast: ShiftForecast)] = []
    var outcomes: [JobID: Outcome] = [:]
    /// All that was planned, in order.
    var log: [String] = []
    /// Seconds left of what runs, and since when.
    private var left: [JobID: Double] = [:]
    private var since: [JobID: Double] = [:]
    private var jobs: [JobID: PendingJob] = [:]
    /// Resumes that came later than the plan had said.
    private(set) var lateResumes = 0
    private(set) var held = ResourceVector.zero
    private(set) var mostHeld = ResourceVector.zero
    private(set) var lent = 0

    init(_ scheduler: Scheduler) { self.scheduler = scheduler }

    private mutating func hold(_ request: ResourceVector, _ sign: Int) {
        held = sign > 0 ? held + request : held - request
        mostHeld.cpus = max(mostHeld.cpus, held.cpus)
        mostHeld.memory = max(mostHeld.memory, held.memory)
        mostHeld.gpus = max(mostHeld.gpus, held.gpus)
    }

    mutating func run() {
        var wake: Double? = now
        for _ in 0..<20_000 {
            let ends = since.compactMap { id, start in left[id].map { start + $0 } }
            let next = [
                arrivals.first.map { $0.submittedAt.since(t(0)).seconds }, forecasts.first?.at, ends.min(), wake,
            ]
            .compactMap { $0 }.min()
            guard let next else { return }
            now = max(now, next)
            finish()
            if let new = forecasts.first, new.at <= now {
                scheduler.adopt(forecast: new.forecast, now: t(now))
                forecasts.removeFirst()
            }
            while let job = arrivals.first, job.submittedAt <= t(now) {
                jobs[job.id] = job
                scheduler.add(job)
                arrivals.removeFirst()
            }
            wake = act()
        }
        Issue.record("it does not come to an end")
    }

    private mutating func finish() {
        for (id, start) in since.sorted(by: { $0.key < $1.key }) {
            guard let rest = left[id], start + rest <= now + 1e-6, let job = jobs[id] else { continue }
            outcomes[id]?.endedAt = now
            since[id] = nil
            left[id] = nil
            scheduler.ended(id)
            hold(job.request, -1)
        }
    }

    /// - Returns: when to look again.
    private mutating func act() -> Double? {
        while true {
            let plan = scheduler.plan(now: t(now))
            log.append("\(now) \(plan)")
            for id in plan.suspends {
                guard let job = jobs[id], let start = since.removeValue(forKey: id) else { continue }
                left[id, default: 0] -= now - start
                outcomes[id]?.pauses += 1
                scheduler.suspended(id, at: t(now))
                hold(ResourceVector(cpus: job.request.cpus, memory: .zero), -1)
            }
            for id in plan.resumes {
                guard let job = jobs[id], since[id] == nil else { continue }
                if let run = scheduler.active[id]?.shift?.runs.first(where: { $0.to > t(now) }), run.from < t(now) {
                    lateResumes += 1
                }
                since[id] = now
                scheduler.resumed(id, at: t(now))
                hold(ResourceVector(cpus: job.request.cpus, memory: .zero), 1)
            }
            for id in plan.starts {
                guard let job = jobs[id], let active = scheduler.starting(id, at: t(now)) else { continue }
                if scheduler.active.values.contains(where: { $0.shift?.isSuspended == true }) { lent += 1 }
                scheduler.started(active)
                outcomes[id] = Outcome(startedAt: now, endedAt: .infinity, pauses: 0)
                since[id] = now
                left[id] = job.flexibility?.runTime ?? job.timeLimit ?? 60
                hold(job.request, 1)
            }
            if plan.suspends.isEmpty && plan.resumes.isEmpty && plan.starts.isEmpty {
                return plan.wakeAt.map { $0.since(t(0)).seconds }
            }
        }
    }
}

@Suite struct ShiftPropertyTests {
    private static let seeds = Array(1...25) as [UInt64]

    private static func randomForecast(from first: Int, _ random: inout Seeded) throws -> ShiftForecast {
        let hours = Int.random(in: 3...60, using: &random)
        let values = (0..<hours).map { _ in Double(Int.random(in: 0...40, using: &random) * 10) }
        let prices = values.map { 1 - $0 / 300 }
        return try forecast(values, from: Double(first), price: prices)
    }

    private static func machine(
        _ random: inout Seeded, capacity: ResourceVector, jobs: Int, forecasts: Int, limits: Bool
    ) throws -> ShiftMachine {
        var machine = ShiftMachine(Scheduler(capacity: capacity))
        machine.forecasts = try (0..<forecasts).map { index in
            let at = index == 0 ? 0 : Int.random(in: 1...40, using: &random)
            return (at: h(Double(at)), forecast: try randomForecast(from: at, &random))
        }.sorted { $0.at < $1.at }
        machine.arrivals = (1...Int64(jobs)).map { id in
            let hours = Double(Int.random(in: 1...300, using: &random)) / 60
            let submitted = Double(Int.random(in: 0...1800, using: &random)) / 60
            let slack = Double(Int.random(in: -60...1500, using: &random)) / 60
            let request = vector(
                Int.random(in: 1...3, using: &random), gib: Int64.random(in: 1...3, using: &random),
                gpus: Int.random(in: 0...1, using: &random))
            guard Int.random(in: 0..<4, using: &random) > 0 else {
                return waiting(id, request, uid: UInt32(id % 3), at: h(submitted), limit: hours * 3600)
            }
            let isOwn = Bool.random(using: &random)
            return flexible(
                id, request, at: submitted, hours: hours, deadline: isOwn ? submitted + hours + slack : nil,
                latestStart: isOwn ? nil : submitted + slack, goal: Bool.random(using: &random) ? .carbon : .cost,
                interruptible: Bool.random(using: &random),
                restart: [0, 60, 1200].randomElement(using: &random) ?? 0, limit: limits ? hours * 3600 : nil)
        }.sorted { ($0.submittedAt, $0.id) < ($1.submittedAt, $1.id) }
        return machine
    }

    /// Whatever the forecasts say and however they change.
    @Test(arguments: seeds)
    func deadlinesThatAreFeasibleAreMetWhereThereIsRoom(seed: UInt64) throws {
        var random = Seeded(seed)
        var machine = try Self.machine(
            &random, capacity: vector(1000, gib: 1000, gpus: 1000), jobs: 60, forecasts: 6, limits: false)
        let jobs = machine.arrivals
        machine.run()
        #expect(machine.outcomes.count == jobs.count)
        var (deferred, paused) = (0, 0)
        for job in jobs {
            guard let outcome = machine.outcomes[job.id] else { continue }
            let submitted = job.submittedAt.since(t(0)).seconds
            guard let flexibility = job.flexibility, let end = flexibility.end?.since(t(0)).seconds else {
                #expect(outcome.startedAt == submitted)
                continue
            }
            if outcome.startedAt > submitted { deferred += 1 }
            if outcome.pauses > 0 { paused += 1 }
            if submitted + flexibility.runTime <= end {
                #expect(outcome.endedAt <= end + 1e-3, "job \(job.id)")
            } else {
                #expect(outcome.startedAt == submitted && outcome.pauses == 0)
                #expect(abs(outcome.endedAt - submitted - flexibility.runTime) < 1e-3)
            }
            if !flexibility.isInterruptible { #expect(outcome.pauses == 0) }
        }
        #expect(deferred > 5 && paused > 2, "\(deferred) deferred, \(paused) paused")
    }

    /// Jobs that stand still keep memory and GPUs; their CPUs are lent, and back in time where every job has a limit.
    @Test(arguments: seeds)
    func nothingIsGivenTwiceAndWhatIsLentComesBack(seed: UInt64) throws {
        var random = Seeded(seed &+ 500)
        let capacity = vector(4, gib: 9, gpus: 2)
        var machine = try Self.machine(&random, capacity: capacity, jobs: 40, forecasts: 1, limits: true)
        let jobs = machine.arrivals
        machine.run()
        #expect(machine.mostHeld.fits(in: capacity), "\(machine.mostHeld)")
        #expect(machine.held == .zero && machine.scheduler.freeOfAll == capacity)
        #expect(machine.outcomes.values.allSatisfy { $0.endedAt.isFinite } && machine.outcomes.count == jobs.count)
        #expect(machine.lateResumes == 0)
        #expect(machine.scheduler.borders.isEmpty && machine.scheduler.unsettled.isEmpty)
        #expect(machine.scheduler.shifts.isEmpty && machine.scheduler.line.isEmpty)
    }

    @Test func CPUsAreLentInThose() throws {
        var (lent, paused) = (0, 0)
        for seed in Self.seeds {
            var random = Seeded(seed &+ 500)
            var machine = try Self.machine(
                &random, capacity: vector(4, gib: 9, gpus: 2), jobs: 40, forecasts: 1, limits: true)
            machine.run()
            lent += machine.lent
            paused += machine.outcomes.values.reduce(0) { $0 + $1.pauses }
        }
        #expect(lent > 20 && paused > 50, "\(lent) lent, \(paused) pauses")
    }

    /// With changing forecasts a resume may come late, but it comes.
    @Test(arguments: seeds.prefix(10))
    func forecastsThatChangeGiveNothingTwice(seed: UInt64) throws {
        var random = Seeded(seed &+ 900)
        let capacity = vector(4, gib: 9, gpus: 2)
        var machine = try Self.machine(&random, capacity: capacity, jobs: 40, forecasts: 8, limits: true)
        machine.run()
        #expect(machine.mostHeld.fits(in: capacity))
        #expect(machine.outcomes.values.allSatisfy { $0.endedAt.isFinite })
        #expect(machine.scheduler.freeOfAll == capacity)
    }

    @Test(arguments: seeds.prefix(5))
    func sameInputsSamePlans(seed: UInt64) throws {
        func log() throws -> [String] {
            var random = Seeded(seed &+ 900)
            var machine = try Self.machine(
                &random, capacity: vector(4, gib: 9, gpus: 2), jobs: 40, forecasts: 8, limits: true)
            machine.run()
            return machine.log
        }
        let first = try log()
        #expect(try log() == first && first.count > 50)
    }

    /// What the table of starts says is what looking at each says.
    @Test(arguments: seeds)
    func theIndexOfStartsIsThePlanner(seed: UInt64) throws {
        var random = Seeded(seed &+ 70)
        let count = Int.random(in: 1...70, using: &random)
        let values = (0..<count).map { _ in Double(Int.random(in: 1...5, using: &random)) }
        let series = try SignalSeries(
            start: t(h(0) - Double(Int.random(in: 0...99, using: &random))), step: .seconds(1200), values: values)
        let planner = ShiftPlanner(series: series)
        var indexes = StartIndexes()
        for _ in 0..<200 {
            let earliest = h(Double(Int.random(in: -10...250, using: &random)) / 10)
            let minutes = Int64.random(in: 1...400, using: &random)
            let window = ShiftPlanner.Window(
                earliest: t(earliest), deadline: t(earliest + Double(Int.random(in: -10...2000, using: &random) * 60)),
                duration: .seconds(minutes * 60))
            #expect(indexes.start(in: window, planner, goal: .carbon) == planner.start(in: window))
        }
    }
}
