extension DecisionTree {
    /// The smallest subtree that has the least `impurity + alpha × leaves`, where a leaf's impurity counts by its part of
    /// the samples: minimal cost-complexity pruning, Breiman et al., 1984, section 3.3. One pass from the leaves up finds
    /// it (their theorem 3.10).
    package func pruned(alpha: Double) -> DecisionTree {
        let total = Double(nodes[0].samples)
        var costs = [Double](repeating: 0, count: nodes.count)
        var isLeaf = [Bool](repeating: true, count: nodes.count)
        // Children come after their parents.
        for index in nodes.indices.reversed() {
            costs[index] = nodes[index].impurity * Double(nodes[index].samples) / total + alpha
            guard let split = nodes[index].split else { continue }
            let below = costs[split.left] + costs[split.right]
            if costs[index] <= below { continue }
            costs[index] = below
            isLeaf[index] = false
        }
        var copy = self
        copy.nodes = []
        var pending: [(old: Int, parent: Int, isLeft: Bool)] = [(0, -1, false)]
        while let (old, parent, isLeft) = pending.popLast() {
            let index = copy.nodes.count
            var node = nodes[old]
            if isLeaf[old] { node.split = nil }
            copy.nodes.append(node)
            if parent >= 0 {
                if isLeft {
                    copy.nodes[parent].split?.left = index
                } else {
                    copy.nodes[parent].split?.right = index
                }
            }
            if let split = node.split {
                pending.append((split.right, index, false))
                pending.append((split.left, index, true))
            }
        }
        return copy
    }
}
