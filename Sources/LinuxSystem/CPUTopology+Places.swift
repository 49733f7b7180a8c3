import CLinux

/// Where one CPU is: which others are threads of the same core, and which memory is near.
package struct CPUPlace: Hashable, Sendable {
    package var number: Int
    /// The lowest number among the threads of its core.
    package var core: Int
    /// Its memory node (NUMA); 0 where the kernel tells none.
    package var node: Int

    package init(number: Int, core: Int, node: Int) {
        self.number = number
        self.core = core
        self.node = node
    }
}

extension CPUTopology {
    /// The numbers of the CPUs this process may run on, rising: those that are online and allowed, of the real machine.
    package static func usableNumbers() -> [Int] {
        var numbers = [Int32](repeating: 0, count: 8192)
        let count = mld_usable_cpu_numbers(&numbers, Int32(numbers.count))
        guard count > 0 else { return Array(0..<usableCPUs()) }
        return numbers.prefix(Int(count)).map { Int($0) }
    }

    /// What sysfs says of these CPUs. What it does not say is taken for the plainest: a core of its own, on node 0.
    package static func places(of cpus: [Int], roots: SystemRoots) -> [CPUPlace] {
        let system = roots.sysfs + "/devices/system"
        var nodes: [Int: Int] = [:]
        let names = (try? SystemFile.names(in: system + "/node")) ?? []
        for node in names.compactMap({ $0.hasPrefix("node") ? Int($0.dropFirst(4)) : nil }).sorted() {
            // Of a node without CPUs the list is empty.
            guard let text = try? SystemFile.word("\(system)/node/node\(node)/cpulist", limit: 64 * 1024),
                let list = list(text)
            else { continue }
            for cpu in list where nodes[cpu] == nil { nodes[cpu] = node }
        }
        return cpus.map { cpu in
            let topology = "\(system)/cpu/cpu\(cpu)/topology/"
            // The second is what older kernels call it.
            let siblings = ["core_cpus_list", "thread_siblings_list"].lazy
                .compactMap { try? SystemFile.word(topology + $0) }.compactMap { list($0) }.first
            // A list without the CPU itself is of something else.
            let core = siblings.flatMap { $0.contains(cpu) ? $0.min() : nil } ?? cpu
            return CPUPlace(number: cpu, core: core, node: nodes[cpu] ?? 0)
        }
    }
}
