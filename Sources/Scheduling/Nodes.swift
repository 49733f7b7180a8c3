/// Nodes of memory (NUMA).
enum Nodes {
    /// The fewest nodes that hold `count` together: those of `first` where that takes no more, then the fullest, and last the one
    /// that is left with the least.
    static func fewest(_ free: [Int: Int], for count: Int, first: Set<Int> = []) -> [Int] {
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
