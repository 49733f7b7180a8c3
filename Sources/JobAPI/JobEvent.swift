package import Units

/// How far a training job is; written by the job, so nothing here is trusted beyond display.
package struct Progress: Codable, Hashable, Sendable {
    package var epoch: Int
    package var epochs: Int?
    package var step: Int?
    /// Steps in one epoch.
    package var steps: Int?
    /// Samples seen since the start.
    package var samples: Int?

    package init(epoch: Int, epochs: Int? = nil, step: Int? = nil, steps: Int? = nil, samples: Int? = nil) {
        self.epoch = epoch
        self.epochs = epochs
        self.step = step
        self.steps = steps
        self.samples = samples
    }

    /// The done part of the whole, 0 to 1, when it can be told.
    package var fraction: Double? {
        guard let epochs, epochs > 0 else { return nil }
        let within = steps.flatMap { steps in step.map { Double($0) / Double(max(steps, 1)) } } ?? 0
        return min(max((Double(epoch) - 1 + within) / Double(epochs), 0), 1)
    }
}

/// A figure the job reported about itself.
package struct Metric: Codable, Hashable, Sendable {
    package var name: String
    /// `train`, `validation` or `test`.
    package var split: String?
    package var value: Double
    package var epoch: Int?

    package init(name: String, split: String? = nil, value: Double, epoch: Int? = nil) {
        self.name = name
        self.split = split
        self.value = value
        self.epoch = epoch
    }
}

package struct Artifact: Codable, Hashable, Sendable {
    package var kind: String
    package var path: String
    /// Of the file, where mld found it itself when the job had ended.
    package var bytes: Int64?

    package init(kind: String, path: String, bytes: Int64? = nil) {
        self.kind = kind
        self.path = path
        self.bytes = bytes
    }
}

/// One JSON line a job writes on the descriptor named by `MLD_EVENTS_FD`:
/// `{"event": "progress", "epoch": 1, "epochs": 10, "step": 5, "steps": 100, "samples": 320}` and so on.
package enum TrainingEvent: Hashable, Sendable {
    case progress(Progress)
    case metric(Metric)
    case checkpoint(path: String, step: Int)
    case artifact(Artifact)
    case done
}

extension TrainingEvent: Codable {
    private enum CodingKeys: String, CodingKey { case event, path, step }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        switch try container.decode(String.self, forKey: .event) {
        case "progress": self = .progress(try Progress(from: decoder))
        case "metric": self = .metric(try Metric(from: decoder))
        case "checkpoint":
            self = .checkpoint(
                path: try container.decode(String.self, forKey: .path),
                step: try container.decode(Int.self, forKey: .step))
        case "artifact": self = .artifact(try Artifact(from: decoder))
        case "done": self = .done
        case let other:
            throw DecodingError.dataCorruptedError(
                forKey: .event, in: container, debugDescription: "unknown event \"\(other.prefix(40))\"")
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .progress(let progress):
            try container.encode("progress", forKey: .event)
            try progress.encode(to: encoder)
        case .metric(let metric):
            try container.encode("metric", forKey: .event)
            try metric.encode(to: encoder)
        case .checkpoint(let path, let step):
            try container.encode("checkpoint", forKey: .event)
            try container.encode(path, forKey: .path)
            try container.encode(step, forKey: .step)
        case .artifact(let artifact):
            try container.encode("artifact", forKey: .event)
            try artifact.encode(to: encoder)
        case .done: try container.encode("done", forKey: .event)
        }
    }
}

/// What followers of a job receive over Server-Sent Events; the SSE event name is the JSON's `type`.
package struct JobEvent: Codable, Hashable, Sendable {
    package enum Kind: String, Codable, Sendable, CaseIterable {
        /// `state` and `reason` are set.
        case state
        /// `progress` is set.
        case progress
        /// `metric` is set.
        case metric
        /// `powerW`, `energyJ` and `carbonG` are set.
        case power
        /// `stream` and `text` are set.
        case log
    }

    package var type: Kind
    package var at: Timestamp
    package var state: JobState?
    package var reason: String?
    package var exitStatus: Int?
    package var signal: Int?
    package var progress: Progress?
    package var metric: Metric?
    package var powerW: Double?
    package var energyJ: Double?
    package var carbonG: Double?
    /// `stdout` or `stderr`.
    package var stream: String?
    package var text: String?
    /// So many bytes of the stream came before and are gone: they made room for newer ones. `text` says so.
    package var missing: Int64?
    /// Where in the output to go on after this event: its id in the stream, not a part of its JSON. Opaque to clients.
    package var position: String?

    package init(type: Kind, at: Timestamp) {
        self.type = type
        self.at = at
    }
}
