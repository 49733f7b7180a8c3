import Learning

/// What a run came to, for people: the first epoch, the best one, and what it cost.
struct RunSummary {
    let plan: TrainingPlan
    let fit: Trainer.Result
    let cost: RunCost

    init(_ plan: TrainingPlan, _ fit: Trainer.Result, cost: RunCost) {
        self.plan = plan
        self.fit = fit
        self.cost = cost
    }

    var lines: [String] {
        var lines: [String] = []
        if let first = fit.history.first { lines.append("first   " + text(first)) }
        if let kept = fit.history.first(where: { $0.epoch == fit.weightsEpoch }) {
            lines.append("kept    " + text(kept) + (fit.stoppedEarly ? "; stopped early" : ""))
        }
        return lines + [cost.line]
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
