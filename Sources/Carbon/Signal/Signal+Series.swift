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

extension Signal {
    /// When another figure may hold, though nothing is told: where a point begins or ends, or becomes too old, or the model's next
    /// hour begins. Nil where only the table is left, for good.
    package func nextChange(after now: Timestamp) -> Timestamp? {
        var changes: [Timestamp] = []
        for points in [measured, forecast] {
            if let index = points.firstIndex(after: now) {
                let point = points[index]
                changes.append(point.from > now ? point.from : point.to)
                // A figure that is too old is not used, though no other takes its place.
                if let known = point.known { changes.append(known.advanced(by: staleAfter + .microseconds(1))) }
            }
        }
        if let last = measured.last {
            changes.append(last.to.advanced(by: Self.modelFor + .microseconds(1)))
            changes.append(last.to.advanced(by: Self.holdFor))
            if last.to <= now, now.since(last.to) <= Self.modelFor {
                changes.append(Timestamp(microseconds: Int64(HourlyHistory.hour(now) + 1) * HourlyHistory.length))
                changes.append(last.to.advanced(by: staleAfter + .microseconds(1)))
            }
        }
        return changes.filter { $0 > now }.min()
    }

    /// The length of slots that suits what is told of the time to come: that of its shortest point, as far as it divides half an
    /// hour, from a minute to half an hour.
    package func planningStep(now: Timestamp) -> Duration {
        let lengths = (measured.suffix(48) + forecast.filter { $0.to > now }.prefix(2016)).map { $0.to.since($0.from) }
        let shortest = lengths.min() ?? .seconds(1800)
        return [1800, 900, 600, 300].map { Duration.seconds($0) }.first { $0 <= shortest } ?? .seconds(60)
    }
}
