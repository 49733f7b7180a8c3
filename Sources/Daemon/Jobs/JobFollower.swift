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

    enum Logs: Sendable, Equatable { case none, fromStart, fromNow, from(LogPosition) }

    private enum Input: Sendable { case event(JobEvent), tick, ping, end }

    /// What goes to the client.
    enum Message: Sendable {
        case event(JobEvent)
        /// Output, and where to go on after it.
        case output(JobEvent, LogPosition)
        /// Nothing new; finds out whether the client is still there.
        case ping
    }

    /// - Parameters:
    ///   - current: the job as it stands; asked once, after the subscription, so that no transition is missed.
    ///   - emit: sends one event and returns when the client took it.
    func run(
        current: @Sendable () async throws -> JobRecord, emit: (Message) async throws -> Void
    ) async throws {
        let subscription = hub.subscribe(id)
        let record = try await current()
        var tails = tails()
        let opening = Self.stateEvent(record)
        if record.state.isFinal {
            try await drain(&tails, emit, atEnd: true)
            return try await emit(.event(opening))
        }
        try await emit(.event(opening))
        if let progress = record.progress {
            var event = JobEvent(type: .progress, at: .now())
            event.progress = progress
            try await emit(.event(event))
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
            group.addTask {
                while !Task.isCancelled {
                    try await Task.sleep(for: .seconds(15))
                    feed.yield(.ping)
                }
            }
            loop: for await input in inputs {
                switch input {
                case .event(let event) where event.state?.isFinal == true:
                    try await drain(&tails, emit, atEnd: true)
                    try await emit(.event(event))
                    break loop
                case .event(let event): try await emit(.event(event))
                case .tick: try await drain(&tails, emit)
                case .ping: try await emit(.ping)
                case .end: break loop
                }
            }
            group.cancelAll()
        }
    }

    static func stateEvent(_ record: JobRecord) -> JobEvent {
        var event = JobEvent(
            type: .state,
            at: record.endedAt ?? (record.state.isActive ? record.startedAt : nil) ?? record.submittedAt)
        event.state = record.state
        event.reason = record.reason
        event.exitStatus = record.exitStatus
        event.signal = record.signal
        event.energyJ = record.energy.energyJ
        event.carbonG = record.energy.carbonG
        return event
    }

    private struct Tail {
        let stream: String
        var log: LogTail
    }

    private func tails() -> [Tail] {
        let start: LogPosition
        switch logs {
        case .none: return []
        case .from(let position): start = position
        case .fromStart, .fromNow: start = LogPosition()
        }
        var tails = [
            Tail(stream: "stdout", log: LogTail(path: directory.stdout, position: start.stdout)),
            Tail(stream: "stderr", log: LogTail(path: directory.stderr, position: start.stderr)),
        ]
        if logs == .fromNow {
            for index in tails.indices { tails[index].log.skipToEnd() }
        }
        return tails
    }

    /// Sends what is there of both streams, in turns: neither waits for the end of the other.
    private func drain(
        _ tails: inout [Tail], _ emit: (Message) async throws -> Void, atEnd: Bool = false
    ) async throws {
        var isMore = !tails.isEmpty
        while isMore {
            isMore = false
            for index in tails.indices {
                let piece = tails[index].log.readText(limit: 64 << 10, atEnd: atEnd)
                var texts: [(text: String, missing: Int64?)] = []
                if piece.missing > 0 {
                    texts.append(("mld: \(piece.missing) bytes are gone from the log\n", piece.missing))
                }
                if !piece.bytes.isEmpty { texts.append((String(decoding: piece.bytes, as: UTF8.self), nil)) }
                guard !texts.isEmpty else { continue }
                isMore = true
                for (number, part) in texts.enumerated() {
                    var event = JobEvent(type: .log, at: .now())
                    event.stream = tails[index].stream
                    (event.text, event.missing) = part
                    // One cut off between the two is told of the loss again, and misses nothing else.
                    let isLast = number == texts.count - 1
                    try await emit(isLast ? .output(event, position(tails)) : .event(event))
                }
            }
        }
    }

    private func position(_ tails: [Tail]) -> LogPosition {
        LogPosition(stdout: tails[0].log.position, stderr: tails[1].log.position)
    }
}
