import JobAPI
import Units

/// Streams one job to one follower: its state, progress, metrics, power and, if asked for, its output.
///
/// Pulls at the follower's pace: a slow client holds up nobody and costs at most one bounded buffer.
struct JobFollower: Sendable {
    let id: JobID
    let hub: EventHub
    let directory: JobDirectory
    /// Whether output is streamed, and from the beginning or only what is new.
    let logs: Logs

    enum Logs: Sendable { case none, fromStart, fromNow }

    private enum Input: Sendable { case event(JobEvent), tick, end }

    /// - Parameters:
    ///   - current: the job as it stands; asked once, after the subscription, so that no transition is missed.
    ///   - emit: sends one event and returns when the client took it.
    func run(
        current: @Sendable () async throws -> JobRecord, emit: (JobEvent) async throws -> Void
    ) async throws {
        let subscription = hub.subscribe(id)
        let record = try await current()
        var tails = tails()
        let opening = Self.stateEvent(record)
        if record.state.isFinal {
            try await drain(&tails, emit)
            return try await emit(opening)
        }
        try await emit(opening)
        if let progress = record.progress {
            var event = JobEvent(type: .progress, at: .now())
            event.progress = progress
            try await emit(event)
        }
        let (inputs, feed) = AsyncStream.makeStream(of: Input.self, bufferingPolicy: .bufferingNewest(1024))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for await event in subscription { feed.yield(.event(event)) }
                feed.yield(.end)
                feed.finish()
            }
            if logs != .none {
                group.addTask {
                    while !Task.isCancelled {
                        feed.yield(.tick)
                        try await Task.sleep(for: .milliseconds(200))
                    }
                }
            }
            loop: for await input in inputs {
                switch input {
                case .event(let event) where event.state?.isFinal == true:
                    try await drain(&tails, emit)
                    try await emit(event)
                    break loop
                case .event(let event): try await emit(event)
                case .tick: try await drain(&tails, emit)
                case .end: break loop
                }
            }
            group.cancelAll()
        }
    }

    static func stateEvent(_ record: JobRecord) -> JobEvent {
        var event = JobEvent(type: .state, at: .now())
        event.state = record.state
        event.reason = record.reason
        event.exitStatus = record.exitStatus
        event.signal = record.signal
        event.energyJ = record.energy.energyJ
        event.carbonG = record.energy.carbonG
        return event
    }

    private func tails() -> [(stream: String, tail: FileTail)] {
        guard logs != .none else { return [] }
        return [("stdout", directory.stdout), ("stderr", directory.stderr)].map { stream, path in
            var tail = FileTail(path: path)
            if logs == .fromNow { tail.skipToEnd() }
            return (stream, tail)
        }
    }

    private func drain(
        _ tails: inout [(stream: String, tail: FileTail)], _ emit: (JobEvent) async throws -> Void
    ) async throws {
        for index in tails.indices {
            while true {
                let bytes = tails[index].tail.read(limit: 64 << 10)
                if bytes.isEmpty { break }
                var event = JobEvent(type: .log, at: .now())
                event.stream = tails[index].stream
                event.text = String(decoding: bytes, as: UTF8.self)
                try await emit(event)
            }
        }
    }
}
