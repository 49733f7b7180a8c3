import Units

/// Energy from a sensor that tells watts and no joules: the trapezoid between two readings.
///
/// What the power did between them is unknown, so the range spans both readings held throughout.
struct PowerIntegral: Sendable {
    /// More than the hardware can draw, in watts.
    let ceiling: Double

    private var last: Double?
    /// For how long it has told nothing but 0 W.
    private var zeroSeconds = 0.0

    /// Whether it has told 0 W for so long that it is not to be believed any more, where what it measures is powered.
    var isDead: Bool { zeroSeconds >= EnergyCounter.stuckSeconds }

    init(ceiling: Double) {
        self.ceiling = ceiling
    }

    /// Takes the first reading, in watts; a sensor that cannot be read has none.
    mutating func begin(at watts: Double?) { last = watts.flatMap { objection(to: $0) == nil ? $0 : nil } }

    /// The energy of the `seconds` that end with this reading. A `doubt` about the interval makes it a gap.
    mutating func energy(to watts: Double, over seconds: Double, doubt: String?) -> DomainSample.Reading {
        let before = last
        begin(at: watts)
        if let doubt { return .gap(doubt) }
        zeroSeconds = watts == 0 ? zeroSeconds + seconds : 0
        if let reason = objection(to: watts) { return .gap("the sensor tells \(reason)") }
        guard let before else { return .gap("the sensor came back: no reading at the start of the interval") }
        func energy(_ watts: Double) -> Energy { Power(watts: watts).over(seconds: seconds) }
        return .energy(
            EnergyRange(
                energy((before + watts) / 2), low: energy(min(before, watts)), high: energy(max(before, watts))))
    }

    private func objection(to watts: Double) -> String? {
        // A card that sleeps may tell it too; then it is not known what little it draws.
        if watts == 0 { return "0 W, which nothing powered draws" }
        return watts > 0 && watts <= ceiling ? nil : "\(watts) W, more than the hardware can draw"
    }
}
