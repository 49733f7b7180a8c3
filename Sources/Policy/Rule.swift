package import Units

/// One `[[rule]]`: whom it is about and what happens to their jobs.
package struct Rule: Hashable, Sendable {
    package enum Action: String, CaseIterable, Sendable {
        /// Accept, and ask no further rule.
        case allow
        /// Refuse the job.
        case deny
        /// Accept, but do not start it while the rule matches.
        case hold
    }

    package var name: String
    package var match: RuleMatch
    package var action: Action
    /// What the submitter is told, for `deny` and `hold`.
    package var message: String?
    package var reference: RuleReference

    /// `deny when user = alice and hour = 22-06`.
    package var summary: String {
        action.rawValue + (match.isUnconditional ? " always" : " when " + match.conditions.joined(separator: " and "))
    }
}

/// The conditions of a rule. All that are given must hold; of a list of names, one.
package struct RuleMatch: Hashable, Sendable {
    package var users: Set<String>?
    package var groups: Set<String>?
    package var projects: Set<String>?
    package var queues: Set<String>?
    package var kinds: Set<String>?
    package var cpusAbove: Int?
    package var gpusAbove: Int?
    package var memoryAbove: ByteSize?
    /// Hours of the day in UTC, 0 to 23.
    package var hours: Set<Int>?
    /// Days of the week in UTC, Monday is 0.
    package var weekdays: Set<Int>?
    /// The conditions as they were written, `key = value`.
    package var conditions: [String] = []

    package init() {}

    package var isUnconditional: Bool { conditions.isEmpty }

    /// What a job is to a rule.
    struct Subject {
        var submitter: Submitter
        var project: String
        var queue: String
        var kind: String
        var cpus: Int
        var gpus: Int
        var memory: ByteSize
    }

    func matches(_ subject: Subject, at time: Timestamp) -> Bool {
        (users?.contains(subject.submitter.user) ?? true)
            && (groups.map { !$0.isDisjoint(with: subject.submitter.groups) } ?? true)
            && (projects?.contains(subject.project) ?? true)
            && (queues?.contains(subject.queue) ?? true)
            && (kinds?.contains(subject.kind) ?? true)
            && (cpusAbove.map { subject.cpus > $0 } ?? true)
            && (gpusAbove.map { subject.gpus > $0 } ?? true)
            && (memoryAbove.map { subject.memory > $0 } ?? true)
            && (hours?.contains(time.hourOfDay) ?? true)
            && (weekdays?.contains(time.dayOfWeek) ?? true)
    }

    /// Whether everything `other` matches is matched by this too, so that a rule after it could never decide.
    func covers(_ other: RuleMatch) -> Bool {
        func holds<T>(_ mine: Set<T>?, _ theirs: Set<T>?) -> Bool {
            guard let mine else { return true }
            return theirs.map { mine.isSuperset(of: $0) } ?? false
        }
        func above<T: Comparable>(_ mine: T?, _ theirs: T?) -> Bool {
            guard let mine else { return true }
            return theirs.map { mine <= $0 } ?? false
        }
        return holds(users, other.users) && holds(groups, other.groups) && holds(projects, other.projects)
            && holds(queues, other.queues) && holds(kinds, other.kinds) && above(cpusAbove, other.cpusAbove)
            && above(gpusAbove, other.gpusAbove) && above(memoryAbove, other.memoryAbove)
            && holds(hours, other.hours) && holds(weekdays, other.weekdays)
    }
}

extension Timestamp {
    private static let hour: Int64 = 3_600_000_000

    /// Whole hours since 1970, rounded down.
    private var hours: Int64 {
        let quotient = microseconds / Self.hour
        return microseconds % Self.hour < 0 ? quotient - 1 : quotient
    }

    /// The hour of the day in UTC, 0 to 23.
    var hourOfDay: Int { Int(((hours % 24) + 24) % 24) }

    /// The day of the week in UTC; Monday is 0. 1970 began on a Thursday.
    var dayOfWeek: Int {
        let days = (hours - Int64(hourOfDay)) / 24
        return Int((((days + 3) % 7) + 7) % 7)
    }

    /// The start of the next hour.
    var nextHour: Timestamp {
        let (product, overflow) = (hours + 1).multipliedReportingOverflow(by: Self.hour)
        return Timestamp(microseconds: overflow ? .max : product)
    }
}
