package import Tensors

extension DecisionTree {
    /// What a node's mixture is measured by.
    package enum Criterion: String, CaseIterable, Sendable {
        /// `1 - sum p²`
        case gini
        /// `-sum p log2 p`
        case entropy
        /// The variance: the only one for regression.
        case squaredError = "squared-error"
    }

    package struct Options: Hashable, Sendable {
        package var criterion: Criterion
        package var maxDepth: Int?
        package var minSamplesSplit: Int
        package var minSamplesLeaf: Int
        /// What a leaf more must gain in impurity, for ``pruned(alpha:)``.
        package var ccpAlpha: Double

        /// - Parameter criterion: of regression it is always the squared error.
        package init(
            criterion: Criterion = .gini, maxDepth: Int? = nil, minSamplesSplit: Int = 2, minSamplesLeaf: Int = 1,
            ccpAlpha: Double = 0
        ) {
            self.criterion = criterion
            self.maxDepth = maxDepth
            self.minSamplesSplit = minSamplesSplit
            self.minSamplesLeaf = minSamplesLeaf
            self.ccpAlpha = ccpAlpha
        }
    }

    /// Grows a tree on the samples with these indices: O(features × samples × depth), besides sorting.
    ///
    /// - Throws: `data` if there are none, or a feature is not finite or a target does not fit, with row and column.
    package static func fit(
        _ samples: Samples, _ indices: [Int32], task: Task, options: Options = Options()
    ) throws(LearningError) -> DecisionTree {
        try check(samples, indices, task)
        var grower = Grower(samples: samples, indices: indices, task: task, options: options)
        let tree = DecisionTree(task: task, features: samples.width, nodes: grower.grow())
        return options.ccpAlpha > 0 ? tree.pruned(alpha: options.ccpAlpha) : tree
    }

    /// The prediction for each of the samples with these indices: a class number or a value.
    ///
    /// - Throws: `data` if the samples have other features, or one of them is not a number.
    package func predict(_ samples: Samples, _ indices: [Int32]) throws(LearningError) -> [Float] {
        var predictions: [Float] = []
        predictions.reserveCapacity(indices.count)
        try forEachLeaf(samples, indices) { predictions.append(prediction($0)) }
        return predictions
    }

    /// The probabilities of the classes for each of these samples, `[indices][classes]`; or the values, `[indices]`.
    ///
    /// - Throws: as ``predict(_:_:)``.
    package func outputs(_ samples: Samples, _ indices: [Int32]) throws(LearningError) -> [Float] {
        var outputs: [Float] = []
        try forEachLeaf(samples, indices) { leaf in
            if case .regression = task { return outputs.append(prediction(leaf)) }
            for part in probabilities(leaf) { outputs.append(Float(part)) }
        }
        return outputs
    }

    private func forEachLeaf(
        _ samples: Samples, _ indices: [Int32], _ body: (Node) -> Void
    ) throws(LearningError) {
        guard samples.width == features else {
            throw LearningError(.data, "the samples have \(samples.width) features, the tree asks about \(features)")
        }
        for index in indices {
            let x = samples.features.base + Int(index) * features
            for j in 0..<features where x[j].isNaN {
                throw LearningError(.data, "row \(index), column \(j) is not a number")
            }
            body(leaf(x))
        }
    }

    private static func check(_ samples: Samples, _ indices: [Int32], _ task: Task) throws(LearningError) {
        guard !indices.isEmpty else { throw LearningError(.data, "there are no samples to grow a tree from") }
        guard samples.targetShape.count == 1 else {
            throw LearningError(.data, "a tree takes one target a sample, not \(samples.targetShape)")
        }
        if case .classification(let classes) = task, classes < 1 {
            throw LearningError(.model, "a tree needs at least one class")
        }
        for index in indices {
            guard (0..<samples.count).contains(Int(index)) else {
                throw LearningError(.data, "there is no row \(index)")
            }
            let x = samples.features.base + Int(index) * samples.width
            for j in 0..<samples.width where !x[j].isFinite {
                throw LearningError(
                    .data, "row \(index), column \(j) is \(x[j]), but a tree needs finite numbers to split")
            }
            let target = samples.targets.base[Int(index)]
            switch task {
            case .classification(let classes):
                if target >= 0, target < Float(classes), target == target.rounded() { continue }
                throw LearningError(.data, "row \(index) has the class \(target), not one of 0 to \(classes - 1)")
            case .regression:
                if !target.isFinite { throw LearningError(.data, "row \(index) has the target \(target)") }
            }
        }
    }
}
