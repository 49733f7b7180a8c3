import JobAPI
import Policy
import Units

/// What limits leave users, projects and arrays from now on, each like the machine itself: so much of CPUs and GPUs, and so many jobs at
/// once. Made for those of whom a job is looked at.
struct LimitProfiles {
    private enum Key: Hashable {
        case held(Party)
        case running(Party)
        case array(JobID)
    }

    private let limits: SchedulerLimits
    private let active: [ActiveJob]
    private let now: Timestamp
    private var profiles: [Key: FreeProfile] = [:]

    init(_ limits: SchedulerLimits, _ active: some Sequence<ActiveJob>, now: Timestamp) {
        self.limits = limits
        self.active = Array(active)
        self.now = now
    }

    /// One of what a limit counts.
    private static let one = ResourceVector(cpus: 1, memory: .zero)

    /// When a job starts: as soon as the machine and all limits it comes under have room for as long as it takes. Nil for never.
    mutating func start(
        of job: PendingJob, in machine: FreeProfile, for length: Duration?, from earliest: Timestamp
    ) -> (at: Timestamp, cards: [Int])? {
        let demands = demands(of: job)
        var start = earliest
        while true {
            guard let room = machine.start(of: job.request, for: length, from: start) else { return nil }
            var next = room.at
            for (key, demand) in demands {
                guard let time = profiles[key]?.start(of: demand, for: length, from: next) else { return nil }
                next = time.at
            }
            // Each step goes on to a later end of something that there are finitely many of.
            if next == start { return room }
            start = next
        }
    }

    mutating func take(_ job: PendingJob, from start: Timestamp, for length: Duration?) {
        for (key, demand) in demands(of: job) { profiles[key]?.take(demand, on: [], from: start, for: length) }
    }

    private mutating func demands(of job: PendingJob) -> [(Key, ResourceVector)] {
        var demands: [(Key, ResourceVector)] = []
        for (party, share) in [(Party.user(job.uid), limits.user), (.project(job.project), limits.project)] {
            func isTheirs(_ other: ActiveJob) -> Bool {
                switch party {
                case .user(let uid): other.uid == uid
                case .project(let name): other.project == name
                }
            }
            if share.cpus.value != nil || share.gpus.value != nil {
                let demand = ResourceVector(cpus: job.request.cpus, memory: .zero, gpus: job.request.gpus)
                let capacity = ResourceVector(
                    cpus: share.capacity.cpus, memory: .zero, gpus: share.capacity.gpus)
                make(.held(party), capacity, isTheirs) {
                    ResourceVector(cpus: $0.request.cpus, memory: .zero, gpus: $0.request.gpus)
                }
                demands.append((.held(party), demand))
            }
            if let most = share.running.value {
                make(.running(party), ResourceVector(cpus: most, memory: .zero), isTheirs) { _ in Self.one }
                demands.append((.running(party), Self.one))
            }
        }
        if let array = job.array?.id, let most = job.arrayLimit {
            make(.array(array), ResourceVector(cpus: most, memory: .zero), { $0.array == array }, { _ in Self.one })
            demands.append((.array(array), Self.one))
        }
        return demands
    }

    private mutating func make(
        _ key: Key, _ capacity: ResourceVector, _ isTheirs: (ActiveJob) -> Bool, _ part: (ActiveJob) -> ResourceVector
    ) {
        guard profiles[key] == nil else { return }
        let theirs = active.filter(isTheirs)
        profiles[key] = FreeProfile(
            free: theirs.reduce(capacity) { $0 - part($1) }, now: now,
            ends: theirs.compactMap { job in job.likelyEnd(now: now).map { (max($0, now), part(job)) } })
    }
}
