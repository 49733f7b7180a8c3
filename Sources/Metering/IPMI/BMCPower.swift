import Units

/// Energy from a BMC's answers, which come every few seconds and late: what is decided from them, without asking anyone.
///
/// Between two answers the power is taken to go straight from one to the other, after the last to stay. What it really did
/// nobody knows, so the range of a sample spans every answer not older than ``holdPeriods``.
struct BMCPower: Sendable {
    /// How long an answer holds, in periods of asking.
    static let holdPeriods = 3.0
    /// Without a single figure, so many failures in a row are the end: a BMC that cannot tell, or will not.
    static let longestFailure = 3

    private struct Reading {
        var watts: Double
        /// Seconds by the monotonic clock.
        var at: Double
    }

    /// How long an answer holds, in seconds.
    private let hold: Double
    /// Since when there is no answer, where there is none: from the start, or from an interval in doubt.
    private var silentSince: Double
    private var hasAnswered = false
    /// In order of time; the oldest only as long as it still tells something.
    private var readings: [Reading] = []
    private var failures = 0
    private var lastFailure: String?
    /// Why the BMC is not asked any more; nil while it is. The first verdict stays.
    private(set) var refusal: String?

    /// - Parameters:
    ///   - period: seconds between two answers, as asked for.
    ///   - start: when asking began, in seconds by the monotonic clock.
    init(period: Double, from start: Double) {
        hold = period * Self.holdPeriods
        silentSince = start
    }

    /// Takes an answer that came at `time`, in seconds by the monotonic clock. One that came before the last is no use.
    mutating func note(_ answer: BMCAnswer, at time: Double) {
        switch answer {
        case .watts(let watts):
            guard time > readings.last?.at ?? -.infinity else { return }
            readings.append(Reading(watts: watts, at: time))
            hasAnswered = true
            lastFailure = nil
        case .deactivated:
            refusal = "its power reading is deactivated"
        case .failed(let reason):
            failures += 1
            lastFailure = reason
            if !hasAnswered, failures >= Self.longestFailure { refusal = "gives no power: \(reason)" }
        }
    }

    /// The energy of the `seconds` that end at `now` (seconds by the monotonic clock). A `doubt` about the interval makes it
    /// a gap.
    mutating func reading(over seconds: Double, to now: Double, doubt: String?) -> DomainSample.Reading {
        defer { forget(before: now - hold) }
        if let doubt {
            // The machine may have slept: what was said before holds no longer.
            readings = []
            silentSince = now
            return .gap(doubt)
        }
        if let refusal { return .gap("the BMC is not asked any more: \(refusal)") }
        let cause = lastFailure.map { ": \($0)" } ?? ""
        guard let newest = readings.last else {
            return .gap("the BMC has not answered for \(Self.text(now - silentSince))\(cause)")
        }
        if now - newest.at > hold {
            return .gap("the BMC has not answered for \(Self.text(now - newest.at))\(cause)")
        }
        let start = now - seconds
        guard let first = readings.lastIndex(where: { $0.at <= start }) else {
            return .gap("the BMC had not answered at the start of the interval")
        }
        return integral(readings[first...], from: start, to: now)
    }

    /// - Parameter known: from the last answer at or before `start`.
    private func integral(_ known: ArraySlice<Reading>, from start: Double, to now: Double) -> DomainSample.Reading {
        var joules = 0.0
        for index in known.indices {
            let (here, next) = (known[index], index + 1 < known.endIndex ? known[index + 1] : nil)
            if let next, next.at - here.at > hold {
                return .gap("the BMC had not answered for \(Self.text(next.at - here.at))")
            }
            let (from, to) = (max(here.at, start), min(next?.at ?? now, now))
            guard to > from else { continue }
            func power(_ time: Double) -> Double {
                guard let next else { return here.watts }
                return here.watts + (next.watts - here.watts) * (time - here.at) / (next.at - here.at)
            }
            joules += (power(from) + power(to)) / 2 * (to - from)
        }
        let watts = readings.lazy.filter { $0.at >= now - hold }.map(\.watts) + known.map(\.watts)
        func held(_ watts: Double?) -> Energy? { watts.map { Power(watts: $0).over(seconds: now - start) } }
        return .energy(EnergyRange(Energy(joules: joules), low: held(watts.min()), high: held(watts.max())))
    }

    /// Keeps the last answer before the time too: it holds up to the next.
    private mutating func forget(before time: Double) {
        if let last = readings.lastIndex(where: { $0.at < time }) { readings.removeFirst(last) }
    }

    private static func text(_ seconds: Double) -> String { (.seconds(seconds) as Duration).brief }
}
