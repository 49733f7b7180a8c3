import JobAPI
import Units

/// What is told of a job's end: the hook's standard input, and what a mail is made of.
struct Notice: Encodable, Sendable {
    var event = "job-ended"
    var id: JobID
    var name: String
    var user: String
    var project: String
    var queue: String
    var state: JobState
    var reason: String
    var attempt: Int
    var submittedAt: Timestamp
    var startedAt: Timestamp?
    var endedAt: Timestamp?
    var runTimeS: Double?
    var exitStatus: Int?
    var signal: Int?
    /// Nil where nothing was metered.
    var energyJ: Double?
    var carbonG: Double?
    var tier: Tier?

    init(_ job: JobRecord) {
        id = job.id
        name = job.name
        user = job.user
        project = job.project
        queue = job.queue
        state = job.state
        reason = job.reason
        attempt = job.attempt
        submittedAt = job.submittedAt
        startedAt = job.startedAt
        endedAt = job.endedAt
        runTimeS = job.endedAt.flatMap { job.runTime(at: $0) }
        exitStatus = job.exitStatus
        signal = job.signal
        guard let tier = job.energy.tier else { return }
        self.tier = tier
        energyJ = job.energy.energyJ
        carbonG = job.energy.carbonG
    }
}
