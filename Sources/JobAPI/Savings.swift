package import Units

/// A job against itself, had it run at once: as that was frozen when it was submitted.
package struct Savings: Codable, Hashable, Sendable {
    /// When it could have started.
    package var baselineStart: Timestamp
    /// What was expected of it then; nil where nothing was known of its likes.
    package var baselineRunS: Double?
    package var baselinePowerW: Double?
    /// What its energy would have caused from then on, by the intensity that came to be in force; nil while it has not ended.
    package var baselineCarbonG: Double?
    /// That, less what it caused; negative where it caused more.
    package var carbonSavedG: Double?

    package init(
        baselineStart: Timestamp, baselineRunS: Double? = nil, baselinePowerW: Double? = nil,
        baselineCarbonG: Double? = nil, carbonSavedG: Double? = nil
    ) {
        self.baselineStart = baselineStart
        self.baselineRunS = baselineRunS
        self.baselinePowerW = baselinePowerW
        self.baselineCarbonG = baselineCarbonG
        self.carbonSavedG = carbonSavedG
    }
}
