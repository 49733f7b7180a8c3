import ConfigFile
import Units

// What a rule cannot mean, given the rest of the policy.

extension PolicyLoader {
    mutating func checkRules() {
        let queues = set.queues.map(\.name)
        for (index, rule) in set.rules.enumerated() {
            let name = "rule \"\(printable(rule.name))\""
            for queue in (rule.match.queues ?? []).sorted() where !queues.contains(queue) {
                report(
                    rule.reference, "\(name) matches queue \"\(printable(queue))\", which does not exist",
                    hint: suggestion(queue, among: queues, what: "queues"))
            }
            if let earlier = set.rules[..<index].first(where: { makesUseless($0, rule, at: index) }) {
                let whom = earlier.match.isUnconditional ? "matches every job" : "matches all its jobs"
                let hint =
                    earlier.decides
                    ? "the first rule that matches decides; put the narrower rule first"
                    : "it adds nothing to the earlier one; remove it, or make it stricter"
                report(
                    rule.reference,
                    "\(name) is never reached: \"\(printable(earlier.name))\" (\(earlier.reference.place)) \(whom)",
                    hint: hint)
            }
            checkValues(rule, name)
            warnOfThresholds(rule, name)
        }
    }

    /// Whether `later` can change nothing because of `earlier`.
    ///
    /// Rules that bound running jobs are asked besides those that decide: only an `allow`, which ends the asking, or a denial
    /// at all times hides one; and an `allow` behind a denial still spares the jobs that run from the bounds behind it.
    private func makesUseless(_ earlier: Rule, _ later: Rule, at index: Int) -> Bool {
        guard earlier.match.covers(later.match) else { return false }
        switch (earlier.action, later.action) {
        case (.allow, _): return true
        case (.deny, .suspend), (.deny, .cap): return !earlier.match.changes
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
