import Units

extension PolicySet {
    /// Why the job cannot end by its deadline even if it starts as soon as it may; nil where it can, or nobody can say.
    ///
    /// A deadline is kept only if it is one: a job that is accepted with it was feasible alone.
    func tooLate(_ job: AdmittedJob, runTime: Double?, now: Timestamp) -> Refusal? {
        guard let deadline = job.deadline else { return nil }
        guard deadline > now else {
            return Refusal(
                "the deadline \(deadline) is past", hint: "submit it with a later one, or without schedule.deadline")
        }
        let start = max(now, job.notBefore ?? now)
        guard deadline > start else {
            return Refusal(
                "the deadline \(deadline) is not after \(start), before which the job may not start", rule: job.rule,
                hint: "submit it with a later deadline, or an earlier not-before")
        }
        guard let length = runTime ?? job.timeLimit else { return nil }
        let room = deadline.since(start)
        guard length > room.seconds else { return nil }
        let why = runTime == nil ? "its time limit is" : "jobs like it ran"
        let longest = Duration.seconds(room.seconds.rounded(.down))
        let least = start.later(by: .seconds(length.rounded(.up))).later(by: .seconds(1))
        let limit =
            runTime == nil && longest >= .seconds(1)
            ? "state a time limit of at most \(longest.brief), or a deadline" : "submit it with a deadline"
        return Refusal(
            "a start at \(start) would miss the deadline \(deadline): \(why) \((.seconds(length) as Duration).brief)",
            rule: job.rule, hint: "\(limit) of \(least) or later")
    }
}
