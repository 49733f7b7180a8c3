import Glibc

/// What this process has taken so far, for people.
struct RunCost {
    let seconds: Double
    /// Samples trained on, repetitions counted.
    let samples: Int

    var line: String {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        let processor =
            Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
            + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6
        return
            "cost    \(fixed(seconds, 1)) s, \(fixed(processor, 1)) s of CPU, \(PeakMemory.bytes >> 20) MiB at most, "
            + "\(samples) samples" + (getenv("MLD_OUTPUT_DIR") == nil ? "" : "; joules: mlctl show")
    }
}
