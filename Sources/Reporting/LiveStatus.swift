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
    private var progressAt: Timestamp?
    private var lastAt: Timestamp?
    /// The latest value of each metric, in the order first seen.
    private var metrics: [(label: String, metric: Metric)] = []
    private var highestEpoch = 0
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
            if state == .queued { (startedAt, progress, highestEpoch, reportedEpoch) = (nil, nil, 0, 0) }
            if state.isFinal { return epochLine(highestEpoch) }
        case .progress:
            guard let new = event.progress else { return nil }
            (progress, progressAt) = (new, event.at)
            let last = highestEpoch
            highestEpoch = max(last, new.epoch)
            if highestEpoch > last { return epochLine(last) }
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

    /// The updating line of a terminal, in at most `width` columns; metrics give way to what is left of time and energy.
    package func line(_ id: JobID, width: Int) -> String {
        for count in stride(from: metrics.count, through: 1, by: -1) {
            let line = line(id, metrics: metrics.prefix(count))
            if displayWidth(line) <= width { return line }
        }
        return clipped(line(id, metrics: []), to: width)
    }

    private func line(_ id: JobID, metrics: ArraySlice<(label: String, metric: Metric)>) -> String {
        var parts: [String] = []
        if let progress {
            parts.append("epoch \(progress.epoch)" + (progress.epochs.map { "/\($0)" } ?? ""))
            // Until there is something better to tell.
            if metrics.isEmpty, let step = progress.step, let steps = progress.steps {
                parts.append("step \(step)/\(steps)")
            }
        } else {
            parts.append(state.rawValue + (reason.isEmpty || state == .running ? "" : " (\(reason))"))
        }
        parts += metrics.map { "\($0.label) \(significant($0.metric.value, digits: 4))" }
        parts += energy.prefix(2)
        if let left = secondsLeft { parts.append("ETA " + brief(seconds: left)) }
        return printable("job \(id): " + parts.joined(separator: ", "))
    }

    /// Seconds to the end, seen from the latest event, if the rest goes as the part done so far went.
    package var secondsLeft: Double? {
        guard state == .running, let fraction = progress?.fraction, fraction > 0, fraction < 1, let startedAt,
            let progressAt, let lastAt
        else { return nil }
        let whole = progressAt.since(startedAt).seconds / fraction
        return max(0, whole - lastAt.since(startedAt).seconds)
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
        let split = ["train": "", "validation": "val "]
        let prefix = metric.split.map { split[$0] ?? $0 + " " } ?? ""
        let label = clipped(prefix + metric.name, to: 32)
        if let index = metrics.firstIndex(where: { $0.label == label }) {
            metrics[index].metric = metric
        } else if metrics.count < Self.mostMetrics {
            metrics.append((label, metric))
        }
    }
}
