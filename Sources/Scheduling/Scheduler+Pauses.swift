import JobAPI
import Units

extension Scheduler {
    /// What there is to do about jobs that may be suspended, and what has to be kept free for those that are.
    struct Pauses: Sendable {
        struct Return: Sendable {
            var id: JobID
            /// When it is to run again.
            var at: Timestamp
            var cpus: Int
        }

        var suspends: [JobID] = []
        var resumes: [JobID] = []
        /// CPUs of those that resume now, and of those that should and cannot yet: no job that starts gets them.
        var kept = ResourceVector.zero
        /// The others, by time.
        var returns: [Return] = []
        /// CPUs of the first so many of `returns`.
        fileprivate var sums: [Int] = [0]

        /// What those need that resume before `end`: a job that starts now and runs until then must leave it free.
        func comingBack(before end: Timestamp?) -> ResourceVector {
            guard let end else { return ResourceVector(cpus: sums[sums.count - 1], memory: .zero) }
            var (low, high) = (0, returns.count)
            while low < high {
                let middle = (low + high) / 2
                if returns[middle].at < end { low = middle + 1 } else { high = middle }
            }
            return ResourceVector(cpus: sums[low], memory: .zero)
        }
    }

    func pauses(now: Timestamp) -> Pauses {
        var pauses = Pauses()
        if borders.isEmpty && unsettled.isEmpty { return pauses }
        var cpus = free.cpus
        for id in unsettled.elements {
            guard let job = active[id], let shift = job.shift else { continue }
            if shift.isSuspended {
                pauses.kept.cpus += job.request.cpus
                if job.request.cpus <= cpus {
                    pauses.resumes.append(id)
                    cpus -= job.request.cpus
                }
            } else {
                pauses.suspends.append(id)
            }
        }
        // Of those that run the border is the end of a run, of the others the beginning of one.
        for due in borders.elements {
            guard let job = active[due.id], job.shift?.isSuspended == true, !unsettled.contains(due.id) else {
                continue
            }
            pauses.returns.append(Pauses.Return(id: due.id, at: due.at, cpus: job.request.cpus))
            pauses.sums.append(pauses.sums[pauses.sums.count - 1] + job.request.cpus)
        }
        return pauses
    }
}
