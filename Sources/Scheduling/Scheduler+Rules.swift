package import JobAPI
package import Policy
package import Units

// Whole groups of jobs that wait for something other than room: a rule's hours, the grid, a budget.
extension Scheduler {
    /// Who somebody is to rules, budgets and reservations. Jobs of a submitter who was never told are of nobody's group.
    package mutating func know(_ submitter: Submitter) { bindings.know(submitter) }

    /// How grid and machine stand from now on, for rules that ask.
    package mutating func adopt(conditions: Conditions) {
        guard conditions != bindings.conditions else { return }
        bindings.conditions = conditions
        bindings.isStale = true
    }

    /// The budgets, by name, of which nothing is left: their jobs wait, those of all others do not.
    package mutating func adopt(spent: [String: SpentBudget]) {
        guard spent != bindings.spent else { return }
        bindings.spent = spent
        bindings.isStale = true
    }

    /// Takes out of the line what may not start now, and puts back in what may again.
    mutating func askRules(now: Timestamp) {
        if bindings.ask(at: now) { line.close(Set(bindings.waits.keys)) }
        if windows.map({ !$0.holds(at: now) }) ?? false { keepWindows(now: now) }
    }

    mutating func keepWindows(now: Timestamp) {
        windows = reservations.isEmpty ? nil : Windows(reservations, now: now)
    }

    /// When rules, budgets or reservations may say something else to a job there is.
    var nextRuleChange: Timestamp? {
        let window = pending.isEmpty ? nil : windows?.nextChange
        return [bindings.nextChange, window].compactMap { $0 }.min()
    }

    static func standing(of job: PendingJob, in bindings: inout Bindings) -> StandingID {
        bindings.standing(
            uid: job.uid, project: job.project, queue: job.queue, request: job.request, isTraining: job.isTraining,
            isInterruptible: job.isInterruptible)
    }

    static func standing(of job: ActiveJob, in bindings: inout Bindings) -> StandingID {
        bindings.standing(
            uid: job.uid, project: job.project, queue: job.queue, request: job.request, isTraining: job.isTraining,
            isInterruptible: job.isInterruptible)
    }

    /// Why an active job has to stand still by a rule; nil for one that may run.
    func ruleSuspension(_ job: ActiveJob) -> Wait? {
        if job.isOverCap { return overCap }
        return job.isSpared ? nil : bindings.suspension(standingNow(job), whileSuspended: job.standsStill)
    }

    /// Why ``Plan/halts`` names an active job, or why one stands still; nil for one that runs and may.
    package func suspension(of id: JobID, now: Timestamp) -> WaitReason? {
        guard let job = active[id] else { return nil }
        if let wait = ruleSuspension(job) { return WaitReason(wait.reason, rule: wait.rule, hint: hint(wait)) }
        if let reason = suspensionReason(job, now: now) { return reason }
        guard job.isHalted else { return nil }
        return WaitReason(
            "suspended; it goes on when \(counted(job.request.cpus, "cpu")) are free"
                + (power.cap.value == nil ? "" : ", within machine.power-cap"),
            hint: "what becomes free is kept for it")
    }

    /// The most CPUs that an active job may compute with by a rule, where that is less than it asked for.
    package func cpuCap(_ id: JobID) -> Setting<Int?>? {
        guard let job = active[id], let cap = bindings.caps[job.standing], let most = cap.value, most < job.request.cpus
        else { return nil }
        return cap
    }

    /// An active job stands still, as ``Plan/halts`` said: it keeps its memory and its GPUs, its CPUs are free.
    package mutating func halted(_ id: JobID, at now: Timestamp) {
        suspended(id, at: now)
        change(id) { $0.isHalted = true }
    }

    /// An active job runs again, as ``Plan/goOns`` said. The plan may suspend it next, if it is one of those.
    package mutating func wentOn(_ id: JobID, at now: Timestamp) {
        change(id) { $0.isHalted = false }
        resumed(id, at: now)
        // Of the time that was planned for it some may be gone.
        if active[id]?.shift != nil { planRuns(id, now: now) }
    }

    /// No rule suspends the job any more, until it ends: a person let it go on.
    package mutating func spare(_ id: JobID) {
        change(id) {
            $0.isSpared = true
            $0.isOverCap = false
        }
    }

    /// Why a job that waits is kept by a rule or a budget.
    func ruleReason(_ job: PendingJob, now: Timestamp) -> WaitReason? {
        bindings.wait(job.standing, at: now).map { WaitReason($0.reason, rule: $0.rule, hint: hint($0)) }
    }

    private func hint(_ wait: Wait) -> String {
        wait.askAgain.map { "asked again at \($0)" }
            ?? "it goes on by itself when that has passed; an admin may change the rule"
    }
}
