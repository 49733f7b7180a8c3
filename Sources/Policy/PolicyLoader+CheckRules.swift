import ConfigFile
import Units

// What a rule cannot mean, given the rest of the policy.

extension PolicyLoader {
    mutating func checkRules() {
        let queues = set.queues.map(\.name)
        var cover = RuleCover(queues: queues)
        let barring = barringDenials(cover)
        for (index, rule) in set.rules.enumerated() {
            let name = "rule \"\(printable(rule.name))\""
            for queue in (rule.match.queues ?? []).sorted() where !queues.contains(queue) {
                report(
                    rule.reference, "\(name) matches queue \"\(printable(queue))\", which does not exist",
                    hint: suggestion(queue, among: queues, what: "queues"))
            }
            let hiding = isBroken(rule) ? [] : rules(hiding: rule, at: index, barring, &cover)
            if let first = hiding.first {
                let which = hiding.map { "\"\(printable($0.name))\" (\($0.reference.place))" }
                let verb = hiding.count == 1 ? "matches" : "together match"
                let whom = hiding.count == 1 && first.match.isUnconditional ? "every job" : "all its jobs"
                let hint =
                    first.decides
                    ? "the first rule that matches decides; put the narrower rule first"
                    : "it adds nothing to the earlier one; remove it, or make it stricter"
                report(
                    rule.reference, "\(name) is never reached: \(listed(which)) \(verb) \(whom)", hint: hint)
            }
            checkValues(rule, name)
            warnOfThresholds(rule, name)
        }
    }

    /// The places of the rules that deny at all times, and of whose jobs no earlier rule takes any: none of them ever runs.
    private func barringDenials(_ cover: RuleCover) -> Set<Int> {
        if set.rules.allSatisfy(\.decides) { return [] }
        var places: Set<Int> = []
        var taking: [RuleMatch] = []
        for (place, rule) in set.rules.enumerated() where rule.decides {
            if rule.action != .deny {
                // A job that an `allow` spares at all times is spared by it, whatever else denies it.
                if rule.action != .allow || rule.match.changes { taking.append(rule.match.jobs) }
            } else if !rule.match.changes, !taking.contains(where: { cover.overlap([$0, rule.match]) }) {
                places.insert(place)
            }
        }
        return places
    }

    /// A rule with a mistake in it may match less than what of it could be read.
    private func isBroken(_ rule: Rule) -> Bool { broken.contains("rule.\(rule.name)") }

    /// The earlier rules because of which `later` can change nothing: one of them, or several that share out its jobs.
    private func rules(
        hiding later: Rule, at index: Int, _ barring: Set<Int>, _ cover: inout RuleCover
    ) -> [Rule] {
        let earlier = set.rules[..<index].enumerated().filter { place, rule in
            !isBroken(rule) && mayHide(rule, later, at: index, isBarring: barring.contains(place))
        }.map(\.element)
        if let one = earlier.first(where: { $0.match.covers(later.match) }) { return [one] }
        return cover.rules(of: earlier, hiding: later)
    }

    /// Whether `later` can change nothing for jobs that `earlier` matches too.
    ///
    /// Rules that bound running jobs are asked besides those that decide: only an `allow`, which ends the asking, or a denial
    /// at all times of jobs that no rule takes before hides one; and an `allow` behind a denial still spares the jobs that run
    /// from the bounds behind it.
    private func mayHide(_ earlier: Rule, _ later: Rule, at index: Int, isBarring: Bool) -> Bool {
        switch (earlier.action, later.action) {
        case (.allow, _): return true
        case (.deny, .suspend), (.deny, .cap): return isBarring
        case (.deny, .allow), (.hold, .allow), (.defer, .allow):
            return !set.rules[index...].contains { !$0.decides }
        case (.suspend, .suspend): return true
        case (.cap, .cap):
            let power = later.cap.power.map { mine in earlier.cap.power.map { $0 <= mine } ?? false } ?? true
            let cpus = later.cap.cpus.map { mine in earlier.cap.cpus.map { $0 <= mine } ?? false } ?? true
            return power && cpus
        case (.suspend, _), (.cap, _), (_, .suspend), (_, .cap): return false
        default: return true
        }
    }

    private mutating func checkValues(_ rule: Rule, _ name: String) {
        if rule.action == .suspend {
            let queues = set.queues.filter { rule.match.queues?.contains($0.name) ?? true }
            if !queues.isEmpty, queues.allSatisfy({ $0.interruptible.value == false }) {
                report(
                    rule.reference, "\(name) suspends jobs, but no queue it matches has jobs that may be interrupted",
                    hint: "remove interruptible = false from "
                        + queues.map { "[queue.\($0.name)]" }.joined(separator: ", "))
            }
        }
        if let power = rule.cap.power {
            let floors = [("cpu", set.machine.cpuPowerFloor), ("gpu", set.machine.gpuPowerFloor)]
            for (kind, floor) in floors {
                // A job with a GPU may be held to the GPU's floor alone; one below both can be held to neither.
                guard let least = floor.value, power < least, kind == "cpu" || (rule.match.gpusAbove ?? -1) >= 0 else {
                    continue
                }
                report(
                    rule.reference, "\(name) caps at \(power), below machine.power-limit-floor.\(kind) = \(least)",
                    hint: "the floor (\(floor.place)) is the lowest limit that is set; cap at \(least) or more")
            }
            if let cap = set.machine.powerCap.value, power >= cap {
                warn(
                    rule.reference, "\(name) caps each job at \(power), which machine.power-cap = \(cap) does anyway",
                    hint: "lower it, or remove it (\(set.machine.powerCap.place))")
            }
        }
        if let price = rule.match.priceAbove, let currency = set.carbon.price.value?.currency,
            currency != price.currency
        {
            report(
                rule.reference,
                "\(name) compares with a price in \(price.currency), but carbon.price is in \(currency)",
                hint: "write it in \(currency)/kWh (\(set.carbon.price.place))")
        }
    }

    /// Thresholds that nothing ever crosses.
    private mutating func warnOfThresholds(_ rule: Rule, _ name: String) {
        warnOfSizes(rule, name)
        if let limit = rule.match.intensityAbove { warnIfConstant(.intensity(limit), rule.reference, name) }
        if let limit = rule.match.priceAbove { warnIfConstant(.price(limit), rule.reference, name) }
        if let limit = rule.match.powerAbove, let cap = set.machine.powerCap.value, limit >= cap {
            warn(
                rule.reference, "\(name) waits for more than \(limit), but machine.power-cap is \(cap)",
                hint: "use a figure below the cap (\(set.machine.powerCap.place))")
        }
    }

    mutating func warnIfConstant(_ threshold: GridThreshold, _ reference: RuleReference?, _ name: String) {
        switch threshold {
        case .intensity where !set.carbon.source.value.isSeries:
            warn(
                reference, "\(name) has a threshold of intensity, but carbon.source = \"table\" never changes",
                hint: "set carbon.source to a file or a service")
        case .price(let limit):
            switch set.carbon.price.value {
            case nil:
                warn(
                    reference, "\(name) has a threshold of price, but nothing says what energy costs",
                    hint: "set carbon.price = { file = \"/srv/prices.csv\", currency = \"\(limit.currency)\" }")
            case .constant(let price):
                warn(
                    reference, "\(name) has a threshold of price, but carbon.price is always \(price)",
                    hint: "set carbon.price to a file with prices over time")
            case .file: break
            }
        default: break
        }
    }
}
