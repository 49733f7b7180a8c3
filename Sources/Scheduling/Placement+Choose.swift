package import JobAPI

extension MachineLayout {
    /// The CPUs a job gets: none of those that are taken, as near to each other and to its GPUs as can be. The same question has
    /// the same answer.
    ///
    /// 1. CPUs on one node where any has as many free: that of the GPUs, else one where no core is shared with another
    ///    job, else the one that is left with the least; else on the fewest nodes.
    /// 2. On a node whole cores before the threads that another job left, lower numbers first.
    ///
    /// Memory is not placed.
    ///
    /// - Parameters:
    ///   - gpus: those it gets, by ``CardRoom``.
    ///   - taken: what other jobs hold.
    ///   - reserve: how many CPUs are left to the system, those of the lowest cores. They are given where nothing else is left.
    /// - Returns: nil where as many are not free.
    package func choose(
        cpus count: Int, beside gpus: [GPU] = [], taken: some Sequence<Placement>, reserve: Int = 0
    ) -> Placement? {
        var takenCPUs: Set<Int> = []
        for placement in taken { takenCPUs.formUnion(placement.cpus) }
        guard count >= 0,
            let cpus = chooseCPUs(count, taken: takenCPUs, reserve: reserve, near: Set(gpus.compactMap(\.node)))
        else { return nil }
        return Placement(
            cpus: cpus.map(\.number), nodes: Set(cpus.map(\.node)).sorted(),
            gpus: gpus.map { Placement.GPU(index: $0.index, id: $0.id) })
    }

    /// How many CPUs each node has free.
    package func freeCPUs(taken: some Sequence<Placement>) -> [Int: Int] {
        var free: [Int: Int] = [:]
        var takenCPUs: Set<Int> = []
        for placement in taken { takenCPUs.formUnion(placement.cpus) }
        for cpu in cpus where !takenCPUs.contains(cpu.number) { free[cpu.node, default: 0] += 1 }
        return free
    }

    // MARK: - CPUs

    private func chooseCPUs(_ count: Int, taken: Set<Int>, reserve: Int, near: Set<Int>) -> [CPU]? {
        let reserved = reservedCPUs(reserve)
        let free = cpus.filter { !taken.contains($0.number) }
        guard free.count >= count else { return nil }
        let open = free.filter { !reserved.contains($0.number) }
        let chosen = pick(min(count, open.count), from: open, near: near)
        guard open.count < count else { return chosen.sorted { $0.number < $1.number } }
        let last = pick(count - open.count, from: free.filter { reserved.contains($0.number) }, near: near)
        return (chosen + last).sorted { $0.number < $1.number }
    }

    private func reservedCPUs(_ count: Int) -> Set<Int> {
        guard count > 0 else { return [] }
        let cores = Dictionary(grouping: cpus, by: \.core).values.sorted { $0[0].number < $1[0].number }
        return Set(cores.joined().prefix(count).map(\.number))
    }

    /// - Parameter count: at most as many as there are in the pool.
    private func pick(_ count: Int, from pool: [CPU], near: Set<Int>) -> [CPU] {
        guard count > 0 else { return [] }
        let threads = Dictionary(grouping: cpus, by: \.core).mapValues(\.count)
        let freeThreads = Dictionary(grouping: pool, by: \.core).mapValues(\.count)
        func isWhole(_ cpu: CPU) -> Bool { freeThreads[cpu.core] == threads[cpu.core] }
        /// Whole cores first; the threads of one core one after the other.
        func order(_ cpus: [CPU]) -> [CPU] {
            Dictionary(grouping: cpus, by: \.core).values
                .sorted { a, b in
                    isWhole(a[0]) == isWhole(b[0]) ? a[0].number < b[0].number : isWhole(a[0])
                }.flatMap { $0 }
        }
        let nodes = Dictionary(grouping: pool, by: \.node)
        let enough = nodes.filter { $0.value.count >= count }
        let best = enough.min { a, b in
            func cost(_ node: (key: Int, value: [CPU])) -> [Int] {
                let shared = count - node.value.filter(isWhole).count
                return [near.contains(node.key) ? 0 : 1, max(0, shared), node.value.count, node.key]
            }
            return cost(a).lexicographicallyPrecedes(cost(b))
        }
        if let best { return Array(order(best.value).prefix(count)) }
        return Array(
            Nodes.fewest(nodes.mapValues(\.count), for: count, first: near)
                .flatMap { order(nodes[$0] ?? []) }.prefix(count))
    }
}
