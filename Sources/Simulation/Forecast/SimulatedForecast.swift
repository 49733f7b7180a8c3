package import Carbon
package import Units

/// What the scheduler of a replay is told of the grid's days to come.
package struct SimulatedForecast: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// The truth, all of it, from the start.
        case perfect
        /// The truth with an error that grows with the time ahead: each slot's value is multiplied by
        /// `1 + percent/100 x sqrt(hours ahead / 24) x z`, and never below zero; `z` is a normal number of mean 0 and deviation
        /// 1 that the seed and the slot decide. So the error of a day ahead has `percent` as its standard deviation, what is
        /// foretold comes nearer to the truth as its time comes nearer, and errors of different slots are independent.
        case noise(percent: Double, seed: UInt64)
        /// What the daemon's own model expects from the signal's past.
        case model
    }

    package var kind: Kind
    /// gCO2e per kWh: the truth.
    package var intensity: SignalSeries?
    /// Money per kWh: the truth.
    package var price: SignalSeries?
    /// How long a slot is, in which a job is started, suspended or resumed.
    package var step: Duration
    /// How often there is news of the forecast, if it is not perfect.
    package var every: Duration
    /// What going on after a suspension costs, in seconds of the job's power.
    package var restart: Double

    package init(
        _ kind: Kind, intensity: SignalSeries? = nil, price: SignalSeries? = nil, step: Duration = .seconds(1800),
        every: Duration = .seconds(3600), restart: Double = 120
    ) {
        self.kind = kind
        self.intensity = intensity
        self.price = price
        self.step = .seconds(min(max(60, step.components.seconds), 86_400))
        self.every = .seconds(min(max(60, every.components.seconds), 30 * 86_400))
        self.restart = restart.isFinite ? min(max(0, restart), 86_400) : 0
    }

    /// Reads `perfect`, `model`, and an error in percent such as `5 %` or `5%`.
    package static func kind(parsing text: String, seed: UInt64) throws(UnitError) -> Kind {
        switch text {
        case "perfect": return .perfect
        case "model": return .model
        default:
            let number = text.hasSuffix("%") ? text.dropLast() : ""
            guard let percent = Double(number.filter { $0 != " " }), (0...1000).contains(percent) else {
                throw UnitError(text: text, expected: "\"perfect\", \"model\" or an error such as \"5 %\"")
            }
            return .noise(percent: percent, seed: seed)
        }
    }
}
