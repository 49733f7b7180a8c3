package import LinuxSystem
import Units

/// RAPL energy counters through the kernel's powercap tree: the packages and the memory beside them, else the platform.
///
/// Only domains that do not overlap are counted: `package-N` and `dram` (which lies outside its package); `core` and
/// `uncore` lie inside it, and `psys` holds everything, so it is taken only where no package can be read.
package struct PowercapReader: MeterReader {
    private struct Domain: Sendable {
        var description: MeterDescription
        var zone: PowercapZone
    }

    private var domains: [Domain]
    /// Indices into `domains` of the packages, which may mirror each other.
    private let packages: [Int]
    private var mirrors: PowercapMirrors
    private let unused: [MeterDescription]

    /// Nil where the kernel shows no such counters.
    package init?(roots: SystemRoots) {
        let found = PowercapDiscovery(roots: roots)
        if found.isEmpty { return nil }
        domains = found.counted.map { Domain(description: $0.description, zone: $0.zone) }
        unused = found.unused
        packages = domains.indices.filter { found.counted[$0].description.kind == .cpu }
        mirrors = PowercapMirrors(count: packages.count)
    }

    package var descriptions: [MeterDescription] { domains.map(\.description) + unused }

    package mutating func begin() {
        for index in domains.indices { domains[index].zone.begin() }
    }

    package mutating func sample(_ tick: MeterTick) -> [DomainSample] {
        let changes = domains.indices.map { index in
            domains[index].zone.change(over: tick.seconds, doubt: tick.doubt)
        }
        let mirrored = mirroredDomains(changes, seconds: tick.seconds)
        var samples: [DomainSample] = []
        for (index, change) in changes.enumerated() {
            if let original = mirrored[index] {
                let name = domains[original].description.domain
                domains[index].description.status = "shows the counter of \(name): counted once"
                domains[index].description.counted = false
                continue
            }
            domains[index].description.counted = true
            let reading = change.reading
            if case .gap(let reason) = change {
                domains[index].description.status = reason
            } else {
                domains[index].description.status = "ok"
            }
            let description = domains[index].description
            samples.append(
                DomainSample(
                    domain: description.domain, kind: description.kind, start: tick.start, end: tick.end,
                    seconds: tick.seconds, reading: reading, tier: .measured, source: description.source))
        }
        return samples
    }

    /// For each domain that only repeats another's counter, the index of that other.
    private mutating func mirroredDomains(_ changes: [EnergyCounter.Change], seconds: Double) -> [Int: Int] {
        let deltas = packages.map { index -> UInt64? in
            if case .energy(let value) = changes[index] { value } else { nil }
        }
        var result: [Int: Int] = [:]
        for (position, original) in mirrors.update(deltas: deltas, seconds: seconds).enumerated() {
            if let original { result[packages[position]] = packages[original] }
        }
        return result
    }
}
