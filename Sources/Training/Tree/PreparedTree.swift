import ConfigFile
import Datasets
import Learning
import Tensors
import Units

/// A decision tree held against its data.
package struct PreparedTree: PreparedJob {
    let plan: TrainingPlan
    let options: DecisionTree.Options
    let outline: DatasetOutline
    let task: DecisionTree.Task
    let memory: Int

    /// - Throws: what is wrong with the job now that the data are known, with file and line.
    init(_ plan: TrainingPlan, _ options: DecisionTree.Options) throws(ConfigProblems) {
        let collector = ConfigReader.Collector()
        outline = try plan.outline(collector)
        self.plan = plan
        self.options = options
        if let classes = outline.classes, plan.task == .classification {
            task = .classification(classes: classes)
        } else {
            task = .regression
            if plan.task == .classification {
                collector.add(
                    plan.problem(
                        plan.lines.train, "model: a tree for classification, but the targets are numbers",
                        hint: "task = \"regression\""))
            }
        }
        if outline.targetShape.count != 1 {
            collector.add(
                plan.problem(
                    plan.lines.path, "model: a tree takes one target a sample, not \(outline.targetShape)"))
        }
        for problem in plan.metricProblems(outline) + plan.lossProblems {
            collector.add(plan.problem(plan.lines.train, problem))
        }
        // Growing keeps the samples' numbers in two orders, and one feature sorted.
        let growing = outline.trainCount * (2 * MemoryLayout<Int32>.stride + 3 * MemoryLayout<Double>.stride)
        memory = outline.dataBytes + outline.loadingBytes + growing + MemoryEstimate.program
        plan.checkMemory(memory, collector)
        try collector.check()
    }

    package var summary: String {
        let limits =
            (options.maxDepth.map { ["at most \($0) questions deep"] } ?? [])
            + ["leaves of at least \(options.minSamplesLeaf) samples"]
            + (options.ccpAlpha > 0 ? ["pruned with alpha \(options.ccpAlpha)"] : [])
        return [
            TrainingPlan.summary(of: outline),
            "model   decision tree, \(criterion), " + limits.joined(separator: ", "),
            "memory  \(ByteSize(bytes: Int64(memory)))",
        ].joined(separator: "\n")
    }

    var criterion: String {
        task == .regression ? DecisionTree.Criterion.squaredError.rawValue : options.criterion.rawValue
    }

    package func run(_ context: RunContext) throws(TrainingError) { try TreeRun(self, context).run() }
}

extension TrainingPlan {
    /// Metrics that follow from a loss, which a tree does not have.
    fileprivate var lossProblems: [String] {
        metrics.filter { $0 == .perplexity }.map { "train.metrics: \($0.rawValue) is not of trees" }
    }
}
