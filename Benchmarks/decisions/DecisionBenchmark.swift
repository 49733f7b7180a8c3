import ArgumentParser
import BenchmarkSupport
import Glibc
import JobAPI
import Scheduling
import TestSupport
import Units

/// How long the scheduler takes for an event with many jobs waiting.
///
/// An event is the end of a job, a submission, or the coming of a job's time, and the plan that follows it: told and asked as the
/// daemon does. Each end is followed by as many submissions as jobs start, so that the queue keeps its length.
struct DecisionBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scheduling", abstract: "Decision time per event with 1,000 to 1,000,000 jobs waiting.")

    @OptionGroup var options: BenchmarkOptions
    @Option(help: "How many jobs wait.") var levels: [Int] = []
    @Option(help: "What waits: \(QueueKind.allCases.map(\.rawValue).joined(separator: ", ")).") var kind: [QueueKind] =
        []
    @Option(help: "Events to measure on each level.") var events = 20_000
    @Option(help: "The seed of the jobs.") var seed: UInt64 = 1

    /// In microseconds, on the mean of all events.
    private static let goal = 20.0

    func run() throws {
        var levels = self.levels
        if levels.isEmpty { levels = options.quick ? [1000, 10_000, 100_000] : [1000, 10_000, 100_000, 1_000_000] }
        var rows: [BenchmarkRow] = []
        for kind in self.kind.isEmpty ? QueueKind.allCases : self.kind {
            var first: Double?
            for level in levels {
                complain("\(kind.rawValue), \(level) waiting")
                let costs = try measure(kind, waiting: level, events: options.quick ? events / 10 : events)
                let name = "\(kind.rawValue), \(level) waiting"
                rows.append(BenchmarkRow("\(name): an event", costs.mean, unit: "us", atMost: Self.goal))
                rows.append(BenchmarkRow("\(name): of which a submission", costs.submission, unit: "us"))
                rows.append(BenchmarkRow("\(name): and an end", costs.end, unit: "us"))
                rows.append(BenchmarkRow("\(name): the dearest of 100 events", costs.high, unit: "us"))
                rows.append(BenchmarkRow("\(name): a submission while it filled", costs.filling, unit: "us"))
                first = first ?? costs.mean
            }
            if let first, let low = levels.first, let high = levels.last, high > low,
                let last = rows.last(where: { $0.row.hasSuffix("an event") })
            {
                rows.append(
                    BenchmarkRow(
                        "\(kind.rawValue): growth from \(low) to \(high)", last.value.map { $0 / first }, unit: "times",
                        atMost: log(Double(max(high, 3))) / log(Double(max(low, 2)))))
            }
        }
        try options.finish(rows)
    }

    private struct Costs {
        var mean: Double
        var submission: Double
        var end: Double
        var high: Double
        var filling: Double
    }

    private func measure(_ kind: QueueKind, waiting: Int, events: Int) throws -> Costs {
        var random = Seeded(seed)
        var now = Timestamp(seconds: 1_790_000_000)
        var scheduler = try kind.scheduler(from: now)
        var next: Int64 = 1
        let clock = ContinuousClock()

        let filled = clock.measure {
            for _ in 0..<waiting {
                scheduler.add(kind.job(next, at: now, &random))
                next += 1
            }
        }
        var ends: [(at: Timestamp, id: JobID)] = []
        var came = 0
        func plan() -> [JobID] {
            let future = scheduler.futureCount
            defer { came += future - scheduler.futureCount }
            let starts = scheduler.plan(now: now).starts
            for id in starts {
                if let job = scheduler.starting(id, at: now) { scheduler.started(job) }
            }
            return starts
        }
        /// Jobs take from a tenth to all of their limits.
        func note(_ starts: [JobID]) {
            for id in starts {
                guard let job = scheduler.active[id], let end = job.expectedEnd else { continue }
                let part = Double.random(in: 0.1...1, using: &random)
                ends.append((now.advanced(by: .seconds(end.since(now).seconds * part)), id))
            }
        }
        note(plan())
        came = 0

        var submissions: [Double] = []
        var endings: [Double] = []
        var owed = 0
        while submissions.count + endings.count < events {
            var starts: [JobID] = []
            if owed > 0 {
                owed -= 1
                now = now.advanced(by: .milliseconds(10))
                let job = kind.job(next, at: now, &random)
                next += 1
                submissions.append(
                    clock.measure {
                        scheduler.add(job)
                        starts = plan()
                    }.microseconds)
            } else {
                guard let index = ends.indices.min(by: { ends[$0].at < ends[$1].at }) else { break }
                let end = ends.remove(at: index)
                now = max(now, end.at)
                endings.append(
                    clock.measure {
                        if let job = scheduler.ended(end.id), kind == .shared {
                            let cpuSeconds = Double(job.request.cpus) * now.since(job.startedAt).seconds
                            scheduler.charge("user\(job.uid - 1000)", cpuSeconds, at: now)
                        }
                        starts = plan()
                    }.microseconds)
            }
            owed += starts.count
            note(starts)
        }
        var times = submissions + endings
        guard !times.isEmpty else { throw ValidationError("no event: nothing of the queue could start") }
        times.sort()
        func mean(_ times: [Double]) -> Double { times.reduce(0, +) / Double(max(1, times.count)) }
        return Costs(
            mean: times.reduce(0, +) / Double(times.count + came), submission: mean(submissions), end: mean(endings),
            high: times[times.count * 99 / 100],
            filling: filled.microseconds / Double(waiting))
    }
}

extension Duration {
    fileprivate var microseconds: Double { seconds * 1e6 }
}
