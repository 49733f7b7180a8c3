package import ConfigFile
import Units

extension PolicySet {
    /// Reads policy files and merges them in the order of their names.
    ///
    /// A later file wins key by key; a rule it repeats by name takes the place of the earlier one; other rules follow.
    /// Keys no file sets keep their built-in values. The built-in queues stand only while no file defines a queue.
    /// - Parameters:
    ///   - files: `name` is how the file is called in messages; order is by its last component, then the whole.
    ///   - zones: who knows the zones of the grid; without it any word is taken for one.
    /// - Throws: every problem of every file.
    package static func load(
        files: [(name: String, text: String)], zones: ZoneLookup? = nil
    ) throws(ConfigProblems) -> PolicySet {
        let ordered = files.sorted { a, b in
            let (x, y) = (Array(lastComponent(a.name).utf8), Array(lastComponent(b.name).utf8))
            return x == y ? a.name < b.name : x.lexicographicallyPrecedes(y)
        }
        let collector = ConfigReader.Collector()
        var loader = PolicyLoader(collector: collector, zones: zones)
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
        set.texts = ordered.map(\.text)
        set.hash = hash(of: ordered)
        return set
    }
}

/// Lays one file after the other over the built-in values.
struct PolicyLoader {
    let collector: ConfigReader.Collector
    let zones: ZoneLookup?
    var set: PolicySet
    var warnings: [ConfigProblem] = []
    /// Sections with a wrong value, such as `budget.vision`: what they lack besides is not told of, for it may be that value.
    var broken: Set<String> = []

    init(collector: ConfigReader.Collector, zones: ZoneLookup? = nil) {
        self.collector = collector
        self.zones = zones
        set = .builtIn
        set.queues = []
    }

    mutating func add(_ table: ConfigTable, file: String) {
        let reader = ConfigReader(table, file: file, collector: collector)
        addMachine(reader)
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
        addLimits(reader)
        addSandboxes(reader)
        addAccess(reader)
        addCarbon(reader)
        addFairShare(reader)
        addReservations(reader)
        addBudgets(reader)
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
            readMoving(section, into: &set.queues[index])
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

    private mutating func addLimits(_ reader: ConfigReader) {
        guard let section = reader.table("limits") else { return }
        let queued = section.integer("max-queued-per-user", in: 1...100_000_000)
        assign(section, "max-queued-per-user", queued, &set.limits.maxQueuedPerUser)
        func count(_ key: String, upTo most: Int, _ setting: inout Setting<Int?>) {
            assign(section, key, section.integer(key, in: 1...most), &setting)
        }
        var limits = set.limits
        count("max-running-per-user", upTo: 1_000_000, &limits.maxRunningPerUser)
        count("max-cpus-per-user", upTo: 1_000_000, &limits.maxCpusPerUser)
        count("max-gpus-per-user", upTo: 1_000_000, &limits.maxGpusPerUser)
        count("max-queued-per-project", upTo: 100_000_000, &limits.maxQueuedPerProject)
        count("max-running-per-project", upTo: 1_000_000, &limits.maxRunningPerProject)
        count("max-cpus-per-project", upTo: 1_000_000, &limits.maxCpusPerProject)
        count("max-gpus-per-project", upTo: 1_000_000, &limits.maxGpusPerProject)
        set.limits = limits
        section.finish()
    }

    /// Reads a section; one in which that finds a problem is among ``broken``.
    mutating func reading(_ name: String, _ read: (inout PolicyLoader) -> Void) {
        let before = collector.problems.count
        read(&self)
        if collector.problems.count > before { broken.insert(name) }
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

/// Asked for a zone of the grid: its code if there is such a zone, else what was probably meant. The policy language itself
/// knows no zones; those who price energy do.
package typealias ZoneLookup = @Sendable (String) -> (code: String?, hint: String?)

extension ConfigReader {
    /// The line of `key`, or of the table.
    func reference(_ name: String, at key: String = "") -> RuleReference {
        RuleReference(file: file, line: line(of: key), name: name)
    }
}
