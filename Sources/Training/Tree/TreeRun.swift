import Datasets
import JobAPI
import Learning
import Tensors

/// Grows a tree, tests it and writes it.
struct TreeRun {
    private let prepared: PreparedTree
    private let context: RunContext

    init(_ prepared: PreparedTree, _ context: RunContext) {
        self.prepared = prepared
        self.context = context
    }

    func run() throws(TrainingError) {
        let plan = prepared.plan
        let events = context.events
        let start = ContinuousClock.now
        let data = try TrainingData(plan, prepared.outline)
        events.say(prepared.summary)
        events.write(.progress(Progress(epoch: 1, epochs: 1, step: 0, steps: 1, samples: 0)))
        guard let train = data.train.first, data.train.count == 1 else {
            throw TrainingError(.data, "a tree takes samples of one length")
        }
        let tree = try training { () throws(LearningError) in
            try DecisionTree.fit(train.samples, train.indices, task: prepared.task, options: prepared.options)
        }
        events.write(
            .progress(Progress(epoch: 1, epochs: 1, step: 1, steps: 1, samples: train.indices.count)))
        var scores = TreeDirectory.Scores(train: try evaluate(tree, data.train))
        events.report(scores.train, split: "train")
        if !data.validation.isEmpty {
            let validation = try evaluate(tree, data.validation)
            events.report(validation, split: "validation")
            scores.validation = validation
        }
        if !data.test.isEmpty {
            let test = try evaluate(tree, data.test)
            events.report(test, split: "test")
            scores.test = test
        }
        scores.durationS = RunContext.seconds(since: start)
        // A tree that grows is nothing to go on from: until here, a signal ends the program at once.
        try context.startsWork()
        try TreeDirectory(prepared: prepared, tree: tree, dataset: data.dataset, scores: scores)
            .write(to: context.output)
        context.finish([
            "tree    \(tree.nodes.count) nodes, \(tree.leafCount) leaves, \(tree.depth) questions deep",
            RunCost(seconds: scores.durationS, samples: train.indices.count).line,
        ])
    }

    private func evaluate(_ tree: DecisionTree, _ selections: [SampleSelection]) throws(TrainingError) -> Evaluation {
        try training { () throws(LearningError) in
            var predictions = Predictions()
            if case .classification(let classes) = tree.task { predictions.width = classes }
            for selection in selections {
                for index in selection.indices {
                    predictions.targets.append(selection.samples.targets.base[Int(index)])
                }
                predictions.outputs += try tree.outputs(selection.samples, selection.indices)
            }
            var result = Evaluation(samples: predictions.targets.count)
            for metric in prepared.plan.metrics {
                switch metric {
                case .accuracy: result.values.append((metric.rawValue, predictions.accuracy))
                case .confusion: result.confusion = try predictions.confusion()
                default:
                    if let value = try predictions.value(of: metric) { result.values.append((metric.rawValue, value)) }
                }
            }
            return result
        }
    }
}
