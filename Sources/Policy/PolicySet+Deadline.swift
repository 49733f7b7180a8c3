import Units

extension PolicySet {
    /// Why the job cannot end by its deadline even if it starts as soon as it may; nil where it can, or nobody can say.
    ///
    /// A deadline is kept only if it is one: a job that is accepted with it was feasible alone.
    /// - Parameter asked: before when the job itself asks not to start.
    func tooLate(_ job: AdmittedJob, asked: Timestamp?, runTime: Double?, now: Timestamp) -> Refusal? {
        guard let deadline = job.deadline else { return nil }
        guard deadline > now else {
            return Refusal(
                "the deadline \(deadline) is past", hint: "submit it with a later one, or without schedule.deadline")
        }
        let start = max(now, job.notBefore ?? now)
        let isOwn = job.notBefore == asked
        // Whose time it is: `held by rule "nights" (site.toml:3) until ...`.
        let kept = start > now && !isOwn ? job.reason : nil
        let length = runTime ?? job.timeLimit
        let least = start.later(by: .seconds((length ?? 0).rounded(.up))).later(by: .seconds(1))
        guard deadline > start else {
            return Refusal(
                "the deadline \(deadline) is not after \(start), before which the job may not start"
                    + (kept.map { ": \($0)" } ?? ""), rule: job.rule,
                hint: "submit it with a deadline of \(least) or later"
                    + (kept == nil ? ", or an earlier not-before" : "; an admin may change the rule"))
        }
        guard let length else { return nil }
        let room = deadline.since(start)
        guard length > room.seconds else { return nil }
        let why = runTime == nil ? "its time limit is" : "jobs like it ran"
        let longest = Duration.seconds(room.seconds.rounded(.down))
        let limit =
            runTime == nil && longest >= .seconds(1)
            ? "state a time limit of at most \(longest.brief), or a deadline" : "submit it with a deadline"
        return Refusal(
            "a start at \(start) would miss the deadline \(deadline): \(why) \((.seconds(length) as Duration).brief)"
                + (kept.map { "; \($0)" } ?? ""),
            rule: job.rule, hint: "\(limit) of \(least) or later")
    }
}
