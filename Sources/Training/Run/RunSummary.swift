import Glibc
import Learning

/// What a run came to, for people: the first epoch, the best one, and what it cost.
struct RunSummary {
    private let plan: TrainingPlan
    private let outcome: TrainingRun.Outcome

    init(_ plan: TrainingPlan, _ outcome: TrainingRun.Outcome) {
        self.plan = plan
        self.outcome = outcome
    }

    var lines: [String] {
        var lines: [String] = []
        let history = outcome.fit.history
        if let first = history.first { lines.append("first   " + text(first)) }
        if let kept = history.first(where: { $0.epoch == outcome.fit.weightsEpoch }) {
            lines.append("kept    " + text(kept) + (outcome.fit.stoppedEarly ? "; stopped early" : ""))
        }
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        let processor =
            Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
            + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6
        lines.append(
            "cost    \(fixed(outcome.seconds, 1)) s, \(fixed(processor, 1)) s of CPU, "
                + "\(usage.ru_maxrss / 1024) MiB at most, \(outcome.samplesSeen) samples"
                + (getenv("MLD_OUTPUT_DIR") == nil ? "" : "; joules: mlctl show"))
        return lines
    }

    private func text(_ epoch: EpochSummary) -> String {
        func figures(_ totals: Totals) -> String {
            "loss \(fixed(totals.meanLoss, 4))"
                + (plan.reportsAccuracy ? ", accuracy \(fixed(totals.accuracy, 4))" : "")
        }
        return "epoch \(epoch.epoch): " + figures(epoch.train)
            + (epoch.validation.map { "; validation " + figures($0) } ?? "")
    }
}
