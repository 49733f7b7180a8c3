import JobAPI
import Ledger
import Sandbox
import Scheduling
import Units

/// A job that has not ended, as the controller holds it.
struct LiveJob: Sendable {
    var id: JobID
    var spec: JobSpec
    var user: String
    var uid: UInt32
    var gid: UInt32
    var queue: String
    var timeLimit: Double?
    var attempt: Int
    /// When the attempt began.
    var startedAt: Timestamp?
    var state: JobState
    /// As the scheduler was told of it, to tell it again when a start did not come about.
    var pending: PendingJob
    /// Present while a supervisor runs.
    var process: Started?
    var events: TrainingEvents?
    /// Who asked for its end, once someone did.
    var cancelledBy: String?
    /// How often it could not be started for a cause that passes by itself.
    var failedStarts = 0

    init(_ stored: StoredJob) {
        id = stored.record.id
        spec = stored.spec
        user = stored.record.user
        uid = stored.record.uid
        gid = stored.gid
        queue = stored.record.queue
        timeLimit = stored.timeLimit
        attempt = stored.record.attempt
        startedAt = stored.record.startedAt
        state = stored.record.state
        cancelledBy = stored.record.state == .queued ? nil : stored.cancelledBy
        pending = PendingJob(
            id: stored.record.id, uid: stored.record.uid, queue: stored.record.queue, priority: stored.priority,
            submittedAt: stored.record.submittedAt, notBefore: stored.notBefore, held: stored.holder != nil,
            request: stored.spec.resources.vector, timeLimit: stored.timeLimit,
            note: stored.holder != nil || stored.notBefore != nil ? stored.record.reason : nil)
    }

    /// A job that was just written down under this number.
    init(_ id: JobID, _ new: NewJob) {
        self.id = id
        spec = new.spec
        user = new.user
        uid = new.uid
        gid = new.gid
        queue = new.queue
        timeLimit = new.timeLimit
        attempt = 0
        state = .queued
        pending = PendingJob(
            id: id, uid: new.uid, queue: new.queue, priority: new.priority, submittedAt: new.submittedAt,
            notBefore: new.notBefore, held: new.held, request: new.spec.resources.vector, timeLimit: new.timeLimit,
            note: new.held || new.notBefore != nil ? new.reason : nil)
    }
}

extension JobSpec.Resources {
    /// As the scheduler counts them.
    var vector: ResourceVector { ResourceVector(cpus: cpus, memory: memory, gpus: gpus) }
}
