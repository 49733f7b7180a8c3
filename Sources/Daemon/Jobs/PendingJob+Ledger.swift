import JobAPI
import Ledger
import Scheduling

extension PendingJob {
    /// A job that was just written down under this number.
    init(_ id: JobID, _ new: NewJob, array: ArrayPlace? = nil, arrayLimit: Int? = nil) {
        self.init(
            id: id, uid: new.uid, queue: new.queue, priority: new.priority, submittedAt: new.submittedAt,
            notBefore: new.notBefore, held: new.held, request: new.spec.resources.vector, timeLimit: new.timeLimit,
            note: new.held || new.notBefore != nil ? new.reason : nil, array: array, arrayLimit: arrayLimit,
            after: new.after)
    }

    /// A job that waited when the last daemon went.
    init(_ job: WaitingJob) {
        self.init(
            id: job.id, uid: job.uid, queue: job.queue, priority: job.priority, submittedAt: job.submittedAt,
            notBefore: job.notBefore, held: job.isHeld,
            request: ResourceVector(cpus: job.cpus, memory: job.memory, gpus: job.gpus), timeLimit: job.timeLimit,
            note: job.isHeld || job.notBefore != nil ? job.reason : nil, array: job.array, arrayLimit: job.arrayLimit,
            after: job.after)
    }

    /// A job that is active, as it would wait again: what it waited for is past, and nobody holds it.
    init(_ stored: StoredJob) {
        self.init(
            id: stored.record.id, uid: stored.record.uid, queue: stored.record.queue, priority: stored.priority,
            submittedAt: stored.record.submittedAt, notBefore: stored.notBefore,
            request: stored.spec.resources.vector, timeLimit: stored.timeLimit, array: stored.record.array,
            arrayLimit: stored.arrayLimit)
    }
}

extension JobSpec.Resources {
    /// As the scheduler counts them.
    var vector: ResourceVector { ResourceVector(cpus: cpus, memory: memory, gpus: gpus) }
}
