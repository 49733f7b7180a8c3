import JobAPI
import Ledger
import LinuxSystem
import Policy
import Scheduling
import Units

// What is decided of a job before anything is written down. An estimate asks the same, so that it says what a submission would.
extension JobController {
    /// What the policy says of a job.
    /// - Parameters:
    ///   - spec: without its array.
    ///   - count: of how many jobs: an array counts with all its elements.
    func admission(
        of spec: JobSpec, count: Int, by submitter: Submitter, now: Timestamp, in conditions: Conditions
    ) -> Admission {
        let uid = submitter.uid
        let project = spec.project ?? settings.defaultProject
        return policy.admit(
            spec, by: submitter, machine: machine,
            queuedByUser: scheduler.pendingCount(uid: uid) + submitting[uid, default: 0] + count - 1,
            queuedByProject: scheduler.pendingCount(project: project) + submittingOf[project, default: 0] + count - 1,
            now: now, conditions: conditions, runTime: learnedRunTime(of: spec, user: uid),
            power: expectation(for: spec, user: uid))
    }

    /// A job that was admitted, as it is written down.
    /// - Parameter after: what it waits for.
    func newJob(
        _ spec: JobSpec, _ admitted: AdmittedJob, _ user: User, groups: [String], after: [Dependency],
        now: Timestamp
    ) -> NewJob {
        let keys = JobKeys(spec, user: user.uid, queue: admitted.queue)
        return NewJob(
            spec: spec, user: user.name, uid: user.uid, gid: user.gid, project: admitted.project,
            queue: admitted.queue, priority: admitted.priority, timeLimit: admitted.timeLimit, held: admitted.held,
            notBefore: admitted.notBefore, reason: admitted.reason, rule: admitted.rule?.description,
            policyHash: policy.hash, submittedAt: now, after: after,
            baseline: baseline(for: spec, keys, after: after, held: admitted.held, now: now), likes: keys.work,
            leeway: leeway(admitted), groups: groups)
    }
}
