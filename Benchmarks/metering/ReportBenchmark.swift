import ArgumentParser
import BenchmarkSupport
import Foundation
import JobAPI
import Ledger
import Units

/// How long reports take over a year of a busy machine, and what the ledger weighs.
struct ReportBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Time of reports and audit over millions of spans, and the size of the ledger."
    )

    @OptionGroup var options: BenchmarkOptions
    @Option(help: "Spans of minutes to book.") var spans = 10_000_000
    @Option(help: "Where the ledger is made, and removed afterwards.") var directory = "/dev/shm"
    @Flag(help: "Leave the ledger there.") var keep = false
    @Option(help: "Only time reports over this ledger, such as one that was left there.") var ledger: String?

    func run() async throws {
        if let path = self.ledger { return try await timeReports(of: path) }
        let wanted = options.quick ? spans / 20 : spans
        let directory = "\(directory)/mld-report-benchmark-\(getpid())"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { if !keep { try? FileManager.default.removeItem(atPath: directory) } }
        let ledger = try Ledger(path: directory + "/ledger.db")
        var history = try await History(ledger)
        complain("booking \(wanted) spans")
        while history.spans < wanted { try await history.addDay() }
        complain("\(history.days) days, \(history.jobs) jobs")
        let forever = Duration.seconds(1e9)
        try await history.close(Retention(minutes: forever, hours: forever))

        var rows: [BenchmarkRow] = []
        for grouping in [ReportGrouping.user, .project, .job, .month] {
            let query = ReportQuery(since: history.start, until: history.now, by: grouping)
            let seconds = try await median(of: options.quick ? 3 : 7) { _ = try await ledger.report(query) }
            let goal = grouping == .user ? 200.0 : nil
            rows.append(
                BenchmarkRow(
                    "report by \(grouping.rawValue) over \(history.spans) spans", seconds * 1000, unit: "ms",
                    atMost: goal))
        }
        let audit = try await ContinuousClock().measure {
            guard try await ledger.audit(now: history.now).ok else { throw ExitCode(2) }
        }
        rows.append(BenchmarkRow("audit of all of them", audit.seconds, unit: "s"))

        // What is left of minutes whose time is over: their hours, and the days. The last minutes and hours are a constant.
        try await history.close(Retention(minutes: .zero, hours: forever))
        let bytes = try await ledger.usedBytes()
        rows.append(
            BenchmarkRow(
                "ledger per job-hour after roll-up", Double(bytes) / history.jobHours / 1024, unit: "KiB", atMost: 2))
        let seconds = try await median(of: 3) {
            _ = try await ledger.report(ReportQuery(since: history.start, until: history.now, by: .user))
        }
        rows.append(BenchmarkRow("report by user after roll-up", seconds * 1000, unit: "ms", atMost: 200))
        try ledger.close()
        try options.finish(rows)
    }

    private func timeReports(of path: String) async throws {
        let ledger = try Ledger(path: path)
        let history = try await ledger.history(now: .now())
        var rows: [BenchmarkRow] = []
        for grouping in ReportGrouping.allCases {
            let query = ReportQuery(since: history.since, until: history.until, by: grouping)
            let seconds = try await median(of: 7) { _ = try await ledger.report(query) }
            rows.append(BenchmarkRow("report by \(grouping.rawValue)", seconds * 1000, unit: "ms"))
        }
        try ledger.close()
        try options.finish(rows)
    }

    private func median(of count: Int, _ body: () async throws -> Void) async throws -> Double {
        var times: [Double] = []
        for _ in 0..<count { times.append(try await ContinuousClock().measure(body).seconds) }
        return times.sorted()[count / 2]
    }
}

/// A machine with two power domains on which about six jobs run at a time, of fifty users, an hour each on the mean.
private struct History {
    let ledger: Ledger
    let host: Int64
    let start = Timestamp(seconds: 1_700_006_400)
    private(set) var spans = 0
    private(set) var days = 0
    private(set) var jobs = 0
    private(set) var jobHours = 0.0
    private var running: [(id: JobID, until: Int)] = []
    private var generator = SystemRandomNumberGenerator()

    var now: Timestamp { start.advanced(by: .seconds(Double(days) * 86_400)) }

