import Carbon
import Foundation
import JobAPI
import Ledger
import LinuxSystem
import Logging
import Metering
import Policy
import Sandbox
import Testing
import Units

@testable import Daemon
@testable import Ledger

/// The daemon's meter, ledger and jobs in this process, on a machine with one counter, without its loops: a test takes each
/// step itself.
struct DaemonParts {
    let directory: String
    let counter: String
    let ledger: Ledger
    let meter: EnergyMeter
    let jobs: JobController

    /// - Parameter prepare: makes more hardware in the directory that stands in for sysfs; beside it there may be a stand-in for
    ///   NVIDIA's library.
    static func with(
        prepare: (_ sysfs: String) throws -> Void = { _ in }, _ body: (DaemonParts) async throws -> Void
    ) async throws {
        let directory = "/tmp/mldt-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try prepare(directory + "/sys")
        let parts = try await DaemonParts(directory)
        try await body(parts)
        try parts.ledger.close()
    }

    private init(_ directory: String) async throws {
        self.directory = directory
        counter = try RisingCounter.makePackage(below: directory + "/sys")
        let library = directory + "/libnvidia-ml.so.1"
        let roots = SystemRoots(
            sysfs: directory + "/sys", nvml: FileManager.default.fileExists(atPath: library) ? library : nil)
        let state = try StateDirectory(path: directory + "/state")
        let policy = PolicySet.builtIn
        let settings = Settings(
            isSystemMode: false, socket: directory + "/s", stateDirectory: state.path,
            policyDirectory: directory + "/policies", roots: roots, programs: RunningDaemon.programs,
            defaultProject: "default", logLevel: "error")
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let machine = try Machine(roots: roots)
        ledger = try Ledger(path: state.ledger)
        let host = try await ledger.host(
            name: "test", cpuModel: "test", cpus: machine.capacity.cpus, memory: machine.capacity.memory)
        meter = EnergyMeter(
            roots: roots, machine: machine.size, site: try SiteCarbon(policy),
            books: Books(
                ledger: ledger, host: host, context: ChainContext(policyHash: "", factors: "", version: ""),
                retention: Retention(), bootID: machine.bootID),
            baseline: IdleBaseline(), calibration: nil, logger: logger)
        jobs = JobController(
            settings: settings, ledger: ledger, hub: EventHub(), meter: meter,
            launcher: try SandboxLauncher(execPath: settings.programs + "/mld-exec", cgroups: nil), state: state,
            machine: machine.capacity, layout: machine.layout, bootID: machine.bootID, policy: policy, logger: logger)
    }

    /// The machine draws a millijoule, and the meters are read.
    func tick() async throws {
        let text = try String(contentsOfFile: counter, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        let microjoules = try #require(Int64(text))
        try "\(microjoules + 1000)\n".write(toFile: counter, atomically: true, encoding: .utf8)
        await meter.tick()
    }

    /// The machine draws so much in that time, and the meters are read.
    func draw(joules: Double, over time: Duration) async throws {
        let text = try String(contentsOfFile: counter, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        let microjoules = try #require(Int64(text))
        try await Task.sleep(for: time)
        try "\(microjoules + Int64(joules * 1e6))\n".write(toFile: counter, atomically: true, encoding: .utf8)
        await meter.tick()
    }

    /// Of the last ten minutes.
    func report(by grouping: ReportGrouping) async throws -> EnergyReport {
        let now = Timestamp.now()
        return try await ledger.report(ReportQuery(since: now.advanced(by: .seconds(-600)), until: now, by: grouping))
    }

    /// As of a daemon that runs now and is killed: each call is the next daemon's.
    func toldMark() throws -> ToldMark { try ToldMark(path: directory + "/told", of: ledger.path) }

    func newJob() -> NewJob {
        NewJob(
            spec: JobSpec(
                resources: .init(cpus: 1, memory: .mebibytes(64)), sandbox: .init(workdir: directory),
                command: .init(argv: ["true"])), user: "someone", uid: geteuid(), gid: getegid(), project: "default",
            queue: "batch", priority: 10, timeLimit: 60, held: false, reason: "accepted", rule: nil, policyHash: "",
            submittedAt: .now())
    }

    /// A job that was started, as far as the ledger and its directory know.
    func startedJob(events: String = "", change: (inout NewJob) -> Void = { _ in }) async throws -> StoredJob {
        var new = newJob()
        change(&new)
        let id = try await ledger.accept(new)
        let files = await jobs.directory(id)
        try files.create(spec: new.spec, attempt: 1)
        try events.write(toFile: files.events(1), atomically: false, encoding: .utf8)
        _ = try await ledger.beginAttempt(id, bootID: "this", at: .now())
        return try #require(try await ledger.job(id))
    }

    func tracked(_ id: JobID, cpuSeconds: Double = 0) -> EnergyMeter.Tracked {
        EnergyMeter.Tracked(
            id: id, attempt: 1, reservedCPUs: 1, reservedMemoryBytes: 0, cpuSeconds: { _ in cpuSeconds })
    }

    /// Lets nobody write to the ledger until `body` is over; one that waits for the ledger is let go at last, and fails.
    func holdingLedger(_ body: () async throws -> Void) async throws {
        let gate = DispatchSemaphore(value: 0)
        let ledger = ledger
        let (entered, entering) = AsyncStream.makeStream(of: Void.self)
        let holder = Task {
            try await ledger.write("hold") { _ in
                entering.finish()
                return gate.wait(timeout: .now() + 45) == .success
            }
        }
        for await _ in entered {}
        do {
            try await body()
        } catch {
            gate.signal()
            throw error
        }
        gate.signal()
        #expect(try await holder.value, "a step waited for the ledger")
    }
}

extension JobController {
    /// As if it ran, its supervisor gone.
    func put(_ stored: StoredJob, as state: JobState = .running) {
        var job = LiveJob(stored, on: machine, account: "")
        job.state = state
        job.events = TrainingEvents(path: directory(job.id).events(1))
        live[job.id] = job
    }
}
