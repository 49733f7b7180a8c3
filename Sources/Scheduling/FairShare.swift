import Glibc
package import Policy
package import Units

/// What accounts have used lately, against what is theirs by weight.
///
/// Usage decays by half in each `halfLife`. Since that of all accounts decays alike, only new usage changes who is ahead: nothing
/// needs to be worked out again as time goes by.
package struct FairShare: Sendable {
    package struct Rules: Hashable, Sendable {
        /// Over which usage counts half.
        package var halfLife: Duration
        /// What an account at its share loses, in points of priority; one at twice its share loses twice as much.
        package var strength: Double
        /// Of the accounts that are not at 1.
        package var weights: [String: Double]
        /// What made it so.
        package var source: RuleReference?

        package init(
            halfLife: Duration, strength: Double = 1000, weights: [String: Double] = [:], source: RuleReference? = nil
        ) {
            self.halfLife = halfLife
            self.strength = strength
            self.weights = weights
            self.source = source
        }

        /// Nil where the policy has no shares.
        init?(_ policy: PolicySet.FairShare) {
            guard policy.isOn else { return nil }
            self.init(
                halfLife: policy.halfLife.value, strength: Double(policy.strength.value),
                weights: Dictionary(policy.weights.map { ($0.account, $0.weight.value) }, uniquingKeysWith: { $1 }),
                source: policy.strength.source)
        }
    }

    /// Between accounts a job's age counts up to this, and beyond it for a hundredth. An account whose jobs pile up would be served by
    /// their age otherwise, and not by its share.
    package static let ageWindow = Duration.seconds(3600)
    static let slowAgeing: Int64 = 100

    /// Nil where nobody asked for fair shares: then usage changes nothing.
    package var rules: Rules?
    /// Of each account, as of ``epoch``: more than was used, where it was used later.
    private var usage: [String: Double] = [:]
    private var total = 0.0
    private var epoch = Timestamp(microseconds: 0)

    package init(_ rules: Rules? = nil) { self.rules = rules }

    /// What was counted is not what is counted from now on.
    mutating func forget() {
        usage = [:]
        total = 0
    }

    /// An account has used as much at `time`: joules, CPU seconds or grams, but always of one kind. What is no amount is none.
    package mutating func charge(_ account: String, _ amount: Double, at time: Timestamp) {
        guard let rules, amount > 0, amount.isFinite else { return }
        let halfLife = max(1, rules.halfLife.seconds)
        if usage.isEmpty { epoch = time }
        var age = time.since(epoch).seconds / halfLife
        if age > 256 {
            rebase(to: time, by: age)
            age = 0
        }
        // Long before the epoch it has decayed to nothing.
        let scaled = amount * exp2(max(age, -256))
        usage[account, default: 0] += scaled
        total += scaled
    }

    /// Of what all accounts used, the part that is this one's, over its part by weight: 1 at its share, 0 where it used nothing.
    package func ratio(of account: String) -> Double {
        guard let rules, total > 0, let used = usage[account] else { return 0 }
        let weights = usage.keys.reduce(0) { $0 + Self.weight(of: $1, rules) }
        return used / total * weights / Self.weight(of: account, rules)
    }

    /// What its jobs lose against those of others, in points of priority.
    package func penalty(of account: String) -> Double { (rules?.strength ?? 0) * ratio(of: account) }

    /// Of all accounts that have used anything.
    func penalties() -> [String: Double] {
        guard let rules, total > 0 else { return [:] }
        let weights = usage.keys.reduce(0) { $0 + Self.weight(of: $1, rules) }
        var penalties: [String: Double] = [:]
        for (account, used) in usage {
            penalties[account] = rules.strength * used / total * weights / Self.weight(of: account, rules)
        }
        return penalties
    }

    private static func weight(of account: String, _ rules: Rules) -> Double {
        max(rules.weights[account] ?? 1, 1e-6)
    }

    private mutating func rebase(to time: Timestamp, by halfLives: Double) {
        let factor = exp2(-halfLives)
        usage = usage.mapValues { $0 * factor }.filter { $0.value > 1e-12 }
        total = usage.values.sorted().reduce(0, +)
        epoch = time
    }
}
