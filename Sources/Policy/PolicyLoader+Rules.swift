import ConfigFile
import Units

extension PolicyLoader {
    mutating func addRules(_ reader: ConfigReader) {
        var seen: [String: Int] = [:]
        for section in reader.tables("rule") {
            let before = collector.problems.count
            let name = section.string("name")
            if section.table["name"] == nil { section.missing("name", example: "\"no-training-at-noon\"") }
            let match = section.table("match").map { RuleMatch($0) } ?? RuleMatch()
            let action: Rule.Action? = section.choice("then")
            if section.table["then"] == nil { section.missing("then", example: "\"deny\"") }
            let message = section.string("message")
            if message != nil, action == .allow {
                section.report("message", "\"message\" has no effect in a rule that allows", hint: "remove it")
            }
            let delay = delay(section, action)
            let cap = cap(section, action)
            section.finish()
            guard let name, let action else { continue }
            if name.isEmpty || name.utf8.count > 100 {
                section.report("name", "a rule's name must have 1 to 100 bytes", hint: "make it shorter")
            }
            if let line = seen[name] {
                section.report(
                    "name", "rule \"\(printable(name))\" is defined twice in this file (first on line \(line))",
                    hint: "give each rule its own name")
            }
            seen[name] = section.table.line
            if collector.problems.count > before { broken.insert("rule.\(name)") }
            var rule = Rule(
                name: name, match: match, action: action, message: message, reference: section.reference(name))
            rule.delay = delay
            rule.cap = cap
            if let index = set.rules.firstIndex(where: { $0.name == name }) {
                set.rules[index] = rule
            } else {
                set.rules.append(rule)
            }
        }
    }

    // MARK: - What some actions need

    private func delay(_ section: ConfigReader, _ action: Rule.Action?) -> Rule.Delay? {
        let upTo = within(.seconds(60), Self.year, "up-to", section)
        let text = section.string("until")
        let goal: DeferralGoal? = section.choice("minimise")
        let hasUpTo = section.table["up-to"] != nil
        guard action == .defer else {
            reportNoEffect(["up-to", "until", "minimise"], section, action, of: .defer)
            return nil
        }
        if hasUpTo == (section.table["until"] != nil) {
            section.report(
                hasUpTo ? "until" : "then",
                "a rule that defers needs \"up-to\" or \"until\"" + (hasUpTo ? ", not both" : ""),
                hint:
                    "up-to = \"12 h\" waits for the best time within that; until = \"22:00\" for the next such time, in UTC"
            )
            return nil
        }
        if let upTo { return .upTo(upTo, goal ?? .carbon) }
        guard let text else { return nil }
        if goal != nil {
            section.report("minimise", "\"minimise\" has no effect beside \"until\"", hint: "remove it, or use up-to")
        }
        if let time = TimeOfDay(text) { return .until(time) }
        section.report(
            "until", "\"rule.until\" is \"\(printable(text))\"; it must be a time of day in UTC",
            hint: "for example until = \"22:00\"")
        return nil
    }

    private func cap(_ section: ConfigReader, _ action: Rule.Action?) -> Rule.Cap {
        let cap = Rule.Cap(power: power("power", section), cpus: section.integer("cpus", in: 1...100_000))
        if action != .cap {
            reportNoEffect(["power", "cpus"], section, action, of: .cap)
        } else if section.table["power"] == nil, section.table["cpus"] == nil {
            section.report(
                "then", "a rule that caps needs \"power\" or \"cpus\"",
                hint: "for example power = \"200 W\" or cpus = 4, for each job it matches")
        }
        return cap
    }

    private func reportNoEffect(
        _ keys: [String], _ section: ConfigReader, _ action: Rule.Action?, of owner: Rule.Action
    ) {
        guard let action else { return }
        for key in keys where section.table[key] != nil {
            section.report(
                key, "\"\(key)\" has no effect in a rule with then = \"\(action.rawValue)\"",
                hint: "it belongs to then = \"\(owner.rawValue)\"; remove it, or change that")
        }
    }
}
