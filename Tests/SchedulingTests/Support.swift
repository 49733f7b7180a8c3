import JobAPI
import Policy
import Units

@testable import Scheduling

func t(_ seconds: Double) -> Timestamp { Timestamp(seconds: 1_700_000_000 + seconds) }

func vector(_ cpus: Int, gib: Int64 = 1, gpus: Int = 0) -> ResourceVector {
    ResourceVector(cpus: cpus, memory: .gibibytes(gib), gpus: gpus)
}

func waiting(
    _ id: Int64, _ request: ResourceVector = vector(1), uid: UInt32 = 1, project: String = "default",
    queue: String = "batch", priority: Int = 0, at time: Double = 0, notBefore: Double? = nil, held: Bool = false,
    limit: Double? = nil, interruptible: Bool = false
) -> PendingJob {
    PendingJob(
        id: JobID(id), uid: uid, project: project, queue: queue, priority: priority, submittedAt: t(time),
        notBefore: notBefore.map(t), held: held, request: request, timeLimit: limit, isInterruptible: interruptible)
}

func policy(_ text: String) throws -> PolicySet { try PolicySet.load(files: [(name: "p.toml", text: text)]) }

extension Scheduler {
    /// One with no reserve, under a policy.
    init(_ text: String, cpus: Int, gib: Int64 = 1024, gpus: Int = 0) throws {
        let machine = MachineCapacity(cpus: cpus, memory: .gibibytes(gib), gpus: gpus)
        self.init(policy: try Self.policy(text), machine: machine)
    }

    private static func policy(_ text: String) throws -> PolicySet {
        try SchedulingTests.policy("[machine]\nreserve-memory = \"0 B\"\n" + text)
    }
}

func limit(_ count: Int) -> Setting<Int?> {
    Setting(count, source: RuleReference(file: "x.toml", line: 12, name: "limits.max-running-per-user"))
}

extension Scheduler {
    /// What is free where nothing caps the power: that is not of interest then.
    var freeOfAll: ResourceVector { ResourceVector(cpus: free.cpus, memory: free.memory, gpus: free.gpus) }

    /// Plans and starts what was planned, as the daemon does.
    mutating func run(at seconds: Double) -> [Int64] {
        let plan = plan(now: t(seconds))
        for id in plan.starts {
            if let job = starting(id, at: t(seconds)) { started(job) }
        }
        return plan.starts.map(\.number)
    }

    func text(_ id: Int64, at seconds: Double) -> String? { reason(for: JobID(id), now: t(seconds))?.text }
    func hint(_ id: Int64, at seconds: Double) -> String? { reason(for: JobID(id), now: t(seconds))?.hint }
}

/// The rules of `docs/policy.md` with a sorted array and no cleverness, to hold the scheduler against.
struct NaiveScheduler {
    var capacity: ResourceVector
    var maxRunning: Int?
    var pending: [PendingJob] = []
    var active: [ActiveJob] = []

    func plan(now: Timestamp) -> [JobID] {
        // In whole numbers: of two that have as many points the older is first.
        func points(_ job: PendingJob) -> Int64 {
            let joined = max(job.submittedAt, job.notBefore ?? job.submittedAt)
            return Int64(job.priority) * 360_000_000 + now.microseconds - joined.microseconds
        }
        let ready = pending.filter { !$0.held && $0.notBefore ?? now <= now && $0.request.fits(in: capacity) }
            .sorted { a, b in points(a) == points(b) ? a.id < b.id : points(a) > points(b) }
        var running = active
        var starts: [JobID] = []
        var kept: (until: Timestamp, spare: ResourceVector)?
        var keptFor: UInt32?
        for job in ready {
            let free = running.reduce(capacity) { $0 - $1.request }
            let own = running.filter { $0.uid == job.uid }.count + (job.uid == keptFor ? 1 : 0)
            if let maxRunning, own >= maxRunning { continue }
            let end = job.timeLimit.map { now.advanced(by: .microseconds(Int64($0 * 1e6))) }
            if !job.request.fits(in: free) {
                if kept == nil {
                    kept = reserve(job, running, free, now)
                    keptFor = job.uid
                }
                continue
            }
            if let now = kept {
                if let end, end <= now.until {
                } else if job.request.fits(in: now.spare) {
                    kept?.spare -= job.request
                } else {
                    continue
                }
            }
            starts.append(job.id)
            running.append(
                ActiveJob(id: job.id, uid: job.uid, request: job.request, startedAt: now, expectedEnd: end))
        }
        return starts
    }

    private func reserve(
        _ job: PendingJob, _ running: [ActiveJob], _ free: ResourceVector, _ now: Timestamp
    ) -> (Timestamp, ResourceVector) {
        func freeAt(_ time: Timestamp, endless: Bool) -> ResourceVector {
            running.filter { $0.expectedEnd.map { max($0, now) <= time } ?? endless }.reduce(free) { $0 + $1.request }
        }
        let times = ([now] + running.compactMap(\.expectedEnd).map { max($0, now) }).sorted()
        let until =
            times.first { job.request.fits(in: freeAt($0, endless: false)) }
            ?? times.first { job.request.fits(in: freeAt($0, endless: true)) } ?? now
        let spare = freeAt(until, endless: false) - job.request
        return (
            until,
            ResourceVector(
                cpus: max(0, spare.cpus), memory: max(.zero, spare.memory), gpus: max(0, spare.gpus),
                power: max(0, spare.power))
        )
    }
}
