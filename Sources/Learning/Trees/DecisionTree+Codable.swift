extension DecisionTree: Codable {
    private enum CodingKeys: String, CodingKey { case task, features, nodes }

    /// - Throws: `dataCorrupted` unless the nodes form a tree over these features and classes, so that no prediction can
    ///   leave it or go round in it.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        task = try container.decode(Task.self, forKey: .task)
        features = try container.decode(Int.self, forKey: .features)
        nodes = try container.decode([Node].self, forKey: .nodes)
        if let problem {
            throw DecodingError.dataCorruptedError(
                forKey: .nodes, in: container, debugDescription: "not a decision tree: \(problem)")
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(task, forKey: .task)
        try container.encode(features, forKey: .features)
        try container.encode(nodes, forKey: .nodes)
    }

    private var problem: String? {
        if nodes.isEmpty { return "it has no nodes" }
        let width = if case .classification(let classes) = task { classes } else { 1 }
        if width < 1 { return "it has no classes" }
        var parents = [Int](repeating: 0, count: nodes.count)
        for (index, node) in nodes.enumerated() {
            if node.value.count != width { return "node \(index) has \(node.value.count) values, not \(width)" }
            guard node.samples > 0, node.impurity.isFinite, node.value.allSatisfy(\.isFinite) else {
                return "node \(index) has no samples or no finite value"
            }
            guard let split = node.split else { continue }
            guard (0..<max(features, 0)).contains(split.feature), split.threshold.isFinite else {
                return "node \(index) asks about feature \(split.feature)"
            }
            for child in [split.left, split.right] {
                // Later than its parent: so no way leads back.
                guard child > index, child < nodes.count else { return "node \(index) has the child \(child)" }
                parents[child] += 1
            }
        }
        if parents.dropFirst().contains(where: { $0 != 1 }) { return "a node is not the child of one other" }
        return nil
    }
}
