package import ConfigFile
import Units

extension PolicySet {
    /// Reads policy files and merges them in the order of their names.
    ///
    /// A later file wins key by key; a rule it repeats by name takes the place of the earlier one; other rules follow.
    /// Keys no file sets keep their built-in values. The built-in queues stand only while no file defines a queue.
    /// - Parameter files: `name` is how the file is called in messages; order is by its last component, then the whole.
    /// - Throws: every problem of every file.
    package static func load(files: [(name: String, text: String)]) throws(ConfigProblems) -> PolicySet {
        let ordered = files.sorted { a, b in
            let (x, y) = (Array(lastComponent(a.name).utf8), Array(lastComponent(b.name).utf8))
            return x == y ? a.name < b.name : x.lexicographicallyPrecedes(y)
        }
        let collector = ConfigReader.Collector()
        var loader = PolicyLoader(collector: collector)
        for (index, file) in ordered.enumerated() {
            if index > 0, ordered[index - 1].name == file.name {
                collector.add(ConfigProblem(file: file.name, line: 0, message: "this policy file is given twice"))
                continue
            }
            do {
                loader.add(try TOMLParser.parse(file.text, file: file.name), file: file.name)
            } catch {
                collector.add(error)
            }
        }
        var set = loader.finish()
        try collector.check()
        set.files = ordered.map(\.name)
        set.hash = hash(of: ordered)
        return set
    }
}

/// Lays one file after the other over the built-in values.
struct PolicyLoader {
    let collector: ConfigReader.Collector
    var set: PolicySet

    init(collector: ConfigReader.Collector) {
        self.collector = collector
        set = .builtIn
        set.queues = []
    }

    mutating func add(_ table: ConfigTable, file: String) {
        let reader = ConfigReader(table, file: file, collector: collector)
        if let section = reader.table("machine") {
            assign(section, "reserve-cpus", section.integer("reserve-cpus", in: 0...100_000), &set.machine.reserveCpus)
            assign(section, "reserve-memory", section.size("reserve-memory"), &set.machine.reserveMemory)
            section.finish()
        }
        if let section = reader.table("site") {
            assign(section, "zone", zone(section), &set.site.zone)
            assign(section, "pue", section.number("pue", in: 1...10), &set.site.pue)
            assign(section, "embodied-kg", section.number("embodied-kg", in: 0...1e7), &set.site.embodiedKg)
            assign(section, "lifetime", atLeast(.seconds(86_400), "lifetime", section), &set.site.lifetime)
            assign(section, "wue", section.number("wue", in: 0...1000), &set.site.wue)
            assign(section, "ewif", section.number("ewif", in: 0...1000), &set.site.ewif)
            section.finish()
        }
        if let section = reader.table("billing") {
            assign(section, "basis", section.choice("basis"), &set.billing.basis)
            section.finish()
        }
        if let section = reader.table("ledger") {
            let hour = Duration.seconds(3600)
            assign(section, "keep-minutes", atLeast(hour, "keep-minutes", section), &set.keeping.minutes)
            assign(section, "keep-hours", atLeast(hour, "keep-hours", section), &set.keeping.hours)
            section.finish()
        }
        addQueues(reader)
        if let section = reader.table("limits") {
            let queued = section.integer("max-queued-per-user", in: 1...100_000_000)
            assign(section, "max-queued-per-user", queued, &set.limits.maxQueuedPerUser)
            let running = section.integer("max-running-per-user", in: 1...1_000_000)
            assign(section, "max-running-per-user", running, &set.limits.maxRunningPerUser)
            section.finish()
        }
        addSandboxes(reader)
        if let section = reader.table("access") {
            assign(section, "admins", admins(section), &set.access.admins)
            section.finish()
        }
        addNotify(reader)
        addRules(reader)
        reader.finish()
    }

    private mutating func addQueues(_ reader: ConfigReader) {
        var defaults: [(name: String, line: Int)] = []
        for (name, section) in reader.namedTables("queue") {
            checkName(name, section)
            let index = set.queues.firstIndex { $0.name == name } ?? set.queues.count
            if index == set.queues.count {
                set.queues.append(.init(name: name, source: section.reference("queue.\(name)")))
            }
            assign(section, "priority", section.integer("priority", in: 0...1000), &set.queues[index].priority)
            assign(section, "max-time", atLeast(.seconds(1), "max-time", section), &set.queues[index].maxTime)
            let cpus = section.integer("max-cpus-per-job", in: 1...100_000)
            assign(section, "max-cpus-per-job", cpus, &set.queues[index].maxCpusPerJob)
            let still = atLeast(.seconds(1), "max-suspended", section)
            assign(section, "max-suspended", still, &set.queues[index].maxSuspended)
            assign(section, "sandbox", section.string("sandbox"), &set.queues[index].sandbox)
            if let isDefault = section.boolean("default") {
                if isDefault {
                    if let first = defaults.first {
                        section.report(
                            "default",
                            "queue \"\(name)\" is a second default queue; \"\(first.name)\" is one already"
                                + " (line \(first.line))",
                            hint: "keep default = true in one of them")
                    }
                    defaults.append((name, section.line(of: "default")))
                    // A later file's default takes the place of an earlier one's.
                    for other in set.queues.indices { set.queues[other].isDefault.value = false }
                }
                assign(section, "default", isDefault, &set.queues[index].isDefault)
            }
            section.finish()
        }
    }

    private mutating func addRules(_ reader: ConfigReader) {
        var seen: [String: Int] = [:]
        for section in reader.tables("rule") {
            let name = section.string("name")
            if section.table["name"] == nil { section.missing("name", example: "\"no-training-at-noon\"") }
            let match = section.table("match").map { RuleMatch($0) } ?? RuleMatch()
            let action: Rule.Action? = section.choice("then")
            if section.table["then"] == nil { section.missing("then", example: "\"deny\"") }
            let message = section.string("message")
            if message != nil, action == .allow {
                section.report("message", "\"message\" has no effect in a rule that allows", hint: "remove it")
            }
            section.finish()
            guard let name, let action else { continue }
            if name.isEmpty || name.utf8.count > 100 {
                section.report("name", "a rule's name must have 1 to 100 bytes")
            }
            if let line = seen[name] {
                section.report(
                    "name", "rule \"\(name)\" is defined twice in this file (first on line \(line))",
                    hint: "give each rule its own name")
            }
            seen[name] = section.table.line
            let rule = Rule(
                name: name, match: match, action: action, message: message, reference: section.reference(name))
            if let index = set.rules.firstIndex(where: { $0.name == name }) {
                set.rules[index] = rule
            } else {
                set.rules.append(rule)
            }
        }
    }

    /// Gives a setting its value and the line that set it; an absent or wrong value changes nothing.
    func assign<T>(_ reader: ConfigReader, _ key: String, _ value: T?, _ setting: inout Setting<T>) {
        guard let value else { return }
        setting = Setting(value, source: reader.reference("\(reader.name).\(key)", at: key))
    }

    func assign<T>(_ reader: ConfigReader, _ key: String, _ value: T?, _ setting: inout Setting<T?>) {
        guard let value else { return }
        setting = Setting(value, source: reader.reference("\(reader.name).\(key)", at: key))
    }
}

extension ConfigReader {
    /// The line of `key`, or of the table.
    func reference(_ name: String, at key: String = "") -> RuleReference {
        RuleReference(file: file, line: line(of: key), name: name)
    }
}
