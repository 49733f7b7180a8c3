import JobAPI
import Learning

/// Turns the trainer's calls into events and lines for people.
final class RunObserver: TrainingObserver {
    private let events: EventWriter
    private let plan: TrainingPlan
    private let stop: StopSignal?
    /// Steps in one epoch.
    private let steps: Int
    private let clock = ContinuousClock()
    private var lastProgress: ContinuousClock.Instant
    private(set) var samples = 0

    private static let interval = Duration.milliseconds(500)

    init(_ events: EventWriter, _ plan: TrainingPlan, steps: Int, stop: StopSignal?) {
        self.events = events
        self.plan = plan
        self.steps = steps
        self.stop = stop
        lastProgress = clock.now
    }

    var wantsStop: Bool { stop?.number != nil }

    func started() { progress(epoch: 1, step: 0) }

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
