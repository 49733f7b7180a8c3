import JobAPI
import Learning
import Tensors

/// Turns the trainer's calls into events and lines for people.
final class RunObserver: TrainingObserver {
    private let events: EventWriter
    private let plan: TrainingPlan
    private let stop: StopSignal?
    private let progress: ProgressReporter
    private let save: (TrainingPosition, FloatBuffer) throws(TrainingError) -> Void

    var samples: Int { progress.samples }

    /// - Parameters:
    ///   - steps: in one epoch.
    ///   - save: writes a checkpoint; also given the best weights.
    init(
        _ events: EventWriter, _ plan: TrainingPlan, steps: Int, stop: StopSignal?,
        save: @escaping (TrainingPosition, FloatBuffer) throws(TrainingError) -> Void
    ) {
        self.events = events
        self.plan = plan
        self.stop = stop
        self.save = save
        progress = ProgressReporter(events, epochs: plan.epochs, steps: steps)
    }

    var wantsStop: Bool { stop?.number != nil }

    func started(at position: TrainingPosition? = nil) {
        progress.report(epoch: position?.epoch ?? 1, step: position?.batch ?? 0, samples: position?.samples ?? 0)
    }

    func checkpoint(_ position: TrainingPosition, best: FloatBuffer) throws(LearningError) {
        do { try save(position, best) } catch { throw LearningError(.system, error.message) }
    }

    func stepped(epoch: Int, step: Int, samples: Int) {
        progress.stepped(epoch: epoch, step: step, samples: samples)
    }

    func ended(_ epoch: EpochSummary) {
        progress.ended(epoch: epoch.epoch)
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
}
