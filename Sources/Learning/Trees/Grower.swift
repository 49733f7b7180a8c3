import Glibc
import Tensors

/// Splits nodes, from the root on, until nothing is left to split.
struct Grower {
    private let samples: Samples
    private let task: DecisionTree.Task
    private let options: DecisionTree.Options
    /// Sorted into nodes: each holds a range.
    private var indices: [Int32]
    private var spare: [Int32] = []
    private var sorted = SortedFeature()
    private var scan: any SplitScan

    private struct Pending {
        var range: Range<Int>
        var depth: Int
        /// Whose child it is, and on which side.
        var parent: Int
        var isLeft: Bool
    }

    init(samples: Samples, indices: [Int32], task: DecisionTree.Task, options: DecisionTree.Options) {
        self.samples = samples
        self.indices = indices
        self.task = task
        self.options = options
        scan =
            switch task {
            case .regression: VarianceScan()
            case .classification(let classes) where options.criterion == .entropy:
                EntropyScan(classes: classes, samples: indices.count)
            case .classification(let classes): GiniScan(classes: classes)
            }
    }

    mutating func grow() -> [DecisionTree.Node] {
        var nodes: [DecisionTree.Node] = []
        var pending = [Pending(range: 0..<indices.count, depth: 0, parent: -1, isLeft: false)]
        while let next = pending.popLast() {
            let targets = indices[next.range].map { samples.targets.base[Int($0)] }
            let (impurity, value) = scan.begin(targets)
            let index = nodes.count
            nodes.append(DecisionTree.Node(split: nil, samples: targets.count, impurity: impurity, value: value))
            if next.parent >= 0 {
                if next.isLeft {
                    nodes[next.parent].split?.left = index
                } else {
                    nodes[next.parent].split?.right = index
                }
            }
            let least = max(options.minSamplesLeaf, 1)
            guard next.depth < options.maxDepth ?? .max, targets.count >= max(options.minSamplesSplit, 2),
                targets.count >= 2 * least, impurity > 1e-12, let best = bestSplit(next.range, targets, least)
            else { continue }
            let middle = partition(next.range, best)
            nodes[index].split = DecisionTree.Split(
                feature: best.feature, threshold: best.threshold, left: 0, right: 0)
            pending.append(
                Pending(
                    range: middle..<next.range.upperBound, depth: next.depth + 1, parent: index, isLeft: false))
            pending.append(
                Pending(range: next.range.lowerBound..<middle, depth: next.depth + 1, parent: index, isLeft: true))
        }
        return nodes
    }

    private mutating func bestSplit(
        _ range: Range<Int>, _ targets: [Float], _ least: Int
    ) -> (feature: Int, threshold: Double)? {
        let width = samples.width
        var best: (feature: Int, threshold: Double)?
        var bestScore = -Double.infinity
        for feature in 0..<width {
            let base = samples.features.base + feature
            let places = indices[range]
            sorted.sort(targets.count) { base[Int(places[places.startIndex + $0]) * width] }
            if sorted.value(0) == sorted.value(targets.count - 1) { continue }
            guard let found = scan.run(targets, sorted, leastSamples: least), found.score > bestScore else { continue }
            bestScore = found.score
            let (below, above) = (Double(sorted.value(found.rank)), Double(sorted.value(found.rank + 1)))
            best = (feature, below / 2 + above / 2)
        }
        return best
    }

    /// Moves the samples that answer yes to the front, both sides in their order.
    private mutating func partition(_ range: Range<Int>, _ split: (feature: Int, threshold: Double)) -> Int {
        spare.removeAll(keepingCapacity: true)
        var end = range.lowerBound
        for i in range {
            let index = indices[i]
            if Double(samples.features.base[Int(index) * samples.width + split.feature]) <= split.threshold {
                indices[end] = index
                end += 1
            } else {
                spare.append(index)
            }
        }
        for (i, index) in spare.enumerated() { indices[end + i] = index }
        return end
    }
}
