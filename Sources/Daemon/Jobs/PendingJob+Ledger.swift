import JobAPI
import Ledger
import Policy
import Scheduling

extension PendingJob {
    /// A job that was just written down under this number.
    init(
        _ id: JobID, _ new: NewJob, on machine: MachineCapacity, account: String, array: ArrayPlace? = nil,
        arrayLimit: Int? = nil,
        flexibility: Flexibility? = nil
    ) {
        self.init(
            id: id, uid: new.uid, account: account, project: new.project, queue: new.queue, priority: new.priority,
            submittedAt: new.submittedAt,
            notBefore: new.notBefore, held: new.held, request: machine.request(new.spec.resources),
            timeLimit: new.timeLimit,
            note: new.held || new.notBefore != nil ? new.reason : nil, array: array, arrayLimit: arrayLimit,
            after: new.after, flexibility: flexibility, likes: new.likes, isTraining: new.spec.train != nil,
            isInterruptible: new.spec.schedule.interruptible)
    }

    /// A job that waited when the last daemon went.
    init(_ job: WaitingJob, on machine: MachineCapacity, account: String) {
        self.init(
            id: job.id, uid: job.uid, account: account, project: job.project, queue: job.queue, priority: job.priority,
            submittedAt: job.submittedAt,
            notBefore: job.notBefore, held: job.isHeld,
            request: machine.request(job.resources), timeLimit: job.timeLimit,
            note: job.isHeld || job.notBefore != nil ? job.reason : nil, array: job.array, arrayLimit: job.arrayLimit,
            after: job.after, likes: job.likes, isTraining: job.isTraining, isInterruptible: job.isInterruptible)
        // It started once, so what its submitter said of its time is past.
        isPaused = job.attempts > 0 && job.notBefore != nil
    }

    /// A job that is active, as it would wait again: what it waited for is past, and nobody holds it.
    init(_ stored: StoredJob, on machine: MachineCapacity, account: String) {
        self.init(
            id: stored.record.id, uid: stored.record.uid, account: account, project: stored.record.project,
            queue: stored.record.queue, priority: stored.priority,
            submittedAt: stored.record.submittedAt, notBefore: stored.notBefore,
            request: machine.request(stored.spec.resources), timeLimit: stored.timeLimit, array: stored.record.array,
            arrayLimit: stored.arrayLimit, likes: stored.keys.work, isTraining: stored.spec.train != nil,
            isInterruptible: stored.spec.schedule.interruptible)
    }
}

extension StoredJob {
    /// Under which keys the scheduler knows its likes.
    var keys: JobKeys { JobKeys(spec, user: record.uid, queue: record.queue) }
}

extension PolicySet {
    /// Whose share a job's usage counts against; empty where there are no shares.
    func account(user: String, project: String) -> String {
        fairShare.isOn ? fairShare.account(user: user, project: project) : ""
    }
}
