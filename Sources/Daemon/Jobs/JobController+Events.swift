import JobAPI
import Ledger
import Logging
import Units

// What jobs say about themselves, from their event files into the ledger and to those who follow them.
extension JobController {
    enum TakenEvents { case all, some, failed }

    /// Reads a part of the job's event file, keeps what is in it, and passes it on. One at a time for each job: a second call
    /// waits until what the first has read is kept, or has failed and is there to be read again.
    /// - Returns: whether that was all there was; on failure nothing was taken.
    @discardableResult
    func takeEvents(_ id: JobID) async -> TakenEvents {
        while let other = takers[id] { _ = await other.value }
        let taker = Task {
            // Before anyone who waits for it is told: they look here again.
            defer { takers[id] = nil }
            return await takeBatch(id)
        }
        takers[id] = taker
        return await taker.value
    }

    private func takeBatch(_ id: JobID) async -> TakenEvents {
        guard var events = live[id]?.events, let attempt = live[id]?.attempt else { return .all }
        let batch = events.read()
        guard !batch.isEmpty else {
            live[id]?.events = events
            return batch.isUnreadable ? .failed : batch.isLast ? .all : .some
        }
        let now = Timestamp.now()
        if batch.isCheckpointed { await meter.bookUp() }
        let isKept: Bool
        do {
            isKept = try await ledger.recordEvents(
                id, attempt: attempt, at: now, metrics: batch.metrics, artifacts: batch.artifacts,
                progress: batch.progress, completed: (events.completedEpochs, events.samples),
                isCheckpointed: batch.isCheckpointed, offset: events.offset)
        } catch {
            // Where it was read from stays as it was, so it is read again later.
            logger.error("\(error)", metadata: ["job": "\(id)"])
            return .failed
        }
        if live[id]?.attempt == attempt { live[id]?.events = events }
        if isKept {
            publish(batch.events, of: id, at: now)
        } else {
            logger.error("what it said came after its end was written", metadata: ["job": "\(id)"])
        }
        return batch.isLast ? .all : .some
    }

    private func publish(_ events: [TrainingEvent], of id: JobID, at now: Timestamp) {
        for said in events {
            var event = JobEvent(type: .metric, at: now)
            switch said {
            case .metric(let metric): event.metric = metric
            case .progress(let progress):
                event.type = .progress
                event.progress = progress
            case .artifact, .checkpoint, .done: continue
            }
            hub.publish(id, event)
        }
    }
}
