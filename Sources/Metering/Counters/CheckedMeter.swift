import Units

/// What was read at one moment; nil of what the hardware does not have.
struct MeterValues: Sendable {
    /// Why a file or a call gave nothing.
    struct Failure: Error, Hashable {
        var reason: String
    }

    /// An energy counter's.
    var microjoules: Result<UInt64, Failure>?
    /// A power sensor's.
    var watts: Result<Double, Failure>?
}

/// Energy by a counter that the power sensor beside it confirms, else by that sensor; either of them may be missing.
///
/// Until the counter has told the same as the sensor for 30 s, the sensor's figure stands with a range that spans both. A
/// counter without a sensor is believed, for there is nothing better.
struct CheckedMeter: Sendable {
    /// Nil for hardware without one, and once it was found to be wrong.
    private(set) var counter: EnergyCounter?
    private var sensor: PowerIntegral?
    private var check = CounterCheck()
    private var last: UInt64?
    /// Whether the last interval was a gap because the counter stood still: the next advance tells of both.
    private var stoodStill = false

    /// What the counter says of one interval.
    private struct Account {
        var change: EnergyCounter.Change
        /// It says nothing, rather than that something happened to it or to the hardware.
        var isSilent = false
    }

    init(counter: EnergyCounter?, sensor: PowerIntegral?) {
        self.counter = counter
        self.sensor = sensor
    }

    /// Whether all it has told for a long time is 0 W.
    var isDead: Bool { counter == nil && sensor?.isDead == true }

    /// Why its counter is not used any more.
    var verdict: String? {
        guard check.isRefuted else { return nil }
        return "its energy counter told \(Energy(joules: check.sums.counted)) where the power sensor told "
            + "\(Energy(joules: check.sums.integrated)), and is not used"
    }

    /// Takes the values from which the next interval counts.
    mutating func begin(_ now: MeterValues) {
        last = try? now.microjoules?.get()
        stoodStill = false
        counter?.begin(at: last)
        sensor?.begin(at: try? now.watts?.get())
    }

    /// The energy of the `seconds` that end with these values. A `doubt` about the interval makes it a gap.
    mutating func reading(_ now: MeterValues, over seconds: Double, doubt: String?) -> DomainSample.Reading {
        let bySensor = sensorReading(now.watts, seconds, doubt)
        guard let account = account(now.microjoules, seconds, doubt) else {
            return bySensor ?? .gap("there is nothing to read it by")
        }
        guard doubt == nil, case .energy(let sensed) = bySensor else { return account.change.reading }
        let counted = account.change.advance.map { Energy(microjoules: Int64(clamping: $0)) }
        check.note(counter: counted?.joules ?? 0, sensor: sensed.energy.joules, seconds: seconds)
        if check.isRefuted { counter = nil }
        if check.isRefuted || account.isSilent { return .energy(sensed) }
        // A sensor that tells next to nothing says nothing against the counter.
        let isWorthless = sensed.energy.joules < CounterCheck.leastWatts * seconds
        guard let counted, !check.isTrusted, !isWorthless else { return account.change.reading }
        return .energy(EnergyRange(sensed.energy, low: min(sensed.low, counted), high: max(sensed.high, counted)))
    }

    private mutating func sensorReading(
        _ watts: Result<Double, MeterValues.Failure>?, _ seconds: Double, _ doubt: String?
    ) -> DomainSample.Reading? {
        guard sensor != nil, let watts else { return nil }
        switch watts {
        case .success(let value): return sensor?.energy(to: value, over: seconds, doubt: doubt)
        case .failure(let failure):
            sensor?.begin(at: nil)
            return .gap(failure.reason)
        }
    }

    /// Nil without a counter.
    private mutating func account(
        _ microjoules: Result<UInt64, MeterValues.Failure>?, _ seconds: Double, _ doubt: String?
    ) -> Account? {
        guard var counter, let microjoules else { return nil }
        defer { self.counter = counter }
        switch microjoules {
        case .failure(let failure):
            counter.begin(at: nil)
            (last, stoodStill) = (nil, false)
            return Account(change: .gap(failure.reason), isSilent: true)
        case .success(let value):
            let change = counter.change(to: value, over: seconds, doubt: doubt)
            let before = last
            let stoodBefore = stoodStill
            last = value
            stoodStill = false
            if case .gap = change { stoodStill = doubt == nil && value == before }
            // In a shorter interval the counter may simply not have been renewed; that is no standstill.
            return Account(change: change, isSilent: before == nil || stoodStill || stoodBefore)
        }
    }
}
