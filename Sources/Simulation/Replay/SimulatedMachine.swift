package import Policy
import Scheduling
import Units

/// The machine a trace is replayed on: what it can give, and what it draws.
package struct SimulatedMachine: Hashable, Sendable {
    /// What it has, before any reserve; nil where every job finds room.
    package var capacity: MachineCapacity?
    /// Drawn at all times, in watts.
    package var idlePower: Double
    /// Drawn besides for each CPU and each GPU that a job holds while it computes, in watts; a job's own figure goes before them.
    package var cpuPower: Double
    package var gpuPower: Double

    package init(capacity: MachineCapacity?, idlePower: Double = 0, cpuPower: Double = 0, gpuPower: Double = 0) {
        self.capacity = capacity
        self.idlePower = Self.sane(idlePower)
        self.cpuPower = Self.sane(cpuPower)
        self.gpuPower = Self.sane(gpuPower)
    }

    /// What a job draws while it computes, in watts beyond the idle machine.
    /// - Parameter gpuPart: the part of each of its GPUs that is its, so that those who share one draw no more than it does.
    package func power(of job: TraceJob, gpuPart: Double = 1) -> Double {
        job.power ?? (Double(job.request.cpus) * cpuPower + Double(job.request.gpus) * gpuPart * gpuPower)
    }

    /// Of each of these GPUs, by their places, the part of the memory that a job declared which shares them: the mean over them.
    func gpuPart(of request: ResourceVector, on places: [Int]?) -> Double {
        guard request.card.isShared, let cards = capacity?.cards, let places, !places.isEmpty else { return 1 }
        let parts = places.map { place -> Double in
            guard cards.indices.contains(place), let memory = cards[place].memory, memory > .zero else { return 1 }
            return min(1, Double(request.card.memory.bytes) / Double(memory.bytes))
        }
        return parts.reduce(0, +) / Double(parts.count)
    }

    /// To the policy and the scheduler a machine without limits is one that no sum of requests can fill.
    var limits: MachineCapacity {
        capacity ?? MachineCapacity(cpus: 1 << 50, memory: MachineCapacity.unknownMemory, gpus: 1 << 50)
    }

    private static func sane(_ watts: Double) -> Double { watts.isFinite ? min(max(0, watts), 1e7) : 0 }
}

extension Trace {
    /// Whether jobs that do not say what they draw hold CPUs and GPUs, so that the machine has to say it.
    package var heldWithoutPower: (cpus: Bool, gpus: Bool) {
        let jobs = jobs.lazy.filter { $0.power == nil }
        return (jobs.contains { $0.request.cpus > 0 }, jobs.contains { $0.request.gpus > 0 })
    }
}
