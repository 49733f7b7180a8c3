package import Units

/// What is known of the grid: `GET /v1/carbon`. Empty where the policy names no source that changes.
package struct GridReport: Codable, Hashable, Sendable {
    package struct Signal: Codable, Hashable, Sendable {
        /// `intensity` or `price`.
        package var quantity: String
        /// `g/kWh`, or money as `EUR/kWh`.
        package var unit: String
        /// The figure that holds now; nil where nothing is known.
        package var value: Double?
        /// Where it comes from: `measured`, `forecast`, `model` or `table`.
        package var origin: String?
        /// Whose figure it is.
        package var source: String
        /// How long ago it was received; of a model, how long ago its last measured hour ended.
        package var ageS: Double?
        /// When the source told last.
        package var fetchedAt: Timestamp?
        /// When it is looked at again.
        package var nextLook: Timestamp
        /// Up to when the source itself tells.
        package var knownUntil: Timestamp?
        /// Whose forecasts the errors are of: the `source`'s own, or those of mld's `model`.
        package var forecastOf: String?
        /// The mean absolute error of forecasts in percent by hours ahead; empty until a day of them could be compared.
        package var errorPercent: [String: Double]
        /// Why the last look told nothing.
        package var trouble: String?
        /// What of the source's further answers is missing.
        package var lack: String?

        package init(
            quantity: String, unit: String, value: Double?, origin: String?, source: String, ageS: Double?,
            fetchedAt: Timestamp?, nextLook: Timestamp, knownUntil: Timestamp?, forecastOf: String?,
            errorPercent: [String: Double], trouble: String?, lack: String?
        ) {
            self.quantity = quantity
            self.unit = unit
            self.value = value
            self.origin = origin
            self.source = source
            self.ageS = ageS
            self.fetchedAt = fetchedAt
            self.nextLook = nextLook
            self.knownUntil = knownUntil
            self.forecastOf = forecastOf
            self.errorPercent = errorPercent
            self.trouble = trouble
            self.lack = lack
        }
    }

    package var signals: [Signal]

    package init(signals: [Signal]) { self.signals = signals }
}
