import Scheduling
import Units

// What the daemon learns of run times as jobs end, the replay learns too.
extension Replay {
    /// A job is like those of its user that ran the same program; where the trace does not tell which, those with its name.
    func keys(of job: TraceJob) -> JobKeys {
        let name = job.application >= 0 ? "application \(job.application)" : job.name
        let shape = job.application >= 0 ? Array(name.utf8) : JobKeys.shape(of: name)
        return JobKeys(
            user: Submitters.uid(of: job), name: name, work: name.utf8, shape: shape,
            queue: submitters.name(job.queue, in: trace.queues) ?? "", request: job.request,
            gpuModel: submitters.name(job.gpuModel, in: trace.gpuModels))
    }

    /// The job has ended: by itself, or by its limit before its work was done.
    mutating func learn(from job: Active) {
        let traced = trace.jobs[job.index]
        // Of one that was suspended the work of its earlier segments is done, too.
        let left = job.isCut ? max(0, Double(job.work) - Double(job.allowance ?? 0) * job.share) / 1e6 : 0
        let run = RunSample(
            seconds: traced.runTime - left, isWhole: left == 0, cpus: traced.request.cpus, energy: nil, tier: nil)
        if let run { scheduler.learn(run, of: keys(of: traced)) }
    }
}
