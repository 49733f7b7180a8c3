import Carbon
import Policy
import Scheduling
import Units

// How grid and machine stand in a replay, for rules that ask: the truth, as the daemon would be told it.
extension Replay {
    /// Tells the scheduler, and sees to it that it is told again when the grid changes.
    mutating func look(at now: Timestamp) {
        guard asksForGrid || policy.asksForPower else { return }
        var conditions = Conditions()
        if let series = options.forecast?.intensity, let value = series.value(at: now) {
            conditions.intensity = CarbonIntensity(gramsPerKilowattHour: value)
        }
        if let value = options.forecast?.price?.value(at: now), let currency = policy.priceCurrency {
            conditions.price = EnergyPrice(perKilowattHour: value, currency: currency)
        } else {
            // The fallback of a series moves no job, here as there: nobody knows that it is so.
            conditions.price = policy.constantPrice
        }
        if policy.asksForPower {
            let jobs = active.values.filter { !$0.isSuspended }.map { power(of: $0) }
            // In one order: sums of fractions depend on it.
            conditions.power = Power(watts: machine.idlePower + jobs.sorted().reduce(0, +))
        }
        self.conditions = conditions
        scheduler.adopt(conditions: conditions)
        nextLook = asksForGrid ? nextChange(after: now) : nil
    }

    private func nextChange(after now: Timestamp) -> Timestamp? {
        [options.forecast?.intensity, options.forecast?.price].compactMap { $0?.nextChange(after: now) }.min()
    }
}

extension PolicySet {
    /// What energy costs at all times, where the policy says so.
    var constantPrice: EnergyPrice? {
        if case .constant(let price) = carbon.price.value { price } else { nil }
    }

    /// What the prices of a trace are in: they do not say it, so it is what the policy writes.
    fileprivate var priceCurrency: String? {
        for rule in rules {
            if let price = rule.match.priceAbove { return price.currency }
        }
        for queue in queues {
            if case .price(let price) = queue.deferral.suspendAbove.value { return price.currency }
        }
        return nil
    }
}
