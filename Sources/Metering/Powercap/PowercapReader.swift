package import LinuxSystem

/// RAPL energy counters through the kernel's powercap tree.
package struct PowercapReader: MeterReader {
    private var domains: RAPLDomains<PowercapZone>

    /// Nil where the kernel shows no such counters.
    package init?(roots: SystemRoots) {
        let found = RAPLSelection(of: PowercapDiscovery(roots: roots).candidates)
        if found.isEmpty { return nil }
        domains = RAPLDomains(found)
    }

    package var descriptions: [MeterDescription] { domains.descriptions }

    package mutating func begin() { domains.begin() }

    package mutating func sample(_ tick: MeterTick) -> [DomainSample] { domains.sample(tick) }
}
