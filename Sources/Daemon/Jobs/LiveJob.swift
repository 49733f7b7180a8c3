import JobAPI
import Ledger
import Policy
import Sandbox
import Scheduling
import Units

/// A job that holds resources, or has just ended and is being written down. Jobs that wait are the scheduler's.
struct LiveJob: Sendable {
    var id: JobID
    var spec: JobSpec
    var user: String
    var uid: UInt32
    var gid: UInt32
    var queue: String
    var array: ArrayPlace?
    var timeLimit: Double?
    var attempt: Int
    /// When the attempt began.
    var startedAt: Timestamp?
    var state: JobState
    /// As the scheduler knew it, to let it wait again.
    var pending: PendingJob
    /// Present while a supervisor runs.
    var process: Started?
    var events: TrainingEvents?
    /// Who asked for its end, once someone did.
    var cancelledBy: String?
    /// Who asked for it to stop and to wait again.
    var requeuedBy: String?
    /// The admin who let it go on against the policy.
    var sparedBy: String?
    /// Why nobody will ever know how it ended, where the machine went down under it.
    var lostCause: String?
    /// How many of its retries are used up.
    var retried: Int

    init(_ stored: StoredJob, on machine: MachineCapacity, account: String) {
        id = stored.record.id
        spec = stored.spec
        user = stored.record.user
        uid = stored.record.uid
        gid = stored.gid
        queue = stored.record.queue
        array = stored.record.array
        timeLimit = stored.timeLimit
        attempt = stored.record.attempt
        startedAt = stored.attemptStartedAt
        state = stored.record.state
        cancelledBy = stored.cancelledBy
        requeuedBy = stored.requeuedBy
        retried = stored.retried
        pending = PendingJob(stored, on: machine, account: account)
    }
}
