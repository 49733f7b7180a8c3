package import Units

/// What a power domain feeds.
package enum DomainKind: String, Sendable, Hashable, Codable, CaseIterable {
    case cpu, memory, gpu
    /// The whole board, where nothing finer is readable.
    case platform
}

/// How a sample came about, best first.
package enum MeterTier: String, Sendable, Hashable, Codable, CaseIterable {
    /// Read from a counter of the hardware.
    case measured
    /// From a model fitted to this site's own measurement.
    case calibrated
    /// From a model with published coefficients.
    case table
    /// Time passed without a usable reading.
    case gap
}

/// Energy with the range in which the truth is held to lie; `low <= energy <= high`.
package struct EnergyRange: Sendable, Hashable {
    package var energy: Energy
    package var low: Energy
    package var high: Energy

    package init(_ energy: Energy, low: Energy? = nil, high: Energy? = nil) {
        self.energy = energy
        self.low = min(energy, low ?? energy)
        self.high = max(energy, high ?? energy)
    }
}

/// What one power domain used in one interval, or why nobody knows.
package struct DomainSample: Sendable, Hashable {
    package enum Reading: Sendable, Hashable {
        case energy(EnergyRange)
        /// No figure, with the reason. Never zero joules, never a guess.
        case gap(String)
    }

    /// `package-0`, `dram-0`, `gpu-` and the card's UUID or address, `cpu-model`, `memory-model`.
    package var domain: String
    package var kind: DomainKind
    package var start: Timestamp
    package var end: Timestamp
    /// The length of the interval by the clock that never steps. Differs from `end - start` when the wall clock was set.
    package var seconds: Double
    package var reading: Reading
    package var tier: MeterTier
    /// Where the figure comes from, for people.
    package var source: String
    /// Who was on the card in any part of the interval; empty for nobody. Nil where the meter cannot tell, and for what is
    /// no card.
    package var processes: [ProcessUse]?

    package init(
        domain: String, kind: DomainKind, start: Timestamp, end: Timestamp, seconds: Double, reading: Reading,
        tier: MeterTier, source: String, processes: [ProcessUse]? = nil
    ) {
        self.domain = domain
        self.kind = kind
        self.start = start
        self.end = end
        self.seconds = seconds
        self.reading = reading
        if case .gap = reading { self.tier = .gap } else { self.tier = tier }
        self.source = source
        self.processes = processes
    }

    /// Nil for a gap.
    package var energy: EnergyRange? {
        if case .energy(let range) = reading { range } else { nil }
    }

    /// Nil for a reading.
    package var gap: String? {
        if case .gap(let reason) = reading { reason } else { nil }
    }

    /// Mean power over the interval; nil for a gap or an interval without length.
    package var power: Power? {
        guard let energy, seconds > 0 else { return nil }
        return Power(watts: energy.energy.joules / seconds)
    }

    /// The sample, or a gap where no machine could have drawn so much: the last wall behind each reader's own bounds, so
    /// that no driver's nonsense reaches the books. The second on top is for counters that renew late.
    var plausible: DomainSample {
        guard let energy else { return self }
        let most = Power(watts: PowerBound.platform).over(seconds: seconds + 1)
        guard energy.energy >= .zero, energy.energy <= most else {
            return asGap("\(energy.energy) in \(seconds) s: no machine draws that")
        }
        var result = self
        result.reading = .energy(EnergyRange(energy.energy, low: max(energy.low, .zero), high: min(energy.high, most)))
        return result
    }

    /// What a whole used beside parts of it that have meters of their own, so that no joule is counted twice.
    ///
    /// Of a part that is a gap nothing is booked, so what it drew stays in the whole, and is nobody's twice: a card that sleeps
    /// must not take the whole machine's meter with it. How much of the rest is the part's nobody knows, so the range then begins at
    /// none.
    func without(_ parts: [DomainSample]) -> DomainSample {
        guard let whole = energy else { return self }
        var rest = whole
        for part in parts {
            guard let energy = part.energy else {
                rest = EnergyRange(rest.energy, low: .zero, high: rest.high)
                continue
            }
            rest = EnergyRange(
                rest.energy - energy.energy, low: rest.low - energy.high, high: rest.high - energy.low)
        }
        if rest.energy < .zero { return asGap("its parts drew more than the whole") }
        var result = self
        result.reading = .energy(EnergyRange(rest.energy, low: max(rest.low, .zero), high: rest.high))
        return result
    }

    private func asGap(_ reason: String) -> DomainSample {
        var result = self
        result.reading = .gap(reason)
        result.tier = .gap
        return result
    }
}
