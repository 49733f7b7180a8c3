package import Units

extension Signal {
    /// The figures from `now` on as a series to plan by, each slot with what holds when it begins, or at `now` for the first.
    ///
    /// It ends where only the table is left: a mean of the year beside a forecast of the day would say that a job is better run
    /// later, or sooner, only because the two were made differently.
    /// - Parameters:
    ///   - ahead: how far it goes at most.
    ///   - step: whole seconds; slots begin at whole multiples of it since 1970.
    /// - Returns: nil where nothing but the table is known.
    package func planningSeries(
        now: Timestamp, ahead: Duration, step: Duration = .seconds(1800)
    ) -> SignalSeries? {
        let length = step.components.seconds * 1_000_000
        guard length > 0, now.microseconds.magnitude < 300_000_000_000_000_000 else { return nil }
        let rest = now.microseconds % length
        let start = now.microseconds - (rest < 0 ? rest + length : rest)
        let count = min(Int64(saturating: ahead.seconds * 1e6) / length + 1, 100_000)
        var values: [Double] = []
        for index in 0..<max(1, count) {
            let time = max(now, Timestamp(microseconds: start + index * length))
            guard let figure = figure(at: time, now: now), figure.origin != .table else { break }
            values.append(figure.value)
        }
        return try? SignalSeries(start: Timestamp(microseconds: start), step: step, values: values)
    }
}
