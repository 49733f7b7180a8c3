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
        /// Accept, and start it later: when it is better, or at an hour.
        case `defer`
        /// While it matches, interruptible jobs stand still.
        case suspend
        /// While it matches, jobs get no more than this.
        case cap
    }

    /// What a job of a `cap` rule may have.
    package struct Cap: Hashable, Sendable {
        package var power: Power?
        package var cpus: Int?
    }

    /// How far a `defer` rule moves a job.
    package enum Delay: Hashable, Sendable {
        /// To when it is best, within this time.
        case upTo(Duration, DeferralGoal)
        /// To the next time the clock shows this.
        case until(TimeOfDay)
    }

    package var name: String
    package var match: RuleMatch
    package var action: Action
    /// What the submitter is told, for all but `allow`.
    package var message: String?
    package var reference: RuleReference
    /// Of a `defer` rule.
    package var delay: Delay?
    /// Of a `cap` rule.
    package var cap = Cap()

    /// Whether the first of these that matches decides about a submission. The others bound jobs while they run.
    package var decides: Bool {
        switch action {
        case .allow, .deny, .hold, .defer: true
        case .suspend, .cap: false
        }
    }

    /// `deny when user = alice and hour = 22-06`.
    package var summary: String {
        var what = action.rawValue
        switch delay {
        case .upTo(let time, let goal): what += " up to \(time.brief) for less \(goal.rawValue)"
        case .until(let time): what += " until \(time) UTC"
        case nil: break
        }
        let bounds = [cap.power.map { "\($0)" }, cap.cpus.map { counted($0, "cpu") }].compactMap { $0 }
        if !bounds.isEmpty { what += " at " + bounds.joined(separator: " and ") }
        return what + (match.isUnconditional ? " always" : " when " + match.conditions.joined(separator: " and "))
    }
}