    init(_ ledger: Ledger) async throws {
        self.ledger = ledger
        try await ledger.keepPolicy(hash: "p", text: "", at: start)
        host = try await ledger.host(name: "h", cpuModel: "c", cpus: 16, memory: .gibibytes(64))
        try await ledger.recordIntensity(
            from: start.advanced(by: .seconds(-120)), zone: "DE", intensity: .init(gramsPerKilowattHour: 360), pue: 1,
            source: "benchmark")
    }

    mutating func addDay() async throws {
        for hour in 0..<24 {
            var intervals: [MeteredInterval] = []
            for minute in 0..<60 {
                let minute = (days * 24 + hour) * 60 + minute
                try await turnOver(minute)
                intervals += ["package-0", "dram-0"].map { interval($0, minute) }
            }
            spans += intervals.reduce(0) { $0 + $1.spans.count }
            try await ledger.add(intervals, host: host)
        }
        days += 1
    }

    func close(_ retention: Retention) async throws {
        try await ledger.close(
            before: now, context: ChainContext(policyHash: "p", factors: "benchmark", version: "0"),
            retention: retention, now: now)
    }

    private func time(_ minute: Int, _ seconds: Double = 0) -> Timestamp {
        start.advanced(by: .seconds(Double(minute) * 60 + seconds))
    }

    /// Ends the jobs whose time is over and starts others in their place.
    private mutating func turnOver(_ minute: Int) async throws {
        for job in running where job.until <= minute {
            try await ledger.transition(
                job.id, to: .succeeded, cause: "exited with status 0", at: time(minute),
                end: JobEnd(exitStatus: 0, cpuMicroseconds: 1_000_000))
        }
        running.removeAll { $0.until <= minute }
        while running.count < 6 {
            let length = Int.random(in: 10...110, using: &generator)
            let user = Int.random(in: 0..<50, using: &generator)
            let id = try await ledger.accept(
                NewJob(
                    spec: JobSpec(
                        name: "train", resources: .init(cpus: 2, memory: .gibibytes(4)),
                        command: .init(argv: ["python3", "train.py", "--epochs", "30"])), user: "user\(user)",
                    uid: UInt32(user), gid: 100, project: "project\(user % 8)", queue: "batch", priority: 10,
                    timeLimit: 7200, held: false, reason: "waits for its turn", rule: nil, policyHash: "p",
                    submittedAt: time(minute)))
            _ = try await ledger.beginAttempt(id, bootID: "9b3c2a6e-5f0e-4a58-9a4b-0d6b1f2c3d4e", at: time(minute))
            try await ledger.recordProcess(
                id, attempt: 1, pid: 4242, startTime: 987_654_321, cgroup: "/sys/fs/cgroup/mld.service/jobs/\(id)-1",
                enforced: ["network: none", "file system: read-only but for 2 paths", "system calls: 41 denied"],
                at: time(minute))
            running.append((id, minute + length))
            jobs += 1
            jobHours += Double(length) / 60
        }
    }

    private mutating func interval(_ domain: String, _ minute: Int) -> MeteredInterval {
        let accounts = running.map { SpanAccount.job($0.id, attempt: 1) } + [.system, .daemon, .idle]
        let parts = accounts.map { account in
            let active = Int64.random(in: 0...600_000_000, using: &generator)
            let idle = Int64.random(in: 0...200_000_000, using: &generator)
            let total = active + idle
            let carbon = CarbonMass(micrograms: total / 10_000)
            return SpanDelta(
                account: account, active: .init(microjoules: active), reservedIdle: .init(microjoules: idle),
                low: .init(microjoules: total / 2), high: .init(microjoules: total * 2), carbon: carbon,
                carbonLow: carbon, carbonHigh: carbon, activeCarbon: .zero, tier: .measured)
        }
        let sum = parts.reduce(Energy.zero) { $0 + $1.active + $1.reservedIdle }
        return MeteredInterval(
            domain: domain, kind: "cpu", source: "benchmark", start: time(minute), end: time(minute, 30), metered: sum,
            low: sum, high: sum, isGap: false, tier: .measured, spans: parts)
    }
}
