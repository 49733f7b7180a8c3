import JobAPI
import Policy
import TestSupport
import Testing
import Units

@testable import Scheduling

/// What the jobs of a user or a project may have together.
@Suite struct LimitTests {
    private func setting(_ count: Int, _ name: String) -> Setting<Int?> {
        Setting(count, source: RuleReference(file: "x.toml", line: 7, name: name))
    }

    private func scheduler(
        cpus: Int = 16, user: SchedulerLimits.Share = .init(), project: SchedulerLimits.Share = .init()
    ) -> Scheduler {
        Scheduler(
            capacity: vector(cpus, gib: 1024, gpus: 8), limits: SchedulerLimits(user: user, project: project))
    }

    @Test func othersPassAUserAtTheLimit() {
        var scheduler = scheduler(user: .init(cpus: setting(4, "limits.max-cpus-per-user")))
        scheduler.add(waiting(1, vector(3), uid: 1, at: 0))
        scheduler.add(waiting(2, vector(2), uid: 1, at: 1))
        scheduler.add(waiting(3, vector(1), uid: 1, at: 2))
        scheduler.add(waiting(4, vector(4), uid: 2, at: 3))
        // Job 3 would fit, but job 2 is ahead of it and nobody knows when job 1 ends.
        #expect(scheduler.run(at: 10) == [1, 4])
        #expect(
            scheduler.text(2, at: 10)
                == "limits.max-cpus-per-user is 4 (x.toml:7): job 1 runs; 1 cpu is left, and it asks for 2")
        #expect(scheduler.hint(2, at: 10) == "with cpus = 1 its limit would let it start now")
        #expect(
            scheduler.text(3, at: 10)
                == "limits.max-cpus-per-user is 4 (x.toml:7): what is left is kept for job 2, which is ahead of it")
        scheduler.ended(JobID(1))
        #expect(scheduler.run(at: 20) == [2, 3])
    }

    @Test func aShortJobPassesWhereItDelaysNobody() {
        var scheduler = scheduler(user: .init(cpus: setting(4, "limits.max-cpus-per-user")))
        scheduler.add(waiting(1, vector(3), uid: 1, at: 0, limit: 100))
        scheduler.add(waiting(2, vector(2), uid: 1, at: 1))
        scheduler.add(waiting(3, vector(1), uid: 1, at: 2, limit: 200))
        scheduler.add(waiting(4, vector(1), uid: 1, at: 3, limit: 50))
        // Job 3 may run beside 2, job 4 ends before it.
        #expect(scheduler.run(at: 10) == [1, 3])
        #expect(scheduler.text(4, at: 10)?.hasPrefix("limits.max-cpus-per-user is 4 (x.toml:7): jobs 1, 3 run") == true)
        scheduler.ended(JobID(1))
        #expect(scheduler.run(at: 20) == [2, 4])
    }

    @Test func projectsHaveLimitsOfTheirOwn() {
        var scheduler = scheduler(
            project: .init(
                running: setting(2, "limits.max-running-per-project"), gpus: setting(2, "limits.max-gpus-per-project")))
        scheduler.add(waiting(1, vector(1, gpus: 1), uid: 1, project: "nlp", at: 0))
        scheduler.add(waiting(2, vector(1, gpus: 2), uid: 2, project: "nlp", at: 1))
        scheduler.add(waiting(3, vector(1), uid: 1, project: "nlp", at: 2))
        scheduler.add(waiting(4, vector(1, gpus: 2), uid: 1, project: "vision", at: 3))
        #expect(scheduler.run(at: 10) == [1, 4])
        #expect(
            scheduler.text(2, at: 10)
                == "limits.max-gpus-per-project is 2 (x.toml:7): job 1 runs; 1 gpu is left, and it asks for 2")
        // The last run of the project is kept for job 2.
        #expect(
            scheduler.text(3, at: 10)
                == "limits.max-running-per-project is 2 (x.toml:7): job 1 runs, and the last is kept for job 2")
        scheduler.ended(JobID(1))
        #expect(scheduler.run(at: 20) == [2, 3])
        scheduler.add(waiting(5, vector(1), uid: 9, project: "nlp", at: 30))
        #expect(scheduler.run(at: 30) == [])
        #expect(scheduler.text(5, at: 30) == "limits.max-running-per-project is 2 (x.toml:7): jobs 2, 3 run")
    }

    @Test func aJobBeyondALoweredLimitStopsNobody() {
        var scheduler = scheduler(user: .init(cpus: setting(4, "limits.max-cpus-per-user")))
        scheduler.add(waiting(1, vector(8), uid: 1, at: 0))
        scheduler.add(waiting(2, vector(4), uid: 1, at: 1))
        #expect(scheduler.run(at: 10) == [2])
        #expect(scheduler.hint(1, at: 10) == "cancel it and ask for cpus = 4 or less")
    }

    @Test func aReloadCountsWhatRunsAlready() throws {
        var scheduler = Scheduler(capacity: vector(16, gib: 64))
        scheduler.add(waiting(1, vector(3), uid: 1, project: "nlp", at: 0))
        #expect(scheduler.run(at: 1) == [1])
        scheduler.add(waiting(2, vector(2), uid: 2, project: "nlp", at: 2))
        let machine = MachineCapacity(cpus: 16, memory: .gibibytes(64), gpus: 0)
        scheduler.adopt(policy: try policy("[limits]\nmax-cpus-per-project = 4\n"), machine: machine)
        #expect(scheduler.run(at: 3) == [])
        scheduler.adopt(policy: try policy("[limits]\nmax-cpus-per-project = 5\n"), machine: machine)
        #expect(scheduler.run(at: 4) == [2])
        scheduler.ended(JobID(1))
        scheduler.ended(JobID(2))
        #expect(scheduler.tallies.isEmpty)
    }

    // MARK: - Properties

    private static let seeds = Array(1...20) as [UInt64]
    private static let projects = ["a", "b", "c"]

    private struct Load {
        var random: Seeded
        var scheduler: Scheduler
        var next: Int64 = 1

        init(_ seed: UInt64) {
            var random = Seeded(seed)
            func some(_ range: ClosedRange<Int>) -> Setting<Int?> {
                Setting(Int.random(in: 0..<4, using: &random) == 0 ? nil : Int.random(in: range, using: &random))
            }
            let limits = SchedulerLimits(
                user: .init(
                    running: some(2...5), cpus: Setting(Int.random(in: 4...6, using: &random)), gpus: some(1...3)),
                project: .init(running: some(2...8), cpus: some(4...12), gpus: some(1...4)))
            scheduler = Scheduler(capacity: vector(16, gib: 64, gpus: 4), limits: limits)
            self.random = random
        }

        mutating func step(_ now: Double) -> [Int64] {
            for _ in 0..<Int.random(in: 0...2, using: &random) {
                let limits: [Double?] = [nil, 10, 60, 300]
                scheduler.add(
                    waiting(
                        next,
                        vector(
                            Int.random(in: 1...4, using: &random), gpus: [0, 0, 1].randomElement(using: &random) ?? 0),
                        uid: UInt32.random(in: 1...4, using: &random),
                        project: LimitTests.projects.randomElement(using: &random) ?? "a",
                        priority: [0, 5].randomElement(using: &random) ?? 0, at: now,
                        limit: limits.randomElement(using: &random) ?? nil))
                next += 1
            }
            let active = scheduler.active.keys.sorted()
            for id in active where Int.random(in: 0..<5, using: &random) == 0 { scheduler.ended(id) }
            for id in scheduler.active.keys.sorted() where Int.random(in: 0..<9, using: &random) == 0 {
                if scheduler.active[id]?.isHalted == true {
                    if (scheduler.active[id]?.request.cpus ?? 0) <= scheduler.free.cpus {
                        scheduler.wentOn(id, at: t(now))
                    }
                } else {
                    scheduler.halted(id, at: t(now))
                }
            }
            return scheduler.run(at: now)
        }
    }

    @Test(arguments: seeds)
    func noLimitIsEverExceeded(seed: UInt64) {
        var load = Load(seed)
        var starts = 0
        var reached = 0
        for step in 0..<600 {
            starts += load.step(Double(step) * 5).count
            let active = Array(load.scheduler.active.values)
            func check(_ jobs: [ActiveJob], _ share: SchedulerLimits.Share) {
                let cpus = jobs.reduce(0) { $0 + $1.request.cpus }
                let gpus = jobs.reduce(0) { $0 + $1.request.gpus }
                #expect(jobs.count <= share.running.value ?? .max, "seed \(seed), step \(step)")
                #expect(cpus <= share.cpus.value ?? .max, "seed \(seed), step \(step)")
                #expect(gpus <= share.gpus.value ?? .max, "seed \(seed), step \(step)")
                if jobs.count == share.running.value || cpus == share.cpus.value { reached += 1 }
            }
            for uid in 1...4 as ClosedRange<UInt32> {
                check(active.filter { $0.uid == uid }, load.scheduler.limits.user)
            }
            for project in Self.projects {
                check(active.filter { $0.project == project }, load.scheduler.limits.project)
            }
            #expect(active.reduce(ResourceVector.zero) { $0 + $1.held }.fits(in: load.scheduler.capacity))
        }
        #expect(starts > 100)
        #expect(reached > 20, "the load must feel the limits")
        for id in load.scheduler.active.keys.sorted() { load.scheduler.ended(id) }
        #expect(load.scheduler.tallies.isEmpty)
    }

    @Test(arguments: seeds.prefix(5))
    func sameInputsSamePlan(seed: UInt64) {
        func run() -> [[Int64]] {
            var load = Load(seed)
            return (0..<300).map { load.step(Double($0) * 5) }
        }
        #expect(run() == run())
    }

    /// With no reason for any job to be passed over for ever, all start, and none says that nothing is in its way.
    @Test(arguments: seeds)
    func everybodyStartsInTheEnd(seed: UInt64) {
        var load = Load(seed)
        for step in 0..<100 { _ = load.step(Double(step) * 5) }
        for step in 100..<2000 {
            let now = Double(step) * 5
            for id in load.scheduler.active.keys.sorted().prefix(2) { load.scheduler.ended(id) }
            // What starts may move a reservation for the better, so that more start with the next plan.
            while !load.scheduler.run(at: now).isEmpty {}
            for job in load.scheduler.pending.values {
                let reason = load.scheduler.reason(for: job.id, now: t(now))
                #expect(reason?.hint != "nothing is in its way", "job \(job.id): \(reason?.text ?? "")")
            }
            if load.scheduler.pendingCount == 0 { return }
        }
        #expect(load.scheduler.pendingCount == 0, "\(load.scheduler.pending.values.map(\.request))")
    }

    /// A wide job of a user whose own narrow ones keep coming.
    @Test(arguments: [nil, 30.0])
    func aUsersNarrowJobsDoNotStarveTheWideOne(limit: Double?) throws {
        var scheduler = scheduler(cpus: 64, user: .init(cpus: setting(4, "limits.max-cpus-per-user")))
        var random = Seeded(7)
        var ends: [Int64: Double] = [:]
        var startedAt: Double?
        for second in 0..<400 where startedAt == nil {
            let now = Double(second)
            for (id, end) in ends where end <= now {
                scheduler.ended(JobID(id))
                ends[id] = nil
            }
            let isWide = second == 20
            scheduler.add(
                waiting(isWide ? 1_000_000 : Int64(second + 1), vector(isWide ? 4 : 1), uid: 1, at: now, limit: limit))
            for id in scheduler.run(at: now) {
                if id == 1_000_000 { startedAt = now }
                ends[id] = now + Double(Int.random(in: 2...30, using: &random))
            }
        }
        #expect(try #require(startedAt) < 200)
    }

    /// Many kinds of jobs of a user at the limit cost a few looks, and hide nobody.
    @Test func manyKindsBehindALimitHideNobody() {
        var scheduler = scheduler(cpus: 64, user: .init(cpus: setting(4, "limits.max-cpus-per-user")))
        scheduler.add(waiting(1, vector(3), uid: 1, at: 0))
        #expect(scheduler.run(at: 0) == [1])
        for id in 2...2000 as ClosedRange<Int64> {
            scheduler.add(waiting(id, vector(2), uid: 1, at: 1, limit: Double(1000 + id)))
        }
        scheduler.add(waiting(5000, vector(4), uid: 2, at: 2))
        #expect(scheduler.run(at: 3) == [5000])
    }
}
