import Carbon
import JobAPI
import Units

extension SignalFeed {
    /// How it stands, for people and programs.
    func state(now: Timestamp, currency: String? = nil) -> GridReport.Signal {
        let figure = signal.figure(at: now, now: now)
        let errors = signal.score.errors.isEmpty ? signal.model.errors : signal.score.errors
        let quantity = signal.quantity
        return GridReport.Signal(
            quantity: quantity.rawValue, unit: quantity == .intensity ? "g/kWh" : "\(currency ?? "?")/kWh",
            value: figure?.value, origin: figure?.origin.rawValue, source: figure?.source ?? source.name,
            ageS: figure?.age.map { max(0, $0.seconds) }, fetchedAt: signal.fetchedAt, nextLook: due,
            knownUntil: signal.forecast.last.flatMap { $0.to > now ? $0.to : nil },
            forecastOf: signal.score.errors.isEmpty ? (errors.isEmpty ? nil : "model") : "source",
            errorPercent: Dictionary(uniqueKeysWithValues: errors.map { ("\($0.key)", $0.value) }), trouble: trouble,
            lack: lack)
    }
}
