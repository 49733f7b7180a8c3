package import LinuxSystem
import Units

/// Power and energy that drivers publish as hardware-monitoring chips: graphics cards, and the board's own meter.
///
/// Of the many chips a machine has, only those count whose driver says what they feed. Others that tell watts are shown,
/// with the reason why they are not counted.
package struct HwmonReader: MeterReader {
    private struct Domain: Sendable {
        var description: MeterDescription
        /// What stands in `source` of the file read.
        let names: (counter: String, sensor: String)
        var sensor: HwmonSensor
        /// Nil for cards without such a driver, and for what is no card.
        var compute: KFDCard?
        var processes = CardProcesses()

        init(_ chip: HwmonChip, _ purpose: HwmonChip.Purpose, compute: KFDCard?) {
            names = (
                "energy counter of \(chip.driver) (\(purpose.counter ?? ""))",
                "power sensor of \(chip.driver) (\(purpose.power ?? ""))"
            )
            sensor = HwmonSensor(chip: chip.path, purpose)
            self.compute = compute
            description = MeterDescription(
                domain: purpose.domain, kind: purpose.kind ?? .platform, source: "", tier: .measured)
            description.source = source
        }

        var source: String { sensor.usesCounter ? names.counter : names.sensor }
    }

    private var domains: [Domain] = []
    /// Further meters of the board, for when the one in use turns out to be dead.
    private var spare: [Domain] = []
    private var unused: [MeterDescription] = []

    /// - Parameter leavingOut: kinds that a better meter already covers. A platform holds the processors.
    package init?(roots: SystemRoots, leavingOut covered: Set<DomainKind> = []) {
        for chip in HwmonChip.all(in: roots) {
            guard let purpose = chip.purpose else { continue }
            let compute = chip.driver == "amdgpu" ? KFDCard(roots: roots, address: chip.place) : nil
            var domain = Domain(chip, purpose, compute: compute)
            let isPart = chip.isPartOfProcessor || compute?.isPartOfProcessor == true
            let reason =
                isPart ? "lies inside the processor: its power is the socket's" : Self.refusal(purpose, domain, covered)
            if let reason {
                domain.description.refuse(reason)
                unused.append(domain.description)
            } else if purpose.kind == .platform, domains.contains(where: { $0.description.kind == .platform }) {
                domain.description.refuse(Set([DomainKind.platform]).refusalOfPlatform ?? "")
                spare.append(domain)
            } else {
                domains.append(domain)
            }
        }
        if descriptions.isEmpty { return nil }
    }

    /// Why a sensor is not counted; nil if it is.
    private static func refusal(
        _ purpose: HwmonChip.Purpose, _ domain: Domain, _ covered: Set<DomainKind>
    ) -> String? {
        guard let kind = purpose.kind else { return "what it feeds is not known: not counted" }
        if kind == .platform, let reason = covered.refusalOfPlatform { return reason }
        guard let error = domain.sensor.refusal else { return nil }
        // A card that cannot be read now, asleep or lost, stays a card with gaps: leaving it out would make the rest look
        // like the whole. Of a board the next best meter tells.
        return kind == .platform || error.isDenied ? "cannot be read: \(error.message)" : nil
    }

    package var descriptions: [MeterDescription] { (domains + spare).map(\.description) + unused }

    package mutating func begin() {
        for index in domains.indices {
            domains[index].sensor.begin()
            domains[index].processes.begin(running: try? domains[index].compute?.running())
        }
    }

    package mutating func sample(_ tick: MeterTick) -> [DomainSample] {
        let samples = domains.indices.filter { domains[$0].description.counted }.map { sample($0, tick) }
        for index in domains.indices where domains[index].description.kind == .platform { dismiss(index) }
        return samples
    }

    private mutating func sample(_ index: Int, _ tick: MeterTick) -> DomainSample {
        let reading = domains[index].sensor.reading(over: tick.seconds, doubt: tick.doubt)
        domains[index].description.source = domains[index].source
        var sample = domains[index].description.sample(reading, over: tick)
        var remarks = ["ok", domains[index].sensor.verdict].compactMap(\.self)
        var running: CardProcesses.Running?
        do throws(SystemFileError) {
            running = try domains[index].compute?.running()
        } catch {
            remarks.append("who is on it cannot be told (\(error))")
        }
        if sample.gap == nil { domains[index].description.status = remarks.joined(separator: "; ") }
        let processes = domains[index].processes.uses(running: running, samples: nil, tick: tick)
        // Of those who draw pictures on it nothing is known: "nobody computes" is not "nobody".
        sample.processes = processes?.isEmpty == true ? nil : processes
        return sample
    }

    /// Takes a board's sensor out of use that tells 0 W for good; the board is powered. Then another of the chips counts, else
    /// the kind is not covered, and ``MeterSet`` looks for the next best meter. A card that tells 0 W may be asleep.
    private mutating func dismiss(_ index: Int) {
        guard domains[index].description.counted, domains[index].sensor.isDead else { return }
        domains[index].description.refuse("told 0 W for \(Int(EnergyCounter.stuckSeconds)) s: not used any more")
        guard !spare.isEmpty else { return }
        var next = spare.removeFirst()
        next.description.counted = true
        next.description.status = "ok"
        next.sensor.begin()
        domains.append(next)
    }
}

extension MeterDescription {
    fileprivate mutating func refuse(_ reason: String) {
        status = reason
        counted = false
    }
}
