package import Units

// Whose turn it is where accounts have shares.
extension Scheduler {
    /// From now on accounts have shares, or none any more.
    package mutating func share(_ rules: FairShare.Rules?) {
        guard rules != fairShare.rules else { return }
        fairShare.rules = rules
        sharedAt = nil
        if rules == nil { line.reorder(floor: .min, penalties: [:]) }
    }

    /// What accounts have used is counted anew: another thing is counted, by other accounts or another half-life.
    package mutating func forgetUse() {
        fairShare.forget()
        sharedAt = nil
    }

    /// All that was used is counted: the next plan puts accounts in their order, whenever the last did.
    package mutating func useIsCounted() { sharedAt = nil }

    /// An account has used as much of what is shared.
    package mutating func charge(_ account: String, _ amount: Double, at time: Timestamp) {
        fairShare.charge(account, amount, at: time)
    }

    /// Puts the first jobs of all owners in the order of their accounts' shares. Once a minute is enough: shares are of days.
    mutating func keepShares(now: Timestamp) {
        guard fairShare.rules != nil else { return }
        if let last = sharedAt, (.zero ..< .seconds(60)).contains(now.since(last)) { return }
        sharedAt = now
        let point = Double(Self.agingPerPoint.components.seconds) * 1e6
        let penalties = fairShare.penalties().mapValues { Int64(min($0 * point, 1e17)) }
        let floor = now.advanced(by: .zero - FairShare.ageWindow).microseconds
        line.reorder(floor: floor, penalties: penalties)
    }
}
