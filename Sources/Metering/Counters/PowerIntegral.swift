import Units

/// Energy from a sensor that tells watts and no joules: the trapezoid between two readings.
///
/// What the power did between them is unknown, so the range spans both readings held throughout.
struct PowerIntegral: Sendable {
    /// More than the hardware can draw, in watts.
    let ceiling: Double

    private var last: Double?

    init(ceiling: Double) {
        self.ceiling = ceiling
    }

    /// Takes the first reading, in watts; a sensor that cannot be read has none.
    mutating func begin(at watts: Double?) { last = watts.flatMap { isPossible($0) ? $0 : nil } }

    /// The energy of the `seconds` that end with this reading. A `doubt` about the interval makes it a gap.
    mutating func energy(to watts: Double, over seconds: Double, doubt: String?) -> DomainSample.Reading {
        let before = last
        begin(at: watts)
        if let doubt { return .gap(doubt) }
        guard let now = last else { return .gap("the sensor tells \(watts) W, more than the hardware can draw") }
        guard let before else { return .gap("the sensor came back: no reading at the start of the interval") }
        func energy(_ watts: Double) -> Energy { Power(watts: watts).over(seconds: seconds) }
        return .energy(
            EnergyRange(energy((before + now) / 2), low: energy(min(before, now)), high: energy(max(before, now))))
    }

    private func isPossible(_ watts: Double) -> Bool { watts >= 0 && watts <= ceiling }
}
