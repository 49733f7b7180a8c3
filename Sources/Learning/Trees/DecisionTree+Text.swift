import Glibc

extension DecisionTree {
    /// The same tree for features `x * scale + center`: its questions in the units that the data had before they were
    /// normalised.
    package func rescaled(center: [Double], scale: [Double]) -> DecisionTree {
        var copy = self
        for index in nodes.indices {
            guard let split = nodes[index].split, split.feature < min(center.count, scale.count) else { continue }
            copy.nodes[index].split?.threshold = split.threshold * scale[split.feature] + center[split.feature]
        }
        return copy
    }

    /// The rules, one a line, each under the one it depends on:
    ///
    ///     petal-width <= 0.8
    ///     |   setosa (50 samples)
    ///     petal-width > 0.8
    ///     |   petal-length <= 4.95
    ///     ...
    ///
    /// - Parameters:
    ///   - featureNames: for as many features as there are; others are called `x[0]`.
    ///   - classNames: likewise; others are called `class 0`.
    ///   - maxDepth: of the rules shown.
    package func rules(featureNames: [String] = [], classNames: [String] = [], maxDepth: Int = .max) -> String {
        func feature(_ index: Int) -> String {
            index < featureNames.count ? featureNames[index] : "x[\(index)]"
        }
        func label(_ node: Node) -> String {
            let what: String
            switch task {
            case .regression: what = DecisionTree.rounded(node.value.first ?? 0)
            case .classification:
                let index = Int(prediction(node))
                what = index < classNames.count ? classNames[index] : "class \(index)"
            }
            let count = "\(node.samples) sample\(node.samples == 1 ? "" : "s")"
            guard case .classification = task, let most = node.value.max(), Int(most) != node.samples else {
                return "\(what) (\(count))"
            }
            return "\(what) (\(Int(most)) of \(count))"
        }
        var text = ""
        func line(_ depth: Int, _ words: String) {
            for _ in 0..<depth { text += "|   " }
            text += words + "\n"
        }
        enum Part { case node(Int, depth: Int), line(String, depth: Int) }
        var pending = [Part.node(0, depth: 0)]
        while let part = pending.popLast() {
            switch part {
            case .line(let words, let depth): line(depth, words)
            case .node(let index, let depth):
                let node = nodes[index]
                guard let split = node.split, depth < maxDepth else {
                    line(depth, label(node) + (node.split == nil ? "" : ", ..."))
                    continue
                }
                let threshold = DecisionTree.rounded(split.threshold)
                line(depth, "\(feature(split.feature)) <= \(threshold)")
                pending.append(.node(split.right, depth: depth + 1))
                pending.append(.line("\(feature(split.feature)) > \(threshold)", depth: depth))
                pending.append(.node(split.left, depth: depth + 1))
            }
        }
        return text
    }

    /// Six significant digits.
    static func rounded(_ x: Double) -> String {
        guard x != 0, x.isFinite else { return "\(x)" }
        let exponent = 5 - Int(floor(log10(abs(x))))
        let power = pow(10, Double(abs(exponent)))
        let rounded = exponent >= 0 ? (x * power).rounded() / power : (x / power).rounded() * power
        return rounded.isFinite ? "\(rounded)" : "\(x)"
    }
}
