import ArgumentParser
import BenchmarkSupport
import Foundation
import JobAPI
import Ledger
import Units

/// What mld itself costs: CPU time and memory while it meters nothing, a hundred and a thousand jobs.
struct OverheadBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "overhead", abstract: "CPU share and memory of mld with 0, 100 and 1,000 running jobs.")

    @OptionGroup var options: BenchmarkOptions
    @Option(help: "The mld to measure.") var mld: String
    @Option(help: "Seconds to measure each.") var seconds: Double?

    func run() async throws {
        let seconds = seconds ?? (options.quick ? 12 : 60)
        var rows: [BenchmarkRow] = []
        for count in [0, 100, 1000] {
            let machine = try await FakeLoad(jobs: count)
            defer { machine.remove() }
            let (cpu, resident) = try await machine.measure(mld, seconds: seconds)
            if count > 0 {
                // The cost of jobs that mld did not take up is not what the other rows are about.
                let metered = Double(try await machine.jobsMetered())
                rows.append(
                    BenchmarkRow("running and metered, \(count) jobs", metered, unit: "", atLeast: Double(count)))
            }
            let goal: Double? = count == 0 ? 0.002 : count == 1000 ? 0.02 : nil
            rows.append(BenchmarkRow("CPU, \(count) jobs", cpu, unit: "cores", atMost: goal))
            rows.append(
                BenchmarkRow(
                    "resident memory, \(count) jobs", resident / 1_048_576, unit: "MiB", atMost: count == 0 ? 40 : nil))
        }
        try options.finish(rows)
    }
}

/// A directory with a ledger in which jobs run, a RAPL counter, and a cgroup with CPU time for each job. All jobs are held
/// up by one process that sleeps: mld watches each of them as if it had one of its own.
private final class FakeLoad {
    private let directory: String
    private let count: Int
    private let process = Process()
    private let sleeper = Process()
    private var step = 0

    init(jobs count: Int) async throws {
        self.count = count
        let base = FileManager.default.fileExists(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory()
        directory = "\(base)/mld-overhead-\(getpid())-\(count)"
        for folder in ["state/jobs", "sys/class/powercap/intel-rapl:0", "policy"] {
            try FileManager.default.createDirectory(
                atPath: "\(directory)/\(folder)", withIntermediateDirectories: true)
        }
        try write("sys/class/powercap/intel-rapl:0/name", "package-0\n")
        try write("sys/class/powercap/intel-rapl:0/max_energy_range_uj", "262143328850\n")
        for job in 0..<count {
            try FileManager.default.createDirectory(
                atPath: "\(directory)/cgroup-\(job)", withIntermediateDirectories: true)
            // What a job says of itself is looked for once a second too.
            let folder = "\(directory)/state/jobs/\(job + 1)"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try Data().write(to: URL(filePath: folder + "/events-1.jsonl"))
        }
        sleeper.executableURL = URL(filePath: "/bin/sleep")
        sleeper.arguments = ["3600"]
        try sleeper.run()
        try advance()
        try await fillLedger()
    }

    func remove() {
        stop(process)
        stop(sleeper)
        try? FileManager.default.removeItem(atPath: directory)
    }

    private func stop(_ process: Process) {
        // Foundation's own wait turns in a circle outside of the main thread.
        for _ in 0..<500 where process.isRunning {
            // A child of a thread that blocks signals would wait for SIGTERM for ever.
            kill(process.processIdentifier, SIGKILL)
            usleep(20_000)
        }
    }

    private func write(_ path: String, _ text: String) throws {
        try text.write(toFile: "\(directory)/\(path)", atomically: false, encoding: .utf8)
    }

    /// One second more of 50 W and of CPU time for each job.
    private func advance() throws {
        step += 1
        try write("sys/class/powercap/intel-rapl:0/energy_uj", "\(step * 50_000_000)\n")
        for job in 0..<count {
            try write("cgroup-\(job)/cpu.stat", "usage_usec \(step * (500 + job))\n")
        }
    }

    private func fillLedger() async throws {
        let ledger = try Ledger(path: directory + "/state/ledger.db")
        let bootID = try String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        let pid = sleeper.processIdentifier
        let stat = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
        // The 22nd field, counted from behind the name in brackets.
        let fields = stat[stat.index(after: stat.lastIndex(of: ")") ?? stat.startIndex)...].split(separator: " ")
        guard fields.count > 19, let startTime = UInt64(fields[19]) else { throw ExitCode(2) }
        let now = Timestamp.now()
        for job in 0..<count {
            let id = try await ledger.accept(
                NewJob(
                    spec: JobSpec(
                        name: "job", resources: .init(cpus: 1, memory: .mebibytes(64)),
                        command: .init(argv: ["sleep", "3600"])), user: "user", uid: getuid(), gid: getgid(),
                    project: "default", queue: "batch", priority: 10, timeLimit: nil, held: false, reason: "",
                    rule: nil,
                    policyHash: "", submittedAt: now))
            _ = try await ledger.beginAttempt(id, bootID: bootID, at: now)
            try await ledger.recordProcess(
                id, attempt: 1, pid: pid, startTime: startTime, cgroup: "\(directory)/cgroup-\(job)", enforced: [],
                at: now)
        }
        try ledger.close()
    }

    /// Runs mld for a while.
    /// - Returns: CPU seconds per second, and resident bytes at the end.
    func measure(_ mld: String, seconds: Double) async throws -> (cpu: Double, resident: Double) {
        // Empty: the built-in policy, whatever the machine's own may be.
        try FileManager.default.createDirectory(atPath: directory + "/policy", withIntermediateDirectories: true)
        process.executableURL = URL(filePath: mld)
        process.arguments = [
            "--state", directory + "/state", "--socket", directory + "/mld.sock", "--policy", directory + "/policy",
            "--sysfs", directory + "/sys",
        ]
        process.standardError = FileHandle.nullDevice
        try process.run()
        // Starting is not what is measured.
        try await pass(seconds: 6)
        let (start, before) = (ContinuousClock.now, try cpuSeconds())
        try await pass(seconds: seconds)
        let cpu = try (cpuSeconds() - before) / (ContinuousClock.now - start).seconds
        guard process.isRunning else {
            complain("mld ended while it was measured")
            throw ExitCode(2)
        }
        return (cpu, try residentBytes())
    }

    /// Ends mld and counts the jobs that its ledger holds as running and has energy of.
    func jobsMetered() async throws -> Int {
        stop(process)
        let ledger = try Ledger(path: directory + "/state/ledger.db")
        let report = try await ledger.report(
            ReportQuery(since: Timestamp(microseconds: 0), until: Timestamp.now(), by: .job))
        try ledger.close()
        return report.rows.count { $0.state == .running && $0.figures.energyJ > 0 }
    }

    private func pass(seconds: Double) async throws {
        let end = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < end {
            try await Task.sleep(for: .seconds(1))
            try advance()
        }
    }

    private func cpuSeconds() throws -> Double {
        let stat = try String(contentsOfFile: "/proc/\(process.processIdentifier)/stat", encoding: .utf8)
        let fields = stat[stat.index(after: stat.lastIndex(of: ")") ?? stat.startIndex)...].split(separator: " ")
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else {
            throw ExitCode(2)
        }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    private func residentBytes() throws -> Double {
        let text = try String(contentsOfFile: "/proc/\(process.processIdentifier)/statm", encoding: .utf8)
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Double($0) }
        guard let pages else { throw ExitCode(2) }
        return pages * Double(sysconf(Int32(_SC_PAGESIZE)))
    }
}
