import JobAPI
import Ledger
import Logging
import Policy
import Scheduling
import Units

// How long jobs run and what they draw, learned from those that have ended: from the ledger at the start, then one by one.
extension JobController {
    /// Reads the last runs. Where the ledger cannot tell, all is learned anew.
    func readHistory() async {
        do {
            for run in try await ledger.pastRuns() { learn(run) }
        } catch {
            logger.error("cannot read how long jobs ran; their run times are learned anew: \(error)")
        }
    }

    /// A job has ended so, and what it was is in the ledger.
    func learn(from id: JobID, _ state: JobState) async {
        guard state == .succeeded || state == .timedOut else { return }
        do {
            if let run = try await ledger.lastRun(of: id) { learn(run) }
        } catch {
            logger.error("cannot learn from its run: \(error)", metadata: ["job": "\(id)"])
        }
    }

    private func learn(_ run: PastRun) {
        var sample = RunSample(
            seconds: run.seconds, isWhole: run.isWhole, cpus: run.spec.resources.cpus, energy: run.energy,
            tier: run.tier, idle: run.idle)
        sample?.limit =
            switch run.powerLimit {
            case nil, 0?: .none
            case let milliwatts? where milliwatts > 0: .held(Double(milliwatts) / 1000)
            default: .changing
            }
        if let sample { scheduler.learn(sample, of: JobKeys(run.spec, user: run.uid, queue: run.queue)) }
    }

    /// How long a job that is being submitted will run by the likes that say most of it, in seconds: its limit would end it sooner, and
    /// whoever states one knows better than runs of a queue. Nil where nobody can tell.
    func learnedRunTime(of spec: JobSpec, user: UInt32) -> Double? {
        let queue = spec.queue ?? policy.defaultQueue?.name ?? ""
        let learned = scheduler.history.predicted(JobKeys(spec, user: user, queue: queue))?.seconds
        return learned.map { min($0, spec.resources.timeLimit ?? $0) }
    }

    /// When one that starts now, or has started and never stood still, will have ended by the likes that say most of it.
    func predictedEnd(of stored: StoredJob, from start: Timestamp) -> Timestamp? {
        scheduler.history.predicted(stored.keys).map { start.advanced(by: .seconds($0.seconds)) }
    }

    /// What running the job at once would be, as far as that is known when it is submitted. Nil where it may not run: it waits
    /// for other jobs or for somebody.
    func baseline(for spec: JobSpec, _ keys: JobKeys, after: [Dependency], held: Bool, now: Timestamp) -> Baseline? {
        guard after.isEmpty, !held else { return nil }
        let earliest = max(now, spec.schedule.notBefore ?? now)
        let request = scheduler.settled(
            machine.request(spec.resources), inQueue: spec.queue ?? policy.defaultQueue?.name ?? "")
        let room = scheduler.earliestRoom(for: request, likes: keys.work, now: now) ?? now
        let estimate = scheduler.history.estimate(keys, cpus: spec.resources.cpus)
        return Baseline(
            start: max(earliest, room), runSeconds: estimate?.seconds.median, watts: estimate?.watts?.mean)
    }
}
