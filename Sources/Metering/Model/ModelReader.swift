package import LinuxSystem
import Units

/// Stands in where no energy counter can be read: power computed from the machine's CPU time and installed memory.
///
/// With a calibration of this machine its figures have the tier `calibrated`, else `table` and a wide range; they are never
/// called measured.
package struct ModelReader: MeterReader {
    /// Watts per GiB of installed memory: 0.3725 W/GB, Lannelongue, Grealey and Inouye 2021 (Green Algorithms, CC BY 4.0).
    package static let memoryWattsPerGiB = 0.3725
    /// The range: the CPU's watts already hold a server's installed memory, so perhaps nothing has to be added; and twice the
    /// figure as our bound for hungrier modules.
    package static let memoryHighFactor = 2.0

    private let power: CPUPowerModel
    private let memoryBytes: Int64?
    private var cpu: MeterDescription?
    private var memory: MeterDescription?
    /// What stands in the processor's description while all is well: `ok`, or why its figures are not better.
    private let standing: String

    /// - Parameters:
    ///   - covered: kinds that a better meter already covers.
    ///   - calibration: used if it is of this machine and holds nothing that is already covered; else the processor's
    ///     description says why not.
    ///   - cards: those that meters of their own count.
    package init?(
        roots: SystemRoots, leavingOut covered: Set<DomainKind> = [], calibration: Calibration? = nil,
        cards: Set<String> = []
    ) {
        var status = "ok"
        var identity = CPUIdentity()
        do {
            identity = try CPUIdentity(roots: roots)
        } catch {
            status = "the CPU is unknown: \(error)"
        }
        let cpus = try? ProcStat(roots: roots).cpus
        var used: Calibration?
        if let calibration {
            if let reason = Self.objection(to: calibration, identity, cpus: cpus, covered: covered, cards: cards) {
                status = "the calibration is not used: \(reason)"
            } else {
                used = calibration
            }
        }
        standing = status
        if let used {
            power = .calibrated(used)
            cpu = Self.describe(used)
        } else {
            let coefficients = CPUCoefficients(for: identity)
            power = .table(coefficients)
            if !covered.contains(.cpu) { cpu = Self.describe(coefficients, of: identity, status: status) }
        }
        if let cpus { cpu?.idlePower = power.idle(cpus: cpus) }
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
        if !covered.union(used?.coverage.kinds ?? []).contains(.memory) { self.memory = memory }
        if cpu == nil, self.memory == nil { return nil }
    }

    private static func objection(
        to calibration: Calibration, _ identity: CPUIdentity, cpus: Int?, covered: Set<DomainKind>, cards: Set<String>
    ) -> String? {
        guard let cpus else { return "the number of CPUs cannot be read" }
        let twice = calibration.coverage.kinds.intersection(covered).map(\.rawValue).sorted()
        if !twice.isEmpty { return "it holds \(twice.joined(separator: " and ")), which a meter already counts" }
        return calibration.mismatch(with: identity, cpus: cpus) ?? calibration.mismatch(with: cards)
    }

    private static func describe(
        _ coefficients: CPUCoefficients, of identity: CPUIdentity, status: String
    ) -> MeterDescription {
        let name = identity.modelName.isEmpty ? "an unnamed CPU" : "\"\(identity.modelName)\""
        return MeterDescription(
            domain: "cpu-model", kind: .cpu,
            source: "watts-per-thread table of Cloud Carbon Footprint (\(CPUPowerTable.year)) for \(name): "
                + coefficients.basis,
            tier: .table, status: status)
    }

    private static func describe(_ calibration: Calibration) -> MeterDescription {
        let isBoard = calibration.coverage == .board
        return MeterDescription(
            domain: isBoard ? "board-model" : "cpu-model", kind: isBoard ? .platform : .cpu,
            source: "calibrated on \(calibration.date.day) from \(calibration.source)", tier: .calibrated)
    }

    package var descriptions: [MeterDescription] { [cpu, memory].compactMap(\.self) }

    package mutating func begin() {}

    package mutating func sample(_ tick: MeterTick) -> [DomainSample] {
        var samples: [DomainSample] = []
        if var description = cpu {
            let sample = description.sample(cpuReading(tick), over: tick)
            if sample.gap == nil { description.status = standing }
            if let load = tick.load { description.idlePower = power.idle(cpus: load.cpus) }
            samples.append(sample)
            cpu = description
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
        return power.reading(load, seconds: tick.seconds)
    }

    private static func memoryWatts(_ bytes: Int64) -> Double { Double(bytes) / 1_073_741_824 * memoryWattsPerGiB }
}
