package import LinuxSystem
package import Units

/// All meters of one machine: finds them, reads them together, and decides which domains make up the total.
package struct MeterSet: Sendable {
    /// The longest interval that still counts as one reading, in seconds. The daemon reads once a second while jobs run
    /// and every five seconds while none does; after a longer silence nobody knows which job drew what, and a counter may have gone round unseen.
    package static let longestInterval = 30.0
    /// By how much the wall clock may drift from the monotonic clock within one interval, in seconds.
    package static let clockTolerance = 2.0

    /// A kind of reader in the order of precedence.
    private struct Place: Sendable {
        /// What it heeds of the kinds that the readers before it cover.
        var heeds: Set<DomainKind> = []
        /// Nil where the machine has no such meter, or none that is wanted.
        var find: @Sendable (SystemRoots, _ covered: Set<DomainKind>, Site) -> (any MeterReader)?
        /// Whether it matters which cards are counted before it, and not only that some are.
        var heedsCards = false
    }

    /// What the model must know of the machine.
    private struct Site: Sendable {
        var calibration: Calibration?
        /// The counted cards, of those that the reader heeds.
        var cards: Set<String> = []
    }

    /// Best first; the model stands in where no processor is measured.
    private static let order = [
        Place { roots, _, _ in PowercapReader(roots: roots) },
        Place(heeds: [.cpu, .memory, .platform]) { roots, covered, _ in PerfReader(roots: roots, leavingOut: covered) },
        Place { roots, _, _ in NVMLReader(roots: roots) },
        Place(heeds: [.cpu, .platform]) { roots, covered, _ in HwmonReader(roots: roots, leavingOut: covered) },
        Place(heeds: [.cpu, .platform]) { roots, covered, _ in IPMIReader(roots: roots, leavingOut: covered) },
        Place(
            heeds: [.cpu, .memory, .platform],
            find: { roots, covered, site in
                // A model beside a measured package would mix tiers in one total.
                covered.isDisjoint(with: [.cpu, .platform])
                    ? ModelReader(
                        roots: roots, leavingOut: covered, calibration: site.calibration, cards: site.cards) : nil
            }, heedsCards: true),
    ]

    /// What was found for one place.
    private struct Finding: Sendable {
        var reader: (any MeterReader)?
        /// The kinds that were covered when it was looked for.
        var covered: Set<DomainKind>
        /// The cards that were counted then.
        var cards: Set<String> = []
    }

    private let roots: SystemRoots?
    private let calibration: Calibration?
    private var found: [Finding]
    private var last: (at: Timestamp, nanoseconds: Int64)?

    /// Finds the meters of the machine under `roots`, best first.
    ///
    /// - Parameter calibration: what `mld calibrate` measured of this machine, for the model.
    package init(discovering roots: SystemRoots, calibration: Calibration? = nil) {
        self.roots = roots
        self.calibration = calibration
        found = []
        settle()
    }

    /// A set of given readers, for tests and for sources that are not discovered.
    package init(readers: [any MeterReader]) {
        roots = nil
        calibration = nil
        found = readers.map { Finding(reader: $0, covered: []) }
    }

    /// Looks for each meter for which those before it changed what they cover: at first for all, later for the next best
    /// where one turned out to be of no use.
    private mutating func settle() {
        guard let roots else { return }
        var covered: Set<DomainKind> = []
        var counted: Set<String> = []
        for (index, place) in Self.order.enumerated() {
            let heeded = covered.intersection(place.heeds)
            let cards = place.heedsCards ? counted : []
            if index == found.count || found[index].covered != heeded || found[index].cards != cards {
                let site = Site(calibration: calibration, cards: cards)
                var finding = Finding(reader: place.find(roots, heeded, site), covered: heeded, cards: cards)
                if last != nil { finding.reader?.begin() }
                if index == found.count { found.append(finding) } else { found[index] = finding }
            }
            let descriptions = (found[index].reader?.descriptions ?? []).filter(\.counted)
            covered.formUnion(descriptions.map(\.kind))
            counted.formUnion(descriptions.lazy.filter { $0.kind == .gpu }.map(\.domain))
        }
    }

    /// Every domain that was found, counted or not, with the state of its last reading.
    package var descriptions: [MeterDescription] { found.flatMap { $0.reader?.descriptions ?? [] } }

    /// What the domain draws when the machine idles: as its source states it, else as it was observed, else unknown.
    package func idlePower(of domain: String, baseline: IdleBaseline) -> Power? {
        descriptions.first { $0.domain == domain && $0.counted }?.idlePower ?? baseline.power(of: domain)
    }

    /// By how much that may be wrong, relative to it. A source that states its idle power has a range for all it says.
    package func idleDoubt(of domain: String) -> Double {
        descriptions.contains { $0.domain == domain && $0.counted && $0.idlePower != nil } ? 0 : IdleBaseline.doubt
    }

    /// Reads every counted domain and returns what each used since the call before.
    ///
    /// The first call only takes baselines and returns nothing, as does a call in the same nanosecond as the one before.
    /// - Parameters:
    ///   - at: the wall clock now; it names the interval.
    ///   - monotonicNanoseconds: the clock that never steps; it measures the interval.
    ///   - load: the machine's CPU time since the call before, nil when unknown.
    package mutating func sample(
        at: Timestamp, monotonicNanoseconds: Int64, load: MachineLoad?
    ) -> [DomainSample] {
        guard let last else {
            self.last = (at, monotonicNanoseconds)
            for index in found.indices { found[index].reader?.begin() }
            return []
        }
        guard monotonicNanoseconds != last.nanoseconds else { return [] }
        self.last = (at, monotonicNanoseconds)
        let tick = Self.tick(from: last, to: (at, monotonicNanoseconds), load: load)
        var samples: [DomainSample] = []
        for index in found.indices { samples += found[index].reader?.sample(tick).map(\.plausible) ?? [] }
        // After the samples, so that no interval is metered twice: what is found now counts from here on.
        settle()
        // A platform holds the cards, and memory that has a counter of its own. A model of the board never held the cards:
        // they were taken off when it was calibrated.
        return samples.map { sample in
            sample.kind == .platform && sample.tier == .measured
                ? sample.without(samples.filter { [.gpu, .memory].contains($0.kind) }) : sample
        }
    }

    /// Judges the interval itself, before anything is read over it.
    static func tick(
        from last: (at: Timestamp, nanoseconds: Int64), to now: (at: Timestamp, nanoseconds: Int64), load: MachineLoad?
    ) -> MeterTick {
        let (difference, overflow) = now.nanoseconds.subtractingReportingOverflow(last.nanoseconds)
        let elapsed = overflow ? -1 : Double(difference) / 1e9
        let wall = now.at.seconds - last.at.seconds
        var tick = MeterTick(start: last.at, end: now.at, seconds: elapsed, load: load)
        if elapsed < 0 {
            tick.seconds = max(0, wall)
            tick.doubt = "the monotonic clock went backwards"
        } else if wall < 0 {
            // The interval has a length but no place on the wall clock; it must not overlap one already written.
            tick.start = now.at
            tick.doubt = "the clock was set back by \((.seconds(elapsed - wall) as Duration).brief)"
        } else if wall > elapsed + clockTolerance {
            tick.seconds = wall
            tick.doubt =
                "the clock jumped ahead or the machine slept for \((.seconds(wall - elapsed) as Duration).brief)"
        } else if wall < elapsed - clockTolerance {
            tick.doubt = "the clock was set back by \((.seconds(elapsed - wall) as Duration).brief)"
        } else if elapsed > longestInterval {
            tick.doubt = "no reading for \((.seconds(elapsed) as Duration).brief)"
        }
        if tick.end < tick.start { tick.start = tick.end }
        return tick
    }
}
