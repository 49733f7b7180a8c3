package import Units

/// What the policy can tell a job apart by once it is taken: jobs of one standing get the same answers at all times, so that each
/// question is asked once for all of them, however many wait.
package struct Standing: Hashable, Sendable {
    /// The places in ``PolicySet/rules`` of those that may bind it later, in order.
    package var rules: [Int] = []
    /// Its queue, where that has a threshold above which it stands still.
    package var queue: String?
    /// Whether it may be stopped and started again, where anything asks.
    package var canSuspend = false
    /// The places of the budgets that may hold it.
    package var budgets: [Int] = []
    /// The places of the reservations it may use.
    package var reservations: [Int] = []
    /// It has to run now to end by its deadline: how the grid stands does not keep it any more.
    package var isPressed = false

    package init() {}

    /// Nothing binds it later.
    package static let plain = Standing()
}

extension PolicySet {
    /// Whether jobs have standings that differ.
    package var hasStandings: Bool { !budgets.isEmpty || !reservations.isEmpty || bindsRunningJobs }

    package func standing(of subject: RuleMatch.Subject) -> Standing {
        var standing = Standing()
        standing.rules = bindingRules(for: subject)
        if let queue = queue(subject.queue), queue.deferral.suspendAbove.value != nil, isInterruptible(subject) {
            standing.queue = queue.name
        }
        let isAsked = standing.queue != nil || standing.rules.contains { rules[$0].action == .suspend }
        standing.canSuspend = isAsked && isInterruptible(subject)
        for (place, budget) in budgets.enumerated() where budget.whenSpent.value != .warn && budget.includes(subject) {
            standing.budgets.append(place)
        }
        for (place, reservation) in reservations.enumerated() where reservation.includes(subject) {
            standing.reservations.append(place)
        }
        return standing
    }

    /// Those that match it at some time, up to the one behind which no other counts. None where no answer ever changes.
    private func bindingRules(for subject: RuleMatch.Subject) -> [Int] {
        var places: [Int] = []
        var isDecided = false
        var binds = false
        for (place, rule) in rules.enumerated() where rule.match.matches(subject) {
            if rule.decides, isDecided, rule.action != .allow { continue }
            places.append(place)
            switch rule.action {
            case .suspend, .cap: binds = true
            case .hold: binds = binds || rule.match.changes
            case .allow, .deny, .defer: break
            }
            guard rule.decides, !rule.match.changes else { continue }
            isDecided = true
            if rule.action == .allow { break }
        }
        return binds ? places : []
    }

    /// The standing of its jobs that have to run now to end by their deadline; nil where the grid does not keep them anyway.
    package func pressed(_ standing: Standing) -> Standing? {
        guard standing.queue != nil || standing.rules.contains(where: { rules[$0].isOfTheGrid }) else { return nil }
        var pressed = standing
        pressed.isPressed = true
        return pressed
    }

    /// The first moment after `time` at which the clock alone may change what binds a job of this standing; budgets are apart.
    package func nextChange(for standing: Standing, after time: Timestamp) -> Timestamp? {
        standing.rules.compactMap { rules[$0].match.week.nextChange(after: time) }.min()
    }
}
