package import Units

/// One interval between two readings, as the machine's clocks saw it.
package struct MeterTick: Sendable, Hashable {
    package var start: Timestamp
    package var end: Timestamp
    /// Length by the monotonic clock, more than zero.
    package var seconds: Double
    /// CPU time of the machine in the interval; nil when it could not be read.
    package var load: MachineLoad?
    /// Set when the interval itself is in doubt (missed, or a clock stepped): every reading over it is a gap.
    package var doubt: String?

    package init(start: Timestamp, end: Timestamp, seconds: Double, load: MachineLoad? = nil, doubt: String? = nil) {
        self.start = start
        self.end = end
        self.seconds = seconds
        self.load = load
        self.doubt = doubt
    }
}

/// What is known of one power domain, whether or not it is read.
package struct MeterDescription: Sendable, Hashable {
    package var domain: String
    package var kind: DomainKind
    package var source: String
    package var tier: MeterTier
    /// `ok`, or why the domain is not read or gave no figure last time.
    package var status: String
    /// Whether the domain's samples are part of the metered total. A domain inside another one is not.
    package var counted: Bool
    /// How often the source itself renews its figure; nil when it is computed at each reading.
    package var updatesPerSecond: Double?
    /// What the domain draws when the machine idles, where the source states it (a model does, a counter does not).
    package var idlePower: Power?

    package init(
        domain: String, kind: DomainKind, source: String, tier: MeterTier, status: String = "ok", counted: Bool = true,
        updatesPerSecond: Double? = nil, idlePower: Power? = nil
    ) {
        self.domain = domain
        self.kind = kind
        self.source = source
        self.tier = tier
        self.status = status
        self.counted = counted
        self.updatesPerSecond = updatesPerSecond
        self.idlePower = idlePower
    }
}

extension MeterDescription {
    /// The domain's sample over the tick; a gap's reason becomes the domain's status.
    mutating func sample(_ reading: DomainSample.Reading, over tick: MeterTick) -> DomainSample {
        let sample = DomainSample(
            domain: domain, kind: kind, start: tick.start, end: tick.end, seconds: tick.seconds, reading: reading,
            tier: tier, source: source
        ).plausible
        status = sample.gap ?? "ok"
        return sample
    }
}

extension Set<DomainKind> {
    /// Why a meter of the whole platform must not be counted beside these kinds; nil if it may.
    var refusalOfPlatform: String? {
        if contains(.cpu) { return "holds the packages, which are counted one by one" }
        return contains(.platform) ? "repeats a platform meter that is already counted" : nil
    }
}

/// One source of power figures. A new kind of meter is one type that conforms to this, and its place in ``MeterSet``.
///
/// What is there but cannot be used is a description that is not counted, so that people are told why.
package protocol MeterReader: Sendable {
    var descriptions: [MeterDescription] { get }

    /// Takes the first readings, from which the next tick counts.
    mutating func begin()

    /// One sample per counted domain: a reading over the tick, or a gap. Never throws: a failed reading *is* a gap.
    mutating func sample(_ tick: MeterTick) -> [DomainSample]
}
