import JobAPI
import Policy
import TestSupport
import Testing
import Units

@testable import Scheduling

/// Random jobs on random cards, held against what the cards are: nothing here asks the scheduler's own sums.
@Suite struct CardPropertyTests {
    private static let seeds = Array(1...16) as [UInt64]
    private static let text =
        "[machine]\nreserve-memory = \"0 B\"\ngpu-share = \"memory\"\n[queue.batch]\ndefault = true\n[queue.alone]\ngpu-share = false\n"

    private static func machine(_ random: inout Seeded) -> MachineCapacity {
        let kinds: [(String, Int64)] = [("A100", 40), ("T4", 16), ("RTX 3090", 24)]
        let count = Int.random(in: 2...6, using: &random)
        return MachineCapacity(
            cpus: 8, memory: .gibibytes(64), gpus: count,
            cards: (0..<count).map { place in
                // One has room for several.
                let kind = place == 0 ? kinds[0] : kinds.randomElement(using: &random) ?? ("T4", 16)
                return .init(model: kind.0, vendor: "nvidia", memory: .gibibytes(kind.1), node: place / 3)
            })
    }

    private static func job(
        _ id: Int64, on machine: MachineCapacity, at now: Double, limit: Double?, _ random: inout Seeded
    ) -> PendingJob {
        let isPlain = Int.random(in: 0..<4, using: &random) == 0
        let models: [String?] = [nil, nil, "A100", "T4", "RTX 3090"]
        var request = machine.asking(
            isPlain ? 0 : [1, 1, 1, 2].randomElement(using: &random) ?? 1,
            gib: Int.random(in: 0..<4, using: &random) > 0 ? Int64.random(in: 1...14, using: &random) : nil,
            model: models.randomElement(using: &random) ?? nil,
            share: Int.random(in: 0..<5, using: &random) == 0 ? false : nil)
        request.cpus = Int.random(in: 1...3, using: &random)
        request.memory = .gibibytes(Int64.random(in: 1...16, using: &random))
        return waiting(
            id, request, uid: UInt32.random(in: 1...3, using: &random),
            queue: Int.random(in: 0..<5, using: &random) == 0 ? "alone" : "batch", at: now, limit: limit)
    }

    /// What is wrong with what the active jobs have; nil where nothing is.
    private static func problem(
        _ scheduler: Scheduler, _ machine: MachineCapacity
    ) -> String? {
        for (place, card) in machine.cards.enumerated() {
            let jobs = scheduler.active.values.filter { $0.cards?.contains(place) ?? false }
            let alone = jobs.filter { job in
                job.request.card.mebibytes == 0 || !job.request.card.mayShare || job.queue == "alone"
            }
            if !alone.isEmpty, jobs.count > 1 { return "card \(place) has one that wants it alone, and others" }
            let declared = jobs.reduce(0) { $0 + Int64($1.request.card.mebibytes) }
            let total = (card.memory?.bytes ?? 0) >> 20
            if declared > total { return "card \(place) of \(total) MiB has \(declared)" }
        }
        for job in scheduler.active.values {
            let held = job.cards ?? []
            if Set(held).count != job.request.gpus { return "\(job.id) has \(held) of \(job.request.gpus)" }
            for place in held {
                let bit = job.request.card.models
                let number = scheduler.cards.models.firstIndex(of: machine.cards[place].model) ?? 0
                if bit != .max, bit & (1 << UInt16(number)) == 0 { return "\(job.id) has a card of another model" }
            }
        }
        return nil
    }

    @Test(arguments: seeds)
    func noCardIsEverOvercommitted(seed: UInt64) throws {
        var random = Seeded(seed)
        let machine = Self.machine(&random)
        var scheduler = Scheduler(policy: try policy(Self.text), machine: machine)
        var now = 0.0
        var shared = 0
        var starts = 0
        for id in 1...300 as ClosedRange<Int64> {
            now += Double(Int.random(in: 0...15, using: &random))
            let limits: [Double?] = [nil, 20, 60, 200]
            scheduler.add(
                Self.job(id, on: machine, at: now, limit: limits.randomElement(using: &random) ?? nil, &random))
            for _ in 0..<Int.random(in: 0...2, using: &random) {
                if let done = scheduler.active.keys.sorted().randomElement(using: &random) { scheduler.ended(done) }
            }
            if Int.random(in: 0..<10, using: &random) == 0, let gone = scheduler.pending.keys.sorted().first {
                scheduler.remove(gone)
            }
            let started = scheduler.run(at: now)
            starts += started.count
            #expect(Self.problem(scheduler, machine) == nil, "seed \(seed), step \(id)")
            for place in machine.cards.indices
            where scheduler.active.values.filter({ $0.cards?.contains(place) ?? false }).count > 1 {
                shared += 1
            }
            // What the scheduler has added up on the way is what a fresh one finds.
            var fresh = CardRoom(machine)
            for job in scheduler.active.values { fresh.take(job.request, on: job.cards) }
            #expect(fresh == scheduler.cards)
            for job in scheduler.pending.values where id % 25 == 0 {
                let reason = scheduler.reason(for: job.id, now: t(now))
                #expect(reason.map { !$0.text.hasSuffix("waits for ") } ?? false)
                #expect(reason?.hint != "nothing is in its way", "seed \(seed) job \(job.id): \(reason?.text ?? "")")
            }
        }
        #expect(starts > 100)
        #expect(shared > 0, "no card was shared: the test shows nothing")
        for id in scheduler.active.keys { scheduler.ended(id) }
        for id in scheduler.pending.keys { scheduler.remove(id) }
        #expect(scheduler.cards == CardRoom(machine) && scheduler.awaitingCards == 0)
    }

