package import Units

/// The answer to a submission.
package enum Admission: Hashable, Sendable {
    case accepted(AdmittedJob)
    case refused(Refusal)
}

/// A job the policy takes, with everything it left open decided.
package struct AdmittedJob: Hashable, Sendable {
    package var queue: String
    package var project: String
    /// The queue's; more is sooner.
    package var priority: Int
    /// In seconds: the job's own, else the queue's `max-time`; nil when neither is set.
    package var timeLimit: Double?
    /// It waits until somebody releases it.
    package var held: Bool
    /// Start no earlier than this: the job's own wish, or the end of the hours a rule holds it for.
    package var notBefore: Timestamp?
    /// Why it may not start yet, or that it is accepted.
    package var reason: String
    /// The rule that decided, if one did.
    package var rule: RuleReference?
    /// What its sandbox may be.
    package var sandbox: SandboxProfile
    /// It may be started later than it could, where that is better; nil to start it as soon as it can.
    package var deferral: Deferral?
    /// It shall have ended by then, as it asks.
    package var deadline: Timestamp?
    /// It may be stopped and started again.
    package var interruptible = false
}

/// A job the policy does not take.
package struct Refusal: Hashable, Sendable {
    /// What happened and why.
    package var message: String
    /// The rule or setting that bound; nil when a built-in value or none did.
    package var rule: RuleReference?
    /// What would pass.
    package var hint: String?

    package init(_ message: String, rule: RuleReference? = nil, hint: String? = nil) {
        self.message = message
        self.rule = rule
        self.hint = hint
    }
}
