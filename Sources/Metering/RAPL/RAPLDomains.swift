import LinuxSystem

/// The RAPL domains that one reader counts: reads them together, counts dies that show one counter once, and takes counters
/// out of use that never move.
struct RAPLDomains<Counter: RAPLCounter>: Sendable {
    private struct Domain: Sendable {
        var description: MeterDescription
        var counter: Counter
        /// Not believed any more. The first verdict stays: a counter that lied once may again.
        var isQuarantined = false
    }

    private var domains: [Domain]
    /// Indices into `domains` of the packages, which may mirror each other.
    private let packages: [Int]
    private var mirrors: RAPLMirrors
    private let unused: [MeterDescription]

    init(_ found: RAPLSelection<Counter>) {
        domains = found.counted.map { Domain(description: $0.description, counter: $0.counter) }
        unused = found.unused
        packages = domains.indices.filter { found.counted[$0].description.kind == .cpu }
        mirrors = RAPLMirrors(count: packages.count)
    }

    var descriptions: [MeterDescription] { domains.map(\.description) + unused }

    mutating func begin() {
        let start = SystemClock.monotonicNanoseconds()
        for index in domains.indices { domains[index].counter.begin() }
        noteReading(since: start)
    }

    private mutating func noteReading(since start: Int64) {
        mirrors.noteReading(seconds: Double(SystemClock.monotonicNanoseconds() - start) / 1e9)
    }

    mutating func sample(_ tick: MeterTick) -> [DomainSample] {
        let start = SystemClock.monotonicNanoseconds()
        let changes = domains.indices.map { change(of: $0, tick) }
        noteReading(since: start)
        let verdicts = verdicts(on: changes, seconds: tick.seconds)
        var samples: [DomainSample] = []
        for (index, change) in changes.enumerated() {
            var reading = change?.reading
            switch verdicts[index] {
            case .mirrors(let original):
                let name = domains[packages[original]].description.domain
                domains[index].description.status = "shows the counter of \(name): counted once"
                domains[index].description.counted = false
                continue
            case .undecided(let original):
                let name = domains[packages[original]].description.domain
                reading = .gap("not yet told apart from \(name)")
            case .own, nil: break
            }
            guard let reading else { continue }
            if !domains[index].isQuarantined { domains[index].description.counted = true }
            samples.append(domains[index].description.sample(reading, over: tick))
        }
        quarantine()
        return samples
    }

    /// Nil for a domain that is not counted any more.
    private mutating func change(of index: Int, _ tick: MeterTick) -> EnergyCounter.Change? {
        guard domains[index].isQuarantined else {
            return domains[index].counter.change(over: tick.seconds, doubt: tick.doubt)
        }
        return domains[index].description.counted ? .gap(tick.doubt ?? Self.verdict) : nil
    }

    private static var verdict: String {
        "the counter stood still for \(Int(EnergyCounter.stuckSeconds)) s: not used any more"
    }

    /// Takes counters out of use that stand still for good. As long as another domain of the kind is believed, the domain
    /// stays counted, with gaps only: leaving it out would make the rest look like the whole. Once there is none left, the
    /// kind is not covered, and ``MeterSet`` looks for the next best meter.
    private mutating func quarantine() {
        for index in domains.indices where domains[index].counter.isStuck { domains[index].isQuarantined = true }
        let believed = Set(domains.lazy.filter { !$0.isQuarantined }.map(\.description.kind))
        for index in domains.indices where domains[index].isQuarantined {
            domains[index].description.status = Self.verdict
            domains[index].description.counted = believed.contains(domains[index].description.kind)
        }
    }

    /// What each package is to those before it.
    private mutating func verdicts(
        on changes: [EnergyCounter.Change?], seconds: Double
    ) -> [Int: RAPLMirrors.Verdict] {
        let deltas = packages.map { changes[$0]?.advance }
        return Dictionary(uniqueKeysWithValues: zip(packages, mirrors.update(deltas: deltas, seconds: seconds)))
    }
}
