package import Carbon
package import Policy
package import Units

/// That a job may run later than it could, and within which bounds.
///
/// A deadline alone bounds the shift of a job that has one: it ends by then, if it runs as long as predicted. The latest start
/// bounds only a job without a deadline. With neither it is not deferred.
package struct Flexibility: Hashable, Sendable {
    /// What a later start is chosen for.
    package enum Goal: String, Hashable, Sendable, CaseIterable {
        case carbon
        case cost
    }

    /// The job's own.
    package var deadline: Timestamp?
    /// The policy's: its submission, or its `not-before`, and as long as the queue or rule lets it wait.
    package var latestStart: Timestamp?
    /// How long it is expected to run, in seconds.
    package var runTime: Double
    /// Whether it may be suspended in between.
    package var isInterruptible: Bool
    /// What going on after a pause costs, in seconds of work.
    package var restart: Double
    package var goal: Goal
    /// It is not deferred while the signal is no higher than this, in the unit of the signal.
    package var threshold: Double?
    /// The rule or setting that lets it wait.
    package var source: RuleReference?

    package init(
        deadline: Timestamp? = nil, latestStart: Timestamp? = nil, runTime: Double, isInterruptible: Bool = false,
        restart: Double = 120, goal: Goal = .carbon, threshold: Double? = nil, source: RuleReference? = nil
    ) {
        self.deadline = deadline
        self.latestStart = latestStart
        self.runTime = runTime
        self.isInterruptible = isInterruptible
        self.restart = restart
        self.goal = goal
        self.threshold = threshold
        self.source = source
    }

    /// By when it has to have ended; nil when nothing bounds it, and then it is not deferred.
    var end: Timestamp? {
        guard runTime.isFinite, runTime >= 0 else { return nil }
        if let deadline { return deadline }
        return latestStart.map {
            let (end, overflow) = $0.microseconds.addingReportingOverflow(Self.microseconds(runTime))
            return Timestamp(microseconds: overflow ? .max : end)
        }
    }

    func window(from earliest: Timestamp) -> ShiftPlanner.Window? {
        end.map { .init(earliest: earliest, deadline: $0, duration: .microseconds(Self.microseconds(runTime))) }
    }

    /// At most 30 years.
    static func microseconds(_ seconds: Double) -> Int64 { Int64(saturating: min(max(0, seconds), 1e9) * 1e6) }
}

/// The signals that are planned by, from now on.
package struct ShiftForecast: Sendable {
    package var carbon: ShiftPlanner?
    package var cost: ShiftPlanner?

    /// - Parameters:
    ///   - carbon: gCO2e/kWh; nil when nothing is known of what is to come.
    ///   - price: money per kWh.
    package init(carbon: SignalSeries? = nil, price: SignalSeries? = nil, slot: Duration = .seconds(1800)) {
        self.carbon = carbon.map { ShiftPlanner(series: $0, slot: slot) }
        cost = price.map { ShiftPlanner(series: $0, slot: slot) }
    }

    package func planner(for goal: Flexibility.Goal) -> ShiftPlanner? { goal == .carbon ? carbon : cost }
}

/// When a job that waits is to start, and why then.
package struct PlannedShift: Hashable, Sendable {
    package var start: Timestamp
    /// The mean of the signal while it runs then.
    package var mean: Double?
    /// Better hours are taken by others that are deferred.
    package var isCrowdedOut = false
}

/// An active job that may be suspended, and when it runs.
package struct ActiveShift: Hashable, Sendable {
    package var flexibility: Flexibility
    /// Seconds of the predicted run time that are left at `asOf`.
    package var remaining: Double
    /// Seconds of the time limit that are left at `asOf`; nil without a limit.
    package var limitLeft: Double?
    package var asOf: Timestamp
    /// Suspended, it holds its memory and its GPUs, but no CPUs.
    package var isSuspended: Bool
    /// From `asOf` on; the last one ends when the job does.
    package var runs: [ShiftPlanner.Run]

    package init(
        flexibility: Flexibility, remaining: Double, limitLeft: Double? = nil, asOf: Timestamp,
        isSuspended: Bool = false, runs: [ShiftPlanner.Run] = []
    ) {
        self.flexibility = flexibility
        self.remaining = remaining
        self.limitLeft = limitLeft
        self.asOf = asOf
        self.isSuspended = isSuspended
        self.runs = runs
    }

    /// It goes on to its end once its last run has begun, even where it takes longer than predicted.
    func shouldRun(at now: Timestamp) -> Bool {
        guard let last = runs.last, now < last.from else { return true }
        return runs.contains { $0.from <= now && now < $0.to }
    }

    /// When that changes next.
    func border(after now: Timestamp) -> Timestamp? {
        for (index, run) in runs.enumerated() {
            if run.from > now { return run.from }
            if run.to > now, index < runs.count - 1 { return run.to }
        }
        return nil
    }

    /// Puts down what it has done by now.
    mutating func count(to now: Timestamp) {
        guard now > asOf else { return }
        if !isSuspended {
            let seconds = now.since(asOf).seconds
            remaining = max(0, remaining - seconds)
            limitLeft = limitLeft.map { max(0, $0 - seconds) }
        }
        asOf = now
    }
}
