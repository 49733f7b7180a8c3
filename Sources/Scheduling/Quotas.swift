import JobAPI
import Policy
import Units

/// How the limits of users and projects stand while a plan is made: what is active, what the plan starts, and what is kept for jobs
/// that wait for their user's or project's own.
///
/// Each user and each project is to its jobs what the machine is to all: the first that does not fit gets a reservation, and those of
/// the same user or project behind it start only if they do not delay it. Others pass by.
struct Quotas: Sendable {
    enum Answer: Sendable {
        case fits
        /// This job does not, others of the party may.
        case tooLarge
        /// No job of the party starts.
        case full
    }

    struct Quota: Sendable {
        var added = Tally()
        /// The first that waits, for these limits or for the machine.
        var first: PendingJob?
        /// Where the first waits for these limits.
        var reservation: Reservation?
        /// Kinds of jobs that were too large.
        var looked = 0
    }

    let limits: SchedulerLimits
    private let tallies: [Party: Tally]
    private(set) var quotas: [Party: Quota] = [:]
    /// The active jobs of each; made by the first that needs it.
    private var members: [Party: [ActiveJob]]?
    private var started: [ActiveJob] = []

    /// Kinds of jobs of a user or project that a plan looks at behind the first that waits for its limits.
    static let lookAhead = 16

    init(_ limits: SchedulerLimits, _ tallies: [Party: Tally]) {
        self.limits = limits
        self.tallies = tallies
    }

    private func parties(_ uid: UInt32, _ project: String) -> [(Party, SchedulerLimits.Share)] {
        var parties: [(Party, SchedulerLimits.Share)] = []
        if !limits.user.isOpen { parties.append((.user(uid), limits.user)) }
        if !limits.project.isOpen { parties.append((.project(project), limits.project)) }
        return parties
    }

    /// Whether no job of this user and project can start, whatever it asks for: its owner is passed in one step.
    func isFull(uid: UInt32, project: String) -> Bool {
        for (party, share) in parties(uid, project) {
            let quota = quotas[party]
            if quota.map({ $0.looked >= Self.lookAhead }) ?? false { return true }
            let now = sum(party)
            if let most = share.running.value, now.running + (quota?.first == nil ? 0 : 1) >= most { return true }
            if let most = share.cpus.value, now.held.cpus >= most { return true }
        }
        return false
    }

    private func sum(_ party: Party) -> Tally {
        var sum = tallies[party] ?? Tally()
        guard let added = quotas[party]?.added else { return sum }
        sum.running += added.running
        sum.held += added.held
        return sum
    }

    /// What a party has left, before what is kept for its first.
    func room(_ party: Party, _ share: SchedulerLimits.Share) -> ResourceVector { share.capacity - sum(party).held }

    /// The party whose limits a job does not fit now; nil where it fits all of them.
    ///
    /// - Parameter end: when it surely ends, if it starts now.
    func obstacle(_ job: PendingJob, end: Timestamp?) -> Party? {
        parties(job.uid, job.project).first { party, share in
            let room = room(party, share)
            guard job.request.fits(in: room) else { return true }
            guard let quota = quotas[party], let first = quota.first, first.id != job.id else { return false }
            if let kept = quota.reservation {
                return !(end.map { $0 <= kept.earliest } ?? false) && !job.request.fits(in: kept.spare)
            }
            return !job.request.fits(in: room - first.request)
        }?.0
    }

    /// Whether a plan has to tell who starts.
    var isNeeded: Bool { !limits.user.isOpen || !limits.project.isOpen }

    /// A job starts.
    mutating func take(_ job: PendingJob, _ active: ActiveJob?, end: Timestamp?) {
        let parties = parties(job.uid, job.project)
        if parties.isEmpty { return }
        for (party, _) in parties {
            quotas[party, default: Quota()].added.add(job.request)
            guard let kept = quotas[party]?.reservation, !(end.map { $0 <= kept.earliest } ?? false) else { continue }
            quotas[party]?.reservation?.spare -= job.request
        }
        if let active { started.append(active) }
    }

    /// A job waits for the machine and has a reservation there: it needs its part of the limits too.
    mutating func keep(for job: PendingJob) {
        for (party, _) in parties(job.uid, job.project) where quotas[party]?.first == nil {
            quotas[party, default: Quota()].first = job
        }
    }

    /// A job does not fit the limits. The first of its user or project is seen to.
    mutating func wait(_ job: PendingJob, active: [JobID: ActiveJob], now: Timestamp) {
        let parties = parties(job.uid, job.project)
        // Larger than the limits allow in all: they were lowered since it was taken.
        guard parties.allSatisfy({ job.request.fits(in: $0.1.capacity) }) else { return }
        for (party, share) in parties where quotas[party]?.first == nil {
            let room = room(party, share)
            quotas[party, default: Quota()].first = job
            if job.request.fits(in: room) { continue }
            let members = members(of: party, active)
            quotas[party]?.reservation = Reservation(for: job.request, now: now, free: room, among: members)
        }
    }

    mutating func looked(at party: Party) { quotas[party, default: Quota()].looked += 1 }

    private mutating func members(of party: Party, _ active: [JobID: ActiveJob]) -> [ActiveJob] {
        if members == nil {
            var all: [Party: [ActiveJob]] = [:]
            for job in active.values {
                if !limits.user.isOpen { all[.user(job.uid), default: []].append(job) }
                if !limits.project.isOpen { all[.project(job.project), default: []].append(job) }
            }
            members = all
        }
        let new = started.filter { job in
            switch party {
            case .user(let uid): job.uid == uid
            case .project(let name): job.project == name
            }
        }
        return (members?[party] ?? []) + new
    }
}
