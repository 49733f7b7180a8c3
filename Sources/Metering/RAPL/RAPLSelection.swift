/// Decides which of a machine's RAPL counters are counted, so that no joule is counted twice, and why the others are not.
///
/// Packages, and the memory beside them (`dram` lies outside its package), else the platform, which holds both. `core` and
/// `uncore` lie inside a package.
struct RAPLSelection<Counter: RAPLCounter> {
    /// A counter that the kernel shows.
    struct Candidate {
        /// The kernel's name: `package-0`, `dram`, `psys`, `core`.
        var name: String
        /// The name of the domain it belongs to; nil for one that stands alone.
        var parent: String?
        /// Where the figure comes from, for people.
        var source: String
        /// Makes it ready for reading. Called only where it would be counted.
        var open: () -> Opening
    }

    enum Opening {
        case ready(Counter)
        /// It is there but cannot be read now.
        case unreadable(Counter, RAPLRefusal)
        case refused(RAPLRefusal)
    }

    /// One that cannot be read now, and its place among those that are counted.
    private struct Unreadable {
        var place: Int
        var description: MeterDescription
        var counter: Counter
    }

    private(set) var counted: [(description: MeterDescription, counter: Counter)] = []
    private(set) var unused: [MeterDescription] = []

    var isEmpty: Bool { counted.isEmpty && unused.isEmpty }

    /// - Parameter candidates: of two with one domain the first is counted.
    init(of candidates: [Candidate]) {
        for role in RAPLRole.allCases {
            var unreadable: [Unreadable] = []
            for candidate in candidates where RAPLRole(name: candidate.name) == role {
                add(candidate, role, &unreadable)
            }
            place(unreadable, role)
        }
    }

    private mutating func add(_ candidate: Candidate, _ role: RAPLRole, _ unreadable: inout [Unreadable]) {
        var description = MeterDescription(
            domain: Self.domain(candidate, role), kind: role.kind, source: candidate.source, tier: .measured,
            updatesPerSecond: RAPLTiming.updatesPerSecond)
        let opening = refusal(of: description.domain, candidate, role).map { Opening.refused($0) } ?? candidate.open()
        switch opening {
        case .ready(let counter):
            counted.append((description, counter))
            if role == .platform { dropMemory(inside: description.domain) }
        case .unreadable(let counter, let refusal):
            description.status = refusal.reason
            unreadable.append(Unreadable(place: counted.count, description: description, counter: counter))
        case .refused(let refusal):
            description.status = refusal.reason
            notUse(description)
        }
    }

    /// Counts what cannot be read now if another of its kind can: it is a gap until it can be read, and leaving it out
    /// would make the rest look like the whole. Where none of the kind can be read, the next best meter stands in.
    private mutating func place(_ unreadable: [Unreadable], _ role: RAPLRole) {
        var placed = 0
        for entry in unreadable {
            let isOneOfSeveral =
                role != .platform && counted.contains { $0.description.kind == role.kind }
                && !counted.contains { $0.description.domain == entry.description.domain }
            if isOneOfSeveral {
                counted.insert((entry.description, entry.counter), at: entry.place + placed)
                placed += 1
            } else {
                notUse(entry.description)
            }
        }
    }

    private mutating func notUse(_ description: MeterDescription) {
        var description = description
        description.counted = false
        unused.append(description)
    }

    /// Why a domain must not be counted beside those that are; nil if it may.
    private func refusal(of domain: String, _ candidate: Candidate, _ role: RAPLRole) -> RAPLRefusal? {
        if role == .part {
            return RAPLRefusal("lies inside \(candidate.parent ?? "another domain"): not counted")
        }
        if counted.contains(where: { $0.description.domain == domain }) {
            return RAPLRefusal("repeats \(domain), which is already counted")
        }
        guard role == .platform else { return nil }
        return Set(counted.map(\.description.kind)).refusalOfPlatform.map { RAPLRefusal($0) }
    }

    /// A platform holds the memory too.
    private mutating func dropMemory(inside platform: String) {
        for entry in counted where entry.description.kind == .memory {
            var description = entry.description
            description.status = "lies inside \(platform): not counted"
            notUse(description)
        }
        counted.removeAll { $0.description.kind == .memory }
    }

    /// `dram` under `package-1` is `dram-1`; a part carries its package's name: `core of package-0`.
    private static func domain(_ candidate: Candidate, _ role: RAPLRole) -> String {
        guard let parent = candidate.parent else { return candidate.name }
        if role == .memory, candidate.name == "dram", parent.hasPrefix("package-") {
            return "dram-" + parent.dropFirst("package-".count)
        }
        return role == .part ? "\(candidate.name) of \(parent)" : candidate.name
    }
}

/// Why a RAPL counter is not read, in words that complete "package-0: ...".
struct RAPLRefusal: Error {
    var reason: String

    init(_ reason: String) {
        self.reason = reason
    }
}
