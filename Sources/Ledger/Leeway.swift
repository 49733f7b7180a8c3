import GRDB
package import Units

/// How far a job may be moved about, as it was admitted.
package struct Leeway: Hashable, Sendable {
    /// The job's own: it shall have ended by then.
    package var deadline: Timestamp?
    /// The policy's: it starts no later, if there is room.
    package var latestStart: Timestamp?
    /// The plan may suspend it. Once a person has suspended or resumed an attempt it may not any more.
    package var isInterruptible: Bool
    /// What a later start is chosen for: `carbon` or `cost`.
    package var minimise: String?
    /// The rule or key that lets it wait, with its file and line.
    package var rule: String?

    package init(
        deadline: Timestamp? = nil, latestStart: Timestamp? = nil, isInterruptible: Bool = false,
        minimise: String? = nil, rule: String? = nil
    ) {
        self.deadline = deadline
        self.latestStart = latestStart
        self.isInterruptible = isInterruptible
        self.minimise = minimise
        self.rule = rule
    }

    /// Whether it may be moved at all.
    package var isAny: Bool { deadline != nil || latestStart != nil }

    /// From the columns of the same names.
    init(_ row: Row) {
        self.init(
            deadline: (row["deadline_us"] as Int64?).map(Timestamp.init(microseconds:)),
            latestStart: (row["latest_start_us"] as Int64?).map(Timestamp.init(microseconds:)),
            isInterruptible: row["interruptible"], minimise: row["minimise"], rule: row["defer_rule"])
    }
}
