import Carbon
import JobAPI
import LinuxSystem
import Units

/// One signal and the source that tells it: what is known, when it is asked again, and what is wrong with it. A value; whoever owns
/// it does the asking.
struct SignalFeed: Sendable {
    let source: SignalSource
    private(set) var signal: Signal
    /// When it is to be looked at again.
    private(set) var due: Timestamp
    /// Why the last look told nothing; nil when it did.
    private(set) var trouble: String?
    /// What the last look left unanswered.
    private(set) var lack: String?
    private var failures = 0
    private var stamp: FileStamp?
    /// Of a file that has not changed: it says so again.
    private var lastReadings: [SignalReading] = []
    private var readAt: Timestamp?

    /// What is to be told of a look.
    enum Change: Sendable, Hashable {
        case none
        case failing(String)
        case recovered
        case lacking(String)
    }

    init(
        _ quantity: SignalQuantity, _ source: SignalSource, fallback: Signal.Fallback?, staleAfter: Duration,
        now: Timestamp
    ) {
        self.source = source
        signal = Signal(quantity, fallback: fallback, staleAfter: staleAfter)
        due = now
    }

    /// What an earlier daemon was told, and has to be asked again when that is `refresh` old.
    mutating func take(_ archive: SignalArchive, refresh: Duration) {
        guard archive.origin == source.key else { return }
        signal.take(archive)
        due = max(due, archive.fetchedAt.advanced(by: refresh))
    }

    var archive: SignalArchive? { SignalArchive(signal, origin: source.key) }

    /// The file as it was read last. Once a day it is read all the same: only the part of it that is near was kept.
    func known(now: Timestamp) -> FileStamp? {
        guard let readAt, now >= readAt, now.since(readAt) < .seconds(86400) else { return nil }
        return stamp
    }

    /// The source answered, or a file is as it was.
    mutating func answered(_ answer: SignalSource.Answer?, at now: Timestamp, refresh: Duration) -> Change {
        if let answer {
            lastReadings = answer.stamp == nil ? [] : answer.readings.map { $0.near(now) }
            for reading in answer.readings { signal.receive(reading.near(now), source: source.name, at: now) }
            (stamp, readAt) = (answer.stamp, now)
        } else {
            for reading in lastReadings { signal.receive(reading, source: source.name, at: now) }
        }
        due = now.advanced(by: refresh)
        failures = 0
        defer { (trouble, lack) = (nil, answer?.lack) }
        if trouble != nil { return .recovered }
        if let new = answer?.lack, lack == nil { return .lacking(new) }
        return .none
    }

    /// It did not: it is asked again soon, and less and less often.
    mutating func failed(_ problem: String, at now: Timestamp, refresh: Duration) -> Change {
        let pause = min(30 * Double(1 << min(failures, 20)), max(refresh.seconds, 3600))
        failures += 1
        due = now.advanced(by: .seconds(pause))
        // A source that is away may be so for a dozen reasons in turn: the first is told.
        defer { trouble = problem }
        return trouble == nil ? .failing(problem) : .none
    }

    /// The policy says otherwise what to do without it.
    mutating func set(fallback: Signal.Fallback?, staleAfter: Duration) {
        signal.fallback = fallback
        signal.staleAfter = staleAfter
    }
}

extension SignalReading {
    /// What is looked at of a file that may hold years.
    fileprivate func near(_ now: Timestamp) -> SignalReading {
        let first = now.advanced(by: .seconds(-ForecastModel.historyHours * 3600))
        let last = now.advanced(by: .seconds(60 * 86400))
        func part(_ points: [SignalPoint]) -> [SignalPoint] {
            points.filter { $0.to > first && $0.from < last }
        }
        return SignalReading(measured: part(measured), forecast: part(forecast), zone: zone)
    }
}
