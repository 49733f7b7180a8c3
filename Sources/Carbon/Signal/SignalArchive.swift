package import Units

/// What is known of a signal, to be kept over a restart: the past that the model looks at takes weeks to come by.
package struct SignalArchive: Codable, Sendable, Hashable {
    /// What told it: of another source nothing is taken over.
    package var origin: String
    package var source: String
    package var fetchedAt: Timestamp
    package var measured: [SignalPoint]
    package var forecast: [SignalPoint]
    package var score: ForecastScore

    /// What is further ahead is told again before it is needed.
    private static let ahead = Duration.seconds(14 * 86400)

    /// - Returns: nil where nothing was told yet.
    package init?(_ signal: Signal, origin: String) {
        guard let source = signal.source, let fetchedAt = signal.fetchedAt else { return nil }
        self.origin = origin
        self.source = source
        self.fetchedAt = fetchedAt
        measured = signal.measured
        let end = fetchedAt.advanced(by: Self.ahead)
        forecast = Array(signal.forecast.prefix { $0.from < end })
        score = signal.score
    }

    /// - Throws: where this is nothing that a signal of this quantity can have known: somebody edited the file, or it is torn.
    package func check(_ quantity: SignalQuantity, now: Timestamp) throws(CarbonError) {
        // A clock that was set back makes what was received seem to be of the future: then its age is not known.
        guard fetchedAt <= now else { throw CarbonError(.badSignal, "it is of \(fetchedAt), which is to come") }
        for points in [measured, forecast] {
            var end = Timestamp(microseconds: .min)
            for point in points {
                guard point.from < point.to, point.from >= end, point.to.since(point.from) <= .seconds(31 * 86400),
                    let known = point.known, known <= now
                else { throw CarbonError(.badSignal, "the figure of \(point.from) is none that can have been told") }
                _ = try quantity.checked(point.value, "the figure of \(point.from)")
                end = point.to
            }
        }
    }
}

extension SignalPoint: Codable {
    package init(from decoder: any Decoder) throws {
        var list = try decoder.unkeyedContainer()
        from = Timestamp(microseconds: try list.decode(Int64.self))
        to = Timestamp(microseconds: try list.decode(Int64.self))
        value = try list.decode(Double.self)
        known = try list.decodeIfPresent(Int64.self).map(Timestamp.init(microseconds:))
        // Differences of what is outside would not fit.
        guard [from, to, known ?? from].allSatisfy({ $0.microseconds.magnitude < 300_000_000_000_000_000 }) else {
            throw DecodingError.dataCorruptedError(in: list, debugDescription: "not a time of this era")
        }
    }

    /// `[from, to, value, known]`, times in microseconds: there are thousands.
    package func encode(to encoder: any Encoder) throws {
        var list = encoder.unkeyedContainer()
        try list.encode(from.microseconds)
        try list.encode(to.microseconds)
        try list.encode(value)
        if let known { try list.encode(known.microseconds) } else { try list.encodeNil() }
    }
}
