package import JobAPI

extension MachineLayout {
    /// The CPUs and GPUs a job gets: none of those that are taken, as near to each other as can be. The same question has the
    /// same answer.
    ///
    /// 1. GPUs of one vendor and on one node, where any node has as many free, else on the fewest nodes.
    /// 2. CPUs on one node where any has as many free: that of the GPUs, else one where no core is shared with another
    ///    job, else the one that is left with the least; else on the fewest nodes.
    /// 3. On a node whole cores before the threads that another job left, lower numbers first.
    ///
    /// Memory is not placed.
    ///
    /// - Parameters:
    ///   - taken: what other jobs hold.
    ///   - reserve: how many CPUs are left to the system, those of the lowest cores. They are given where nothing else is left.
    /// - Returns: nil where as much is not free.
    package func choose(
        _ request: ResourceVector, taken: some Sequence<Placement>, reserve: Int = 0
    ) -> Placement? {
        var takenCPUs: Set<Int> = []
        var takenGPUs: Set<String> = []
        for placement in taken {
            takenCPUs.formUnion(placement.cpus)
            takenGPUs.formUnion(placement.gpus.map(\.id))
        }
        guard request.cpus >= 0, request.gpus >= 0,
            let gpus = chooseGPUs(request.gpus, free: gpus.filter { !takenGPUs.contains($0.id) }),
            let cpus = chooseCPUs(
                request.cpus, taken: takenCPUs, reserve: reserve, near: Set(gpus.compactMap(\.node)))
        else { return nil }
        return Placement(
            cpus: cpus.map(\.number), nodes: Set(cpus.map(\.node)).sorted(),
            gpus: gpus.map { Placement.GPU(index: $0.index, id: $0.id) })
    }

    // MARK: - GPUs

    private func chooseGPUs(_ count: Int, free: [GPU]) -> [GPU]? {
        guard count > 0 else { return [] }
        guard free.count >= count else { return nil }
        // One vendor's where they suffice: hardly a program uses two kinds at once.
        let alike = GPU.Vendor.allCases.map { vendor in free.filter { $0.vendor == vendor } }
            .filter { $0.count >= count }
        let (gpus, _) =
            (alike.isEmpty ? [free] : alike).map { pool -> ([GPU], Int) in
                let nodes = Dictionary(grouping: pool) { $0.node ?? -1 }
                let order = Self.fewest(nodes.mapValues(\.count), for: count)
                return (order.flatMap { nodes[$0] ?? [] }, order.count)
            }.min { $0.1 < $1.1 } ?? ([], 0)
        return gpus.prefix(count).sorted { $0.index < $1.index }
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
            Self.fewest(nodes.mapValues(\.count), for: count, first: near)
                .flatMap { order(nodes[$0] ?? []) }.prefix(count))
    }

    // MARK: - Nodes

    /// The fewest nodes that hold `count` together: those of `first` where that takes no more, then the fullest, and last the one
    /// that is left with the least.
    private static func fewest(_ free: [Int: Int], for count: Int, first: Set<Int> = []) -> [Int] {
        func needed(_ count: Int, without used: [Int]) -> Int? {
            var left = count
            var nodes = 0
            for size in free.filter({ !used.contains($0.key) }).values.sorted(by: >) where left > 0 {
                left -= size
                nodes += 1
            }
            return left > 0 ? nil : nodes
        }
        guard let total = needed(count, without: []) else { return [] }
        var order: [Int] = []
        var left = count
        for node in first.sorted() where left > 0 {
            guard let size = free[node], size > 0, let rest = needed(max(0, left - size), without: order + [node]),
                order.count + 1 + rest <= total
            else { continue }
            order.append(node)
            left -= size
        }
        while left > 0 {
            let others = free.filter { !order.contains($0.key) && $0.value > 0 }
            let last = others.filter { $0.value >= left }.min { ($0.value, $0.key) < ($1.value, $1.key) }
            guard let next = last ?? others.max(by: { ($0.value, -$0.key) < ($1.value, -$1.key) }) else { break }
            order.append(next.key)
            left -= next.value
        }
        return order
    }
}
