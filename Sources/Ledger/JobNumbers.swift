/// A small number for each job: in an array, for jobs are numbered one by one and a report asks millions of times.
struct JobNumbers {
    /// -1 for none.
    private var dense: [Int32]
    /// Of jobs far above the others, which only an edited ledger has.
    private var others: [Int64: Int32] = [:]

    /// - Parameters:
    ///   - last: the highest number of a job.
    ///   - count: how many jobs there are.
    init(last: Int64, count: Int64) {
        dense = Array(repeating: -1, count: Int(min(max(last, 0), count * 4 + 1024)) + 1)
    }

    /// The same places, all empty.
    var cleared: JobNumbers {
        var cleared = self
        cleared.dense = Array(repeating: -1, count: dense.count)
        cleared.others = [:]
        return cleared
    }

    subscript(job: Int64) -> Int32? {
        get {
            guard job >= 0, job < dense.count else { return others[job] }
            return dense[Int(job)] >= 0 ? dense[Int(job)] : nil
        }
        set {
            if job >= 0, job < dense.count { dense[Int(job)] = newValue ?? -1 } else { others[job] = newValue }
        }
    }
}
