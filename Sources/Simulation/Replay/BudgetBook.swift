import Policy
import Units

/// What budgets have spent in a replay: of each the power of its jobs that compute now, added up over time.
struct BudgetBook: Sendable {
    fileprivate struct Entry: Sendable {
        let budget: Budget
        let limits: [Budget.Limit]
        var jobs = 0
        var watts = 0.0
        /// In J, g and units of the currency, of each limit's period.
        var spent: [Double]
        var periods: [Range<Timestamp>]
    }

    private let prices: GridPrices
    private var entries: [Entry] = []
    /// Up to when it is added up.
    private var at: Timestamp

    init(_ budgets: [Budget], prices: GridPrices, from start: Timestamp?) {
        self.prices = prices
        let start = start ?? Timestamp(microseconds: 0)
        at = start
        entries = budgets.map { budget in
            let limits = budget.limits
            return Entry(
                budget: budget, limits: limits, spent: limits.map { _ in 0 },
                periods: limits.map { $0.interval(at: start) })
        }
    }

    var isEmpty: Bool { entries.isEmpty }

    /// A job of these budgets computes from now on, or with watts below zero it does no more.
    mutating func change(_ budgets: [Int], watts: Double, at now: Timestamp) {
        guard !budgets.isEmpty else { return }
        advance(to: now)
        for place in budgets {
            entries[place].jobs += watts.sign == .minus ? -1 : 1
            // Sums of differences drift; where nothing computes nothing is drawn.
            entries[place].watts = entries[place].jobs == 0 ? 0 : max(0, entries[place].watts + watts)
        }
    }

    mutating func advance(to now: Timestamp) {
        guard at < now else { return }
        for place in entries.indices {
            for index in entries[place].limits.indices { advance(&entries[place], index, to: now) }
        }
        at = now
    }

    private func advance(_ entry: inout Entry, _ index: Int, to now: Timestamp) {
        let limit = entry.limits[index]
        guard entry.watts > 0 else {
            if now >= entry.periods[index].upperBound { entry.begin(index, limit.interval(at: now)) }
            return
        }
        var from = at
        while from < now {
            let end = min(now, entry.periods[index].upperBound)
            if from < end { entry.spent[index] += amount(limit.kind, entry.watts, from, end) }
            from = max(from, end)
            if from >= entry.periods[index].upperBound { entry.begin(index, limit.interval(at: from)) }
        }
    }

    private func amount(_ kind: BudgetKind, _ watts: Double, _ from: Timestamp, _ to: Timestamp) -> Double {
        switch kind {
        case .energy: watts * to.since(from).seconds
        case .carbon: prices.grams(watts: watts, from, to).amount
        case .money: prices.money(watts: watts, from, to).amount
        }
    }

    /// By the daemon's own judgement.
    func verdicts(at now: Timestamp) -> [(place: Int, budget: Budget, verdict: BudgetVerdict)] {
        entries.enumerated().compactMap { place, entry in
            let amounts = zip(entry.limits, entry.spent).map { limit, spent in
                (limit.kind, Int64((min(max(0, spent), 9e12) * 1e6).rounded()))
            }
            let spent = Dictionary(amounts) { $1 }
            return entry.budget.verdict(spent: spent, at: now).map { (place, entry.budget, $0) }
        }
    }

    /// When the first of those that stop what runs has nothing left, as its jobs draw now, or before: then it is asked again.
    func nextSpent(after now: Timestamp) -> Timestamp? {
        entries.lazy.filter { $0.budget.whenSpent.value == .preempt && $0.watts > 0 }.flatMap { entry in
            zip(entry.limits, entry.spent).compactMap { limit, spent in
                spending(Double(limit.amount) / 1e6 - spent, limit.kind, entry.watts, from: now)
            }
        }.min()
    }

    /// How many steps of the grid are followed at a time: the work of an event does not grow with the length of a signal.
    private static let mostSteps = 64

    /// When so much is spent, step by step of what the grid is and will be; nil for never.
    private func spending(_ amount: Double, _ kind: BudgetKind, _ watts: Double, from now: Timestamp) -> Timestamp? {
        guard amount > 0 else { return nil }
        var (left, at) = (amount, now)
        for _ in 0..<Self.mostSteps {
            let change = nextChange(of: kind, after: at)
            let rate = self.amount(kind, watts, at, at.advanced(by: .seconds(1)))
            if rate > 0, left / rate < 1e9 {
                // At least a second on: what is short of it by a rounding is looked at again.
                let time = at.advanced(by: .seconds(max(1, left / rate)))
                guard let change, change < time else { return time }
            }
            guard let change else { return nil }
            left -= self.amount(kind, watts, at, change)
            at = change
        }
        return at
    }

    private func nextChange(of kind: BudgetKind, after time: Timestamp) -> Timestamp? {
        switch kind {
        case .energy: nil
        case .carbon: prices.intensity?.nextChange(after: time)
        case .money: prices.price?.nextChange(after: time)
        }
    }
}

extension BudgetBook.Entry {
    fileprivate mutating func begin(_ index: Int, _ period: Range<Timestamp>) {
        periods[index] = period
        spent[index] = 0
    }
}
