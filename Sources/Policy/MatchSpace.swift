import Units

/// A set of jobs at moments: those that meet a condition on each of their properties.
///
/// What a rule matches is one such set, and what it leaves of another is a few of them. So it can be said exactly whether anything
/// is left for a rule behind others, however they share it out. Users and groups are taken as free of each other, which is no
/// more than is known of them.
struct MatchSpace: Hashable {
    private var users = NameSet.allBut([])
    private var projects = NameSet.allBut([])
    private var queues: NameSet
    private var kinds = NameSet.only(Set(RuleMatch.kindNames))
    /// The job is in one group at least of each of these,
    private var someGroups: Set<Set<String>> = []
    /// and in none of these.
    private var noGroups: Set<String> = []
    private var cpus = Span(least: 1)
    private var gpus = Span(least: 0)
    private var memory = Span(least: ByteSize.mebibytes(1).bytes)
    /// Hours of the week.
    private var hours = Set(0..<168)
    private var intensity = Level()
    private var power = Level()
    /// Above this price in its currency,
    private var priceAbove: EnergyPrice?
    /// and, in each of these currencies, not above this.
    private var priceUpTo: [String: Double] = [:]

    /// Everything that can be submitted: requests below the least are refused before any rule is asked.
    init(queues: [String]) { self.queues = .only(Set(queues)) }

    /// One condition of a rule.
    enum Cut {
        case users(Set<String>), groups(Set<String>), projects(Set<String>), queues(Set<String>), kinds(Set<String>)
        case cpus(Int), gpus(Int), memory(ByteSize)
        case hours(Set<Int>)
        case intensity(CarbonIntensity), price(EnergyPrice), power(Power)
    }

    /// Nil where nothing meets all of the conditions.
    func within(_ cuts: [Cut]) -> MatchSpace? {
        var space = self
        for cut in cuts {
            guard let smaller = space.inside(cut) else { return nil }
            space = smaller
        }
        return space
    }

    /// What is left of it without those that meet all of the conditions.
    func without(_ cuts: [Cut]) -> [MatchSpace] {
        guard within(cuts) != nil else { return [self] }
        var parts: [MatchSpace] = []
        var rest = self
        for cut in cuts {
            if let part = rest.outside(cut) { parts.append(part) }
            guard let smaller = rest.inside(cut) else { break }
            rest = smaller
        }
        return parts
    }

    // MARK: - One condition

    private func inside(_ cut: Cut) -> MatchSpace? {
        var new = self
        let isSome: Bool
        switch cut {
        case .users(let names): isSome = new.users.keep(names)
        case .projects(let names): isSome = new.projects.keep(names)
        case .queues(let names): isSome = new.queues.keep(names)
        case .kinds(let names): isSome = new.kinds.keep(names)
        case .groups(let names):
            new.someGroups.insert(names)
            isSome = new.hasGroups
        case .cpus(let value): isSome = new.cpus.keep(above: Int64(value))
        case .gpus(let value): isSome = new.gpus.keep(above: Int64(value))
        case .memory(let value): isSome = new.memory.keep(above: value.bytes)
        case .hours(let some):
            new.hours.formIntersection(some)
            isSome = !new.hours.isEmpty
        case .intensity(let value): isSome = new.intensity.keep(above: value.gramsPerKilowattHour)
        case .power(let value): isSome = new.power.keep(above: value.watts)
        case .price(let price):
            if let old = new.priceAbove, old.currency != price.currency { return nil }
            if price.perKilowattHour > new.priceAbove?.perKilowattHour ?? -.infinity { new.priceAbove = price }
            isSome = new.hasPrices
        }
        return isSome ? new : nil
    }

