package import LinuxSystem
import Units

/// Stands in where no energy counter can be read: power computed from the machine's CPU time and installed memory.
///
/// Its figures have the tier `table` and a wide range; they are never called measured.
package struct ModelReader: MeterReader {
    /// Watts per GiB of installed memory: 0.3725 W/GB, Lannelongue, Grealey and Inouye 2021 (Green Algorithms, CC BY 4.0).
    package static let memoryWattsPerGiB = 0.3725
    /// The range: the CPU's watts already hold a server's installed memory, so perhaps nothing has to be added; and twice the
    /// figure as our bound for hungrier modules.
    package static let memoryHighFactor = 2.0

    private let coefficients: CPUCoefficients
    private let memoryBytes: Int64?
    private var cpu: MeterDescription?
    private var memory: MeterDescription?

    /// - Parameter leavingOut: kinds that a better meter already covers.
    package init?(roots: SystemRoots, leavingOut covered: Set<DomainKind> = []) {
        var status = "ok"
        var identity = CPUIdentity()
        do {
            identity = try CPUIdentity(roots: roots)
        } catch {
            status = "the CPU is unknown: \(error)"
        }
        coefficients = CPUCoefficients(for: identity)
        let name = identity.modelName.isEmpty ? "an unnamed CPU" : "\"\(identity.modelName)\""
        if !covered.contains(.cpu) {
            cpu = MeterDescription(
                domain: "cpu-model", kind: .cpu,
                source: "watts-per-thread table of Cloud Carbon Footprint (\(CPUPowerTable.year)) for \(name): "
                    + coefficients.basis,
                tier: .table, status: status)
            if let cpus = try? ProcStat(roots: roots).cpus {
                cpu?.idlePower = Power(watts: coefficients.point.idleWatts * Double(cpus))
            }
        }
        let source = "\(Self.memoryWattsPerGiB) W per GiB of installed memory (Green Algorithms, 2021)"
        var memory = MeterDescription(domain: "memory-model", kind: .memory, source: source, tier: .table)
        do {
            let bytes = try MemoryInfo(roots: roots).totalBytes
            memoryBytes = bytes
            // Memory draws the same whether or not anyone uses it: all of it is idle power.
            memory.idlePower = Power(watts: Self.memoryWatts(bytes))
        } catch {
            memoryBytes = nil
            memory.status = "the installed memory cannot be read: \(error)"
            memory.counted = false
        }
        if !covered.contains(.memory) { self.memory = memory }
        if cpu == nil, self.memory == nil { return nil }
    }

    package var descriptions: [MeterDescription] { [cpu, memory].compactMap(\.self) }

    package mutating func begin() {}

    package mutating func sample(_ tick: MeterTick) -> [DomainSample] {
        var samples: [DomainSample] = []
        if var description = cpu {
            samples.append(description.sample(cpuReading(tick), over: tick))
            cpu = description
            if let load = tick.load {
                cpu?.idlePower = Power(watts: coefficients.point.idleWatts * Double(load.cpus))
            }
        }
        if var description = memory, let memoryBytes {
            let energy = Power(watts: Self.memoryWatts(memoryBytes)).over(seconds: tick.seconds)
            let high = Energy(joules: energy.joules * Self.memoryHighFactor)
            let reading: DomainSample.Reading =
                tick.doubt.map { .gap($0) } ?? .energy(EnergyRange(energy, low: .zero, high: high))
            samples.append(description.sample(reading, over: tick))
            memory = description
        }
        return samples
    }

    private func cpuReading(_ tick: MeterTick) -> DomainSample.Reading {
        if let doubt = tick.doubt { return .gap(doubt) }
        guard let load = tick.load, load.cpus > 0 else { return .gap("the machine's CPU time could not be read") }
        let utilisation = load.utilisation(over: tick.seconds)
        func energy(_ curve: PowerCurve) -> Energy {
            Power(watts: curve.watts(at: utilisation) * Double(load.cpus)).over(seconds: tick.seconds)
        }
        return .energy(
            EnergyRange(energy(coefficients.point), low: energy(coefficients.low), high: energy(coefficients.high)))
    }

    private static func memoryWatts(_ bytes: Int64) -> Double { Double(bytes) / 1_073_741_824 * memoryWattsPerGiB }
}
