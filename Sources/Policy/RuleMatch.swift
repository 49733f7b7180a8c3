package import Units

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
    package var intensityAbove: CarbonIntensity?
    package var priceAbove: EnergyPrice?
    /// Of the whole machine.
    package var powerAbove: Power?
    /// Hours of the day in UTC, 0 to 23.
    package var hours: Set<Int>?
    /// Days of the week in UTC, Monday is 0.
    package var weekdays: Set<Int>?
    /// The conditions as they were written, `key = value`.
    package var conditions: [String] = []

    package init() {}

    package var isUnconditional: Bool { conditions.isEmpty }

    package var week: WeekHours { WeekHours(hours: hours, weekdays: weekdays) }
    /// Whether the answer may change by the clock.
    package var dependsOnClock: Bool { !week.isAlways }
    /// Whether the answer may change with the grid or the machine.
    package var dependsOnConditions: Bool { intensityAbove != nil || priceAbove != nil || powerAbove != nil }
    package var changes: Bool { dependsOnClock || dependsOnConditions }

    /// What a job is to a rule.
    package struct Subject: Hashable, Sendable {
        package var submitter: Submitter
        package var project: String
        package var queue: String
        package var kind: String
        package var cpus: Int
        package var gpus: Int
        package var memory: ByteSize
        /// Whether it may be stopped and started again, by its own word; see ``PolicySet/isInterruptible(_:)``.
        package var interruptible: Bool

        package init(
            submitter: Submitter, project: String, queue: String, kind: String, cpus: Int, gpus: Int,
            memory: ByteSize, interruptible: Bool = false
        ) {
            self.submitter = submitter
            self.project = project
            self.queue = queue
            self.kind = kind
            self.cpus = cpus
            self.gpus = gpus
            self.memory = memory
            self.interruptible = interruptible
        }
    }

    package func matches(
        _ subject: Subject, at time: Timestamp, in conditions: Conditions = .unknown
    ) -> Bool {
        matches(subject) && holds(at: time, in: conditions)
    }

    /// Whether it is about anybody now.
    package func holds(at time: Timestamp, in conditions: Conditions) -> Bool {
        week.contains(time) && matches(conditions)
    }

    /// Whether the job is one that the rule is about, whenever that may be.
    package func matches(_ subject: Subject) -> Bool {
        (users?.contains(subject.submitter.user) ?? true)
            && (groups.map { !$0.isDisjoint(with: subject.submitter.groups) } ?? true)
            && (projects?.contains(subject.project) ?? true)
            && (queues?.contains(subject.queue) ?? true)
            && (kinds?.contains(subject.kind) ?? true)
            && (cpusAbove.map { subject.cpus > $0 } ?? true)
            && (gpusAbove.map { subject.gpus > $0 } ?? true)
            && (memoryAbove.map { subject.memory > $0 } ?? true)
    }

    /// What is not known matches nothing: a rule must not bind on a figure nobody has.
    private func matches(_ conditions: Conditions) -> Bool {
        (intensityAbove.map { GridThreshold.intensity($0).isExceeded(in: conditions) ?? false } ?? true)
            && (priceAbove.map { GridThreshold.price($0).isExceeded(in: conditions) ?? false } ?? true)
            && (powerAbove.map { limit in conditions.power.map { $0 > limit } ?? false } ?? true)
    }

    /// The same without what changes with time, the grid and the machine: which jobs it is about.
    var jobs: RuleMatch {
        var jobs = self
        (jobs.intensityAbove, jobs.priceAbove, jobs.powerAbove) = (nil, nil, nil)
        (jobs.hours, jobs.weekdays) = (nil, nil)
        return jobs
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
        /// Prices in two currencies say nothing about each other.
        func priceAbove(_ mine: EnergyPrice?, _ theirs: EnergyPrice?) -> Bool {
            guard let mine else { return true }
            guard let theirs, theirs.currency == mine.currency else { return false }
            return mine.perKilowattHour <= theirs.perKilowattHour
        }
        return holds(users, other.users) && holds(groups, other.groups) && holds(projects, other.projects)
            && holds(queues, other.queues) && holds(kinds, other.kinds) && above(cpusAbove, other.cpusAbove)
            && above(gpusAbove, other.gpusAbove) && above(memoryAbove, other.memoryAbove)
            && above(intensityAbove, other.intensityAbove) && priceAbove(self.priceAbove, other.priceAbove)
            && above(powerAbove, other.powerAbove) && holds(hours, other.hours) && holds(weekdays, other.weekdays)
    }
}
