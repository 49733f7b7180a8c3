package import Units

/// What each measured domain draws while the machine idles, learned from intervals in which no job ran.
///
/// Never derived from a busy interval: power is not proportional to utilisation. The value is kept across restarts.
package struct IdleBaseline: Sendable, Hashable, Codable {
    package struct Entry: Sendable, Hashable, Codable {
        package var watts: Double
        /// How much quiet time it rests on, in seconds.
        package var observedSeconds: Double
        package var updated: Timestamp

        package init(watts: Double, observedSeconds: Double, updated: Timestamp) {
            self.watts = watts
            self.observedSeconds = observedSeconds
            self.updated = updated
        }
    }

    /// A machine without jobs whose CPUs are busier than this is not idle: someone works on it outside of mld.
    package static let quietUtilisation = 0.1
    /// Shorter intervals hold too few renewals of a counter.
    package static let shortestInterval = 0.5
    /// Older quiet time is forgotten at this pace, in seconds: rooms warm up and settings change.
    package static let memorySeconds = 600.0
    /// By how much the idle power may differ from what was observed, relative to it: it follows the room's temperature, and
    /// what the system does in quiet time counts as idle.
    package static let doubt = 0.03

    package private(set) var entries: [String: Entry]

    package init(entries: [String: Entry] = [:]) {
        self.entries = entries
    }

    /// Nil until quiet time was observed, and for a kept value that makes no sense.
    package func power(of domain: String) -> Power? {
        guard let watts = entries[domain]?.watts, watts.isFinite, watts >= 0 else { return nil }
        return Power(watts: watts)
    }

    /// Learns from a sample if what it measures was quiet; does nothing otherwise.
    ///
    /// A card is quiet when no job ran and no process was on it, whatever the CPUs did. Everything else, also a card whose
    /// processes nobody can tell, is quiet when no job ran and the CPUs had next to nothing to do.
    /// - Parameters:
    ///   - jobsRan: whether any job ran in any part of the interval.
    ///   - load: the machine's CPU time in the interval; without it nobody can say that it was quiet.
    package mutating func observe(_ sample: DomainSample, jobsRan: Bool, load: MachineLoad?) {
        guard !jobsRan, sample.tier == .measured, sample.seconds >= Self.shortestInterval, let power = sample.power,
            Self.isQuiet(sample, load: load)
        else { return }
        var entry = entries[sample.domain] ?? Entry(watts: power.watts, observedSeconds: 0, updated: sample.end)
        if self.power(of: sample.domain) == nil { entry.watts = power.watts }
        let weight = min(max(0, entry.observedSeconds), Self.memorySeconds)
        entry.watts += (power.watts - entry.watts) * sample.seconds / (weight + sample.seconds)
        entry.observedSeconds += sample.seconds
        entry.updated = sample.end
        entries[sample.domain] = entry
    }

    private static func isQuiet(_ sample: DomainSample, load: MachineLoad?) -> Bool {
        if sample.kind == .gpu, let processes = sample.processes { return processes.isEmpty }
        guard let load else { return false }
        return load.utilisation(over: sample.seconds) <= quietUtilisation
    }
}