    /// With run times exactly as declared, the first that waits starts no later than it was first promised, whoever passes.
    @Test(arguments: seeds)
    func backfillDelaysNoReservationOfCards(seed: UInt64) throws {
        var random = Seeded(seed &+ 500)
        let machine = Self.machine(&random)
        var scheduler = Scheduler(policy: try policy(Self.text), machine: machine)
        var promised: [JobID: Timestamp] = [:]
        var nextID: Int64 = 1
        var passed = 0
        for second in stride(from: 0.0, to: 5000, by: 5) {
            let now = t(second)
            for job in scheduler.active.values where job.expectedEnd ?? now <= now { scheduler.ended(job.id) }
            if second < 3500 {
                let limit = Double(5 * Int.random(in: 1...40, using: &random))
                scheduler.add(Self.job(nextID, on: machine, at: second, limit: limit, &random))
                nextID += 1
            }
            let plan = scheduler.plan(now: now)
            for id in plan.starts {
                if let promise = promised[id] { #expect(now <= promise, "seed \(seed), job \(id)") }
                if let blocked = plan.blocked, id > blocked { passed += 1 }
                if let job = scheduler.starting(id, at: now) { scheduler.started(job) }
            }
            #expect(Self.problem(scheduler, machine) == nil, "seed \(seed) at \(second)")
            if let blocked = plan.blocked {
                let reserved = try #require(plan.reservedFor, "all have limits, so the start can be predicted")
                if let earlier = promised[blocked] { #expect(reserved <= earlier, "seed \(seed), job \(blocked)") }
                promised[blocked] = min(promised[blocked] ?? reserved, reserved)
                // The same is expected of it by whoever asks; of the first nothing is before it.
                let job = try #require(scheduler.pendingJob(blocked))
                let expected = scheduler.expectedStart(of: job, now: now)
                if expected.ahead == 0 { #expect(expected.at == reserved, "seed \(seed), job \(blocked)") }
            }
        }
        #expect(passed > 10 && promised.count > 10, "the test must see backfill at work")
    }

    /// Where nobody states a limit, a stream of small ones does not keep a large one from its cards for ever.
    @Test(arguments: seeds.prefix(8))
    func noStarvationWithoutLimits(seed: UInt64) throws {
        var random = Seeded(seed)
        let machine = cards(("A100", 40), ("A100", 40))
        var scheduler = Scheduler(policy: try policy(Self.text), machine: machine)
        var ends: [JobID: Double] = [:]
        var startedAt: Double?
        for second in 0..<600 {
            let now = Double(second)
            for (id, end) in ends where end <= now {
                scheduler.ended(id)
                ends[id] = nil
            }
            let isLarge = second == 30
            let request = isLarge ? machine.asking(2) : machine.asking(gib: Int64.random(in: 5...12, using: &random))
            scheduler.add(waiting(Int64(second + 1), request, uid: UInt32(second % 3), at: now))
            for id in scheduler.run(at: now) {
                if id == 31 { startedAt = now }
                ends[JobID(id)] = now + Double(Int.random(in: 2...40, using: &random))
            }
        }
        #expect(try #require(startedAt) < 200)
    }

    @Test(arguments: seeds.prefix(5))
    func sameInputsSamePlan(seed: UInt64) throws {
        func run() throws -> [[Int]] {
            var random = Seeded(seed)
            let machine = Self.machine(&random)
            var scheduler = Scheduler(policy: try policy(Self.text), machine: machine)
            var plans: [[Int]] = []
            for id in 1...200 as ClosedRange<Int64> {
                scheduler.add(Self.job(id, on: machine, at: Double(id), limit: 30, &random))
                if id % 3 == 0, let old = scheduler.active.keys.min() { scheduler.ended(old) }
                for started in scheduler.run(at: Double(id)) {
                    plans.append([Int(started)] + (scheduler.active[JobID(started)]?.cards ?? []))
                }
            }
            return plans
        }
        #expect(try run() == run())
    }
}
