import ArgumentParser
import Carbon
import JobAPI
import Policy
import Scheduling
import TestSupport
import Units

/// What waits in the queue, from the easiest for the planner to the hardest.
enum QueueKind: String, CaseIterable, ExpressibleByArgument {
    /// Four requests with six time limits each: a user's likes are passed over in one step.
    case alike
    /// Every job has a time limit of its own, so that no two are alike and a plan looks at as many as it may.
    case various
    /// Like `alike`, with shares of a hundred accounts.
    case shared
    /// Like `alike`, but half may be deferred by a day and wait for their planned start.
    case deferred
    /// Like `alike`, on GPUs that are given one by one and shared by the memory that jobs declare.
    case cards

    static let users: UInt32 = 100
    static let capacity = ResourceVector(cpus: 64, memory: .gibibytes(512), gpus: 8)

    func scheduler(from start: Timestamp) throws -> Scheduler {
        if self == .cards {
            let policy = try PolicySet.load(files: [("cards.toml", "[machine]\ngpu-share = \"memory\"\n")])
            return Scheduler(policy: policy, machine: Self.machine)
        }
        var scheduler = Scheduler(capacity: Self.capacity)
        if self == .shared { scheduler.share(FairShare.Rules(halfLife: .seconds(7 * 86_400))) }
        if self == .deferred { scheduler.adopt(forecast: try Self.forecast(from: start), now: start) }
        return scheduler
    }

    /// As much, and known one by one: two models.
    private static let machine = MachineCapacity(
        cpus: 64, memory: .gibibytes(512), gpus: 8,
        cards: (0..<8).map { place in
            .init(
                model: place < 4 ? "NVIDIA A100" : "Tesla T4", memory: .gibibytes(place < 4 ? 40 : 16), node: place / 4)
        })

    /// A year of half-hours that go up and down with the day.
    private static func forecast(from start: Timestamp) throws -> ShiftForecast {
        let values = (0..<17_520).map { index in
            let hour = Double(index % 48) / 2
            return 300 + 20 * (hour - 12).magnitude + Double((index * 7919) % 100)
        }
        return ShiftForecast(carbon: try SignalSeries(start: start, step: .seconds(1800), values: values))
    }

    func job(_ number: Int64, at time: Timestamp, _ random: inout Seeded) -> PendingJob {
        let size = Int.random(in: 0..<4, using: &random)
        let cpus = 1 << size
        let minutes = Int.random(in: 1...6, using: &random) * 60
        let limit = self == .various ? Double.random(in: 600...40_000, using: &random) : Double(minutes * 60)
        let user = UInt32.random(in: 0..<Self.users, using: &random)
        var job = PendingJob(
            id: JobID(number), uid: 1000 + user, account: self == .shared ? "user\(user)" : "", queue: "batch",
            priority: Int.random(in: 0...3, using: &random) * 10, submittedAt: time,
            request: ResourceVector(cpus: cpus, memory: .gibibytes(Int64(4 * cpus)), gpus: size == 3 ? 1 : 0),
            timeLimit: limit)
        if self == .cards, size > 1 {
            job.request = Self.machine.request(
                .init(
                    cpus: cpus, memory: .gibibytes(Int64(4 * cpus)), gpus: 1,
                    gpuMemory: .gibibytes(Int64(minutes / 15)),
                    gpuModel: size == 3 ? "A100" : nil))
        }
        if self == .deferred, number % 2 == 0 {
            job.flexibility = Flexibility(latestStart: time.advanced(by: .seconds(86_400)), runTime: limit)
        }
        return job
    }
}
