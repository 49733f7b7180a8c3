package import Units

/// What a job would take, cause and cost, were it submitted now: `POST /v1/estimate`. Nothing is submitted by asking.
package struct Estimate: Codable, Hashable, Sendable {
    /// A figure that nobody can know: between which bounds it is held to lie.
    package struct Range: Codable, Hashable, Sendable {
        package var low: Double
        /// What half of its likes do not exceed, or their mean; nil without likes.
        package var expected: Double?
        /// Nil where nothing bounds it.
        package var high: Double?

        package init(low: Double, expected: Double? = nil, high: Double? = nil) {
            self.low = low
            self.expected = expected
            self.high = high
        }

        /// Two figures of which each may lie anywhere in its bounds.
        package static func * (a: Range, b: Range) -> Range {
            func product(_ a: Double?, _ b: Double?) -> Double? { a.flatMap { a in b.map { a * $0 } } }
            return Range(low: a.low * b.low, expected: product(a.expected, b.expected), high: product(a.high, b.high))
        }
    }

    /// What the policy says of it.
    package struct Admission: Codable, Hashable, Sendable {
        package var accepted: Bool
        package var reason: String
        /// As `file:line`.
        package var rule: String?
        package var hint: String?
        package var queue: String?

        package init(accepted: Bool, reason: String, rule: String? = nil, hint: String? = nil, queue: String? = nil) {
            self.accepted = accepted
            self.reason = reason
            self.rule = rule
            self.hint = hint
            self.queue = queue
        }
    }

    /// The job, started at one time.
    package struct Start: Codable, Hashable, Sendable {
        package var at: Timestamp
        /// A mean over the time it runs; nil where that is not foretold.
        package var intensityGPerKwh: Double?
        /// With the PUE; nil where the power or the intensity is not known.
        package var carbonG: Range?
        /// In `currency`; nil where no price is set.
        package var cost: Range?

        package init(
            at: Timestamp, intensityGPerKwh: Double? = nil, carbonG: Range? = nil, cost: Range? = nil
        ) {
            self.at = at
            self.intensityGPerKwh = intensityGPerKwh
            self.carbonG = carbonG
            self.cost = cost
        }
    }

    package var admission: Admission
    package var timeLimitS: Double?
    /// How many runs the times are learned from, and of what kind; nil where none are alike.
    package var runs: Int?
    package var likes: String?
    package var durationS: Range?
    package var powerW: Range?
    /// How the power is known, and from what.
    package var tier: Tier?
    package var powerBasis: String?
    package var energyJ: Range?
    package var currency: String?
    /// When it would start as the queue stands; nil where nobody can tell.
    package var expectedStart: Timestamp?
    /// How many wait before it.
    package var ahead: Int?
    /// Started then, or now where that is not known.
    package var now: Start?
    /// Started when the forecast is best, to end by `deadline`; nil without a forecast.
    package var greenest: Start?
    package var deadline: Timestamp?
    /// What was assumed, one sentence each.
    package var notes: [String]

    package init(admission: Admission, notes: [String] = []) {
        self.admission = admission
        self.notes = notes
    }
}
