package import Units

/// How a budget stands, and what follows for its jobs.
package struct BudgetVerdict: Hashable, Sendable {
    package enum State: Int, Comparable, Sendable {
        case open, warning, spent
        package static func < (a: State, b: State) -> Bool { a.rawValue < b.rawValue }
    }

    package var state: State
    /// The quantity that is nearest to its end.
    package var kind: BudgetKind
    /// The part of it that is spent; may be above 1.
    package var part: Double
    /// Whether its jobs wait from now on.
    package var holds: Bool
    /// Whether those that run go back into the queue.
    package var preempts: Bool
    /// When all begins anew.
    package var until: Timestamp
    /// For a job's reason: what is spent of what, where it is written, until when.
    package var reason: String
    package var rule: RuleReference
    /// The least that lets its jobs go on, as it is typed, where they wait.
    package var grants: [String] = []
}

extension Budget {
    /// How it stands when `spent` has gone in the periods that hold at `now`, in the units of ``Limit/amount``. What is not
    /// named has not been spent.
    /// - Parameter granted: what was given besides, in the same units.
    package func verdict(
        spent: [BudgetKind: Int64], granted: [BudgetKind: Int64] = [:], at now: Timestamp
    ) -> BudgetVerdict? {
        let parts = limits.map { limit in
            (limit: limit, part: Double(max(0, spent[limit.kind] ?? 0)) / Double(max(1, limit.amount(with: granted))))
        }
        // Of several that are spent the one that is spent longest binds.
        let worst = parts.max { a, b in
            let (x, y) = (a.part >= 1, b.part >= 1)
            if x && y { return a.limit.interval(at: now).upperBound < b.limit.interval(at: now).upperBound }
            return a.part < b.part
        }
        guard let (limit, part) = worst else { return nil }
        let state: BudgetVerdict.State = part >= 1 ? .spent : part >= warnAt.value ? .warning : .open
        let until = limit.interval(at: now).upperBound
        let rule = limit.source ?? source
        let amount = limit.shown(spent[limit.kind] ?? 0, currency: money.value?.amount.currency)
        let more = granted[limit.kind].map { " and \(limit.shown($0, currency: money.value?.amount.currency)) granted" }
        let isBinding = state == .spent && whenSpent.value != .warn
        return BudgetVerdict(
            state: state, kind: limit.kind, part: part, holds: isBinding,
            preempts: isBinding && whenSpent.value == .preempt, until: until,
            reason: "budget \"\(name)\" has spent \(amount) of \(limit.text)\(more ?? "") (\(rule.place))"
                + (isBinding ? "; its jobs wait until \(until)" : ""),
            rule: rule, grants: isBinding ? grants(spent: spent, granted: granted) : [])
    }
}
