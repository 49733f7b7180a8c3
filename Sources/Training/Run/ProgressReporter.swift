import JobAPI

/// Tells how far training is: twice a second at most, and at the ends of epochs.
final class ProgressReporter {
    private let events: EventWriter
    private let epochs: Int
    /// Steps in one epoch.
    private let steps: Int
    private var last = ContinuousClock.now
    private(set) var samples = 0

    private static let interval = Duration.milliseconds(500)

    init(_ events: EventWriter, epochs: Int, steps: Int) {
        self.events = events
        self.epochs = epochs
        self.steps = steps
    }

    func report(epoch: Int, step: Int, samples: Int) {
        self.samples = samples
        last = ContinuousClock.now
        events.write(
            .progress(Progress(epoch: epoch, epochs: epochs, step: step, steps: steps, samples: samples)))
    }

    func stepped(epoch: Int, step: Int, samples: Int) {
        self.samples = samples
        if ContinuousClock.now - last >= Self.interval { report(epoch: epoch, step: step, samples: samples) }
    }

    func ended(epoch: Int) { report(epoch: epoch, step: steps, samples: samples) }
}
