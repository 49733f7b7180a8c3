import JobAPI
import Learning
import Tensors

/// Turns the trainer's calls into events and lines for people.
final class RunObserver: TrainingObserver {
    private let events: EventWriter
    private let plan: TrainingPlan
    private let stop: StopSignal?
    private let checkpoints: CheckpointKeeper?
    /// Steps in one epoch.
    private let steps: Int
    private let clock = ContinuousClock()
    private var lastProgress: ContinuousClock.Instant
    private(set) var samples = 0

    private static let interval = Duration.milliseconds(500)

    init(
        _ events: EventWriter, _ plan: TrainingPlan, steps: Int, stop: StopSignal?, checkpoints: CheckpointKeeper? = nil
    ) {
        self.checkpoints = checkpoints
        self.events = events
        self.plan = plan
        self.steps = steps
        self.stop = stop
        lastProgress = clock.now
    }

    var wantsStop: Bool { stop?.number != nil }

    func started(at position: TrainingPosition? = nil) {
        samples = position?.samples ?? 0
        progress(epoch: position?.epoch ?? 1, step: position?.batch ?? 0)
    }

    func checkpoint(_ position: TrainingPosition, best: FloatBuffer) throws(LearningError) {
        do {
            try checkpoints?.save(position, best: best)
        } catch { throw LearningError(.system, error.message) }
    }

    func stepped(epoch: Int, step: Int, samples: Int) {
        self.samples = samples
        if clock.now - lastProgress >= RunObserver.interval { progress(epoch: epoch, step: step) }
    }

    func ended(_ epoch: EpochSummary) {
        progress(epoch: epoch.epoch, step: steps)
        var line = "epoch \(epoch.epoch)/\(plan.epochs)"
        line += report("train", "", epoch.train, epoch: epoch.epoch)
        if let validation = epoch.validation {
            line += report("validation", "val ", validation, epoch: epoch.epoch)
        }
        events.say(line + "  \(fixed(epoch.seconds, 2)) s")
    }

    /// Writes the metrics of a split, and gives them as words.
    @discardableResult
    func report(_ split: String, _ prefix: String, _ totals: Totals, epoch: Int) -> String {
        events.write(.metric(Metric(name: "loss", split: split, value: totals.meanLoss, epoch: epoch)))
        var words = "  \(prefix)loss \(fixed(totals.meanLoss, 4))"
        if plan.reportsAccuracy {
            events.write(.metric(Metric(name: "accuracy", split: split, value: totals.accuracy, epoch: epoch)))
            words += "  \(prefix)accuracy \(fixed(totals.accuracy, 4))"
        }
        return words
    }

    /// Writes what the trained model scores.
    func report(_ evaluation: Evaluation, split: String, epoch: Int) {
        var words = "\(split)  loss \(fixed(evaluation.totals.meanLoss, 4))"
        events.write(.metric(Metric(name: "loss", split: split, value: evaluation.totals.meanLoss, epoch: epoch)))
        for (name, value) in evaluation.values {
            events.write(.metric(Metric(name: name, split: split, value: value, epoch: epoch)))
            words += "  \(name) \(fixed(value, 4))"
        }
        events.say(words)
        guard let confusion = evaluation.confusion, confusion.count <= 20 else { return }
        events.say("confusion: a row for each class, a column for each prediction")
        let width = confusion.joined().reduce(0) { max($0, "\($1)".count) }
        for row in confusion {
            events.say(
                "  " + row.map { String(repeating: " ", count: width - "\($0)".count) + "\($0)" }.joined(separator: " ")
            )
        }
    }

    private func progress(epoch: Int, step: Int) {
        lastProgress = clock.now
        events.write(
            .progress(Progress(epoch: epoch, epochs: plan.epochs, step: step, steps: steps, samples: samples)))
    }
}

/// `value` with so many digits after the point.
func fixed(_ value: Double, _ digits: Int) -> String {
    guard value.isFinite, abs(value) < 1e12 else { return "\(value)" }
    var scale = 1
    for _ in 0..<digits { scale *= 10 }
    let scaled = Int((abs(value) * Double(scale)).rounded())
    let fraction = String(scaled % scale)
    let sign = value < 0 && scaled > 0 ? "-" : ""
    return sign + String(scaled / scale)
        + (digits > 0 ? "." + String(repeating: "0", count: digits - fraction.count) + fraction : "")
}
