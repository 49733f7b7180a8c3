import JobAPI
import Units

extension Scheduler {
    /// What there is to do about jobs that may be suspended, and what has to be kept free for those that are.
    struct Pauses: Sendable {
        struct Return: Sendable {
            var id: JobID
            /// When it is to run again.
            var at: Timestamp
            var needs: ResourceVector
        }

        var suspends: [JobID] = []
        var resumes: [JobID] = []
        var halts: [JobID] = []
        var goOns: [JobID] = []
        /// CPUs and power of those that resume now, and of those that should and cannot yet: no job that starts gets them.
        var kept = ResourceVector.zero
        /// The others, by time.
        var returns: [Return] = []
        /// What the first so many of `returns` need.
        fileprivate var sums = [ResourceVector.zero]

        /// What those need that resume before `end`: a job that starts now and runs until then must leave it free.
        func comingBack(before end: Timestamp?) -> ResourceVector {
            guard let end else { return sums[sums.count - 1] }
            var (low, high) = (0, returns.count)
            while low < high {
                let middle = (low + high) / 2
                if returns[middle].at < end { low = middle + 1 } else { high = middle }
            }
            return sums[low]
        }
    }

    func pauses(now: Timestamp) -> Pauses {
        var pauses = Pauses()
        if borders.isEmpty && unsettled.isEmpty && suspendable.isEmpty { return pauses }
        var room = free
        func goesOn(_ job: ActiveJob) -> Bool {
            pauses.kept += job.lent
            guard job.lent.cpus <= room.cpus, job.lent.power <= room.power else { return false }
            room -= job.lent
            return true
        }
        for id in unsettled.elements {
            guard let job = active[id], let shift = job.shift, !job.isHalted, ruleSuspension(job) == nil else {
                continue
            }
            if !shift.isSuspended {
                pauses.suspends.append(id)
            } else if goesOn(job) {
                pauses.resumes.append(id)
            }
        }
        for id in suspendable.elements {
            guard let job = active[id] else { continue }
            switch (ruleSuspension(job) != nil, job.isHalted) {
            case (true, false): if !job.standsStill { pauses.halts.append(id) }
            case (false, true): if goesOn(job) { pauses.goOns.append(id) }
            case (true, true), (false, false): break
            }
        }
        // Of those that run the border is the end of a run, of the others the beginning of one.
        for due in borders.elements {
            guard let job = active[due.id], !job.isHalted, job.shift?.isSuspended == true, !unsettled.contains(due.id)
            else {
                continue
            }
            pauses.returns.append(Pauses.Return(id: due.id, at: due.at, needs: job.lent))
            pauses.sums.append(pauses.sums[pauses.sums.count - 1] + job.lent)
        }
        return pauses
    }
}
