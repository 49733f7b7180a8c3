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
    /// Whether the ceiling is the maker's own figure and not our bound for any such hardware.
    let ceilingIsStated: Bool
    /// One late renewal of the counter may bring the energy of so many seconds on top.
    let renewalSeconds: Double
    /// A powered domain always draws something. In a shorter interval a renewal may simply not have come yet.
    let standstillSeconds: Double

    /// A counter that has not advanced for so long, in seconds, is not to be believed any more.
    static let stuckSeconds = 30.0

    private var last: UInt64?
    /// For how long the counter has not advanced.
    private var stillSeconds = 0.0

    var isStuck: Bool { stillSeconds >= Self.stuckSeconds }

    enum Change: Equatable {
        /// Energy since the reading before, in µJ.
        case energy(UInt64)
        case gap(String)

        var reading: DomainSample.Reading {
            switch self {
            case .energy(let microjoules): .energy(EnergyRange(Energy(microjoules: Int64(clamping: microjoules))))
            case .gap(let reason): .gap(reason)
            }
        }
    }

    init(
        range: UInt64?, ceiling: Double, ceilingIsStated: Bool = false, renewalSeconds: Double,
        standstillSeconds: Double
    ) {
        self.range = range.flatMap { $0 > 0 ? $0 : nil }
        self.ceiling = ceiling
        self.ceilingIsStated = ceilingIsStated
        self.renewalSeconds = renewalSeconds
        self.standstillSeconds = standstillSeconds
    }

    /// Takes the value from which the next change counts; a counter that cannot be read has none.
    mutating func begin(at value: UInt64?) { last = value }

    /// The change to `now` since the value before, over `seconds`. A `doubt` about the interval makes it a gap and a new
    /// baseline.
    mutating func change(to now: UInt64, over seconds: Double, doubt: String?) -> Change {
        let before = last
        last = now
        if let doubt { return .gap(doubt) }
        guard let before else { return .gap("the counter came back: new baseline") }
        stillSeconds = now == before ? stillSeconds + seconds : 0
        return judge(now: now, before: before, seconds: seconds)
    }

    private func judge(now: UInt64, before: UInt64, seconds: Double) -> Change {
        let allowed = ceiling * (seconds + renewalSeconds) * 1e6
        if let range, ceilingIsStated, allowed >= Double(range) {
            return .gap("the counter may have gone round more than once in \(seconds) s")
        }
        let delta: UInt64
        let wrapped = now < before
        if wrapped {
            guard let range else { return .gap("the counter went back and its range cannot be read") }
            guard before <= range else { return .gap("the counter went back from beyond its range") }
            let (sum, overflow) = (range - before).addingReportingOverflow(now)
            guard !overflow else { return .gap("the counter went back from beyond its range") }
            delta = sum
        } else {
            delta = now - before
        }
        guard Double(delta) <= allowed else {
            let cause = wrapped ? "the counter was reset" : "the counter jumped above physical power"
            return .gap("\(cause) (more than \(Int(ceiling)) W)")
        }
        if delta == 0, seconds >= standstillSeconds { return .gap("the counter stood still") }
        return .energy(delta)
    }
}
