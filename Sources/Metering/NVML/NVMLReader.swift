package import LinuxSystem
import Units

/// NVIDIA cards: the driver's energy counter (Volta and later), else its power sensor, integrated.
package struct NVMLReader: MeterReader {
    private struct Card: Sendable {
        var description: MeterDescription
        let device: NVML.Device
        /// Nil for cards without one, and once it was found to be wrong.
        var counter: EnergyCounter?
        var sensor: PowerIntegral
        var check = CounterCheck()
        var processes = CardProcesses()
        /// Why its counter is not used.
        var verdict: String?
        /// What cannot be told of the processes on it.
        var blindness: String?
    }

    private let library: NVML?
    private var cards: [Card] = []
    private var unused: [MeterDescription] = []

    /// NVIDIA does not state how often the counter renews: our allowance.
    static let renewalSeconds = 0.1

    /// Nil where there is no driver, or no card.
    package init?(roots: SystemRoots) {
        guard let name = roots.nvml else { return nil }
        do throws(NVML.Opening) {
            library = try NVML(library: name)
        } catch {
            guard case .unusable(let reason) = error else { return nil }
            library = nil
            unused = [Self.unusable("nvml", reason)]
            return
        }
        find()
        if cards.isEmpty, unused.isEmpty { return nil }
    }

    private static func unusable(_ domain: String, _ reason: String) -> MeterDescription {
        MeterDescription(
            domain: domain, kind: .gpu, source: "NVML", tier: .measured, status: "cannot be read: \(reason)",
            counted: false)
    }

    private mutating func find() {
        guard let library else { return }
        let count: Int
        do throws(NVML.Failure) { count = try library.count() } catch {
            unused.append(Self.unusable("nvml", error.message))
            return
        }
        for index in 0..<count {
            do throws(NVML.Failure) {
                let device = try library.device(index)
                cards.append(try card(device, library))
            } catch {
                unused.append(Self.unusable("gpu \(index)", error.message))
            }
        }
    }

    private func card(_ device: NVML.Device, _ library: NVML) throws(NVML.Failure) -> Card {
        let name = try library.name(device)
        let uuid = try library.uuid(device)
        var counter: EnergyCounter?
        do throws(NVML.Failure) {
            _ = try library.energy(device)
            counter = EnergyCounter(
                range: nil, ceiling: PowerBound.card, renewalSeconds: Self.renewalSeconds, standstillSeconds: 0.5)
        } catch {
            if error.code != NVML.Failure.notSupported { throw error }
            // An older card; then it must have a sensor.
            _ = try library.power(device)
        }
        let divided = library.isDivided(device) ? ", divided into instances (MIG): metered as a whole" : ""
        let description = MeterDescription(
            domain: uuid.lowercased().hasPrefix("gpu-") ? uuid.lowercased() : "gpu-\(uuid)", kind: .gpu,
            source: "\(counter == nil ? "power sensor" : "energy counter") of \(name) through NVML\(divided)",
            tier: .measured, updatesPerSecond: 1 / Self.renewalSeconds)
        return Card(
            description: description, device: device, counter: counter,
            sensor: PowerIntegral(ceiling: PowerBound.card))
    }

    package var descriptions: [MeterDescription] { cards.map(\.description) + unused }

    package mutating func begin() {
        guard let library else { return }
        for index in cards.indices {
            let device = cards[index].device
            let (energy, power) = (try? microjoules(library, device), try? watts(library, device))
            cards[index].counter?.begin(at: energy)
            cards[index].sensor.begin(at: power)
            cards[index].processes.begin(running: try? library.running(device))
        }
    }

    package mutating func sample(_ tick: MeterTick) -> [DomainSample] {
        guard let library else { return [] }
        return cards.indices.map { index in
            let reading = read(index, tick, library)
            let processes = processes(index, tick, library)
            var sample = cards[index].description.sample(reading, over: tick)
            sample.processes = processes
            if sample.gap == nil {
                let remarks = ["ok", cards[index].verdict, cards[index].blindness].compactMap(\.self)
                cards[index].description.status = remarks.joined(separator: "; ")
            }
            return sample
        }
    }

    private mutating func processes(_ index: Int, _ tick: MeterTick, _ library: NVML) -> [ProcessUse]? {
        let device = cards[index].device
        cards[index].blindness = nil
        var samples: [CardProcesses.Sample]?
        do throws(NVML.Failure) {
            samples = try library.utilisation(device, since: cards[index].processes.since(tick))
        } catch {
            cards[index].blindness = "how busy each process keeps it cannot be told (\(error.message))"
        }
        var running: CardProcesses.Running?
        do throws(NVML.Failure) {
            running = try library.running(device)
        } catch {
            cards[index].blindness = "who is on it cannot be told (\(error.message))"
        }
        return cards[index].processes.uses(running: running, samples: samples, tick: tick)
    }

    private mutating func read(_ index: Int, _ tick: MeterTick, _ library: NVML) -> DomainSample.Reading {
        let device = cards[index].device
        let bySensor: DomainSample.Reading
        do throws(NVML.Failure) {
            bySensor = cards[index].sensor.energy(
                to: try watts(library, device), over: tick.seconds, doubt: tick.doubt)
        } catch {
            cards[index].sensor.begin(at: nil)
            bySensor = .gap(Self.reason(error))
        }
        guard var counter = cards[index].counter else { return bySensor }
        let change: EnergyCounter.Change
        do throws(NVML.Failure) {
            change = counter.change(to: try microjoules(library, device), over: tick.seconds, doubt: tick.doubt)
        } catch {
            counter.begin(at: nil)
            cards[index].counter = counter
            return .gap(Self.reason(error))
        }
        cards[index].counter = counter
        compare(index, change, bySensor, tick)
        if cards[index].counter == nil { return bySensor }
        return change.reading
    }

    /// Takes the counter out of use if the sensor refutes it.
    private mutating func compare(
        _ index: Int, _ change: EnergyCounter.Change, _ bySensor: DomainSample.Reading, _ tick: MeterTick
    ) {
        guard tick.doubt == nil, case .energy(let sensor) = bySensor else { return }
        var counted = 0.0
        if case .energy(let microjoules) = change { counted = Double(microjoules) / 1e6 }
        cards[index].check.note(counter: counted, sensor: sensor.energy.joules, seconds: tick.seconds)
        let check = cards[index].check
        guard check.isRefuted else { return }
        cards[index].counter = nil
        cards[index].description.source = cards[index].description.source.replacing(
            "energy counter", with: "power sensor")
        cards[index].verdict =
            "its energy counter told \(Energy(joules: check.counted)) where the power sensor told "
            + "\(Energy(joules: check.integrated)), and is not used"
    }

    private func microjoules(_ library: NVML, _ device: NVML.Device) throws(NVML.Failure) -> UInt64 {
        let (value, overflow) = try library.energy(device).multipliedReportingOverflow(by: 1000)
        if overflow { throw NVML.Failure(code: -1, message: "an energy beyond all bounds") }
        return value
    }

    private func watts(_ library: NVML, _ device: NVML.Device) throws(NVML.Failure) -> Double {
        Double(try library.power(device)) / 1000
    }

    private static func reason(_ failure: NVML.Failure) -> String {
        failure.code == NVML.Failure.gpuIsLost ? "the GPU fell off the bus" : failure.message
    }
}
