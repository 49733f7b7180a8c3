package import LinuxSystem
package import Units

/// All meters of one machine: finds them, reads them together, and decides which domains make up the total.
package struct MeterSet: Sendable {
    /// The longest interval that still counts as one reading, in seconds. The daemon reads once a second; after a longer
    /// silence nobody knows which job drew what, and a counter may have gone round unseen.
    package static let longestInterval = 30.0
    /// By how much the wall clock may drift from the monotonic clock within one interval, in seconds.
    package static let clockTolerance = 2.0

    private var readers: [any MeterReader]
    private var last: (at: Timestamp, nanoseconds: Int64)?

    /// Finds the meters of the machine under `roots`, best first; the model stands in where no processor is measured.
    package init(discovering roots: SystemRoots) {
        var readers: [any MeterReader] = []
        var covered: Set<DomainKind> { Set(readers.flatMap(\.descriptions).filter(\.counted).map(\.kind)) }
        if let reader = PowercapReader(roots: roots) { readers.append(reader) }
        if let reader = NVMLReader(roots: roots) { readers.append(reader) }
        if let reader = HwmonReader(roots: roots, leavingOut: covered) { readers.append(reader) }
        // A model beside a measured package would mix tiers in one total.
        if covered.isDisjoint(with: [.cpu, .platform]),
            let reader = ModelReader(roots: roots, leavingOut: covered)
        {
            readers.append(reader)
        }
        self.init(readers: readers)
    }

    /// A set of given readers, for tests and for sources that are not discovered.
    package init(readers: [any MeterReader]) {
        self.readers = readers
    }

    /// Every domain that was found, counted or not, with the state of its last reading.
    package var descriptions: [MeterDescription] { readers.flatMap(\.descriptions) }

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
            for index in readers.indices { readers[index].begin() }
            return []
        }
        guard monotonicNanoseconds != last.nanoseconds else { return [] }
        self.last = (at, monotonicNanoseconds)
        let tick = Self.tick(from: last, to: (at, monotonicNanoseconds), load: load)
        var samples: [DomainSample] = []
        for index in readers.indices { samples += readers[index].sample(tick) }
        return samples.map { $0.kind == .platform ? $0.without(samples.filter { $0.kind == .gpu }) : $0 }
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
