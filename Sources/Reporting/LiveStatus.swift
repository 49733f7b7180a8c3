package import JobAPI
import Units

/// What is known of a running job from its events so far, and how to say it in one line.
package struct LiveStatus: Sendable {
    package private(set) var state: JobState = .queued
    package private(set) var reason = ""
    package private(set) var progress: Progress?
    package private(set) var powerW: Double?
    package private(set) var energyJ: Double?
    package private(set) var carbonG: Double?
    private var startedAt: Timestamp?
    private var lastAt: Timestamp?
    /// The latest value of each metric, in the order first seen.
    private var metrics: [(label: String, metric: Metric)] = []
    private var reportedEpoch = 0

    /// A job can name as many metrics as it likes; a line holds a few.
    static let mostMetrics = 6

    package init() {}

    /// Takes an event in; returns the finished epoch's line when the event shows that one has ended.
    package mutating func take(_ event: JobEvent) -> String? {
        lastAt = event.at
        switch event.type {
        case .state:
            if let new = event.state { state = new }
            reason = event.reason ?? ""
            if state == .running, startedAt == nil { startedAt = event.at }
            // A new attempt begins again.
            if state == .queued { (startedAt, progress, reportedEpoch) = (nil, nil, 0) }
            if state.isFinal, let progress { return epochLine(progress.epoch) }
        case .progress:
            guard let new = event.progress else { return nil }
            defer { progress = new }
            if let old = progress, new.epoch > old.epoch { return epochLine(old.epoch) }
        case .metric:
            if let metric = event.metric { note(metric) }
        case .power:
            powerW = event.powerW ?? powerW
            energyJ = event.energyJ ?? energyJ
            carbonG = event.carbonG ?? carbonG
        case .log: break
        }
        return nil
    }

    /// The updating line of a terminal.
    package func line(_ id: JobID) -> String {
        var parts: [String] = []
        if let progress {
            parts.append("epoch \(progress.epoch)" + (progress.epochs.map { "/\($0)" } ?? ""))
            if let step = progress.step, let steps = progress.steps { parts.append("step \(step)/\(steps)") }
        } else {
            parts.append(state.rawValue + (reason.isEmpty || state == .running ? "" : " (\(reason))"))
        }
        parts += metrics.map { "\($0.label) \(significant($0.metric.value, digits: 4))" }
        parts += energy
        if let left = secondsLeft { parts.append("ETA " + brief(seconds: left)) }
        return printable("job \(id): " + parts.joined(separator: ", "))
    }

    /// Seconds to the end if the rest goes as the part done so far went.
    package var secondsLeft: Double? {
        guard state == .running, let fraction = progress?.fraction, fraction > 0, fraction < 1, let startedAt,
            let lastAt
        else { return nil }
        return lastAt.since(startedAt).seconds * (1 - fraction) / fraction
    }

    private var energy: [String] {
        var parts: [String] = []
        if let powerW { parts.append(significant(powerW) + " W") }
        if let energyJ { parts.append(Energy(joules: energyJ).description) }
        if let carbonG { parts.append(significant(carbonG) + " gCO2e") }
        return parts
    }

    /// The line of an epoch that is over, once.
    private mutating func epochLine(_ epoch: Int) -> String? {
        guard epoch > reportedEpoch else { return nil }
        reportedEpoch = epoch
        let figures = metrics.filter { $0.metric.epoch ?? epoch == epoch }.map {
            "\($0.label) \(significant($0.metric.value, digits: 4))"
        }
        let name = "epoch \(epoch)" + (progress?.epochs.map { "/\($0)" } ?? "")
        return printable(([name] + figures + energy).joined(separator: ", "))
    }

    private mutating func note(_ metric: Metric) {
        let label = clipped((metric.split.map { $0 == "train" ? "" : $0 + " " } ?? "") + metric.name, to: 32)
        if let index = metrics.firstIndex(where: { $0.label == label }) {
            metrics[index].metric = metric
        } else if metrics.count < Self.mostMetrics {
            metrics.append((label, metric))
        }
    }
}
