import Units

extension Scheduler {
    /// The wall clock was set, by so much: pauses that are measured by it last as long as they were meant to. Times that people
    /// named stay as they are.
    ///
    /// O(n) of the jobs that wait for a time.
    package mutating func clockSet(by change: Duration) {
        clock = nil
        for id in dueAt.keys.sorted() {
            guard var job = pending[id], job.isPaused, let end = job.notBefore else { continue }
            job.notBefore = end.advanced(by: change)
            add(job)
        }
    }
}
