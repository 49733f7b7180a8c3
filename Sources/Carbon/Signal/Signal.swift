package import Units

/// All that is known of a quantity of the grid: what was measured, what was forecast, what the past lets expect, and a mean of
/// the year where nothing else is left. A value without a clock: each question says when it is asked.
package struct Signal: Sendable {
    /// Where a figure comes from, the better ones first.
    package enum Origin: String, Sendable, Hashable, CaseIterable {
        /// Told by the source of a time that has been.
        case measured
        /// Told by the source of a time that is to come, or as its own estimate.
        case forecast
        /// Our own, from what was measured before.
        case model
        /// A mean of the year, or a price that was set.
        case table
    }

    package struct Figure: Sendable, Hashable {
        package var value: Double
        package var origin: Origin
        /// For reports: whose figure it is.
        package var source: String
        /// How long ago it was received; of a model, how long ago its last measured hour ended; nil for the table.
        package var age: Duration?
    }

    /// What is said where nothing was received.
    package struct Fallback: Sendable, Hashable {
        package var value: Double
        package var source: String

        package init(value: Double, source: String) {
            self.value = value
            self.source = source
        }

        package init(_ entry: CarbonTable.Entry) {
            self.init(value: entry.intensity.gramsPerKilowattHour, source: entry.source)
        }

        package init(_ site: SiteCarbon) {
            self.init(value: site.intensity.gramsPerKilowattHour, source: site.source)
        }
    }

    /// A forecast that is older is not used, unless the admin says otherwise.
    package static let staleAfter = Duration.seconds(24 * 3600)
    /// How long what was measured last stands in for what is not told, where the past is too short for the model.
    static let holdFor = Duration.seconds(2 * 3600)
    /// How long the model goes on without news.
    static let modelFor = Duration.seconds(7 * 86400)

    package let quantity: SignalQuantity
    package var fallback: Fallback?
    package var staleAfter: Duration
    package private(set) var measured: [SignalPoint] = []
    package private(set) var forecast: [SignalPoint] = []
    /// The source that told last, as it is named in reports.
    package private(set) var source: String?
    /// When it told last.
    package private(set) var fetchedAt: Timestamp?
    package private(set) var model = ForecastModel()
    /// How good the source's own forecasts were.
    package private(set) var score = ForecastScore()
    private(set) var history = HourlyHistory(first: 0, values: [])
    private var fittedAt: Int?

    package init(
        _ quantity: SignalQuantity, fallback: Fallback? = nil, staleAfter: Duration = Signal.staleAfter
    ) {
        self.quantity = quantity
        self.fallback = fallback
        self.staleAfter = staleAfter
    }

    /// What an earlier one knew, as it was kept; see ``SignalArchive``.
    package mutating func take(_ archive: SignalArchive) {
        (measured, forecast, score) = (archive.measured, archive.forecast, archive.score)
        (source, fetchedAt) = (archive.source, archive.fetchedAt)
        history = HourlyHistory(measured, hours: ForecastModel.historyHours)
        model = ForecastModel(history)
        fittedAt = history.end
    }

    /// Takes in what a source told at `now`: it wins over what was told of the same times before.
    package mutating func receive(_ reading: SignalReading, source: String, at now: Timestamp) {
        self.source = reading.zone.map { "\(source), zone \($0)" } ?? source
        fetchedAt = now
        func known(_ points: [SignalPoint]) -> [SignalPoint] {
            points.map { SignalPoint(from: $0.from, to: $0.to, value: $0.value, known: now) }
        }
        score.promised(reading.forecast, at: now)
        let oldest = now.microseconds - Int64(ForecastModel.historyHours) * HourlyHistory.length
        forecast = forecast.merged(with: known(reading.forecast))
        forecast.removeAll { $0.to.microseconds < now.microseconds - 2 * 86_400_000_000 }
        guard !reading.measured.isEmpty else { return }
        // A file may hold what is to come as well: that is no measurement.
        let past = reading.measured.filter { $0.from <= now }
        let ahead = reading.measured.filter { $0.from > now }
        measured = measured.merged(with: known(past))
        measured.removeAll { $0.to.microseconds < oldest }
        if !ahead.isEmpty { forecast = forecast.merged(with: known(ahead)) }
        score.measured(measured, at: now)
        history = HourlyHistory(measured, hours: ForecastModel.historyHours)
        // The weights change slowly: four times a day is enough.
        if fittedAt.map({ history.end >= $0 + 6 || history.end < $0 }) ?? true {
            model = ForecastModel(history)
            fittedAt = history.end
        }
    }

    /// What holds at `time`, from the best source that tells; nil where there is not even a table.
    package func figure(at time: Timestamp, now: Timestamp) -> Figure? {
        if let index = measured.index(at: time) {
            return Figure(
                value: measured[index].value, origin: .measured, source: source ?? "",
                age: measured[index].known.map { now.since($0) })
        }
        if let index = forecast.index(at: time), let known = forecast[index].known, now.since(known) <= staleAfter {
            return Figure(
                value: forecast[index].value, origin: .forecast, source: source ?? "", age: now.since(known))
        }
        if let last = measured.last, now.since(last.to) <= Self.modelFor, time >= last.to {
            if let value = model.value(at: time, history) {
                return Figure(
                    value: quantity == .intensity ? max(0, value) : value, origin: .model,
                    source: "expected from the past of \(source ?? "")", age: now.since(last.to))
            }
            if time.since(last.to) < Self.holdFor {
                return Figure(
                    value: last.value, origin: .model, source: "the last figure of \(source ?? "")",
                    age: now.since(last.to))
            }
        }
        return fallback.map { Figure(value: $0.value, origin: .table, source: $0.source, age: nil) }
    }
}
