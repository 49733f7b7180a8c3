/// Claims on a card, by the rules that ``GPUUse`` tells.
extension Claims {
    init(card domain: String, _ usages: [Usage]) {
        self.init()
        var uses: [GPUUse] = []
        var indices: [Account: Int] = [:]
        for usage in usages {
            let use = usage.gpus[domain] ?? GPUUse()
            if let index = indices[usage.account] {
                uses[index] = uses[index].joined(use)
            } else {
                indices[usage.account] = accounts.count
                accounts.append(usage.account)
                uses.append(use.cleaned)
            }
        }
        use = Array(repeating: 0, count: uses.count)
        reserved = use
        let present = uses.indices.filter { uses[$0].isPresent }
        let owners = uses.indices.filter { uses[$0].isOwner && accounts[$0].isJob }
        divideActive(uses, among: present.isEmpty ? owners : present)
        weightedUse = use
        divideIdle(uses, present: present, owners: owners)
    }

    private mutating func divideActive(_ uses: [GPUUse], among candidates: [Int]) {
        func known<T: Comparable & AdditiveArithmetic>(_ value: (GPUUse) -> T?) -> [T]? {
            let values = candidates.compactMap { value(uses[$0]) }
            return values.count == candidates.count && values.contains { $0 > .zero } ? values : nil
        }
        let weights: [Double]
        if candidates.count == 1 {
            weights = [1]
        } else if let seconds = known(\.seconds) {
            weights = seconds
        } else {
            weights =
                known(\.memoryBytes).map { $0.map(Double.init) } ?? Array(repeating: 1, count: candidates.count)
            doubtful = Set(candidates)
        }
        for (index, weight) in zip(candidates, weights) { use[index] = weight }
    }

    private mutating func divideIdle(_ uses: [GPUUse], present: [Int], owners: [Int]) {
        let granted = uses.indices.filter { accounts[$0].isJob && (uses[$0].grantedShare ?? 0) > 0 }
        let jobs = present.filter { accounts[$0].isJob }
        if owners.isEmpty, !granted.isEmpty {
            for index in granted { reserved[index] = uses[index].grantedShare ?? 0 }
            unreserved = max(0, 1 - reserved.reduce(0, +))
        } else if let holders = [owners, jobs, present].first(where: { !$0.isEmpty }) {
            for index in holders { reserved[index] = 1 }
        } else {
            unreserved = 1
        }
    }
}
