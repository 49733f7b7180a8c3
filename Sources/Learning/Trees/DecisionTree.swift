/// A binary tree of questions `feature <= threshold`: CART, Breiman, Friedman, Olshen and Stone, "Classification and
/// regression trees", 1984.
///
/// Samples that answer yes go left. The same samples in the same order give the same tree: of equally good splits that
/// of the first feature counts, and of its thresholds the lowest.
package struct DecisionTree: Hashable, Sendable {
    package enum Task: Hashable, Sendable, Codable {
        case classification(classes: Int)
        case regression
    }

    package struct Node: Hashable, Sendable, Codable {
        /// Nil for a leaf.
        package var split: Split?
        /// Training samples that came here.
        package var samples: Int
        /// Of those, by the criterion the tree was grown with.
        package var impurity: Double
        /// How many samples of each class; or the mean, alone.
        package var value: [Double]
    }

    package struct Split: Hashable, Sendable, Codable {
        package var feature: Int
        package var threshold: Double
        package var left: Int
        package var right: Int
    }

    package let task: Task
    /// Features in a sample.
    package let features: Int
    /// The root first, each node before its children, the left one's before the right one's.
    package internal(set) var nodes: [Node]

    package var leafCount: Int { nodes.count { $0.split == nil } }

    /// Questions on the longest way.
    package var depth: Int {
        var depths = [Int](repeating: 0, count: nodes.count)
        for (index, node) in nodes.enumerated() {
            guard let split = node.split else { continue }
            depths[split.left] = depths[index] + 1
            depths[split.right] = depths[index] + 1
        }
        return depths.max() ?? 0
    }

    /// How much each feature's splits lowered the impurity, weighted by the samples that came by, as parts of 1; zeros if
    /// there is no split. "Mean decrease in impurity": Breiman et al., 1984, section 5.3.
    package var importances: [Double] {
        var gains = [Double](repeating: 0, count: features)
        for node in nodes {
            guard let split = node.split else { continue }
            func weighted(_ node: Node) -> Double { Double(node.samples) * node.impurity }
            gains[split.feature] += weighted(node) - weighted(nodes[split.left]) - weighted(nodes[split.right])
        }
        let total = gains.reduce(0, +)
        return total > 0 ? gains.map { $0 / total } : gains
    }
}

// MARK: - Prediction

extension DecisionTree {
    /// The leaf that a sample comes to.
    ///
    /// - Parameter x: ``features`` numbers, none of them NaN.
    package func leaf(_ x: UnsafePointer<Float>) -> Node {
        var node = nodes[0]
        while let split = node.split {
            node = nodes[Double(x[split.feature]) <= split.threshold ? split.left : split.right]
        }
        return node
    }

    /// The likeliest class (of equally likely ones the first), or the mean.
    package func prediction(_ leaf: Node) -> Float {
        if case .regression = task { return Float(leaf.value.first ?? 0) }
        return Float(leaf.value.indices.reduce(0) { leaf.value[$1] > leaf.value[$0] ? $1 : $0 })
    }

    /// The part of each class in a leaf.
    package func probabilities(_ leaf: Node) -> [Double] {
        let total = leaf.value.reduce(0, +)
        return leaf.value.map { $0 / total }
    }
}
