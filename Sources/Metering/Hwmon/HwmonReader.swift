package import LinuxSystem
import Units

/// Power and energy that drivers publish as hardware-monitoring chips: graphics cards, and the board's own meter.
///
/// Of the many chips a machine has, only those count whose driver says what they feed. Others that tell watts are shown,
/// with the reason why they are not counted.
package struct HwmonReader: MeterReader {
    private struct Domain: Sendable {
        var description: MeterDescription
        var sensor: HwmonSensor
        /// Nil for cards without such a driver, and for what is no card.
        var compute: KFDCard?
        var processes = CardProcesses()
    }

    private var domains: [Domain] = []
    private var unused: [MeterDescription] = []

    /// - Parameter leavingOut: kinds that a better meter already covers. A platform holds the processors.
    package init?(roots: SystemRoots, leavingOut covered: Set<DomainKind> = []) {
        for chip in HwmonChip.all(in: roots) {
            guard let purpose = chip.purpose else { continue }
            let sensor = HwmonSensor(chip: chip.path, file: purpose.file, ceiling: purpose.ceiling)
            var description = MeterDescription(
                domain: purpose.domain, kind: purpose.kind ?? .platform,
                source: "\(sensor.isCounter ? "energy counter" : "power sensor") of \(chip.driver) (\(purpose.file))",
                tier: .measured)
            if let reason = Self.refusal(chip, purpose, sensor, covered, taken: domains.map(\.description)) {
                description.status = reason
                description.counted = false
                unused.append(description)
            } else {
                let compute = chip.driver == "amdgpu" ? KFDCard(roots: roots, address: chip.place) : nil
                domains.append(Domain(description: description, sensor: sensor, compute: compute))
            }
        }
        if domains.isEmpty, unused.isEmpty { return nil }
    }

    /// Why a sensor is not counted; nil if it is.
    private static func refusal(
        _ chip: HwmonChip, _ purpose: HwmonChip.Purpose, _ sensor: HwmonSensor, _ covered: Set<DomainKind>,
        taken: [MeterDescription]
    ) -> String? {
        guard let kind = purpose.kind else { return "what it feeds is not known: not counted" }
        if kind == .platform, let reason = covered.union(taken.map(\.kind)).refusalOfPlatform { return reason }
        do {
            _ = try sensor.value()
            return nil
        } catch {
            return "cannot be read: \(error.message)"
        }
    }

    package var descriptions: [MeterDescription] { domains.map(\.description) + unused }

    package mutating func begin() {
        for index in domains.indices {
            domains[index].sensor.begin()
            domains[index].processes.begin(running: try? domains[index].compute?.running())
        }
    }

    package mutating func sample(_ tick: MeterTick) -> [DomainSample] {
        domains.indices.map { index in
            let reading = domains[index].sensor.reading(over: tick.seconds, doubt: tick.doubt)
            var sample = domains[index].description.sample(reading, over: tick)
            var running: CardProcesses.Running?
            do throws(SystemFileError) {
                running = try domains[index].compute?.running()
            } catch {
                if sample.gap == nil {
                    domains[index].description.status = "ok; who is on it cannot be told (\(error))"
                }
            }
            let processes = domains[index].processes.uses(running: running, samples: nil, tick: tick)
            // Of those who draw pictures on it nothing is known: "nobody computes" is not "nobody".
            sample.processes = processes?.isEmpty == true ? nil : processes
            return sample
        }
    }
}
