import Units

/// Who was on one card in each interval, put together from what the driver lists now and what it sampled meanwhile.
struct CardProcesses: Sendable {
    /// What a process on the card holds of its memory, in bytes; nil where the driver does not say.
    struct Holding: Sendable, Hashable {
        var bytes: Int64?

        func combined(_ other: Holding, _ rule: (Int64, Int64) -> Int64) -> Holding {
            guard let bytes, let more = other.bytes else { return Holding(bytes: nil) }
            return Holding(bytes: rule(bytes, more))
        }
    }

    /// By process id.
    typealias Running = [Int32: Holding]

    /// How busy one process kept the card lately.
    struct Sample: Sendable, Hashable {
        var pid: Int32
        /// The wall clock when the sample was taken, in µs since 1970.
        var microseconds: UInt64
        /// Of the time in which the card's compute units worked for the process, in percent.
        var percent: UInt32
    }

    /// NVIDIA's driver samples every 1/6 to 1 s. With no newer sample the last ones hold for this long, in seconds; after that
    /// nobody worked.
    static let holdSeconds = 1.5
    /// A sample may come so much after the end of its process, in seconds. It is not a new user of the card.
    static let lateSeconds = 2.0
    /// A sample's time may be so far ahead of the interval's end, in µs: the driver is asked a moment later.
    private static let aheadMicroseconds: UInt64 = 1_000_000

    /// At the end of the last interval; nil when it could not be read.
    private var running: Running?
    /// Processes that have left, with the seconds since.
    private var left: [Int32: Double] = [:]
    /// Share of the card's time by process, from 0 to 1; nil when it cannot be told.
    private var utilisation: [Int32: Double]?
    /// Seconds since the newest sample.
    private var age = 0.0
    /// The time of the newest sample, in µs since 1970.
    private var newest: UInt64 = 0

    mutating func begin(running: Running?) {
        self = CardProcesses()
        self.running = running
    }

    /// From when on samples are new, in µs since 1970.
    mutating func since(_ tick: MeterTick) -> UInt64 {
        // None yet, or the wall clock was set back.
        if newest == 0 || newest > Self.microseconds(tick.end) { newest = Self.microseconds(tick.start) }
        return newest
    }

    private static func microseconds(_ time: Timestamp) -> UInt64 { UInt64(max(0, time.microseconds)) }

    /// - Parameters:
    ///   - now: the processes on the card at the end of the interval; nil when they cannot be told.
    ///   - samples: those since ``since(_:)``; nil when the driver has none to give.
    /// - Returns: one entry for each process that was on the card in any part of the interval; nil when nobody can tell.
    mutating func uses(
        running now: Running?, samples: [Sample]?, tick: MeterTick
    ) -> [ProcessUse]? {
        let before = running ?? [:]
        running = now
        let workers = note(samples, tick)
        for pid in left.keys { left[pid, default: 0] += tick.seconds }
        left = left.filter { $0.value <= Self.lateSeconds && now?[$0.key] == nil }
        guard let now else { return nil }
        // Whoever came and went between two readings is in the samples alone.
        let strays = workers.filter { now[$0] == nil && before[$0] == nil && left[$0] == nil }
        for pid in before.keys where now[pid] == nil { left[pid] = 0 }
        return Set(now.keys).union(before.keys).union(strays).sorted().map { pid in
            ProcessUse(
                pid: pid, seconds: utilisation.map { ($0[pid] ?? 0) * max(0, tick.seconds) },
                memoryBytes: (now[pid] ?? before[pid])?.bytes)
        }
    }

    /// Takes new samples in.
    /// - Returns: the processes that worked by them.
    private mutating func note(_ samples: [Sample]?, _ tick: MeterTick) -> Set<Int32> {
        let since = since(tick)
        let latest = Self.microseconds(tick.end) + Self.aheadMicroseconds
        guard let samples, samples.allSatisfy({ $0.percent <= 100 }) else {
            // More than a whole is nonsense, and then so is the rest: drivers are known that return an unfilled buffer.
            (utilisation, age) = (nil, 0)
            return []
        }
        var byProcess: [Int32: [UInt64: Double]] = [:]
        for sample in samples where sample.microseconds > since && sample.microseconds <= latest {
            byProcess[sample.pid, default: [:]].merge(
                [sample.microseconds: Double(sample.percent) / 100], uniquingKeysWith: max)
            newest = max(newest, sample.microseconds)
        }
        guard let rounds = byProcess.values.map(\.count).max() else {
            age += max(0, tick.seconds)
            if age > Self.holdSeconds { utilisation = [:] }
            return []
        }
        age = 0
        // A process is left out of a round in which it did nothing.
        let shares = byProcess.mapValues { $0.values.reduce(0, +) / Double(rounds) }
        utilisation = shares
        return Set(shares.filter { $0.value > 0 }.keys)
    }
}
