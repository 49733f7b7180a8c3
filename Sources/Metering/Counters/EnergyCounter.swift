import Units

/// What two values of one energy counter, one after the other, mean.
///
/// A counter is in µJ, grows, and starts again at zero after `range`. What cannot be told apart from a reset, a jump or
/// several turns is refused with a reason; the caller books a gap.
struct EnergyCounter: Sendable {
    /// The value after which the counter starts again, in µJ; nil when it is not known.
    let range: UInt64?
    /// More than the hardware can draw, in watts.
    let ceiling: Double
    /// One late renewal of the counter may bring the energy of so many seconds on top.
    let renewalSeconds: Double
    /// A powered domain always draws something. Over a shorter time a renewal may simply not have come yet.
    let standstillSeconds: Double
    /// A counter may renew so rarely, in seconds: what it tells after standing still for less is shared out evenly.
    let slowestRenewal: Double

    /// A counter that has not advanced for so long, in seconds, is not to be believed any more.
    static let stuckSeconds = 30.0
    /// Where the maker states nothing. Some counters are renewed every two seconds, and are read every second.
    static let slowestRenewal = 3.0
    /// A wrap may tell so many times the highest power that the counter has shown; what tells more was a reset.
    static let wrapAllowance = 2.0
    /// The part of the range that an interval may fill. Beyond it too many resets would pass for wraps.
    static let wrapPart = 1.0 / 8

    private var last: UInt64?
    /// For how long the counter has not advanced.
    private var stillSeconds = 0.0
    /// The highest power that it has shown without going round, in watts.
    private var peak: Double?

    var isStuck: Bool { stillSeconds >= Self.stuckSeconds }

    enum Change: Equatable {
        /// Energy since the reading before, in µJ.
        case energy(UInt64)
        /// The even share, in µJ, of an advance that holds time before the interval as well.
        case part(UInt64, of: UInt64)
        case gap(String)

        /// By how much the counter advanced, in µJ; nil for a gap.
        var advance: UInt64? {
            switch self {
            case .energy(let microjoules), .part(_, of: let microjoules): microjoules
            case .gap: nil
            }
        }

        var reading: DomainSample.Reading {
            func energy(_ microjoules: UInt64) -> Energy { Energy(microjoules: Int64(clamping: microjoules)) }
            return switch self {
            case .energy(let microjoules): .energy(EnergyRange(energy(microjoules)))
            case .part(let share, let all): .energy(EnergyRange(energy(share), low: .zero, high: energy(all)))
            case .gap(let reason): .gap(reason)
            }
        }
    }

    init(
        range: UInt64?, ceiling: Double, renewalSeconds: Double, standstillSeconds: Double,
        slowestRenewal: Double = Self.slowestRenewal
    ) {
        self.range = range.flatMap { $0 > 0 ? $0 : nil }
        self.ceiling = ceiling
        self.renewalSeconds = renewalSeconds
        self.standstillSeconds = standstillSeconds
        self.slowestRenewal = slowestRenewal
    }

    /// Takes the value from which the next change counts; a counter that cannot be read has none.
    mutating func begin(at value: UInt64?) { last = value }

    /// The change to `now` since the value before, over `seconds`. A `doubt` about the interval makes it a gap and a new
    /// baseline.
    mutating func change(to now: UInt64, over seconds: Double, doubt: String?) -> Change {
        let (before, still) = (last, stillSeconds)
        last = now
        if now != before { stillSeconds = 0 }
        if let doubt { return .gap(doubt) }
        guard let before else { return .gap("the counter came back: new baseline") }
        if now == before {
            stillSeconds += seconds
            return stillSeconds >= standstillSeconds ? .gap("the counter stood still") : .energy(0)
        }
        return judge(now: now, before: before, seconds: seconds, still: still)
    }

    /// - Parameter still: for how long the counter stood at `before` when the interval began.
    private mutating func judge(now: UInt64, before: UInt64, seconds: Double, still: Double) -> Change {
        // Gaps were booked for that time. To hand its joules to this interval would bill them to whoever runs in it.
        guard still < max(standstillSeconds, slowestRenewal) else {
            return .gap("the counter moved again after \(brief(still)): when its joules were drawn is not known")
        }
        let told = seconds + still
        let isShared = still >= standstillSeconds
        if let range, microjoules(ceiling, over: told) >= Double(range) {
            return .gap("the counter may have gone round more than once in \(brief(told))")
        }
        let delta: UInt64
        if now < before {
            switch wrap(now: now, before: before, over: told) {
            case .energy(let microjoules): delta = microjoules
            case let refusal: return refusal
            }
        } else {
            delta = now - before
            // What is shared out must fit the interval alone: its range reaches to all of it.
            guard Double(delta) <= microjoules(ceiling, over: isShared ? seconds : told) else {
                return .gap("the counter jumped above physical power (more than \(Int(ceiling)) W)")
            }
            peak = max(peak ?? 0, Double(delta) / 1e6 / (told + renewalSeconds))
        }
        return isShared ? .part(UInt64(Double(delta) * seconds / told), of: delta) : .energy(delta)
    }

    /// The energy of a counter that went back, if it must have gone round.
    ///
    /// A reset looks like a wrap that told any part of the range. So the energy must fit what this counter is known to
    /// show, which is far less than any such hardware could draw.
    private func wrap(now: UInt64, before: UInt64, over seconds: Double) -> Change {
        guard let range else { return .gap("the counter went back and its range cannot be read") }
        guard before <= range else { return .gap("the counter went back from beyond its range") }
        let watts = min(ceiling, peak.map { $0 * Self.wrapAllowance } ?? ceiling)
        let allowed = microjoules(watts, over: seconds)
        guard allowed <= Double(range) * Self.wrapPart else {
            return .gap("the counter went back: a wrap or a reset, which cannot be told apart after \(brief(seconds))")
        }
        // No overflow: `now` is less than `before`, which is within the range.
        let delta = range - before + now
        guard Double(delta) <= allowed else { return .gap("the counter was reset (or told more than \(Int(watts)) W)") }
        return .energy(delta)
    }

    private func microjoules(_ watts: Double, over seconds: Double) -> Double {
        watts * (seconds + renewalSeconds) * 1e6
    }

    private func brief(_ seconds: Double) -> String { (.seconds(seconds) as Duration).brief }
}
