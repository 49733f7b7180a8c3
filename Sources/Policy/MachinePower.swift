import ConfigFile
import JobAPI
package import Units

/// What the machine draws with no job on it.
package enum IdlePower: Hashable, Sendable, CustomStringConvertible {
    /// As measured while no job runs.
    case observed
    case stated(Power)

    package var description: String {
        switch self {
        case .observed: "observed"
        case .stated(let power): power.description
        }
    }
}

/// How jobs may have GPUs together.
package enum GPUShare: String, CaseIterable, Sendable {
    /// A GPU has one job at a time.
    case off
    /// As many jobs as the memory they declare fits, where their queue and they themselves allow it.
    case memory
}

/// What each job's power is held to.
package enum PowerLimit: Hashable, Sendable, CustomStringConvertible {
    case none
    /// The lowest limit under which the job's like ran hardly longer.
    case fromHistory
    case fixed(Power)

    package var description: String {
        switch self {
        case .none: "none"
        case .fromHistory: "from-history"
        case .fixed(let power): power.description
        }
    }
}

extension PolicyLoader {
    mutating func addMachine(_ reader: ConfigReader) {
        guard let section = reader.table("machine") else { return }
        assign(section, "reserve-cpus", section.integer("reserve-cpus", in: 0...100_000), &set.machine.reserveCpus)
        assign(section, "reserve-memory", section.size("reserve-memory"), &set.machine.reserveMemory)
        assign(section, "power-cap", power("power-cap", section), &set.machine.powerCap)
        assign(section, "idle-power", idlePower(section), &set.machine.idlePower)
        if let floor = section.table("power-limit-floor") {
            assign(floor, "cpu", power("cpu", floor), &set.machine.cpuPowerFloor)
            assign(floor, "gpu", power("gpu", floor), &set.machine.gpuPowerFloor)
            floor.finish()
        }
        assign(section, "gpu-share", section.choice("gpu-share"), &set.machine.gpuShare)
        section.finish()
    }

    private func idlePower(_ reader: ConfigReader) -> IdlePower? {
        if case .string("observed") = reader.node("idle-power")?.value { return .observed }
        return power("idle-power", reader, or: "\"observed\"").map { .stated($0) }
    }

    /// `none`, `from-history` or watts.
    func powerLimit(_ key: String, _ reader: ConfigReader) -> PowerLimit? {
        switch reader.node(key)?.value {
        case .string("none"): return PowerLimit.none
        case .string("from-history"): return .fromHistory
        default: return power(key, reader, or: "\"none\" or \"from-history\"").map { .fixed($0) }
        }
    }

    /// A power that something can be held to: above 0 and at most 1 MW.
    func power(_ key: String, _ reader: ConfigReader, or words: String? = nil) -> Power? {
        let value = quantity(key, reader, example: "450 W", or: words) { text throws(UnitError) in
            try Power(parsing: text)
        }
        guard let value else { return nil }
        if value.watts > 0, value.watts <= 1e6 { return value }
        reader.report(
            key, "\"\(reader.name).\(key)\" is \(value); it must be above 0 W and at most 1000 kW",
            hint: "leave the key out for none")
        return nil
    }
}

extension PolicySet {
    /// The lines of `[machine]` in ``report()``.
    var machineLines: [PolicyReport.Line] {
        func line<T>(_ key: String, _ setting: Setting<T>, _ value: String) -> PolicyReport.Line {
            .init(key: "machine.\(key)", value: value, source: setting.place)
        }
        return [
            line("reserve-cpus", machine.reserveCpus, "\(machine.reserveCpus.value)"),
            line("reserve-memory", machine.reserveMemory, "\(machine.reserveMemory.value)"),
            line("power-cap", machine.powerCap, machine.powerCap.value?.description ?? "no limit"),
            line("idle-power", machine.idlePower, "\(machine.idlePower.value)"),
            line("power-limit-floor.cpu", machine.cpuPowerFloor, machine.cpuPowerFloor.value?.description ?? "not set"),
            line("power-limit-floor.gpu", machine.gpuPowerFloor, machine.gpuPowerFloor.value?.description ?? "not set"),
            line("gpu-share", machine.gpuShare, machine.gpuShare.value.rawValue),
        ]
    }
}
