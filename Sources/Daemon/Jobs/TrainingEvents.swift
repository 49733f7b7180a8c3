import FoundationEssentials
import JobAPI

/// Follows the event file of one attempt. Nothing in it is trusted: lines that are not events are counted and passed over.
struct TrainingEvents {
    /// The most metrics and artifacts kept of one attempt: what a job says must not fill the ledger.
    static let maximumKept = 50_000

    /// Of an event file nothing beyond this is read: it may be sparse, or written without end.
    static let maximumBytes = Int64(64 << 20)
    /// What one look reads at most, so that a flood holds up nobody.
    static let bytesPerRead = 1 << 20

    private var tail: FileTail
    private var kept = 0
    private var lines = LineBuffer()
    /// Lines that were not events.
    private(set) var rejected = 0
    private(set) var progress: Progress?
    /// Epochs and samples completed, for joules per epoch and per sample.
    private(set) var completedEpochs = 0
    private(set) var samples = 0

    /// Up to where the file has been read, in whole lines.
    var offset: Int64 { tail.offset - Int64(lines.pendingCount) }

    /// - Parameter progress: what was said of it before `offset`.
    init(path: String, offset: Int64 = 0, progress: Progress? = nil) {
        self.progress = progress
        tail = FileTail(path: path, offset: offset)
    }

    /// What a job said since the last look, in its order.
    struct Batch {
        var events: [TrainingEvent] = []
        /// Nothing more was there when it was read.
        var isLast = true
        /// There may be more that could not be read now.
        var isUnreadable = false

        var isEmpty: Bool { events.isEmpty }
        var metrics: [Metric] { events.compactMap { if case .metric(let metric) = $0 { metric } else { nil } } }
        /// The last one counts.
        var progress: Progress? {
            events.reversed().lazy.compactMap { if case .progress(let progress) = $0 { progress } else { nil } }.first
        }
        /// What was done so far is kept, whatever happens to the job.
        var isCheckpointed: Bool { events.contains { if case .checkpoint = $0 { true } else { false } } }
        var artifacts: [Artifact] {
            events.compactMap { event in
                switch event {
                case .artifact(let artifact): artifact
                case .checkpoint(let path, _): Artifact(kind: "checkpoint", path: path)
                default: nil
                }
            }
        }
    }

    /// What was written since the last call, a bounded part at a time.
    mutating func read() -> Batch {
        var batch = Batch()
        guard tail.offset < Self.maximumBytes else { return batch }
        let bytes = tail.read(limit: Self.bytesPerRead)
        batch.isUnreadable = tail.isUnreadable
        batch.isLast = bytes.count < Self.bytesPerRead
        for line in lines.append(bytes) { take(line, into: &batch) }
        return batch
    }

    private mutating func take(_ line: String, into batch: inout Batch) {
        guard let event = try? JSON.decode(TrainingEvent.self, from: Data(line.utf8)) else {
            rejected += 1
            return
        }
        switch event {
        case .progress(let progress):
            guard Self.isPossible(progress) else {
                rejected += 1
                return
            }
            self.progress = progress
            batch.events.append(event)
            let isComplete = progress.step != nil && progress.step == progress.steps
            completedEpochs = max(completedEpochs, isComplete ? progress.epoch : progress.epoch - 1)
            samples = max(samples, progress.samples ?? 0)
        case .metric, .artifact, .checkpoint:
            guard kept < Self.maximumKept, Self.isNamed(event) else {
                rejected += 1
                return
            }
            kept += 1
            batch.events.append(shortened(event))
        case .done: break
        }
    }

    private static func isPossible(_ progress: Progress) -> Bool {
        let counts = [progress.epoch, progress.epochs ?? 0, progress.step ?? 0, progress.steps ?? 0]
        return counts.allSatisfy { (0..<1 << 31).contains($0) } && (0..<1 << 50).contains(progress.samples ?? 0)
    }

    /// A name ends where the ledger sees a NUL in it: then it would be another's.
    private static func isNamed(_ event: TrainingEvent) -> Bool {
        switch event {
        case .metric(let metric): !metric.name.hasControlCharacters && !(metric.split ?? "").hasControlCharacters
        case .artifact(let artifact): !artifact.kind.hasControlCharacters && !artifact.path.utf8.contains(0)
        case .checkpoint(let path, _): !path.utf8.contains(0)
        case .progress, .done: true
        }
    }

    /// Names are for people to read; a job that writes a book into one gets its beginning.
    private func shortened(_ event: TrainingEvent) -> TrainingEvent {
        switch event {
        case .metric(let metric):
            .metric(
                Metric(
                    name: String(metric.name.prefix(80)), split: metric.split.map { String($0.prefix(40)) },
                    value: metric.value, epoch: metric.epoch))
        case .artifact(let artifact):
            .artifact(Artifact(kind: String(artifact.kind.prefix(40)), path: String(artifact.path.prefix(4096))))
        case .checkpoint(let path, let step): .checkpoint(path: String(path.prefix(4096)), step: step)
        case .progress, .done: event
        }
    }
}