    private func outside(_ cut: Cut) -> MatchSpace? {
        var new = self
        let isSome: Bool
        switch cut {
        case .users(let names): isSome = new.users.remove(names)
        case .projects(let names): isSome = new.projects.remove(names)
        case .queues(let names): isSome = new.queues.remove(names)
        case .kinds(let names): isSome = new.kinds.remove(names)
        case .groups(let names):
            new.noGroups.formUnion(names)
            isSome = new.hasGroups
        case .cpus(let value): isSome = new.cpus.keep(upTo: Int64(value))
        case .gpus(let value): isSome = new.gpus.keep(upTo: Int64(value))
        case .memory(let value): isSome = new.memory.keep(upTo: value.bytes)
        case .hours(let some):
            new.hours.subtract(some)
            isSome = !new.hours.isEmpty
        case .intensity(let value): isSome = new.intensity.keep(upTo: value.gramsPerKilowattHour)
        case .power(let value): isSome = new.power.keep(upTo: value.watts)
        case .price(let price):
            let limit = min(new.priceUpTo[price.currency] ?? .infinity, price.perKilowattHour)
            new.priceUpTo[price.currency] = limit
            isSome = new.hasPrices
        }
        return isSome ? new : nil
    }

    private var hasGroups: Bool { someGroups.allSatisfy { !$0.isSubset(of: noGroups) } }

    private var hasPrices: Bool {
        guard let above = priceAbove, let limit = priceUpTo[above.currency] else { return true }
        return above.perKilowattHour < limit
    }
}

/// Each returns whether anything is left.
private enum NameSet: Hashable {
    case only(Set<String>)
    case allBut(Set<String>)

    mutating func keep(_ names: Set<String>) -> Bool {
        switch self {
        case .only(let mine): become(mine.intersection(names))
        case .allBut(let others): become(names.subtracting(others))
        }
    }

    mutating func remove(_ names: Set<String>) -> Bool {
        switch self {
        case .only(let mine): return become(mine.subtracting(names))
        case .allBut(let others):
            self = .allBut(others.union(names))
            return true
        }
    }

    private mutating func become(_ names: Set<String>) -> Bool {
        self = .only(names)
        return !names.isEmpty
    }
}

/// Whole numbers from one to another.
private struct Span: Hashable {
    var least: Int64
    var most = Int64.max

    mutating func keep(above value: Int64) -> Bool {
        guard value < most else { return false }
        least = max(least, value + 1)
        return true
    }

    mutating func keep(upTo value: Int64) -> Bool {
        most = min(most, value)
        return least <= most
    }
}

/// A figure that may not be known, and then is above nothing.
private struct Level: Hashable {
    var above: Double?
    var upTo: Double?

    mutating func keep(above value: Double) -> Bool {
        above = max(above ?? -.infinity, value)
        return isSome
    }

    mutating func keep(upTo value: Double) -> Bool {
        upTo = min(upTo ?? .infinity, value)
        return isSome
    }

    private var isSome: Bool {
        guard let above, let upTo else { return true }
        return above < upTo
    }
}

extension RuleMatch {
    /// Its conditions; what tells most jobs apart comes first.
    var cuts: [MatchSpace.Cut] {
        var cuts: [MatchSpace.Cut] = []
        if let users { cuts.append(.users(users)) }
        if let projects { cuts.append(.projects(projects)) }
        if let queues { cuts.append(.queues(queues)) }
        if let kinds { cuts.append(.kinds(kinds)) }
        if let groups { cuts.append(.groups(groups)) }
        if let cpusAbove { cuts.append(.cpus(cpusAbove)) }
        if let gpusAbove { cuts.append(.gpus(gpusAbove)) }
        if let memoryAbove { cuts.append(.memory(memoryAbove)) }
        if !week.isAlways {
            let days = weekdays ?? Set(0..<7)
            let some = hours ?? Set(0..<24)
            cuts.append(.hours(Set(days.flatMap { day in some.map { day * 24 + $0 } })))
        }
        if let intensityAbove { cuts.append(.intensity(intensityAbove)) }
        if let priceAbove { cuts.append(.price(priceAbove)) }
        if let powerAbove { cuts.append(.power(powerAbove)) }
        return cuts
    }
}
